"""`voiceops serve`: the webhook runtime, from the manifests."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voiceops.cli.terminal.console import Console

if TYPE_CHECKING:
    from voiceops.cli.wiring import Loaded
    from voiceops.runtime.http.app import RuntimeApp
    from voiceops.runtime.settings import Settings
    from voiceops.runtime.spec import RuntimeSpec

_FOR_WORKERS = "VOICEOPS_SERVE"


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0: any.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option("--reload", "reloading", is_flag=True, help="Start anew when a manifest or handler changes.")
@click.pass_obj
def serve_command(console: Console, host: str, port: int, workers: int, reloading: bool) -> int:
    """Run the webhook runtime that Vapi and Twilio call.

    It needs VAPI_WEBHOOK_SECRET, and for lines with `answer: runtime` TWILIO_AUTH_TOKEN and VAPI_API_KEY;
    VOICEOPS_RUNTIME_DB says where it keeps what it is told. It imports the project's handlers, which runs them: start
    it only on a folder that you trust.

    \b
    Examples:
      voiceops serve --port 8080
      voiceops -e prod serve --host 0.0.0.0 --workers 2
    """
    from voiceops.cli.wiring import load
    from voiceops.runtime.start.workers import address_of, bind, serve, serve_reloading, serve_workers

    loaded = load(console)
    with ExitStack() as stack:
        vapi_url = _sandbox_url(loaded, stack)
        app = _application(loaded, vapi_url)
        bound = stack.enter_context(bind(host, port))
        console.out(f"Listening on {address_of(bound)}")
        _flush()
        if reloading and workers > 1:
            raise click.UsageError("--reload runs one process: leave out --workers, or --reload.")
        if workers > 1 or reloading:
            place = {"root": str(loaded.project.root), "environment": loaded.project.environment, "vapi": vapi_url}
            os.environ[_FOR_WORKERS] = json.dumps(place)
            if reloading:
                serve_reloading("voiceops.cli.commands.serve:application", bound, [loaded.project.root])
            else:
                serve_workers("voiceops.cli.commands.serve:application", bound, workers)
        else:
            serve(app, bound)
    return 0


def application() -> RuntimeApp:
    """What worker processes call; a project that is broken by now ends the worker with its diagnostics."""
    from voiceops.cli.wiring import load
    from voiceops.errors import VoiceopsError

    place = json.loads(os.environ[_FOR_WORKERS])
    console = Console(folder=Path(place["root"]), environment=place["environment"])
    try:
        loaded = load(console)
        if url := place.get("url"):  # `dev`: reached elsewhere than the project says
            loaded = _reached_at(loaded, url, place["state"])
        return _application(loaded, place["vapi"])
    except VoiceopsError as error:
        console.failure(error)
        raise SystemExit(1) from None


def _reached_at(loaded: Loaded, url: str, state: str) -> Loaded:
    """The same project with its runtime, and its state, at another place."""
    from voiceops.manifest.compose import load_graph
    from voiceops.manifest.problems import Problems

    project = replace(loaded.project, runtime_url=url, state=state)
    return replace(loaded, project=project, graph=load_graph(project, loaded.environ, Problems()))


def _application(loaded: Loaded, vapi_url: str) -> RuntimeApp:
    from voiceops.cli.allowed_hosts import check_database, check_state, check_vendor
    from voiceops.runtime.handlers.loading import Handlers
    from voiceops.runtime.http.app import RuntimeApp
    from voiceops.runtime.observe.log import configure
    from voiceops.runtime.parts import Setup
    from voiceops.runtime.start.generated_project import check_store
    from voiceops.runtime.start.live_ids import known_from, revision_from
    from voiceops.runtime.start.workers import BOOT

    project = loaded.project
    spec = runtime_spec(loaded)
    check_state(project, loaded.environ)
    check_database(loaded.environ.get("VOICEOPS_RUNTIME_DB", ""), "VOICEOPS_RUNTIME_DB")
    if not (vapi_url or project.providers.sandbox):
        check_vendor("Vapi", project.providers.vapi_url, project.origins.get("vapi.baseUrl"))
    settings = runtime_settings(loaded, spec, vapi_url)
    check_store(settings)
    handlers = Handlers(project.root / project.handlers, spec.handlers)
    place = (project.state, project.root, project.name, project.environment, loaded.environ)
    configure()
    return RuntimeApp(
        Setup(
            spec=spec,
            settings=settings,
            handlers=handlers,
            known=known_from(*place),
            boot=os.environ.get(BOOT, ""),
            revision=revision_from(*place),
        )
    )


def runtime_spec(loaded: Loaded) -> RuntimeSpec:
    """What the project's manifests ask of the runtime. Raises VoiceopsError where they ask nothing."""
    from voiceops.errors import VoiceopsError
    from voiceops.runtime.spec import spec_of

    project = loaded.project
    if project.runtime_url is None:
        raise VoiceopsError(
            "the project has no runtime", hint="Set runtime.url in voiceops.yaml: where Vapi and Twilio reach it."
        )
    return spec_of(
        loaded.graph,
        project.runtime_url,
        project.runtime_auth,
        project.tool_seconds,
        allow_unknown=project.allow_unknown,
    )


def runtime_environ(loaded: Loaded) -> Mapping[str, str]:
    """The environment's variables; on the sandbox its keys where none are set, and the secret that apply has sent."""
    environ = dict(loaded.environ)
    if loaded.project.providers.sandbox:
        path = loaded.project.root / ".voiceops" / "sandbox" / "webhook-secret"
        secret = path.read_text(encoding="ascii").strip() if path.is_file() else ""
        for name, value in (
            ("VAPI_API_KEY", "sandbox"),
            ("TWILIO_AUTH_TOKEN", "sandbox"),
            ("VAPI_WEBHOOK_SECRET", secret),
        ):
            if not environ.get(name) and value:
                environ[name] = value
    return environ


def runtime_settings(loaded: Loaded, spec: RuntimeSpec, vapi_url: str = "") -> Settings:
    """Raises VoiceopsError where a secret is missing."""
    from voiceops.runtime.settings import Settings

    return Settings.from_environ(
        runtime_environ(loaded),
        database=default_database(loaded.project),
        answers_lines=spec.answers_lines,
        vapi_url=vapi_url or loaded.project.providers.vapi_url,
    )


def default_database(project: Any) -> str:
    return str(project.root / ".voiceops" / "runtime" / f"{project.environment}.db")


def _sandbox_url(loaded: Loaded, stack: ExitStack) -> str:
    """The embedded sandbox for as long as the runtime runs, where the environment is one."""
    from voiceops.cli import wiring

    if not loaded.project.providers.sandbox:
        return ""
    server = stack.enter_context(wiring._sandbox(loaded))
    return str(server.vapi_url)


def _flush() -> None:
    import sys

    sys.stdout.flush()
