"""What is known of one value, of one manifest, or of one line. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.errors import Mark
from voiceops.model.plan import shown
from voiceops.model.values import ABSENT, JSON, Path, format_path


def _place(mark: Mark | None) -> dict[str, Any]:
    return {} if mark is None else {"file": mark.file, "line": mark.line, "path": mark.path}


@dataclass(frozen=True, slots=True)
class Brought:
    """What a `${…}` in a value brings in: the text as written, what that is, and where it stands, if in a file."""

    text: str
    what: str
    mark: Mark | None = None
    value: JSON = ABSENT

    def to_data(self) -> dict[str, Any]:
        """As JSON has it."""
        value = {} if self.value is ABSENT else {"value": shown(self.value)}
        return {"text": self.text, "what": self.what, **_place(self.mark), **value}


@dataclass(frozen=True, slots=True)
class Layer:
    """One place that says something about a value. `what` is manifest, defaults, patch, part or built-in; `name` whose.

    `written` is the value as it stands there, before anything is substituted. `wins`: it is this one that counts.
    `names` is the part that it names, where the value comes from there.
    """

    what: str
    name: str
    mark: Mark
    written: JSON
    wins: bool = False
    brings: tuple[Brought, ...] = ()
    names: str = ""

    def to_data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "layer": self.what,
            "name": self.name,
            **_place(self.mark),
            "written": shown(self.written),
            "wins": self.wins,
            **({"names": self.names} if self.names else {}),
            "brings": [one.to_data() for one in self.brings],
        }


@dataclass(frozen=True, slots=True)
class SetValue:
    """One value of a manifest, and the place that counts."""

    path: Path
    value: JSON
    mark: Mark
    what: str


@dataclass(frozen=True, slots=True)
class SetBy:
    """The revision that set a value last. No `number`: it was adopted, or the revision is no longer kept."""

    number: int = 0
    at: str = ""
    who: str = ""
    commit: str = ""
    message: str = ""

    def to_data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {key: getattr(self, key) for key in ("number", "at", "who", "commit", "message") if getattr(self, key)}


@dataclass(frozen=True, slots=True)
class WasApplied:
    """What was applied, and when; `id` is the live object's."""

    id: str
    at: str
    value: JSON = ABSENT
    then: SetBy = field(default_factory=SetBy)


@dataclass(frozen=True, slots=True)
class LiveValue:
    """What is live now. `read` is False where nobody was asked, or no answer came: `why` says so.

    `edited` are the owned fields that were edited live since they were applied.
    """

    read: bool = False
    why: str = ""
    there: bool = True
    value: JSON = ABSENT
    edited: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """All of it. `path` is the live one, empty for a whole manifest; `value` what the manifests make of it."""

    project: str
    environment: str
    address: str
    mark: Mark
    path: Path = ()
    value: JSON = ABSENT
    facts: Mapping[str, str] = field(default_factory=dict)  # of the manifest: live name, labels, lifecycle, …
    layers: tuple[Layer, ...] = ()  # the weakest first
    rows: tuple[SetValue, ...] = ()  # of a whole manifest, or of a map: every value in it
    steps: tuple[str, ...] = ()  # of a line: from Twilio to who answers
    off: tuple[tuple[str, str], ...] = ()  # of a line: what is wrong, and what puts it right
    applied: WasApplied | None = None
    live: LiveValue = field(default_factory=LiveValue)
    notes: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """As `explain --format json` has it. Secrets are `(sensitive)`."""
        data: dict[str, Any] = {
            "project": self.project,
            "environment": self.environment,
            "address": self.address,
            **({"file": self.mark.file, "line": self.mark.line} if self.mark.file else {}),
            "facts": dict(self.facts),
        }
        if self.path:
            data["path"] = format_path(self.path)
        if self.value is not ABSENT:
            data["value"] = shown(self.value)
        data["sources"] = [layer.to_data() for layer in self.layers]
        data["values"] = [
            {"path": format_path(row.path), "value": shown(row.value), "layer": row.what} | _file(row.mark)
            for row in self.rows
        ]
        if self.steps:
            data["answers"] = list(self.steps)
            data["off"] = [{"summary": text, "fix": fix} for text, fix in self.off]
        data["applied"] = self._applied()
        data["live"] = self._live()
        return data | {"notes": list(self.notes)}

    def _applied(self) -> dict[str, Any] | None:
        if self.applied is None:
            return None
        found: dict[str, Any] = {"id": self.applied.id, "at": self.applied.at}
        if self.applied.value is not ABSENT:
            found["value"] = shown(self.applied.value)
        return found | {"revision": self.applied.then.to_data() or None}

    def _live(self) -> dict[str, Any]:
        if not self.live.read:
            return {"read": False, "why": self.live.why}
        found: dict[str, Any] = {"read": True, "exists": self.live.there, "edited": list(self.live.edited)}
        return found | ({"value": shown(self.live.value)} if self.live.value is not ABSENT else {})


def _file(mark: Mark) -> dict[str, Any]:
    return {"file": mark.file, "line": mark.line} if mark.file else {}
