"""The state, looked at and corrected by hand: each change under the lock, and told to the history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from voiceops.apply.history_notes import HistoryNote, write_note
from voiceops.errors import Locked, VoiceopsError
from voiceops.model.address import kind_of, name_of, owner_of
from voiceops.model.state import Entry
from voiceops.state.ledger import Ledger
from voiceops.state.migrate import Moved, migrate
from voiceops.state.store import Store
from voiceops.use.open_state import open_ledger, store_of
from voiceops.use.opened import Opened
from voiceops.use.origin import origin
from voiceops.use.state_place import check_place


async def state_entries(opened: Opened) -> list[Entry]:
    """Every managed object as it was applied, by address; secrets as fingerprints. Raises StateError, Refused."""
    async with open_ledger(opened) as ledger:
        return sorted(ledger.state.entries.values(), key=lambda entry: entry.address)


async def state_entry(opened: Opened, address: str) -> Entry:
    """One of them. Raises VoiceopsError where the state has no such address."""
    async with open_ledger(opened) as ledger:
        found = ledger.state.entries.get(address)
    if found is None:
        raise VoiceopsError(f"the state has no {address}", hint="See `voiceops state list`.")
    return found


async def move_entry(opened: Opened, source: str, target: str, *, local_state: bool = False) -> None:
    """Rename an object in the state, as `moved:` does in a manifest. Raises VoiceopsError where that can't be, Locked,
    and Refused in a pipeline's checkout, unless that is meant: `local_state`."""
    async with _edited(opened, "state mv", f"{source} is now {target}", local_state) as ledger:
        if kind_of(source) != kind_of(target):
            raise VoiceopsError(
                f"{source} can't become {target}: its live object stays of kind {kind_of(source)}",
                hint=f"Write {kind_of(source)}/{name_of(target)}.",
            )
        if target in ledger.state.entries:
            raise VoiceopsError(f"the state has {target} already")
        for address in _sides(ledger, source):
            entry, moved = ledger.state.entries[address], target + address.removeprefix(source)
            await ledger.record_moved(address, moved)
            await ledger.record("", moved, replace(entry, address=moved))


async def forget_entry(opened: Opened, address: str, *, local_state: bool = False) -> None:
    """Manage an object no more; it stays live. Raises VoiceopsError where the state has none, Locked, and Refused in a
    pipeline's checkout, unless that is meant: `local_state`."""
    async with _edited(opened, "state rm", f"{address} is no longer managed", local_state) as ledger:
        for side in _sides(ledger, address):
            await ledger.record("", side, None)


async def unlock_state(opened: Opened, lock_id: str) -> None:
    """Take the lock away from a holder that is gone for good. Raises StateError where nobody holds it so."""
    async with store_of(opened) as store:
        await store.unlock(lock_id)
        with suppress(Locked):  # somebody has it already again
            async with store.lock("state unlock", 0.0):
                await _tell(opened, store, "state unlock", f"the lock {lock_id} was taken away")


async def kept_states(opened: Opened) -> list[dict[str, Any]]:
    """The states that `restore` can bring back, newest last, as they were written."""
    async with store_of(opened) as store:
        return await store.states()


async def restore_state(opened: Opened, serial: int, *, local_state: bool = False) -> int:
    """Bring an old state back, also where the present one is damaged; gives the serial that it has now.

    What was made since stays live. Raises StateError where that state is not kept, Locked, and Refused in a pipeline's
    checkout, unless that is meant: `local_state`.
    """
    check_place(opened.project, local=local_state, environ=opened.context.environ)
    async with store_of(opened) as store, store.lock("restore", 0.0):
        data = await store.restore(serial)
        await _tell(opened, store, "state restore", f"serial {serial} is back, as serial {data['serial']}")
        return int(data["serial"])


async def migrate_state(
    opened: Opened, source: str, target: str, *, lock_timeout: float = 0.0
) -> tuple[str, str, Moved]:
    """Copy the state from one place to another, empty one; both as in `state:`. Gives both places' names, and what was
    copied. `lock_timeout` is in seconds. Raises StateError, Locked, Refused."""
    old, new = store_of(opened, source, plain=True), store_of(opened, target)
    return old.place, new.place, await migrate(old, new, lock_timeout)


@asynccontextmanager
async def _edited(opened: Opened, operation: str, summary: str, local_state: bool) -> AsyncIterator[Ledger]:
    """The ledger under the lock; saved and told to the history where the block ends well."""
    check_place(opened.project, local=local_state, environ=opened.context.environ)
    async with store_of(opened) as store, store.lock(operation, 0.0):
        ledger = await Ledger.open(store, opened.project.name, opened.project.environment)
        yield ledger
        await ledger.save()
        await _tell(opened, store, operation, summary)


def _sides(ledger: Ledger, address: str) -> list[str]:
    found = [a for a in ledger.state.entries if owner_of(a) == address]
    if not found:
        raise VoiceopsError(f"the state has no {address}", hint="See `voiceops state list`.")
    return found


async def _tell(opened: Opened, store: Store, operation: str, summary: str) -> None:
    who = origin(opened.project.root, opened.environ)
    await write_note(store, HistoryNote(operation=operation, result="ok", summary=summary, origin=who))
