"""A runtime on a real socket, in a thread or a process, and the requests that Vapi and Twilio would send to it."""

from __future__ import annotations

import hmac
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvicorn
from twilio.request_validator import RequestValidator

from voiceops.runtime.handlers.loading import Handlers
from voiceops.runtime.http.app import RuntimeApp
from voiceops.runtime.http.bounds import BOUNDS, Bounds
from voiceops.runtime.http.protocol import RuntimeProtocol
from voiceops.runtime.http.served import Served, served_in
from voiceops.runtime.messages.event_worker import RETRIES, Retries
from voiceops.runtime.observe.observer import Observer
from voiceops.runtime.parts import Parts, Setup
from voiceops.runtime.settings import Settings
from voiceops.runtime.spec import AgentSpec, LineSpec, RuntimeSpec, ToolSpec
from voiceops.runtime.start.workers import bind, config_of
from voiceops.runtime.store.records import Backend

SECRET = "a-webhook-secret-of-some-length"
TOKEN = "a-twilio-token"
DASHBOARD = "a-dashboard-token"
URL = "https://voice.example.com"

ORDER = {"type": "object", "properties": {"orderNumber": {"type": "string"}}, "required": ["orderNumber"]}


@dataclass(frozen=True, slots=True)
class Got:
    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def data(self) -> Any:
        return json.loads(self.text)

    @property
    def results(self) -> list[dict[str, Any]]:
        assert self.status == 200, self
        found: list[dict[str, Any]] = self.data["results"]
        return found


@dataclass(slots=True)
class Client:
    """Sends what the vendors send."""

    port: int
    secret: str = SECRET
    token: str = TOKEN
    url: str = URL

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Got:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Got(answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.getheaders()})
        finally:
            connection.close()

    def get(self, path: str, token: str = "") -> Got:
        return self.request("GET", path, headers={"authorization": f"Bearer {token}"} if token else {})

    def signed(self, body: bytes, at: float | None = None) -> dict[str, str]:
        timestamp = str(int((time.time() if at is None else at) * 1000))
        signature = hmac.new(self.secret.encode(), timestamp.encode() + b"." + body, "sha256").hexdigest()
        return {"x-vapi-signature": signature, "x-vapi-timestamp": timestamp, "content-type": "application/json"}

    def raw(self, body: bytes, headers: Mapping[str, str] | None = None) -> Got:
        return self.request("POST", "/vapi/events", body, self.signed(body) if headers is None else headers)

    def message(self, type_: str, **fields: Any) -> Got:
        return self.raw(json.dumps({"message": {"type": type_, "call": {"id": "call-1"}, **fields}}).encode())

    def tool(self, name: str, arguments: Any = None, *, id: str = "", call: str = "call-1") -> dict[str, Any]:
        listed = [{"id": id or str(uuid.uuid4()), "function": {"name": name, "arguments": arguments or {}}}]
        return self.message("tool-calls", call={"id": call}, toolCallList=listed).results[0]

    def twilio(self, path: str, fields: Mapping[str, str], *, query: str = "", token: str = "", **headers: str) -> Got:
        signed = RequestValidator(token or self.token).compute_signature(self.url + path + query, dict(fields))
        given = {
            "content-type": "application/x-www-form-urlencoded",
            "x-twilio-signature": signed,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.request("POST", path + query, urlencode(fields).encode(), given)


@dataclass(slots=True)
class Serving(Client):
    """A runtime in a thread of this process."""

    served: Served = field(kw_only=True)

    @property
    def parts(self) -> Parts:
        return self.served.parts


def tool(name: str, handler: str | None, **given: Any) -> ToolSpec:
    return ToolSpec(name=name, address=f"Tool/{name.lower()}", handler=handler, **given)


def spec_of(*tools: ToolSpec, **given: Any) -> RuntimeSpec:
    base: dict[str, Any] = {"project": "shop", "environment": "test", "url": URL, "auth": "hmac"}
    return RuntimeSpec(**base | given, tools=tools)


class Told(Observer):
    """Keeps what it is told of tool calls, and of answers that no handler gave: their details, in order."""

    def __init__(self) -> None:
        self.tools: dict[str, str] = {}
        self.failed: list[str] = []

    def tool_ended(self, name: str, outcome: str, detail: str, seconds: float, call: str, tool_call: str) -> None:
        self.tools[name] = detail

    def answer_ended(self, kind: str, outcome: str, call: str, detail: str) -> None:
        if outcome != "ok":
            self.failed.append(detail)


@contextmanager
def serving(
    folder: Path,
    spec: RuntimeSpec,
    handlers: str = "",
    *,
    database: str = "",
    known: Mapping[str, str] | None = None,
    protocol: Any = RuntimeProtocol,
    bounds: Bounds = BOUNDS,
    backend: Backend | None = None,
    observers: tuple[Observer, ...] = (),
    retries: Retries = RETRIES,
    **settings: Any,
) -> Iterator[Serving]:
    """A runtime with these handlers (the text of `h.py`) for as long as the block runs."""
    home = folder / f"handlers-{uuid.uuid4().hex[:8]}"
    home.mkdir(parents=True)
    module = f"h_{uuid.uuid4().hex[:8]}"  # modules of one process must not meet
    (home / f"{module}.py").write_text("from voiceops.runtime import *\n" + handlers)

    async def ids() -> Mapping[str, str]:
        return known or {}

    found = Handlers(home, [name.replace("h:", f"{module}:") for name in spec.handlers])
    data = json.loads(json.dumps(spec.to_data()).replace('"h:', f'"{module}:'))
    given = {
        "database": database or str(folder / "runtime.db"),
        "vapi_secrets": (SECRET.encode(),),
        "twilio_tokens": (TOKEN,),
        "dashboard_token": DASHBOARD,
    }
    setup = Setup(
        spec=RuntimeSpec.from_data(data),
        settings=Settings(**given | settings),
        handlers=found,
        known=ids,
        backend=backend,
        observers=observers,
        retries=retries,
    )
    bound = bind("127.0.0.1", 0)
    server = uvicorn.Server(config_of(RuntimeApp(setup, bounds), http=protocol, bounds=bounds))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 60
        while not server.started:
            assert thread.is_alive(), "the runtime did not start"
            assert time.monotonic() < until
            time.sleep(0.005)
        yield Serving(bound.getsockname()[1], served=served_in(server.lifespan.state))
    finally:
        server.should_exit = True
        thread.join(20)
        bound.close()


@dataclass(slots=True)
class Process(Client):
    """A runtime in a process of its own."""

    process: subprocess.Popen[str] = field(kw_only=True)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def served(folder: Path, environ: Mapping[str, str], *arguments: str, command: str = "serve") -> Iterator[Process]:
    """`voiceops serve`, or `dev`; killed at the end when it still runs."""
    with (folder / "serve.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "voiceops", "-C", str(folder), command, "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **environ},
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert "http://" in line, (folder / "serve.log").read_text()
            found = re.search(r"http://[\w.]+:(\d+)", line)
            assert found is not None
            client = Process(int(found[1]), process=process)
            wait_for(lambda: _answers(client))
            yield client
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(5)
            process.stdout.close()


def _answers(client: Client) -> bool:
    try:
        return client.get("/healthz").status == 200
    except OSError:
        return False


def wait_for(condition: Any, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


__all__ = [
    "DASHBOARD",
    "ORDER",
    "SECRET",
    "TOKEN",
    "URL",
    "AgentSpec",
    "Client",
    "LineSpec",
    "RuntimeSpec",
    "Serving",
    "Told",
    "ToolSpec",
    "served",
    "serving",
    "spec_of",
    "tool",
    "wait_for",
]
