"""Drift: what was edited live since the last apply, and its way back into the manifests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

from voiceops.apply.job import Job
from voiceops.apply.revisions import Request
from voiceops.apply.run import apply as apply_now
from voiceops.apply.run import plan as plan_now
from voiceops.errors import VoiceopsError
from voiceops.model.address import owner_of
from voiceops.model.plan import Drift, Plan
from voiceops.use.accept import Accepted, accept
from voiceops.use.apply_plan import unheard
from voiceops.use.load_project import Loaded, load
from voiceops.use.open_job import open_job
from voiceops.use.origin import origin
from voiceops.use.scope_and_terms import Scope, options_of
from voiceops.use.state_place import check_place


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """What was edited live: `drift` holds what was asked about, `plan` all that was found."""

    plan: Plan
    drift: tuple[Drift, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """What was written back into the files and what could not be. `recorded`: the state knows; else an apply has more
    to do with the same manifests."""

    found: Drifted
    accepted: Accepted
    recorded: bool = True


async def drift(loaded: Loaded, addresses: tuple[str, ...] = ()) -> Drifted:
    """What was edited live since the last apply; of all objects, or of those at `addresses`.

    Raises VoiceopsError for an address that nothing has, Refused, StateError and ProviderError.
    """
    async with open_job(loaded, options_of(loaded.project, Scope(refresh_only=True))) as job:
        return await _found(job, loaded, addresses)


async def accept_drift(
    loaded: Loaded, addresses: tuple[str, ...] = (), *, message: str = "", local_state: bool = False
) -> TakenOver:
    """Write the live edits back into the manifests, wherever their values stand; nothing live is changed.

    What can't be written back is among what is refused, with the reason. `message` is kept in the history;
    `local_state`: the state in a pipeline's checkout is meant. Raises what `drift` raises, VoiceopsError where nothing
    was edited at `addresses`, and Locked.
    """
    check_place(loaded.project, local=local_state, environ=loaded.context.environ)
    async with open_job(loaded, options_of(loaded.project, Scope(refresh_only=True))) as job:
        found = await _found(job, loaded, addresses)
        if addresses and not found.drift:
            raise VoiceopsError(f"nothing was edited live in {', '.join(addresses)}", hint="See `voiceops drift`.")
        project = loaded.project
        result = accept(
            project.root,
            loaded.graph,
            job.ledger.state,
            found.drift,
            lambda: load(project.root, project.environment, loaded.context).graph,
        )
        recorded = await _record(job, loaded, result, message) if result.taken else True
        return TakenOver(found=found, accepted=result, recorded=recorded)


async def _found(job: Job, loaded: Loaded, addresses: tuple[str, ...]) -> Drifted:
    _check_known(loaded, job.ledger.state.entries, addresses)
    found = await plan_now(job)
    return Drifted(plan=found, drift=tuple(d for d in found.drift if not addresses or _is_chosen(d, addresses)))


def _is_chosen(drift: Drift, addresses: tuple[str, ...]) -> bool:
    owner = owner_of(drift.address)
    return any(address in (drift.address, owner, owner.partition("[")[0]) for address in addresses)


def _check_known(loaded: Loaded, managed: Iterable[str], addresses: tuple[str, ...]) -> None:
    """An address that nothing has is a slip of the keyboard, and no good news. Raises VoiceopsError."""
    if not addresses:
        return
    known = {*loaded.graph.resources, *managed}
    known |= {owner_of(address) for address in known}
    known |= {address.partition("[")[0] for address in known}
    for address in addresses:
        if address not in known:
            near = get_close_matches(address, sorted(known), n=1)
            raise VoiceopsError(
                f"there is no {address} in {loaded.project.environment}",
                hint=f"Did you mean {near[0]}?" if near else "`voiceops state list` names what is managed.",
            )


async def _record(job: Job, loaded: Loaded, result: Accepted, message: str) -> bool:
    """Let the state know that the live values are the manifests' own now; False where more would be applied."""
    owners = tuple(dict.fromkeys(owner_of(taken.address) for taken in result.taken))

    async def nothing_live(plan: Plan) -> bool:
        return all(change.is_no_op for change in plan.active)

    options = replace(options_of(loaded.project, Scope(targets=owners)), settle=job.options.settle)
    request = Request(operation="accept", message=message, origin=origin(loaded.project.root, loaded.environ))
    outcome = await apply_now(replace(job, graph=result.graph, options=options), request, unheard, nothing_live)
    return outcome.result is not None or not outcome.plan.active
