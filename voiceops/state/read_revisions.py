"""The revisions of an environment, each read once: one that was written never changes, and may have megabytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from voiceops.state.store import Store


@dataclass(slots=True)
class Revisions:
    """Reads revisions when they are asked for, and keeps them for as long as the store is open."""

    store: Store
    _read: dict[int, dict[str, Any]] = field(default_factory=dict)

    async def get(self, number: int) -> dict[str, Any] | None:
        """One revision, or None where there is none of this number; 0 is the number of none. Raises StateError."""
        found = self._read.get(number)
        if found is None and number and (found := await self.store.revision(number)) is not None:
            self._read[number] = found
        return found

    async def numbers(self) -> list[int]:
        """The numbers that there are now, oldest first. Raises StateError."""
        return await self.store.revision_numbers()


def in_force_from(revision: Mapping[str, Any]) -> tuple[float, int]:
    """When it was applied, and the revision in force from then on: of a rollback the one that it returned to."""
    returned = revision.get("target") if revision["result"] == "ok" else None
    return datetime.fromisoformat(str(revision["at"])).timestamp(), int(returned or revision["number"])
