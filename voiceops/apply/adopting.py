"""Taking live objects into the state: all of them in one revision, or none. Nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from voiceops.apply.account_binding import binding_of, check_account
from voiceops.apply.cut_off import types_needed
from voiceops.apply.execute import execute
from voiceops.apply.history_notes import HistoryNote, forget_old, write_note
from voiceops.apply.job import Job
from voiceops.apply.numbers import take_as_it_is
from voiceops.apply.recording import imported, unseen_secrets
from voiceops.apply.result import Result
from voiceops.apply.revisions import Request, close
from voiceops.apply.run import Planned, known_options, session_of
from voiceops.engine.ordering.schedule import schedule
from voiceops.engine.planning.planner import make_plan
from voiceops.engine.review.saved_check import left_out
from voiceops.errors import VoiceopsError
from voiceops.kinds.base import is_stock
from voiceops.kinds.registry import KINDS, kind_of_type
from voiceops.model.address import owner_of
from voiceops.model.live import Snapshot
from voiceops.model.plan import Change, Plan
from voiceops.model.state import Entry
from voiceops.providers.snapshot_reader import read_live
from voiceops.state.store import Lease


@dataclass(frozen=True, slots=True)
class Adoption:
    """What came into the state, by address, which ids are nowhere live, and the plan right after."""

    adopted: tuple[str, ...]
    missing: Mapping[str, str]
    plan: Plan
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """An adoption that was only thought through: the entries that it makes, and the plan that would be left."""

    adopted: tuple[str, ...]
    missing: Mapping[str, str]
    entries: Mapping[str, Entry]
    made: Planned
    result: Result
    left: Plan


async def adopt_all(job: Job, ids: Mapping[str, str], request: Request) -> Adoption:
    """Take live objects into the state under these addresses, in one revision, by one look at the account.

    What is live as its manifest wants it is recorded as if it had been applied; the rest is left for the next plan to
    show. Nothing is sent. Raises Locked, Refused: another account; ProviderError and StateError.
    """
    async with job.store.lock(request.operation, request.lock_timeout) as lease:
        await job.ledger.refresh()
        snapshot = await read_live(job.accounts, types_needed(job.graph, job.ledger), for_plan=True)
        return await adopt_seen(job, ids, request, snapshot, lease)


async def adopt_seen(job: Job, ids: Mapping[str, str], request: Request, snapshot: Snapshot, lease: Lease) -> Adoption:
    """The same under a lock that is held, of an account that was just read. Raises Refused and StateError."""
    return await adopt_rehearsed(job, await rehearse(job, ids, snapshot), request, lease)


async def adopt_rehearsed(job: Job, thought: Rehearsed, request: Request, lease: Lease) -> Adoption:
    """What was thought through is written: the revision, then the state with all of it. Raises StateError."""
    number = None
    if thought.adopted:
        job.ledger.take(thought.entries, thought.made.binding)
        session = session_of(job, lambda _: None, thought.made, lease)
        number = await close(job.graph, session, thought.made.plan, thought.result, request)
        await forget_old(job.ledger.revisions, job.ledger.state, job.retention)
    return Adoption(thought.adopted, thought.missing, thought.left, number)


async def rehearse(job: Job, ids: Mapping[str, str], snapshot: Snapshot) -> Rehearsed:
    """What an adoption of these ids would make of the state, and of the next plan; nothing is written.

    Raises Refused where the state is another account's.
    """
    binding = await check_account(job, job.ledger.state.binding, snapshot)
    ledger = job.ledger.scratch()
    scratch = replace(job, ledger=ledger)
    adopted, missing = [], {}
    for address, id_ in ids.items():
        resource = job.graph.resources.get(address)
        live = snapshot.get(resource.type, id_) if resource is not None else None
        if resource is None or live is None or is_stock(live):
            missing[address] = id_
        else:
            entry = imported(resource, live, snapshot.date, job.graph.dependencies(address))
            await ledger.record("", address, replace(entry, owned=unseen_secrets(resource, live)))
            adopted.append(address)
    options = await known_options(scratch, ledger.state)
    found = make_plan(job.graph, ledger.state, snapshot, options)
    chosen = frozenset(adopted)
    changes = tuple(_of_the_state(change, chosen) for change in found.changes)
    made = Planned(replace(found, changes=changes), snapshot, binding, options)
    result = await _recorded(scratch, made, chosen) if adopted else Result()
    left = make_plan(job.graph, ledger.state, snapshot, await known_options(scratch, ledger.state))
    entries = {a: e for a, e in ledger.state.entries.items() if job.ledger.entry(a) != e}
    return Rehearsed(tuple(adopted), missing, entries, made, result, left)


async def _recorded(job: Job, made: Planned, adopted: frozenset[str]) -> Result:
    """Everything that is live as the manifests want it, as if it had been applied; on paper."""
    session = session_of(job, lambda _: None, made, None)
    operations = schedule(job.graph, job.ledger.state, made.plan.changes)
    ours = [operation for operation in operations if kind_of_type(operation.change.type) is not None]
    result = await execute(session, ours, job.parallelism, asyncio.Event())
    for operation in operations:
        if operation not in ours and owner_of(operation.change.address) in adopted:
            await take_as_it_is(session, job.graph.resources[operation.change.address])
            result.done.append(operation)
    return result


def _of_the_state(change: Change, adopted: frozenset[str]) -> Change:
    """A change as an adoption makes it: of the state alone, or left for the next plan."""
    if owner_of(change.address) not in adopted:
        return left_out(change)
    return change if change.state_only else left_out(change)


async def adopt(job: Job, address: str, id_: str, origin: Mapping[str, Any]) -> str:
    """Take one live object into the state under an address of the graph. Returns its live name.

    Raises VoiceopsError: there is no such object, it is Vapi's own, or the state has it or the address already.
    """
    async with job.store.lock("import", 0.0):
        ledger = job.ledger
        await ledger.refresh()
        snapshot = await read_live(job.accounts, types_needed(job.graph, ledger))
        await check_account(job, ledger.state.binding, snapshot)
        resource = job.graph.resources[address]
        live = snapshot.get(resource.type, id_)
        if live is None:
            raise VoiceopsError(
                f"there is no live {KINDS[resource.kind].title} {id_}", hint="Check the id and the account."
            )
        if is_stock(live):
            raise VoiceopsError(f"{id_} is Vapi's own, the same in every organization: it can't be managed")
        held = next((e for e in ledger.state.entries.values() if e.id == id_ or e.address == address), None)
        if held is not None:
            raise VoiceopsError(
                f"the state has {held.address} for {held.id} already",
                hint=f"`voiceops state rm {held.address}` forgets it.",
            )
        await ledger.bind(binding_of(job, snapshot))
        await ledger.record("", address, imported(resource, live, snapshot.date, job.graph.dependencies(address)))
        await ledger.save()
        name = str(KINDS[resource.kind].name_of(live) or id_)
        told = f"{address} stands for {name} ({id_})"
        await write_note(job.store, HistoryNote(operation="import", result="ok", summary=told, origin=origin))
        return name
