"""History: what was done to an environment, by whom, why, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from voiceops.errors import VoiceopsError
from voiceops.use.open_state import open_ledger
from voiceops.use.opened import Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Revisions (with a `number`) and notes (with an `id`) in the order in which they came, as they were kept.

    docs/history.md says what they hold. `in_force` is the number of the revision that is applied now, 0: none.
    """

    entries: tuple[dict[str, Any], ...]
    in_force: int

    def entry(self, name: str) -> dict[str, Any]:
        """One entry by its number or id. Raises VoiceopsError."""
        found = next((e for e in self.entries if name in (str(e.get("number", "")), e.get("id"))), None)
        if found is None:
            raise VoiceopsError(f"there is no revision {name}", hint="REV is a number or an id of `voiceops history`.")
        return found


async def history(opened: Opened) -> History:
    """All that is kept of it: applies that changed something, and between them refusals, failures and changes of the
    state by hand. Raises StateError, Refused."""
    async with open_ledger(opened) as ledger:
        found = [*await ledger.store.revisions(), *await ledger.store.notes()]
        in_force = ledger.state.in_force or ledger.state.revision
    return History(entries=tuple(sorted(found, key=_place)), in_force=in_force)


def _place(entry: dict[str, Any]) -> tuple[int, str]:
    return (entry["number"], "") if "number" in entry else (entry.get("after", 0), entry["id"])
