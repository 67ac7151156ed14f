"""An apply that was cut off: the next one clears its open intents up before it plans, and a plan says what that finds.

The deciding is recover.py's; here lists are read until every intent is decided, and the ledger learns of it.
"""

from __future__ import annotations

from voiceops.apply.apply_events import Emit, Event
from voiceops.apply.job import Job
from voiceops.apply.recover import Recovery, ambiguous, recover
from voiceops.errors import Diagnostic
from voiceops.model.graph import Graph
from voiceops.model.live import Snapshot
from voiceops.model.state import State
from voiceops.net.until import until
from voiceops.providers.snapshot_reader import read_live
from voiceops.state.elsewhere import elsewhere
from voiceops.state.ledger import Ledger


def types_needed(graph: Graph, ledger: Ledger) -> set[str]:
    """The kinds whose lists a plan has to read: those of the manifests, of the state and of open intents."""
    return (
        {resource.type for resource in graph.resources.values()}
        | {external.type for external in graph.externals.values()}
        | {entry.type for entry in ledger.state.entries.values()}
        | {intent.type for intent in ledger.intents.values()}
    )


async def recovered(job: Job, ledger: Ledger, emit: Emit) -> Snapshot:
    """A snapshot, after every open intent of an apply that did not end has been cleared up."""
    since: float | None = None

    async def cleared() -> Snapshot | None:
        nonlocal since
        snapshot = await read_live(job.accounts, types_needed(job.graph, ledger), for_plan=True)
        if not ledger.intents:
            return snapshot
        since = snapshot.date if since is None else since  # we hold the lock: nobody sends any more
        others = await elsewhere(ledger.store)
        recovery = recover(
            ledger.state, ledger.intents, snapshot, since=since, settle=job.options.settle, others=others
        )
        if recovery.ambiguous:
            nonce = next(iter(recovery.ambiguous))
            raise ambiguous(ledger.intents[nonce], recovery)
        await _note_recovery(ledger, recovery, emit, snapshot.date)
        if not ledger.intents:
            return snapshot
        names = ", ".join(sorted(intent.address for intent in ledger.intents.values()))
        text = f"waiting up to {job.options.settle:.0f} s for what the last apply sent: {names}"
        emit(Event(type="apply_progress", message=text))
        return None

    snapshot = await until(cleared, every=(min(1.0, job.options.settle / 4),))
    assert snapshot is not None  # there is no limit: every intent is decided once `settle` has passed
    return snapshot


async def _note_recovery(ledger: Ledger, recovery: Recovery, emit: Emit, date: float) -> None:
    for nonce, entry in recovery.entries.items():
        intent = ledger.intents[nonce]
        gone = (intent.id, date) if intent.action == "delete" else None
        await ledger.record(nonce, intent.address, entry, gone=gone)
        emit(
            Event(
                type="warning",
                address=intent.address,
                message=f"the last apply was cut off: its {intent.action} was found to be done",
            )
        )
    for nonce in recovery.without_effect:
        await ledger.record_lost(nonce, date)


async def as_recovered(ledger: Ledger, snapshot: Snapshot, settle: float) -> tuple[State, list[Diagnostic]]:
    """The state as the next apply's recovery will make it, for a plan that writes nothing."""
    state = ledger.state
    if not ledger.intents:
        return state, []
    others = await elsewhere(ledger.store)
    recovery = recover(state, ledger.intents, snapshot, since=snapshot.date, settle=settle, others=others)
    notes = []
    for nonce, entry in recovery.entries.items():
        intent = ledger.intents[nonce]
        state = state.without(intent.address) if entry is None else state.with_entry(entry)
    for nonce, ids in recovery.ambiguous.items():
        intent = ledger.intents[nonce]
        notes.append(
            Diagnostic(
                code="recovery-ambiguous",
                address=intent.address,
                summary=f"the last apply was cut off, and more than one object could be its: {', '.join(ids)}",
                hint=f"Look at them, delete what is not wanted, then `voiceops import {intent.address} ID`.",
            )
        )
    for nonce in recovery.waiting:
        notes.append(
            Diagnostic(
                code="recovery-waiting",
                severity="warning",
                address=ledger.intents[nonce].address,
                summary="the last apply was cut off a moment ago; what it sent may still turn up",
                hint="The next apply waits for it.",
            )
        )
    return state, notes
