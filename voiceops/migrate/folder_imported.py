"""What came of taking over a folder: the new project, what of it is managed now, and what a person should know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voiceops.errors import Diagnostic
from voiceops.migrate.migration import Migration, MovedAccount
from voiceops.model.plan import CREATE, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One environment of the new project. `plan` is None where its account was not looked at, and `waits` says why."""

    account: MovedAccount
    ids: Mapping[str, str]
    adopted: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)  # by address: ids that are nowhere live
    plan: Plan | None = None
    waits: str = ""
    ids_file: str = ""  # for `import --from`

    @property
    def differing(self) -> tuple[str, ...]:
        """The addresses of what is live otherwise than the folder says."""
        changes = self.plan.changes if self.plan is not None else ()
        return tuple(change.address for change in changes if not change.is_no_op and change.address in self.adopted)

    @property
    def creates(self) -> tuple[str, ...]:
        """The addresses of what no live object is known for."""
        if self.plan is None:
            return self.account.creates
        return tuple(c.address for c in self.plan.changes if c.actions == CREATE and c.address not in self.missing)

    def to_data(self) -> dict[str, Any]:
        """For JSON output."""
        data: dict[str, Any] = {
            "name": self.account.name,
            "adopted": list(self.adopted),
            "missing": dict(self.missing),
            "creates": list(self.creates),
            "differs": list(self.differing),
            "withoutFile": [one.to_data() for one in self.account.fileless],
            "phoneNumbers": dict(self.account.connection.phones),
        }
        if self.waits:
            data |= {"waits": self.waits, "idsFile": self.ids_file}
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderImported:
    """The project that a folder became; `written` is False where it was only looked at."""

    folder: Path
    files: tuple[str, ...]
    objects: int
    migration: Migration
    environments: tuple[Arrived, ...]
    secrets: tuple[str, ...] = ()  # that stand in .env now
    unseen: tuple[str, ...] = ()  # that somebody has to set
    notes: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    written: bool = True

    def to_data(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "folder": str(self.folder),
            "written": self.written,
            "objects": self.objects,
            "files": list(self.files),
            "environments": [one.to_data() for one in self.environments],
            "renamed": [one.to_data() for one in self.migration.renamed],
            "skipped": [one.to_data() for one in self.migration.skipped],
            "equalNames": {name: list(found) for name, found in self.migration.equal_names.items()},
            "secrets": {"set": list(self.secrets), "missing": list(self.unseen)},
            "notes": list(self.notes),
            "diagnostics": [one.to_data() for one in (*self.migration.notes, *self.warnings)],
        }
