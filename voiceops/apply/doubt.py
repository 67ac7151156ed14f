"""Objects that are too new to be believed missing: an apply waits until lists show them, or they are gone for good.

A list may lag behind for as long as `settle`. A plan takes such an object for what it was; an apply has the time to be
sure: once it is old enough to be missing, the plan is made anew, and puts back what somebody deleted.
"""

from __future__ import annotations

from collections.abc import Iterable

from voiceops.apply.apply_events import Emit, Event
from voiceops.model.live import Snapshot
from voiceops.model.plan import DELETE, Plan
from voiceops.model.state import Entry, State
from voiceops.model.wording import some_of
from voiceops.net.until import until
from voiceops.providers.snapshot_reader import Accounts, read_live

_POLL = 0.5  # seconds
_NAMED = 5


def doubtful(plan: Plan, state: State, snapshot: Snapshot, settle: float) -> tuple[Entry, ...]:
    """What a plan keeps or writes, no list shows, and is too new for that to mean anything."""
    kept = {change.previous_address or change.address for change in plan.changes if change.actions != DELETE}
    return tuple(
        entry for address, entry in sorted(state.entries.items()) if address in kept and lags(entry, snapshot, settle)
    )


def lags(entry: Entry, snapshot: Snapshot, settle: float) -> bool:
    """Is an object missing in the lists that were read, though it was written so lately that they may lag behind?"""
    read = entry.type in snapshot.objects
    return read and snapshot.get(entry.type, entry.id) is None and snapshot.date - entry.recorded_at < settle


async def wait_for(entries: Iterable[Entry], accounts: Accounts, settle: float, emit: Emit) -> None:
    """Until lists show each object, or it is old enough to be gone. Raises ProviderError."""
    waiting = list(entries)
    names = some_of([entry.address for entry in waiting], _NAMED)
    emit(Event(type="apply_progress", message=f"no list shows {names} yet: waiting up to {settle:.0f} s for it"))

    async def sure() -> bool | None:
        snapshot = await read_live(accounts, {entry.type for entry in waiting})
        waiting[:] = [entry for entry in waiting if lags(entry, snapshot, settle)]
        return None if waiting else True

    await until(sure, every=(min(_POLL, max(0.05, settle / 4)),), at_once=False)
