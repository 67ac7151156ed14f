"""`voiceops dev`: sandbox, runtime with reload, and a tunnel, for an environment of its own."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from voiceops.cli.terminal.console import Console
from voiceops.errors import InvalidProject, VoiceopsError

if TYPE_CHECKING:
    from voiceops.apply.run import Outcome
    from voiceops.cli.wiring import Loaded
    from voiceops.manifest.project import Project


_ADDRESSES = ("VO705", "VO707")  # lints of addresses that `dev` puts its own in the place of


@click.command("dev")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0: any.")
@click.option("--url", metavar="URL", help="Where the runtime is reached, instead of a tunnel.")
@click.option("--no-tunnel", is_flag=True, help="Start no tunnel, also where one is installed.")
@click.pass_obj
def dev_command(console: Console, host: str, port: int, url: str | None, no_tunnel: bool) -> int:
    """Work on agents and handlers with everything running; stop it with Ctrl-C.

    On a sandbox environment both vendors run on this machine, in memory: what is applied there is gone at the end. On a
    live one the environment's agents point at this machine (through ngrok or cloudflared, or --url) until it ends; then
    they point where they did before. It imports the project's handlers, which runs them: only on a folder that you
    trust.

    \b
    Examples:
      voiceops dev
      voiceops -e dev-ann dev --url https://ann.example.dev
    """
    from voiceops.cli.wiring import load
    from voiceops.runtime.start.workers import address_of, bind, serve_reloading
    from voiceops.use.tunnel import available, tunnel

    loaded = load(console)
    _check_lints(loaded)
    sandbox = loaded.project.providers.sandbox
    if loaded.project.runtime_url is None:
        raise VoiceopsError(
            "the project has no runtime", hint="Set runtime.url in voiceops.yaml, and a tool's handler."
        )
    with ExitStack() as stack:
        bound = stack.enter_context(bind(host, port))
        local = address_of(bound)
        if url is None and not no_tunnel and (name := available()):
            url = stack.enter_context(tunnel(name, bound.getsockname()[1]))
        if url is None and not sandbox:
            raise VoiceopsError(
                "nobody outside reaches this machine",
                hint="Install cloudflared or ngrok, or say --url where it is reached.",
            )
        url = (url or local).rstrip("/")
        vapi_url, state = stack.enter_context(_pointed(console, loaded, url))
        console.out(f"Listening on {local}" + (f", reached at {url}" if url != local else ""))
        console.note(
            f"In another terminal: voiceops -e {loaded.project.environment} simulate --url {local} --public-url {url}"
        )
        place = {
            "root": str(loaded.project.root),
            "environment": loaded.project.environment,
            "vapi": vapi_url,
            "url": url,
            "state": state,
        }
        os.environ["VOICEOPS_SERVE"] = json.dumps(place)
        serve_reloading("voiceops.cli.commands.serve:application", bound, [loaded.project.root])
    return 0


def _check_lints(loaded: Loaded) -> None:
    """As `apply` does; where the runtime is reached is another matter here. Raises InvalidProject."""
    from voiceops.lints.run_lints import errors

    if found := [d for d in errors(loaded.project, loaded.graph) if d.code not in _ADDRESSES]:
        raise InvalidProject(found)


@contextmanager
def _pointed(console: Console, loaded: Loaded, url: str) -> Iterator[tuple[str, str]]:
    """Everything applied with the runtime at `url`, for as long; gives the sandbox's Vapi, if any, and the state."""
    if loaded.project.providers.sandbox:
        from voiceops.cli.wiring import SANDBOX_KEYS, _sandbox_secrets
        from voiceops.sandbox.server import SandboxServer

        # The secret that the sandbox has been given before, or a new one: the runtime needs the same.
        given = {name: value for name, value in loaded.environ.items() if value}
        keys = _sandbox_secrets(loaded.project, given)
        os.environ.update({name: keys[name] for name in SANDBOX_KEYS})  # and nothing else that .env holds
        with SandboxServer(numbers=_numbers(loaded)) as server:
            place = f".voiceops/dev/{secrets.token_hex(4)}"
            providers = replace(
                loaded.project.providers, sandbox=False, vapi_url=server.vapi_url, twilio_url=server.twilio_url
            )
            project = replace(loaded.project, providers=providers, state=place)
            try:
                _apply(console, loaded, project, url)
                yield server.vapi_url, place
            finally:
                import shutil

                shutil.rmtree(loaded.project.root / place, ignore_errors=True)
        return
    try:
        _apply(console, loaded, loaded.project, url)
        yield "", loaded.project.state
    finally:
        console.note("Putting back what pointed at this machine.")
        _apply(console, loaded, loaded.project, loaded.project.runtime_url or url)


def _numbers(loaded: Loaded) -> list[str]:
    lines = [r for r in loaded.graph.resources.values() if r.type == "twilio_phone_number" and not r.purchase]
    return sorted({str(line.name) for line in lines if line.name})


def _apply(console: Console, loaded: Loaded, project: Project, url: str) -> None:
    """Apply the environment's manifests with another address of the runtime. Raises VoiceopsError."""
    from voiceops.apply.revisions import Request
    from voiceops.apply.run import apply
    from voiceops.cli import wiring
    from voiceops.manifest.compose import load_graph
    from voiceops.manifest.problems import Problems

    project = replace(project, runtime_url=url)
    environ = {**loaded.environ, **os.environ}
    graph = load_graph(project, environ, Problems())
    job_of = replace(loaded, project=project, graph=graph, environ=environ)

    async def confirmed(_: object) -> bool:
        return True

    async def work() -> Outcome:
        async with wiring.open_job(job_of, graph, wiring.options_of(project)) as job:
            request = Request(message=f"voiceops dev: the runtime is at {url}")
            return await apply(job, request, lambda _: None, confirmed, asyncio.Event())

    outcome = asyncio.run(work())
    if outcome.result is not None and not outcome.result.complete:
        failed = "; ".join(f"{address}: {error}" for address, error in list(outcome.result.failed.items())[:3])
        raise VoiceopsError(f"not everything could be applied: {failed}", hint="See `voiceops plan`.")
