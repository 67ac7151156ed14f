"""What came of a pull: which files, what they share, what is managed now, and what a person has to know or do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.adopt.secret_names import NeededSecret
from voiceops.adopt.shared_parts import SharedPart


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A live object that got no manifest, and why."""

    kind: str
    id: str
    name: str
    why: str

    def to_data(self) -> dict[str, Any]:
        """For JSON output."""
        return {"kind": self.kind, "id": self.id, "name": self.name, "why": self.why}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """A pull; `written` is False where it was only looked at. `finished` is how many objects of an earlier pull, one
    that was cut off, came under management with it."""

    project: str
    environment: str
    org: str
    folder: str
    files: tuple[str, ...] = ()
    ids: Mapping[str, str]  # address → live id, of what is managed now
    externals: Mapping[str, str]
    shared: tuple[SharedPart, ...] = ()
    secrets: tuple[NeededSecret, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    revision: int | None = None
    finished: int = 0
    written: bool = True

    @property
    def shown(self) -> tuple[str, ...]:
        """The secrets whose values the API shows: they stand in `.env`."""
        return tuple(one.name for one in self.secrets if one.value is not None)

    def to_data(self) -> dict[str, Any]:
        """As `pull --format json` has it."""
        unseen = [one for one in self.secrets if one.value is None]
        return {
            "project": self.project,
            "environment": self.environment,
            "org": self.org,
            "folder": self.folder,
            "written": self.written,
            "revision": self.revision,
            "files": list(self.files),
            "objects": dict(self.ids),
            "externals": dict(self.externals),
            "shared": [{"address": one.address, "usedBy": list(one.used_by)} for one in self.shared],
            "secrets": {
                "set": list(self.shown),
                "missing": [{"name": s.name, "address": s.address, "path": s.path} for s in unseen],
            },
            "leftOut": [one.to_data() for one in self.left_out],
            "finished": self.finished,
            "notes": list(self.notes),
        }
