"""The use cases: make a plan, and apply one. They wire graph, state and accounts together; no printing here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from voiceops.apply.account_binding import check_account, learn_org
from voiceops.apply.apply_events import Emit, Event
from voiceops.apply.callers_get import Served, served
from voiceops.apply.cut_off import as_recovered, recovered, types_needed
from voiceops.apply.doubt import doubtful, wait_for
from voiceops.apply.execute import execute
from voiceops.apply.history_notes import HistoryNote, forget_old, note_failure, write_note
from voiceops.apply.job import Job
from voiceops.apply.recording import new_entry
from voiceops.apply.result import Result
from voiceops.apply.revisions import Request, changed_something, close, revert_line
from voiceops.apply.session import Session, fingerprints, seen_first
from voiceops.engine.options import Options
from voiceops.engine.ordering.schedule import schedule
from voiceops.engine.planning.externals import externals_of
from voiceops.engine.planning.hold import with_holds
from voiceops.engine.planning.planner import make_plan
from voiceops.engine.planning.sameness import late_arrivals
from voiceops.engine.planning.secrets_to_send import missing_secrets
from voiceops.engine.planning.shared_names import LiveNames, shared_names
from voiceops.engine.review.plan_checks import checked
from voiceops.engine.review.saved_check import narrowed
from voiceops.errors import Diagnostic, PartialApply, Refused, StateError, VoiceopsError
from voiceops.kinds.registry import KINDS
from voiceops.model.address import owner_of
from voiceops.model.graph import Graph
from voiceops.model.live import Snapshot
from voiceops.model.plan import Plan
from voiceops.model.state import Binding, Entry, State
from voiceops.preview.preview_names import name_in
from voiceops.providers.snapshot_reader import read_live
from voiceops.state.elsewhere import elsewhere
from voiceops.state.fingerprints import fingerprint_live
from voiceops.state.ledger import Ledger
from voiceops.state.store import Lease


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an apply did: the plan, and the result of each operation (None: nothing was started)."""

    plan: Plan
    result: Result | None
    revision: int | None = None
    served: tuple[Served, ...] = ()  # what not all callers get as it was written


async def plan(job: Job, snapshot: Snapshot | None = None) -> Plan:
    """The plan as it is now, or of a snapshot that was just taken; writes nothing and takes no lock."""
    ledger = job.ledger
    snapshot = snapshot or await read_live(job.accounts, types_needed(job.graph, ledger), for_plan=True)
    state, notes = await as_recovered(ledger, snapshot, job.options.settle)
    await check_account(job, state.binding, snapshot)
    found = make_plan(job.graph, state, snapshot, await known_options(job, state))
    shared = shared_names(job.graph, await _names_of_others(job, state.binding.vapi_org or snapshot.org))
    found = replace(found, diagnostics=(*found.diagnostics, *notes, *late_arrivals(state, snapshot), *shared))
    found = await _held(job, _asking_for_its_state(found, state, job.store.place), state)
    return checked(found, job.graph, job.checks, force=job.options.force)


async def _names_of_others(job: Job, org: str) -> dict[str, LiveNames]:
    """The live names of the environments whose states stand beside this one and belong to the same organization.

    A preview's names are its own, but for those that models call tools by: these are the same in all of them."""
    if name_in(job.graph.environment) is not None:
        return {}
    return {
        str(other.get("environment")): {
            (str(entry["type"]), str(entry["name"])): address
            for address, entry in other.get("resources", {}).items()
            if entry.get("name")
        }
        for other in await job.store.siblings()
        if org and other.get("binding", {}).get("vapiOrg") == org and name_in(str(other.get("environment"))) is None
    }


async def apply(
    job: Job,
    request: Request,
    emit: Emit,
    confirm: Callable[[Plan], Awaitable[bool]],
    stop: asyncio.Event | None = None,
) -> Outcome:
    """Lock, recover, plan, confirm, execute, record. Raises Refused, Locked, ProviderError, StateError."""
    emit = _never_failing(emit)
    async with AsyncExitStack() as stack:
        lease = await stack.enter_async_context(job.store.lock(request.operation, request.lock_timeout))
        if lease.note:
            emit(Event(type="warning", message=lease.note))
        try:
            outcome = await _apply(job, request, lease, emit, confirm, stop or asyncio.Event())
        except VoiceopsError as error:
            await note_failure(job.store, request.operation, request.message, request.origin, error, job.secrets.redact)
            raise
        return outcome


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan that was made under the lock, and what it was made from."""

    plan: Plan
    snapshot: Snapshot
    binding: Binding
    options: Options


async def _apply(
    job: Job,
    request: Request,
    lease: Lease,
    emit: Emit,
    confirm: Callable[[Plan], Awaitable[bool]],
    stop: asyncio.Event,
) -> Outcome:
    """What happens while the lock is held."""
    ledger = job.ledger
    await ledger.refresh()
    unrecorded = _is_unrecorded(job, request, ledger)
    made = await _planned(job, request, emit)
    found = made.plan
    job.accounts.on_wait(lambda text: emit(Event(type="apply_progress", message=text)))
    emit(Event(type="planned", data={"summary": found.summary, "applyable": found.applyable}))
    await _check_may_be_sent(job, found)
    if not found.active and unrecorded:
        session = session_of(job, emit, made, lease)
        return Outcome(found, None, await close(job.graph, session, found, Result(), request))
    if not found.active:
        await ledger.save(**_seen(job, made.options))
        return Outcome(found, None)
    if not await confirm(found):
        await ledger.save()
        return Outcome(found, None)
    await ledger.bind(made.binding)
    if request.saved is not None:
        await ledger.use_plan(request.saved.id)
    session = session_of(job, emit, made, lease)
    operations = schedule(job.graph, ledger.state, found.changes)
    return await _ended(session, request, found, await execute(session, operations, job.parallelism, stop))


def _seen(job: Job, options: Options) -> dict[str, Any]:
    """What changes in the state where secrets of adopted objects are at hand for the first time."""
    entries = job.ledger.state.entries
    seen = seen_first(job.graph, job.ledger.state, options)
    return {"entries": {**entries, **seen}} if seen else {}


async def _planned(job: Job, request: Request, emit: Emit) -> Planned:
    """Recover, read, plan; again where an object is too new to be believed missing, once that is certain."""
    ledger = job.ledger
    snapshot = await recovered(job, ledger, emit)
    binding = await check_account(job, ledger.state.binding, snapshot)
    options = await known_options(job, ledger.state)
    found = make_plan(job.graph, ledger.state, snapshot, options)
    if unseen := doubtful(found, ledger.state, snapshot, options.settle):
        await wait_for(unseen, job.accounts, options.settle, emit)
        snapshot = await recovered(job, ledger, emit)
        found = make_plan(job.graph, ledger.state, snapshot, options)
    if request.saved is not None:
        found = narrowed(found, request.saved, ledger.state, options.safety, force=options.force)
    found = await _held(job, _asking_for_its_state(found, ledger.state, job.store.place), ledger.state)
    return Planned(checked(found, job.graph, job.checks, force=options.force), snapshot, binding, options)


async def _check_may_be_sent(job: Job, found: Plan) -> None:
    """Is the plan applyable, and are its secrets at hand? Raises Refused, VoiceopsError; what recovery did is kept."""
    if found.refused:
        await job.ledger.save()
        asked = (d for d in found.diagnostics if d.code == "empty-state")
        raise Refused("the plan can't be applied", diagnostics=(*found.errors, *asked))
    if missing := missing_secrets(found, job.graph, lambda secret: bool(job.secrets.reveal(secret))):
        await job.ledger.save()
        names = ", ".join(dict.fromkeys(d.summary.partition(" is not set")[0] for d in missing))
        raise VoiceopsError(f"nothing was sent: {names} not set", diagnostics=missing)


async def _ended(session: Session, request: Request, found: Plan, result: Result) -> Outcome:
    """Write down what came of it: a revision where anything was done, else a note."""
    job, ledger = session.job, session.ledger
    session.trim()
    if seen := _seen(job, session.options):
        await ledger.save(**seen)
    if changed_something(session, result):
        with _partly(result):
            await learn_org(job, ledger, session)
            number = await close(job.graph, session, found, result, request)
        await forget_old(ledger.revisions, ledger.state, job.retention)
        return Outcome(found, result, number, await served(session, result))
    await learn_org(job, ledger, session)
    if request.saved is not None:  # it can be applied yet
        await ledger.save(used_plans=tuple(id_ for id_ in ledger.state.used_plans if id_ != request.saved.id))
    await ledger.save()
    await _note_nothing_done(job, request, result)
    return Outcome(found, result)


@contextmanager
def _partly(result: Result) -> Iterator[None]:
    """What was sent was sent, also where the state can't be written any more."""
    try:
        yield
    except StateError as error:
        count = len(result.done)
        raise PartialApply(
            f"{count} change{'s were' if count != 1 else ' was'} made, and the state can't be written: {error.summary}",
            hint="Mend that, and run apply again: it finds what was made.",
        ) from None


def _is_unrecorded(job: Job, request: Request, ledger: Ledger) -> bool:
    """Is there something to tell though there may be nothing to do? An apply that died after its last request, or a
    rollback to what is live already: pressed again, it goes one further back."""
    state = ledger.state
    if job.options.targets or job.options.labels or job.options.excluded or request.saved is not None:
        return False
    if request.operation == "rollback" and request.target is not None:
        return request.target != (state.in_force or state.revision)
    return (ledger.unfinished or request.operation == "rollback") and job.graph.digest != state.applied_digest


def session_of(job: Job, emit: Emit, made: Planned, lease: Lease | None) -> Session:
    """A session that does what was planned."""
    entries = job.ledger.state.entries
    moved = {
        address: entries[resource.moved_from]
        for address, resource in job.graph.resources.items()
        if resource.moved_from and resource.moved_from in entries and address not in entries
    }
    return Session(
        job=job,
        ledger=job.ledger,
        options=made.options,
        emit=emit,
        snapshot=made.snapshot,
        externals=externals_of(job.graph, made.snapshot),
        lease=lease,
        moving=_adopted(job.graph, made.plan, made.snapshot) | moved,
    )


def _adopted(graph: Graph, plan: Plan, snapshot: Snapshot) -> dict[str, Entry]:
    """What others may refer to before it is in the state: objects that this apply adopts are live already."""
    found = {}
    for change in plan.changes:
        resource = graph.resources.get(change.address)
        if change.adopts and change.id and resource is not None:
            live = snapshot.get(change.type, change.id) or {}
            attributes = KINDS[resource.kind].attributes_of(live)
            found[change.address] = replace(new_entry(resource, change.id, {}, ()), attributes=attributes)
    return found


def _never_failing(emit: Emit) -> Emit:
    """Who reads along may go away; what is under way goes on, and is recorded."""
    gone = False

    def emit_if_heard(event: Event) -> None:
        nonlocal gone
        if not gone:
            try:
                emit(event)
            except (OSError, ValueError):
                gone = True

    return emit_if_heard


async def _note_nothing_done(job: Job, request: Request, result: Result) -> None:
    """All that was tried failed: no revision, but no secret either."""
    failed = {key: job.secrets.redact(str(error)) for key, error in result.failed.items()}
    note = HistoryNote(
        operation=request.operation,
        result="refused" if result.refused else "failed",
        summary=next(iter(failed.values()), "interrupted before anything was sent"),
        origin=request.origin,
        message=request.message,
        more={"failed": failed, "skipped": result.skipped},
    )
    await write_note(job.store, note)


def _asking_for_its_state(plan: Plan, state: State, place: str) -> Plan:
    """A state that knows nothing, in front of objects that bear the manifests' names, may be another one's place."""
    live = {owner_of(c.address) for c in plan.changes if c.adopts or c.reason == "exists_unmanaged"}
    if state.entries or state.revision or not live:
        return plan
    names = {owner_of(change.address) for change in plan.changes}
    found = Diagnostic(
        code="empty-state",
        severity="warning",
        summary=f"the state in {place} is empty, and {len(live)} of {len(names)} objects of the manifests are live "
        "already: is it the right one?",
        hint="Check `state:` and VOICEOPS_STATE. If these objects are to be taken over: `voiceops import`, or --adopt.",
    )
    return replace(plan, diagnostics=(*plan.diagnostics, found))


async def _held(job: Job, plan: Plan, state: State) -> Plan:
    """After a rollback what was rolled back must not come again by itself. What asks for it by name may bring it."""
    if not state.holds or job.options.returning is not None or job.options.destroy or job.options.refresh_only:
        return plan
    same = state.holds.get(job.graph.digest)
    line = revert_line(await job.ledger.revisions.get(same["revision"])) if same else ""
    hint = f"Take them back with `{line}`, or apply with --release-hold if they are wanted after all." if line else ""
    return with_holds(plan, job.graph, state.holds, hint=hint, released=job.options.release_hold)


async def known_options(job: Job, state: State) -> Options:
    """The job's options, with what is known only once the state is read."""
    beside = await job.store.siblings()
    siblings = frozenset(str(entry["id"]) for other in beside for entry in other.get("resources", {}).values())
    if any(other.get("previews") for other in beside):  # what is being made, or was cut off, is not in a state yet
        siblings |= (await elsewhere(job.store)).ids
    known = fingerprints(job.graph, job.secrets, state.salt, job.state_key)
    return replace(
        job.options,
        fingerprints=known,
        fingerprint_live=partial(fingerprint_live, salt=state.salt, key=job.state_key),
        siblings=siblings,
        vapi_url=job.accounts.vapi.api.base_url,
    )
