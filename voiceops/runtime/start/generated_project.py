"""A generated project's application: `runtime.json`, `handlers/` and the environment. What its `app.py` calls."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from voiceops.errors import VoiceopsError
from voiceops.model.env_values import trimmed
from voiceops.runtime.handlers.loading import Handlers
from voiceops.runtime.http.app import RuntimeApp
from voiceops.runtime.observe.log import configure
from voiceops.runtime.parts import Setup
from voiceops.runtime.settings import DEFAULT_PORT, Settings
from voiceops.runtime.spec import RuntimeSpec
from voiceops.runtime.start.live_ids import known_from, revisions_from
from voiceops.runtime.start.workers import BOOT, address_of, bind, serve, serve_workers
from voiceops.runtime.store.backends import backend_of

SPEC_FILE = "runtime.json"
HANDLERS = "handlers"


def application(folder: Path) -> RuntimeApp:
    """The application. Raises SystemExit, with one sentence: it can't be made."""
    folder = Path(folder).resolve()
    try:
        return _application(folder)
    except VoiceopsError as error:
        raise SystemExit(f"error: {error.summary}\n    {error.hint}".rstrip()) from None


def _application(folder: Path) -> RuntimeApp:
    environ = _environ(folder)
    spec = read_spec(folder / SPEC_FILE)
    settings = Settings.from_environ(
        environ, database=str(folder / "data" / "runtime.db"), answers_lines=spec.answers_lines
    )
    check_store(settings)
    known, revisions = None, None
    if state := environ.get("VOICEOPS_STATE"):
        place = (state.replace("{environment}", spec.environment), folder, spec.project, spec.environment, environ)
        known, revisions = known_from(*place), revisions_from(*place)
    handlers = Handlers(folder / HANDLERS, spec.handlers)
    configure()
    boot = os.environ.get(BOOT, "")
    setup = Setup(spec=spec, settings=settings, handlers=handlers, known=known, revisions=revisions, boot=boot)
    return RuntimeApp(setup)


def read_spec(path: Path) -> RuntimeSpec:
    """Raises VoiceopsError."""
    try:
        return RuntimeSpec.from_data(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise VoiceopsError(
            f"{path.name} can't be used: {error}", hint="Write it anew with `voiceops -e ENV generate runtime`."
        ) from None


def check_store(settings: Settings) -> None:
    """Open the store once before anything listens, so that a wrong setting is one sentence. Raises VoiceopsError."""
    backend = backend_of(settings.database, worker=False)
    backend.open()
    backend.close()


def main(folder: Path, app: RuntimeApp) -> None:
    """`python app.py [--host H] [--port N] [--workers N]`. Raises SystemExit: it can't listen there."""
    parser = argparse.ArgumentParser(description="The webhook runtime.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="the port (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        bound = bind(arguments.host, arguments.port)
        sys.stdout.write(f"Listening on {address_of(bound)}\n")
        sys.stdout.flush()
        if arguments.workers > 1:
            sys.path.insert(0, str(Path(folder).resolve()))
            os.environ["VOICEOPS_PROJECT"] = str(Path(folder).resolve())
            serve_workers("voiceops.runtime.start.generated_project:from_environment", bound, arguments.workers)
        else:
            serve(app, bound)
    except VoiceopsError as error:
        raise SystemExit(f"error: {error.summary}\n    {error.hint}".rstrip()) from None


def from_environment() -> RuntimeApp:
    """What worker processes call."""
    return application(Path(os.environ["VOICEOPS_PROJECT"]))


def _environ(folder: Path) -> dict[str, str]:
    path = folder / ".env"
    found: dict[str, Any] = {}
    if path.is_file():
        from dotenv import dotenv_values

        found = dotenv_values(path, interpolate=False)
    return trimmed({key: value for key, value in found.items() if value is not None} | dict(os.environ))
