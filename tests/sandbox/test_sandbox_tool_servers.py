"""Tools that are asked for at their servers: signed as Vapi signs, on this machine only, and only on order."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.sandbox.sandbox_bench import Bench
from tests.sandbox.shop import agent, items, look, run, scenario, simulation
from voiceops.runtime.auth.vapi_auth import verifier

KEY = "sandbox-test-key"
PLAN = {
    "type": "hmac",
    "secretKey": KEY,
    "algorithm": "sha256",
    "signatureHeader": "x-vapi-signature",
    "timestampHeader": "x-vapi-timestamp",
    "includeTimestamp": True,
    "payloadFormat": "{timestamp}.{body}",
    "signatureEncoding": "hex",
}
ASKS = "say: Where is my order 1234?"


@dataclass
class Server:
    """A tool's server: what it was asked, and what it answers."""

    url: str = ""
    status: int = 200
    result: Any = "packed"
    asked: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    verify = verifier("hmac", [KEY.encode()])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            raw = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
            found.refused.append(verify(raw, body, time.time()))
            message = json.loads(body)["message"]
            found.asked.append(message)
            results = [{"toolCallId": call["id"], "result": found.result} for call in message["toolCallList"]]
            answer = json.dumps({"results": results}).encode()
            self.send_response(found.status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        found.url = f"http://127.0.0.1:{http.server_address[1]}/vapi/events"
        yield found
        http.shutdown()
        thread.join()


def _served(bench: Bench, server: Server) -> str:
    """The shop's agent, whose server is this one, with a credential."""
    body = {"provider": "custom-credential", "name": "runtime", "authenticationPlan": PLAN}
    credential = bench.make("/credential", body)["id"]
    return agent(bench, server={"url": server.url, "credentialId": credential})


def test_a_simulation_asks_the_tools_server(bench: Bench, server: Server) -> None:
    bench.control.switches(call_tools=True)
    wanted = 'Calls `lookupOrder` and says "packed".'
    made = run(bench, _served(bench, server), simulation(bench, scenario(bench, wanted, says=ASKS)))
    (item,) = items(bench, made["id"])
    assert item["status"] == "passed"
    (message,) = server.asked
    assert server.refused == [""]
    assert message["type"] == "tool-calls"
    assert message["call"] == {"id": item["callId"], "type": "vapi.websocketCall"}
    assert message["toolCallList"][0]["function"] == {"name": "lookupOrder", "arguments": {"orderNumber": "1234"}}


def test_a_chat_asks_it_too(bench: Bench, server: Server) -> None:
    bench.control.switches(call_tools=True)
    server.result = {"state": "on its way"}
    chat = bench.make("/chat", {"assistantId": _served(bench, server), "input": "Where is order 7?"})
    assert [message.get("content") for message in chat["output"]] == [
        None,
        '{"state": "on its way"}',
        "state: on its way.",
    ]
    assert server.asked[0]["chat"] == {"id": chat["id"]}


def test_a_mock_answers_in_its_place(bench: Bench, server: Server) -> None:
    bench.control.switches(call_tools=True)
    mocks = [{"toolName": "lookupOrder", "result": "mocked"}]
    simulated = simulation(bench, scenario(bench, '"mocked"', says=ASKS, toolMocks=mocks))
    (item,) = items(bench, run(bench, _served(bench, server), simulated)["id"])
    assert (item["status"], server.asked) == ("passed", [])


def test_without_the_order_nothing_is_called(bench: Bench, server: Server) -> None:
    simulated = simulation(bench, scenario(bench, '"No result returned."', says=ASKS))
    (item,) = items(bench, run(bench, _served(bench, server), simulated)["id"])
    assert (item["status"], server.asked) == ("passed", [])


@pytest.mark.parametrize(
    "url", ["https://runtime.example/vapi/events", "http://192.0.2.1/", "http://127.0.0.1.example/"]
)
def test_other_machines_are_never_asked(bench: Bench, url: str) -> None:
    bench.control.switches(call_tools=True)
    id_ = agent(bench, server={"url": url})
    chat = bench.make("/chat", {"assistantId": id_, "input": "Where is order 7?"})
    assert chat["output"][1]["content"] == "No result returned."


def test_a_server_that_fails_is_said(bench: Bench, server: Server) -> None:
    bench.control.switches(call_tools=True)
    server.status = 500
    id_ = _served(bench, server)
    first = bench.make("/chat", {"assistantId": id_, "input": "Where is order 7?"})
    assert first["output"][1]["content"] == "Error: the tool's server answered 500."
    bench.control.edit(id_, set_={"server.url": "http://127.0.0.1:9/"})
    second = bench.make("/chat", {"assistantId": id_, "input": "Where is order 7?"})
    assert second["output"][1]["content"].startswith("Error: the tool's server did not answer")


def test_the_sandbox_answers_while_it_asks(bench: Bench, server: Server) -> None:
    """The runtime that is asked may ask Vapi meanwhile."""
    bench.control.switches(call_tools=True)
    id_ = _served(bench, server)
    seen: list[Any] = []

    class Watching(list[dict[str, Any]]):
        def append(self, message: dict[str, Any]) -> None:
            seen.append(look(bench, f"/assistant/{id_}")["name"])

    server.asked = Watching()
    bench.make("/chat", {"assistantId": id_, "input": "Where is order 7?"})
    assert seen == ["shop"]
