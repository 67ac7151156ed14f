"""A store whose content has the shape that everybody behind it counts on; whatever back end it is in.

Raises StateError that names the place, the key and what to do, for what is not as voiceops writes it.
"""

from __future__ import annotations

from typing import Any

from voiceops.errors import StateError
from voiceops.model.data_form import Wrong
from voiceops.model.state import STATE_VERSION
from voiceops.state.sealed import restoring, serials
from voiceops.state.state_forms import check_note, check_record, check_revision, check_state, no_state
from voiceops.state.wrapper import StoreWrapper

_JOURNAL_HINT = "It holds what an apply had under way: bring the file back from a copy, or look at what is live first."
_NO_COPY = "Bring it back from a copy; there is no good one beside it."
_REVISION_HINT = "Bring it back from a copy of the state; without it there is no way back to that revision."


class CheckedStore(StoreWrapper):
    """The same interface over another store, encrypted or not."""

    async def read(self) -> dict[str, Any] | None:
        data = await self.inner.read()
        if data is None or "encrypted" in data or not _is_known(data):
            return data  # the ledger says what is to be done about these
        try:
            check_state(data)
        except Wrong as wrong:
            raise no_state(self.place, "the state", wrong, restoring(await self.states(), _NO_COPY)) from None
        return data

    async def journal(self) -> list[dict[str, Any]]:
        found = await self.inner.journal()
        for number, record in enumerate(found, 1):
            if isinstance(record, dict) and record.get("record") == "encrypted":
                raise StateError(
                    f"the journal in {self.place} is encrypted",
                    hint="Set VOICEOPS_STATE_IDENTITY, and encryption: in voiceops.yaml.",
                )
            try:
                check_record(record)
            except Wrong as wrong:
                raise no_state(self.place, f"record {number} of the journal", wrong, _JOURNAL_HINT) from None
        return found

    async def revisions(self) -> list[dict[str, Any]]:
        return [self._revision(data) for data in await self.inner.revisions()]

    async def revision(self, number: int) -> dict[str, Any] | None:
        data = await self.inner.revision(number)
        return None if data is None else self._revision(data, number)

    async def notes(self) -> list[dict[str, Any]]:
        return [note for note in await self.inner.notes() if _is_note(note)]

    async def states(self) -> list[dict[str, Any]]:
        return [data for data in await self.inner.states() if _is_state(data)]

    async def restore(self, serial: int) -> dict[str, Any]:
        kept = serials(await self.states())
        if serial not in kept:
            raise StateError(
                f"there is no good copy with serial {serial} in {self.place}",
                hint=f"There are: {', '.join(map(str, kept))}." if kept else "",
            )
        return await self.inner.restore(serial)

    async def siblings(self) -> list[dict[str, Any]]:
        found = await self.inner.siblings()
        for data in found:
            try:
                if "encrypted" not in data and _is_known(data):
                    check_state(data)
            except Wrong as wrong:
                name = str(data.get("environment"))[:60]
                hint = "Mend it, or move it away: its objects are not told from strangers' without it."
                raise no_state(
                    self.place, f"another environment's state ({name}) beside the one", wrong, hint
                ) from None
        return found

    async def sibling_journals(self) -> list[list[dict[str, Any]]]:
        found = await self.inner.sibling_journals()
        for records in found:
            for record in records:
                try:
                    check_record(record)
                except Wrong as wrong:
                    what = "the journal of another environment beside the one"
                    raise no_state(self.place, what, wrong, _JOURNAL_HINT) from None
        return found

    def _revision(self, data: dict[str, Any], number: int | None = None) -> dict[str, Any]:
        try:
            check_revision(data)
            if number is not None and data["number"] != number:
                raise Wrong(f"number is {data['number']}")
        except Wrong as wrong:
            name = data.get("number") if number is None else number
            raise no_state(self.place, f"revision {name!r:.20}", wrong, _REVISION_HINT) from None
        return data


def _is_known(data: dict[str, Any]) -> bool:
    version = data.get("version")
    return isinstance(version, int) and version <= STATE_VERSION


def _is_state(data: dict[str, Any]) -> bool:
    try:
        check_state(data)
    except Wrong:
        return False
    return True


def _is_note(data: dict[str, Any]) -> bool:
    try:
        check_note(data)
    except Wrong:
        return False
    return True
