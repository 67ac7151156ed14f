"""Plan: what an apply would do now. Reads the accounts and the state, writes nothing, and takes no lock."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from voiceops.apply.run import plan as plan_now
from voiceops.errors import Diagnostic
from voiceops.model.address import owner_of
from voiceops.model.plan import Plan
from voiceops.runtime.spec import spec_of
from voiceops.use.allowed_hosts import may_have_token
from voiceops.use.load_project import Loaded
from voiceops.use.open_job import open_job
from voiceops.use.runtime_check import TOKEN, Asked, ask, judged
from voiceops.use.scope_and_terms import Scope, wanted
from voiceops.use.state_place import place_warnings
from voiceops.use.test_gate import gate_of


async def plan(loaded: Loaded, scope: Scope | None = None) -> Plan:
    """What an apply of the same scope would do, with the reasons why it would be refused among its diagnostics.
    Tests that have to pass first are `awaited`: with safety.requireTests.

    Where VOICEOPS_DASHBOARD_TOKEN is set, the runtime at runtime.url is asked meanwhile which tools it serves. Raises
    InvalidProject, Refused, StateError and ProviderError.
    """
    scope = scope or Scope()
    graph, options = wanted(loaded, scope)
    asked = None if scope.destroy or scope.refresh_only else _ask(loaded)
    async with open_job(loaded, options, graph=graph) as job:
        required = loaded.project.safety.require_tests and not (scope.destroy or scope.refresh_only)
        found = await plan_now(job)
        # Tests run after a plan, on what it shows: they speak against its apply, not against it.
        gate = await gate_of(job, loaded, "warning") if required and found.active else None
        if gate is not None:
            found = replace(found, awaited=tuple(gate(found)))
    more: list[Diagnostic] = []
    if asked is not None:
        chosen = bool(scope.targets or scope.labels or scope.excluded)
        only = {owner_of(change.address) for change in found.changes} if chosen else None
        said = await _said(asked, loaded)
        more += [d for d in said if only is None or not d.address or d.address in only]
    if not scope.refresh_only:
        more += place_warnings(loaded.project, loaded.context.environ)
    return replace(found, diagnostics=(*found.diagnostics, *more))


def _ask(loaded: Loaded) -> Asked | None:
    """Begin to ask the runtime what it serves, where there is one and we may know."""
    token, url = loaded.environ.get(TOKEN), loaded.project.runtime_url
    return ask(url, token, allowed=may_have_token(url, loaded.context.environ)) if token and url else None


async def _said(asked: Asked, loaded: Loaded) -> list[Diagnostic]:
    answer = await asyncio.to_thread(asked.answer)
    if answer.silent:
        text = f"The runtime at {asked.url} does not answer ({answer.silent}): its tools were not compared."
        loaded.context.on_detail(text)
    project = loaded.project
    return judged(answer, asked.url, spec_of(loaded.graph, asked.url, project.runtime_auth, project.tool_seconds))
