"""Roll back: return to what an earlier apply left, or to what the manifests of a git ref say.

One ledger tells where to return to, is applied to, and says afterwards what is held. Of the history those revisions are
read that are undone; all of them where something has to come back that is managed no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from voiceops.apply.apply_events import Emit
from voiceops.apply.revisions import (
    Request,
    graph_of,
    leaving_adopted,
    moved_back,
    never_buying,
    once_ours,
    returns_to,
    revert_line,
)
from voiceops.apply.run import Outcome
from voiceops.apply.run import apply as apply_now
from voiceops.apply.run import plan as plan_now
from voiceops.engine.options import Options
from voiceops.errors import Diagnostic, InvalidProject, VoiceopsError
from voiceops.model.graph import Graph
from voiceops.model.plan import Plan
from voiceops.model.state import State
from voiceops.state.ledger import Ledger
from voiceops.state.read_revisions import Revisions
from voiceops.use.apply_plan import Confirm, agreed, unheard
from voiceops.use.git_ref import graph_at
from voiceops.use.load_project import Loaded, with_graph
from voiceops.use.open_job import job_on
from voiceops.use.open_state import open_ledger
from voiceops.use.opened import Opened
from voiceops.use.origin import origin
from voiceops.use.saved_plan import KeptPlan, check_asked
from voiceops.use.scope_and_terms import Scope, Terms, check_terms, options_of
from voiceops.use.test_gate import gated


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Where to return to: the project with the old graph in place of the manifests', and the planning options."""

    name: str  # for people: revision 12, or v1.4.0 (0123456789ab)
    loaded: Loaded
    options: Options
    number: int | None = None
    ref: str = ""
    warnings: tuple[Diagnostic, ...] = ()  # what an apply of these manifests would refuse, though they were live


@dataclass(frozen=True, slots=True, kw_only=True)
class Returning:
    """What returning would change, and to what it returns."""

    plan: Plan
    goal: Goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """How a rollback ended. `held`: the manifests that were rolled back are not applied again until they change;
    `revert` is git's command that says the same (empty: no commit is known)."""

    outcome: Outcome
    goal: Goal
    held: bool = False
    revert: str = ""


async def plan_rollback(
    opened: Opened, revision: int | None = None, *, ref: str | None = None, scope: Scope | None = None
) -> Returning:
    """What returning to a revision (None: the newest good one before the one in force), or to a git ref, would change.

    Raises VoiceopsError where there is nothing to return to, and what `plan` raises.
    """
    async with (
        open_ledger(opened) as ledger,
        _goal(opened, ledger, revision, ref, scope or Scope()) as goal,
        job_on(ledger, goal.loaded, goal.options) as job,
    ):
        if opened.project.safety.require_tests:
            job = await gated(job, goal.loaded, only_said=True)
        return Returning(plan=await plan_now(job), goal=goal)


async def rollback(
    opened: Opened,
    revision: int | None = None,
    *,
    ref: str | None = None,
    scope: Scope | None = None,
    terms: Terms | None = None,
    saved: KeptPlan | None = None,
    confirm: Confirm | None = None,
    emit: Emit | None = None,
    stop: asyncio.Event | None = None,
    begin: Callable[[Goal], None] | None = None,
) -> Returned:
    """Return to a revision (None: the newest good one before the one in force), or to a git ref.

    `begin` is told what it returns to; all else is as for `apply`. No number is ever bought. Raises
    VoiceopsError where there is nothing to return to, and what `apply` raises.
    """
    scope, terms = scope or Scope(), terms or Terms()
    check_terms(opened.project, terms, opened.context.environ)
    async with open_ledger(opened) as ledger, _goal(opened, ledger, revision, ref, scope) as goal:
        if saved is not None:
            check_asked(saved, adopt=scope.adopt, rollback_to=goal.number, rollback_git=ref)
        if begin is not None:
            begin(goal)
        request = Request(
            operation="rollback",
            message=terms.message,
            lock_timeout=terms.lock_timeout,
            origin=origin(opened.project.root, opened.environ) | (saved.origin if saved else {}),
            saved=saved.plan if saved else None,
            target=goal.number,
            ref=goal.ref,
        )
        async with job_on(ledger, goal.loaded, goal.options, parallelism=terms.parallelism) as job:
            required = opened.project.safety.require_tests or terms.require_tests
            if required:
                job = await gated(job, goal.loaded, only_said=True)
            outcome = await apply_now(job, request, emit or unheard, confirm or agreed, stop)
        newest = max((int(held["revision"]) for held in ledger.state.holds.values()), default=0)
        revert = revert_line(await ledger.revisions.get(newest))
        return Returned(outcome=outcome, goal=goal, held=bool(newest), revert=revert)


@asynccontextmanager
async def _goal(
    opened: Opened, ledger: Ledger, wanted: int | None, ref: str | None, scope: Scope
) -> AsyncIterator[Goal]:
    """What `apply` would refuse is not returned to, either, unless these very manifests were live: then it is said.

    Raises VoiceopsError where there is nothing to return to, and InvalidProject.
    """
    options = options_of(opened.project, scope)
    # Edits since then are what a rollback undoes: none of them may refuse it, but what belongs to the dashboard stays.
    kept = {field: policy for field, policy in opened.project.drift_fields.items() if policy == "keep"}
    options = replace(options, drift="revert", drift_fields=kept)
    past = Past(ledger.revisions, await ledger.revisions.numbers())
    if ref is None:
        revision = await past.goal(ledger.state, wanted)
        number = int(revision["number"])
        graph = graph_of(revision)
        undone = await past.since(number, whole=_has_to_come_back(graph, ledger.state))
        graph = leaving_adopted(moved_back(graph, undone, number, ledger.state), undone, number, ledger.state)
        loaded = with_graph(opened, graph)
        options = replace(options, returning=once_ours(undone))
        yield Goal(name=f"revision {number}", loaded=loaded, options=options, number=number)
        return
    with graph_at(opened, ref) as (graph, commit, wrong):
        if wrong and not await past.was_live(commit):
            raise InvalidProject(wrong)
        undone = await past.since(0) if _has_to_come_back(graph, ledger.state) else []
        loaded = with_graph(opened, never_buying(graph))
        name = ref if commit.startswith(ref) else f"{ref} ({commit[:12]})"
        yield Goal(
            name=name,
            loaded=loaded,
            options=replace(options, returning=once_ours(undone)),
            ref=name,
            warnings=tuple(replace(found, severity="warning") for found in wrong),
        )


def _has_to_come_back(graph: Graph, state: State) -> bool:
    """Is something asked for that is managed no more? Older revisions know the id that it had."""
    return not graph.resources.keys() <= state.entries.keys()


@dataclass(frozen=True, slots=True)
class Past:
    """The revisions that there are when a rollback begins."""

    revisions: Revisions
    numbers: list[int]

    async def since(self, number: int, *, whole: bool = False) -> list[dict[str, Any]]:
        """The revisions after this one, oldest first; `whole`: every one that is kept."""
        found = [await self.revisions.get(n) for n in self.numbers if whole or n > number]
        return [revision for revision in found if revision is not None]

    async def was_live(self, commit: str) -> bool:
        """Were the manifests of this commit, and nothing beside them, ever applied?"""
        origins = [r.get("origin") for r in await self.since(0) if r.get("result") == "ok"]
        return any(isinstance(o, Mapping) and o.get("commit") == commit and not o.get("dirty") for o in origins)

    async def goal(self, state: State, wanted: int | None = None) -> dict[str, Any]:
        """The revision to return to: the one asked for, or the newest good one older than the one in force.

        A rollback's own revision stands for the one that it returned to. Raises VoiceopsError.
        """
        if wanted is not None:
            asked = await self.revisions.get(wanted) if wanted in self.numbers else None
            if asked is None:
                raise VoiceopsError(f"there is no revision {wanted}", hint="See `voiceops history`.")
            return await self._original(asked)
        for number in reversed(self.numbers):
            revision = await self.revisions.get(number)
            if revision is not None and returns_to(revision, original := await self._original(revision), state):
                return original
        raise VoiceopsError(
            "there is no older successful revision to return to",
            hint="See `voiceops history`, and name one: voiceops rollback REV.",
        )

    async def _original(self, revision: dict[str, Any]) -> dict[str, Any]:
        return await self.revisions.get(revision.get("target") or 0) or revision
