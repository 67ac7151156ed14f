"""A runtime of the project's own handlers, on a free port, for as long as call scripts are played against it.

It is a process of its own: what a handler prints, changes or breaks stays in it. Its store and its keys are made for
it and thrown away; where it has to ask Vapi, a sandbox in memory that holds the manifests stands in for Vapi.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voiceops.errors import VoiceopsError
from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import SANDBOX_ACCOUNT
from voiceops.model.safe_text import flowed
from voiceops.model.values import Secret, leaves, secret
from voiceops.runtime.spec import RuntimeSpec
from voiceops.simulate.player import Signer
from voiceops.testing.play_scripts import ScriptStage
from voiceops.use import develop
from voiceops.use.load_project import Loaded
from voiceops.use.local_sandbox import KEYS
from voiceops.use.runtime_needs import scripts_spec
from voiceops.use.runtime_queue import DATABASE

PLACE = "VOICEOPS_SERVE"  # what the process is told of the project
_MODULE = "voiceops.use.serve_for_scripts"
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_LOG_SECONDS = 1.0  # for what a handler failed with: the runtime writes its log a few times a second
_TOLD = 500  # characters at the end of its log that an error holds
_NOWHERE = "http://127.0.0.1:9"  # nobody listens there: a script reaches no vendor


@asynccontextmanager
async def script_runtime(loaded: Loaded, told: Callable[[str], None]) -> AsyncIterator[ScriptStage]:
    """It runs until the end of the block. Raises VoiceopsError where it does not start."""
    spec = scripts_spec(loaded)
    keys = {name: secrets.token_urlsafe(32) for name in KEYS}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="voiceops-test-")))
        vapi, state = _NOWHERE, str(folder / "state")
        if _asks_vapi(spec):
            staged = stack.enter_context(develop.stage(_on_sandbox(loaded, keys)))
            keys, vapi, state = keys | staged.keys, staged.vapi_url, staged.loaded.project.state
            try:
                await develop.point_at(staged, spec.url)
            except VoiceopsError as error:  # an object of somebody else's: scripts that don't need it go on
                told(f"the scripts' runtime knows no live ids: {error.summary}")
        place = {
            "root": str(loaded.project.root),
            "environment": loaded.project.environment,
            "url": spec.url,
            "vapi": vapi,
            "state": state,
            "previews": {name: preview.to_data() for name, preview in loaded.context.previews.items()},
        }
        variables = {
            **loaded.context.environ,
            **keys,
            DATABASE: str(folder / "runtime.db"),
            "OTEL_SDK_DISABLED": "true",
            PLACE: json.dumps(place),
        }
        process, url, log = await stack.enter_async_context(_process(variables, folder / "log"))
        signer = Signer(spec, keys["VAPI_WEBHOOK_SECRET"], keys["TWILIO_AUTH_TOKEN"])

        async def died(patience: float) -> str:
            if process.returncode is None and patience:
                with suppress(TimeoutError):
                    async with asyncio.timeout(patience):
                        await process.wait()
            return "" if (code := process.returncode) is None else _ended(code, _end_of(log))

        yield ScriptStage(url=url, spec=spec, signer=signer, died=died, failures=_Failures(log).new)


def _asks_vapi(spec: RuntimeSpec) -> bool:
    """Are there questions that the runtime answers with a live id, or by a call of its own to Vapi?"""
    asked = any(line.answer == "runtime" or line.target is None for line in spec.lines)
    return asked or any(tool.type in ("transferCall", "handoff") for tool in spec.tools)


def _on_sandbox(loaded: Loaded, keys: Mapping[str, str]) -> Loaded:
    """The same project with a sandbox for its accounts, and a made-up value for every secret."""
    providers = replace(
        loaded.project.providers,
        sandbox=True,
        vapi_key=secret("VAPI_API_KEY"),
        account_sid=SANDBOX_ACCOUNT,
        auth_token=secret("TWILIO_AUTH_TOKEN"),
        api_key="",
        api_secret="",
    )
    project = replace(loaded.project, providers=providers)
    bodies = [resource.body for resource in loaded.graph.resources.values()]
    named = {name for _, leaf in leaves(bodies) if isinstance(leaf, Secret) for name in leaf.names}
    environ = {**loaded.environ, **{name: secrets.token_urlsafe(24) for name in sorted(named)}, **keys}
    graph = load_graph(project, environ, Problems())
    return replace(loaded, project=project, environ=environ, graph=graph)


@asynccontextmanager
async def _process(variables: Mapping[str, str], log: Path) -> AsyncIterator[tuple[Process, str, Path]]:
    """The runtime's process, where it listens, and its log; ended at the end, also where this process is killed."""
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _MODULE,
            stdin=PIPE,  # its end tells that nobody plays any more
            stdout=PIPE,
            stderr=file,
            env=dict(variables),
            start_new_session=True,  # Ctrl-C in a terminal is for us: the calls under way are ended first
        )
    try:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_START_SECONDS):
                line = await process.stdout.readline()
        except TimeoutError:
            line = b""
        url = line.decode("utf-8", "replace").strip()
        if not url.startswith("http://"):
            raise VoiceopsError(
                f"the runtime for call scripts did not start: {_end_of(log) or 'it says nothing'}",
                hint="Does `voiceops serve` start?",
            )
        reading = asyncio.create_task(_drained(process, log))
        try:
            yield process, url, log
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


async def _drained(process: Process, log: Path) -> None:
    """What handlers print goes beside the log: a pipe that nobody reads would stop them."""
    assert process.stdout is not None
    while await process.stdout.read(65_536):
        pass


def _ended(code: int, told: str) -> str:
    """How it ended while a script was played: by a signal, or by itself, as a handler that calls `os._exit` does."""
    how = f"signal {-code}" if code < 0 else f"exit {code}"
    return f"the runtime ended meanwhile, with {how}{': ' if told else ''}{told}"


@dataclass(slots=True)
class _Failures:
    """What the runtime's log says of handlers that failed."""

    log: Path
    read: int = 0  # characters

    async def new(self, wanted: int) -> list[str]:
        """Since it was asked last, as far as so many come: the tool, and why it failed where."""
        found = self._read()
        deadline = time.monotonic() + _LOG_SECONDS
        while len(found) < wanted and time.monotonic() < deadline:
            await asyncio.sleep(_LOG_SECONDS / 10)
            found += self._read()
        return found

    def _read(self) -> list[str]:
        lines = _text(self.log)[self.read :]
        lines = lines[: lines.rfind("\n") + 1]
        self.read += len(lines)
        told = [_logged(line) for line in lines.splitlines()]
        return [flowed(f"{one['tool']}: {one['detail']}") for one in told if one.get("tool") and one.get("detail")]


def _logged(line: str) -> dict[str, Any]:
    """A line of the log; empty where it is something that a handler printed."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _end_of(log: Path) -> str:
    """What it said last that is no news of its running well."""
    lines = [line for line in _text(log).splitlines() if _logged(line).get("level") != "info"]
    return flowed("\n".join(lines).strip()[-_TOLD:])


def _text(log: Path) -> str:
    with suppress(OSError):
        return log.read_text(encoding="utf-8", errors="replace")
    return ""
