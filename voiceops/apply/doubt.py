"""Objects that are too new to be believed missing: before an apply writes to one, it is asked for by itself.

A list may lag behind for as long as `settle`. For a plan that has nothing to do with such an object that does not
matter. What would be written to, or named by what is written, is waited for: until it answers by its id, or until it
is old enough to be missing for good. Then the plan is made anew, and puts back what somebody deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from voiceops.apply.events import Emit, Event
from voiceops.kinds.phone import TWILIO_TYPE
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Graph
from voiceops.model.live import Snapshot
from voiceops.model.plan import DELETE, Plan
from voiceops.model.state import Entry, State
from voiceops.providers.live import Accounts

_POLL = 0.5  # seconds


def doubtful(plan: Plan, graph: Graph, state: State, snapshot: Snapshot, settle: float) -> tuple[Entry, ...]:
    """The objects of a plan's writes that no list shows, and that are too new for that to mean anything."""
    written = {c.previous_address or c.address for c in plan.active if not c.state_only and c.actions != DELETE}
    named = {ref for address in written for ref in graph.dependencies(address)}
    return tuple(
        entry
        for address, entry in sorted(state.entries.items())
        if address in written | named
        and entry.type in snapshot.objects
        and snapshot.get(entry.type, entry.id) is None
        and snapshot.date - entry.recorded_at < settle
    )


async def wait_for(entries: Iterable[Entry], accounts: Accounts, settle: float, emit: Emit) -> None:
    """Until each object answers by its id, or is old enough to be gone. Raises ProviderError."""
    waiting = list(entries)
    names = ", ".join(entry.address for entry in waiting)
    emit(Event(type="apply_progress", message=f"no list shows {names} yet: waiting up to {settle:.0f} s for it"))
    while True:
        shown = await asyncio.gather(*(_is_there(entry, accounts) for entry in waiting))
        waiting = [
            entry
            for entry, there in zip(waiting, shown, strict=True)
            if not there and accounts.date - entry.recorded_at < settle
        ]
        if not waiting:
            return
        await asyncio.sleep(min(_POLL, max(0.05, settle / 4)))


async def _is_there(entry: Entry, accounts: Accounts) -> bool:
    if entry.type == TWILIO_TYPE:
        return accounts.twilio is not None and await accounts.twilio.get(entry.id) is not None
    return await accounts.vapi.get(KINDS[entry.kind].at(entry.owned), entry.id) is not None
