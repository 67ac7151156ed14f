"""Developing: an environment that points at this machine, for as long as somebody works on it."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from voiceops.apply.revisions import Request
from voiceops.apply.run import apply as apply_now
from voiceops.errors import InvalidProject, VoiceopsError
from voiceops.lints.run_lints import errors
from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.sandbox.server import SandboxServer
from voiceops.use.apply_plan import agreed, unheard
from voiceops.use.load_project import Loaded
from voiceops.use.local_sandbox import KEYS, owned_numbers, sandbox_keys
from voiceops.use.open_job import open_job
from voiceops.use.scope_and_terms import Scope, options_of

_ADDRESSES = ("VO705", "VO707")  # lints of addresses that it puts its own in the place of


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The project as it is served here. `keys` are variables that the runtime needs beside the process's own;
    `vapi_url` is the sandbox's, where the environment is one."""

    loaded: Loaded
    vapi_url: str = ""
    keys: dict[str, str]


@contextmanager
def stage(loaded: Loaded) -> Iterator[Stage]:
    """On a sandbox environment both vendors in memory, and a state that goes with them; else the project as it is.

    Raises InvalidProject for what `apply` would refuse; where the runtime is reached is another matter here.
    """
    project = loaded.project
    if found := [d for d in errors(project, loaded.graph) if d.code not in _ADDRESSES]:
        raise InvalidProject(found)
    if not project.providers.sandbox:
        yield Stage(loaded=loaded, keys={})
        return
    # The secret that the sandbox has been given before, or a new one: the runtime needs the same.
    given = sandbox_keys(project, {name: value for name, value in loaded.environ.items() if value})
    keys = {name: given[name] for name in KEYS}
    with SandboxServer(numbers=owned_numbers(loaded.graph), facts=project.facts) as server:
        place = f".voiceops/dev/{secrets.token_hex(4)}"
        providers = replace(project.providers, sandbox=False, vapi_url=server.vapi_url, twilio_url=server.twilio_url)
        staged = replace(
            loaded,
            project=replace(project, providers=providers, state=place),
            environ={**loaded.environ, **keys},
        )
        try:
            yield Stage(loaded=staged, vapi_url=server.vapi_url, keys=keys)
        finally:
            shutil.rmtree(project.root / place, ignore_errors=True)


async def point_at(staged: Stage, url: str) -> None:
    """Apply the manifests with the runtime at `url`. Raises VoiceopsError, also where not everything went through."""
    loaded = staged.loaded
    project = replace(loaded.project, runtime_url=url)
    graph = load_graph(project, loaded.environ, Problems())
    pointed = replace(loaded, project=project, graph=graph)
    async with open_job(pointed, options_of(project, Scope())) as job:
        request = Request(message=f"voiceops dev: the runtime is at {url}")
        outcome = await apply_now(job, request, unheard, agreed, asyncio.Event())
    if outcome.result is not None and not outcome.result.complete:
        failed = "; ".join(f"{address}: {error}" for address, error in list(outcome.result.failed.items())[:3])
        raise VoiceopsError(f"not everything could be applied: {failed}", hint="See `voiceops plan`.")
