"""`voiceops dev`: sandbox, runtime with reload, and a tunnel, for an environment of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click

from voiceops import use
from voiceops.cli.commands.serve import APPLICATION, FOR_WORKERS
from voiceops.cli.terminal.console import Console
from voiceops.cli.terminal.loop import completed
from voiceops.errors import VoiceopsError


@click.command("dev")
@click.option("--host", metavar="HOST", default="127.0.0.1", show_default=True, help="The address to listen on.")
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
    from voiceops.runtime.start.workers import address_of, bind, serve_reloading

    loaded = use.load(*console.place)
    project = loaded.project
    if project.runtime_url is None:
        raise VoiceopsError(
            "the project has no runtime", hint="Set runtime.url in voiceops.yaml, and a tool's handler."
        )
    with ExitStack() as stack:
        staged = stack.enter_context(use.stage(loaded))
        bound = stack.enter_context(bind(host, port))
        local = address_of(bound)
        if url is None and not no_tunnel and (name := use.installed_tunnel()):
            url = stack.enter_context(use.open_tunnel(name, bound.getsockname()[1]))
        if url is None and not project.providers.sandbox:
            raise VoiceopsError(
                "nobody outside reaches this machine",
                hint="Install cloudflared or ngrok, or say --url where it is reached.",
            )
        url = (url or local).rstrip("/")
        os.environ.update(staged.keys)  # and nothing else that .env holds
        stack.enter_context(_pointed(console, staged, url, back_to=project.runtime_url))
        console.out(f"Listening on {local}" + (f", reached at {url}" if url != local else ""))
        console.note(
            f"In another terminal: voiceops -e {project.environment} simulate --url {local} --public-url {url}"
        )
        place = {
            "root": str(project.root),
            "environment": project.environment,
            "vapi": staged.vapi_url,
            "url": url,
            "state": staged.loaded.project.state,
        }
        os.environ[FOR_WORKERS] = json.dumps(place)
        serve_reloading(APPLICATION, bound, [project.root])
    return 0


@contextmanager
def _pointed(console: Console, staged: use.Stage, url: str, *, back_to: str) -> Iterator[None]:
    """Everything applied with the runtime at `url`, for as long; a sandbox's goes away with it."""
    try:
        completed(use.point_at(staged, url))
        yield
    finally:
        if not staged.vapi_url:
            console.note("Putting back what pointed at this machine.")
            completed(use.point_at(staged, back_to))
