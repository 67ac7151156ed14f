"""How far one reads: the modules that three everyday walks enter, and how often they move between them.

    python -m benchmarks.walks            the three walks, against a sandbox in this process
    python -m benchmarks.walks rollback   one of them, its modules in the order in which they are entered, and the most
                                          frequent moves

The walks: a prompt was edited, from the command to its PATCH; a tool call, from its request to its answer; a rollback,
from the command to its PATCH. The project is the one that `init` writes, with one agent and one phone line, and for the
tool call with one tool.

What is counted, on the thread that walks: calls of named functions and methods of `voiceops`, when they begin (not
when a generator or a coroutine goes on), without what runs at import, comprehensions and lambdas. A module counts once
it is entered. A move is a call after one in another module; `voiceops.model` and `voiceops.errors` are the vocabulary
in which all of them speak, and using a word of it is no move; nor is looking up what the schema's facts say
(`voiceops.kinds.schema`). Every module was imported by an earlier run.
"""

from __future__ import annotations

import asyncio
import contextlib
import dis
import io
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import voiceops
from voiceops.cli.main import run
from voiceops.runtime.auth.vapi_auth import sign
from voiceops.sandbox.server import SandboxServer

_PACKAGE = str(Path(voiceops.__file__).parent) + os.sep
_WORDS = ("model/", "errors.py", "_version.py", "kinds/schema.py")
_SECRET = "a-webhook-secret-of-some-length"
_NUMBER = "+14155550100"


@dataclass(slots=True)
class Walk:
    """What one walk entered; a module is its file's path in the package."""

    name: str
    modules: dict[str, int] = field(default_factory=dict)  # with the times that each was moved to
    functions: set[CodeType] = field(default_factory=set)
    moves: int = 0
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)  # the moves, by where they begin and end
    ended: bool = False  # it came to what it was to come to

    def __str__(self) -> str:
        return (
            f"{self.name:<16} {len(self.modules):>4} modules {len(self.functions):>5} functions {self.moves:>5} moves"
        )


class _Tracer:
    """Counts on the thread that it is set on, until `end` says that the walk is at its end."""

    def __init__(self, name: str, end: Callable[[FrameType], bool]) -> None:
        self.walk = Walk(name)
        self._end = end
        self._at = ""
        self._known: dict[CodeType, tuple[str, int] | None] = {}

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or self.walk.ended:
            return
        code = frame.f_code
        if self._end(frame):
            self.walk.ended = True
            return
        if code not in self._known:
            self._known[code] = _place(code)
        place = self._known[code]
        if place is not None and frame.f_lasti <= place[1]:
            self._enter(place[0], code)

    def _enter(self, module: str, code: CodeType) -> None:
        self.walk.functions.add(code)
        self.walk.modules.setdefault(module, 0)
        if module.startswith(_WORDS) or module == self._at:
            return
        if self._at:
            self.walk.moves += 1
            self.walk.pairs[self._at, module] += 1
        self.walk.modules[module] += 1
        self._at = module


def _place(code: CodeType) -> tuple[str, int] | None:
    """The module of a function of ours, and where in its code it begins."""
    if not code.co_filename.startswith(_PACKAGE) or code.co_name.startswith("<"):
        return None
    begin = next((i.offset for i in dis.get_instructions(code) if i.opname == "RESUME" and not i.arg), 0)
    return code.co_filename[len(_PACKAGE) :], begin


def _sends(frame: FrameType) -> bool:
    """Is this httpx, about to send what changes something?"""
    code = frame.f_code
    return (
        code.co_name == "handle_async_request"
        and code.co_filename.endswith(os.path.join("httpx", "_transports", "default.py"))
        and frame.f_locals["request"].method not in ("GET", "HEAD")
    )


@contextlib.contextmanager
def _traced(tracer: _Tracer) -> Iterator[None]:
    sys.setprofile(tracer)
    try:
        yield
    finally:
        sys.setprofile(None)


# the three walks


def walks() -> list[Walk]:
    """All three, each after a run that imported what it needs. Raises RuntimeError where one did not arrive."""
    with tempfile.TemporaryDirectory() as folder, _environment(), SandboxServer(numbers=[_NUMBER]) as server:
        os.environ.update(
            {
                "VAPI_API_KEY": server.api_key,
                "VAPI_BASE_URL": server.vapi_url,
                "TWILIO_ACCOUNT_SID": server.account_sid,
                "TWILIO_AUTH_TOKEN": server.auth_token,
                "TWILIO_BASE_URL": server.twilio_url,
                "VAPI_WEBHOOK_SECRET": _SECRET,
            }
        )
        found = [*_deployed(Path(folder) / "shop"), _called(Path(folder) / "phone")]
    for walk in found:
        if not walk.ended:
            raise RuntimeError(f"{walk.name} did not come to its end")
    return found


def _deployed(folder: Path) -> list[Walk]:
    _project(folder)
    prompt = folder / "agents/prompt.md"

    def edit(word: str) -> None:
        prompt.write_text(prompt.read_text() + f"\nBe {word}.\n")

    _command(folder, "apply", "--auto-approve")
    for word in ("kind", "brief"):
        edit(word)
        _command(folder, "apply", "--auto-approve")
    _command(folder, "rollback", "--auto-approve")  # everything has been imported now
    changed, returned = _Tracer("a prompt change", _sends), _Tracer("a rollback", _sends)
    edit("patient")
    with _traced(changed):
        _command(folder, "apply", "--auto-approve")
    with _traced(returned):
        _command(folder, "rollback", "--auto-approve")
    return [changed.walk, returned.walk]


def _called(folder: Path) -> Walk:
    """One tool call, from the request as the server hands it over to the end of its answer."""
    _project(folder, tool=True)
    os.environ["VOICEOPS_SERVE"] = json.dumps({"root": str(folder), "environment": "live", "vapi": ""})
    os.environ["VOICEOPS_RUNTIME_DB"] = str(folder / "runtime.db")
    from voiceops.cli.commands.serve import application

    app = application()
    tracer = _Tracer("a tool call", lambda _: False)

    async def work() -> None:
        async with app.router.lifespan_context(app) as state:
            await _ask(app, "warm-up", state)
            await asyncio.sleep(0.3)  # the recorder of calls has looked by now, and rests for a second
            with _traced(tracer):
                answer = await _ask(app, "traced", state)
        tracer.walk.ended = json.loads(answer)["results"][0]["result"] == "Until six."

    asyncio.run(work())
    return tracer.walk


async def _ask(app: Any, id_: str, state: Any) -> bytes:
    """Vapi's request for one tool call, as ASGI; gives the answer's body. `state` is what the app's lifespan gave."""
    call = {"id": id_, "type": "function", "function": {"name": "openingHours", "arguments": {"day": "monday"}}}
    body = json.dumps({"message": {"type": "tool-calls", "call": {"id": id_}, "toolCallList": [call]}}).encode()
    at = str(int(time.time() * 1000))
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "x-vapi-signature": sign(_SECRET.encode(), body, at),
        "x-vapi-timestamp": at,
    }
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/vapi/events",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "state": state,
    }
    said: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message.get("body", b""))

    await app(scope, receive, send)
    return b"".join(said)


# the project


_SETTINGS = "version: 1\nproject: shop\nenvironments: [live]\n"
_AGENT = """kind: Agent
name: front-desk
spec:
  firstMessage: Hello, how can I help you today?
  model:
    provider: openai
    model: gpt-4.1-mini
    temperature: 0.3
    maxTokens: 300
    systemPrompt: ${file:prompt.md}
    tools: [TOOLS]
  voice: {provider: vapi, voiceId: Elliot}
  transcriber: {provider: deepgram, model: nova-2, language: en, endpointing: 200}
  stopSpeakingPlan: {numWords: 2}
---
kind: Phone
name: main-line
spec:
  provider: vapi
  agent: front-desk
"""
_TOOL = """---
kind: Tool
name: opening-hours
spec:
  type: function
  function:
    name: openingHours
    description: Tells whether the company is open on a day of the week.
    parameters: {type: object, properties: {day: {type: string, enum: [monday, sunday]}}, required: [day]}
  server: runtime
handler: hours:opening_hours
"""
_HANDLER = "def opening_hours(day: str) -> str:\n    return 'Until six.'\n"
_RUNTIME = "runtime: {url: 'https://voice.example.com', auth: hmac, handlers: handlers}\n"


def _project(folder: Path, *, tool: bool = False) -> None:
    """As `init` writes it, with one environment, whose accounts are the ones of the process's environment."""
    (folder / "agents").mkdir(parents=True)
    (folder / "voiceops.yaml").write_text(_SETTINGS + (_RUNTIME if tool else ""))
    (folder / "agents/prompt.md").write_text("You answer the phone of a small company.\n")
    agent = _AGENT.replace("TOOLS", "opening-hours, {type: endCall}" if tool else "{type: endCall}")
    (folder / "agents/front-desk.yaml").write_text(agent + (_TOOL if tool else ""))
    if tool:
        (folder / "handlers").mkdir()
        (folder / "handlers/hours.py").write_text(_HANDLER)


def _command(folder: Path, *words: str) -> None:
    """A command line, silently. Raises RuntimeError with what it printed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run(["-C", str(folder), *words])
    if code:
        raise RuntimeError(f"{' '.join(words)} ended with {code}:\n{said.getvalue()}")


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """The variables of the process without its own accounts and pipeline, and as they were afterwards."""
    before = dict(os.environ)
    for name in before:
        if name == "CI" or name.startswith(("VOICEOPS_", "VAPI_", "TWILIO_", "GITHUB_", "GITLAB_", "CI_")):
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    wanted = sys.argv[1:]
    for walk in walks():
        print(walk)
        if any(word in walk.name for word in wanted):
            for module, times in walk.modules.items():
                print(f"    {times:>4}  {module}")
            for (here, there), times in walk.pairs.most_common(20):
                print(f"    {times:>4}  {here} > {there}")
