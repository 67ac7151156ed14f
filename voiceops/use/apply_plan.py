"""Apply: make the accounts what the manifests say, or destroy what is managed, and keep a revision of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from voiceops.apply.apply_events import Emit, Event
from voiceops.apply.revisions import Request
from voiceops.apply.run import Outcome
from voiceops.apply.run import apply as apply_now
from voiceops.errors import Diagnostic
from voiceops.model.plan import Plan
from voiceops.use.load_project import Loaded
from voiceops.use.open_job import open_job
from voiceops.use.origin import origin
from voiceops.use.saved_plan import KeptPlan, check_asked
from voiceops.use.scope_and_terms import Scope, Terms, check_terms, wanted
from voiceops.use.state_place import place_warnings
from voiceops.use.test_gate import gated

Confirm = Callable[[Plan], Awaitable[bool]]


async def apply(
    loaded: Loaded,
    scope: Scope | None = None,
    terms: Terms | None = None,
    *,
    saved: KeptPlan | None = None,
    confirm: Confirm | None = None,
    emit: Emit | None = None,
    stop: asyncio.Event | None = None,
) -> Outcome:
    """Lock, plan, ask `confirm` (nobody is asked without it), and apply.

    With `saved`, the changes that were reviewed and no others. `emit` hears each event as it comes; once `stop` is set,
    requests under way are finished and no new ones started. The outcome's `result` is None where nothing was started,
    and not `complete` where something failed. Raises InvalidProject, Refused, Locked, StateError, ProviderError, and
    PartialApply where something was done and could not be recorded.
    """
    scope, terms = scope or Scope(), terms or Terms()
    if saved is not None:
        check_asked(saved, destroy=scope.destroy, adopt=scope.adopt)
    check_terms(loaded.project, terms, loaded.context.environ)
    graph, options = wanted(loaded, scope)
    request = Request(
        operation="destroy" if scope.destroy else "apply",
        message=terms.message,
        lock_timeout=terms.lock_timeout,
        origin=origin(loaded.project.root, loaded.environ) | (saved.origin if saved else {}),
        saved=saved.plan if saved else None,
    )
    async with open_job(loaded, options, graph=graph, parallelism=terms.parallelism) as job:
        required = loaded.project.safety.require_tests or terms.require_tests
        if required and not scope.destroy:
            job = await gated(job, loaded)
        return await apply_now(job, request, emit or unheard, confirm or agreed, stop)


def warnings_of(loaded: Loaded) -> tuple[Diagnostic, ...]:
    """What is to be said before anything is applied."""
    return (*loaded.warnings, *place_warnings(loaded.project, loaded.context.environ))


async def agreed(_: Plan) -> bool:
    """Nobody is asked."""
    return True


def unheard(_: Event) -> None:
    """Nobody listens."""
