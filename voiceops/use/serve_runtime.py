"""The webhook runtime from the manifests: what it is to serve, with which settings, and the application itself."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.runtime.handlers.loading import Handlers
from voiceops.runtime.http.app import RuntimeApp
from voiceops.runtime.observe.log import configure
from voiceops.runtime.parts import Setup
from voiceops.runtime.settings import Settings
from voiceops.runtime.spec import RuntimeSpec
from voiceops.runtime.start.generated_project import check_store
from voiceops.runtime.start.live_ids import known_from, revisions_from
from voiceops.runtime.start.workers import BOOT
from voiceops.sandbox.server import SandboxServer
from voiceops.use.allowed_hosts import check_database, check_state, check_vendor
from voiceops.use.load_project import Loaded
from voiceops.use.local_sandbox import filled_in, sandbox_of
from voiceops.use.runtime_needs import runtime_spec
from voiceops.use.runtime_queue import DATABASE, default_database


def application(loaded: Loaded, vapi_url: str = "") -> RuntimeApp:
    """The application for any ASGI server; `vapi_url` is a sandbox's, where one stands in for Vapi.

    It imports the project's handlers, which runs them, and sets this process's log up. Raises VoiceopsError where a
    secret is missing or there is nothing to serve, and Refused where a key may not go where the project says.
    """
    project, process = loaded.project, loaded.context.environ
    spec = runtime_spec(loaded)
    check_state(loaded)
    check_database(loaded.environ.get(DATABASE, ""), DATABASE, process)
    if not (vapi_url or project.providers.sandbox):
        check_vendor("Vapi", project.providers.vapi_url, project.origins.get("vapi.baseUrl"), process)
    settings = _settings(loaded, spec, vapi_url)
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
            boot=process.get(BOOT, ""),
            revisions=revisions_from(*place),
            facts=project.facts,
        )
    )


def reached_at(loaded: Loaded, url: str, state: str) -> Loaded:
    """The same project with its runtime, and its state, at another place. Raises InvalidProject."""
    project = replace(loaded.project, runtime_url=url, state=state)
    return replace(loaded, project=project, graph=load_graph(project, loaded.environ, Problems()))


def stand_in(loaded: Loaded) -> AbstractContextManager[SandboxServer | None]:
    """The embedded sandbox for as long as the runtime runs, where the environment is one; else None."""
    return sandbox_of(loaded) if loaded.project.providers.sandbox else nullcontext()


def _settings(loaded: Loaded, spec: RuntimeSpec, vapi_url: str) -> Settings:
    return Settings.from_environ(
        filled_in(loaded.project, loaded.environ),
        database=default_database(loaded.project),
        answers_lines=spec.answers_lines,
        vapi_url=vapi_url or loaded.project.providers.vapi_url,
    )
