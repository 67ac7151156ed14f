"""`simulate` ends with 1 when something failed: against a real runtime, and against servers that answer badly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import LineSpec, served, spec_of, tool
from tests.runtime.start.test_commands import AGENTS, ORDERS, PROJECT, client_environ, ready
from tests.support.bench import Bench
from voiceops.runtime.messages.tool_calls import FAILED, MISUNDERSTOOD
from voiceops.sandbox.server import SandboxServer
from voiceops.simulate.answer_verdict import patience, verdict_on_message, verdict_on_twiml
from voiceops.simulate.sender import Answer, is_loopback

STRICT = """
kind: Tool
name: book
failureMessage: The book is closed.
spec:
  type: function
  function:
    name: book
    description: Books a table.
    parameters:
      type: object
      properties:
        code: {type: string, pattern: '^[A-Z]{2}\\d{4}$'}
        day: {type: string, format: date}
        guests: {type: integer, minimum: 2, maximum: 8}
      required: [code, day, guests]
  server: runtime
handler: orders:book
"""
BOOK = """
def book(code, day, guests):
    assert len(code) == 6 and 2 <= guests <= 8 and day.count("-") == 2
    return "Booked."
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    with SandboxServer(numbers=["+14155550100"]) as server, server.control() as control:
        bench = Bench(tmp_path / "shop", server, control)
        bench.write("voiceops.yaml", PROJECT)
        bench.write("agents/agents.yaml", AGENTS)
        bench.write("agents/book.yaml", STRICT)
        bench.edit("agents/agents.yaml", "tools: [find-order,", "tools: [find-order, book,")
        bench.write("agents/handlers/orders.py", ORDERS + BOOK)
        yield bench


def play(shop: Bench, url: str, steps: str, code: int) -> str:
    shop.write("s.yaml", f"line: main\nsteps:\n{steps}")
    return shop.run("simulate", str(shop.folder / "s.yaml"), "--url", url, code=code).out


BROKEN = '  - tool: findOrder\n    arguments: {orderNumber: "0"}\n'
GOOD = '  - tool: findOrder\n    arguments: {orderNumber: "7"}\n'


def test_against_a_real_runtime(shop: Bench) -> None:
    shop.apply()
    with served(shop.folder, client_environ(shop)) as client:
        ready(client, shop)
        url = f"http://127.0.0.1:{client.port}"
        assert "ok: 1 call" in shop.run("simulate", "--url", url).out  # its arguments fit pattern, format and range
        said = play(shop, url, BROKEN, 1)
        assert "wrong: failed: The order desk is closed." in said
        assert "s.yaml:3:5" in said
        # Whatever else is expected of it.
        assert "wrong: failed" in play(shop, url, BROKEN + "    expect: The order desk is closed.\n", 1)
        assert "wrong: failed" in play(shop, url, BROKEN + "    expect: {within: 5}\n", 1)
        for fails in ("true", "order desk", '"The order desk is closed."'):
            assert "ok: 1 call" in play(shop, url, BROKEN + f"    fails: {fails}\n", 0)
            assert "ok: 1 call" in play(shop, url, BROKEN + f"    expect: {{fails: {fails}}}\n", 0)
        assert "should fail with 'gone'" in play(shop, url, BROKEN + "    fails: gone\n", 1)
        assert "wrong: failed" in play(shop, url, BROKEN + "    fails: false\n", 1)
        assert "should fail" in play(shop, url, GOOD + "    fails: true\n", 1)
        assert "ok: 1 call" in play(shop, url, GOOD + "    expect: {equals: Order 7 is on its way., fails: false}\n", 0)
        # Arguments that the schema refuses, and a tool that nobody has.
        bad = "  - tool: book\n    arguments: {code: x}\n"
        assert "wrong: failed: The book is closed." in play(shop, url, bad, 1)
        assert "ok: 1 call" in play(shop, url, bad + "    fails: true\n", 0)
        assert "ok: 1 call" in play(shop, url, "  - tool: nobody\n    fails: true\n", 0)
        data = json.loads(shop.run("simulate", str(shop.folder / "s.yaml"), "--url", url, "--format", "json").out)
        assert [step["failed"] for step in data["steps"]] == [True]
        # A handler that breaks shows without any script, too.
        shop.edit("agents/handlers/orders.py", 'return "Booked."', "raise OSError")
    with served(shop.folder, client_environ(shop)) as client:
        ran = shop.run("simulate", "--url", f"http://127.0.0.1:{client.port}", code=1)
        assert "wrong: failed: The book is closed." in ran.out
        many = ("--concurrency", "3", "--format", "json")
        assert shop.run("simulate", "--url", f"http://127.0.0.1:{client.port}", *many, code=1).data["wrong"] == 3


def test_nothing_goes_to_another_machine_unasked(shop: Bench) -> None:
    for url in (
        "http://192.0.2.7:8080",
        "https://voice.example.com",
        "http://0.0.0.0:1",
        "http://127.0.0.1@192.0.2.7/",
    ):
        ran = shop.run("simulate", "--url", url, code=1)
        assert "is not this machine" in ran.err
        assert "--yes" in ran.err
        assert ran.out == ""
    # With --yes it is tried: nothing is there.
    assert "nothing answers at" in shop.run("simulate", "--url", "http://0.0.0.0:1", "--yes", code=1).err
    assert "is no http(s) address" in shop.run("simulate", "--url", "ftp://127.0.0.1", code=1).err


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://127.8.9.1", True),
        ("http://localhost:1", True),
        ("http://LOCALHOST.:1", True),
        ("http://dev.localhost", True),
        ("http://[::1]:80", True),
        ("http://0.0.0.0", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://127.0.0.1@example.com", False),
        ("http://10.0.0.1", False),
        ("http://[::ffff:10.0.0.1]", False),
        ("https://voice.example.com", False),
    ],
)
def test_loopback(url: str, ours: bool) -> None:
    assert is_loopback(url) is ours


# Servers that answer as no runtime should.

Behaviour = Callable[[dict[str, Any]], tuple[int, bytes]]


@contextmanager
def answering(behaviour: Behaviour) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, answer = behaviour(json.loads(body)["message"] if body[:1] == b"{" else {"type": "twilio"})
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _results(*entries: dict[str, Any]) -> Behaviour:
    def behave(message: dict[str, Any]) -> tuple[int, bytes]:
        if message["type"] != "tool-calls":
            return 200, b"{}"
        call = message["toolCallList"][0]
        filled = [{"toolCallId": call["id"], "name": call["function"]["name"], **entry} for entry in entries]
        return 200, json.dumps({"results": filled}).encode()

    return behave


def _whole(body: Any, status: int = 200) -> Behaviour:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda message: (status, text) if message["type"] == "tool-calls" else (200, b"{}")


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (_results(), "there is no result for this call"),
        (_results({"toolCallId": "another", "result": "x"}), "holds a result of another call, 'another'"),
        (_results({"result": "x"}, {"toolCallId": "another", "result": "x"}), "holds a result of another call"),
        (_results({"result": "x"}, {"result": "y"}), "there are 2 results for this call"),
        (_results({"result": "x", "name": "other"}), "the result is of 'other'"),
        (_results({"result": ""}), "the result is empty"),
        (_results({"result": "  "}), "the result is empty"),
        (_results({}), "the result is missing"),
        (_results({"result": {"a": 1}}), "the result is no text, but dict"),
        (_results({"result": "a\nb"}), "the result has more than one line"),
        (_results({"error": "no"}), "failed: no"),
        (_results({"error": ""}), "failed: "),
        (_results({"result": FAILED}), "failed, and says so as its result"),
        (_results({"result": MISUNDERSTOOD}), "failed, and says so as its result"),
        (_results({"result": "The order desk is closed."}), "failed, and says so as its result"),
        (_whole({}), "the answer has no list of results"),
        (_whole({"results": {}}), "the answer has no list of results"),
        (_whole({"results": ["x"]}), "the answer has no list of results"),
        (_whole([]), "the answer has no list of results"),
        (_whole(b""), "the answer is no JSON"),
        (_whole(b"[" * 100_000), "the answer is no JSON"),
        (_whole({"results": []}, 201), "answered 201"),
        (_whole({"results": []}, 500), "answered 500"),
        (_whole(b"", 401), "answered 401"),
        (lambda message: (204, b""), "answered 204"),
    ],
)
def test_a_bad_answer_is_wrong(shop: Bench, behaviour: Behaviour, said: str) -> None:
    with answering(behaviour) as url:
        assert f"wrong: {said}" in play(shop, url, GOOD, 1)
        # Expected failures are no news, a wrong status is.
        code = 1 if said.startswith("answered") else 0
        play(shop, url, GOOD + "    fails: true\n", code)


def test_a_late_answer_is_wrong(shop: Bench) -> None:
    server = "  server: {from: runtime, timeoutSeconds: 1}\n"
    shop.edit("agents/agents.yaml", "  server: runtime\nhandler: orders", f"{server}handler: orders")

    def slow(message: dict[str, Any]) -> tuple[int, bytes]:
        if message["type"] == "tool-calls":
            time.sleep(1.2)
        return _results({"result": "fine"})(message)

    with answering(slow) as url:
        assert "came late: after 1." in play(shop, url, GOOD, 1)
        assert "came late" in play(shop, url, GOOD + "    expect: {equals: fine, within: 60}\n", 1)
        play(shop, url, GOOD + "    fails: true\n", 0)


SPEC = spec_of(
    tool("given", None, timeout=30.0),
    tool("plain", None),
    tool("move", None, type="transferCall", timeout=4.0),
    tool_seconds=5.0,
    lines=(LineSpec(address="Phone/a", path="a"),),
)


@pytest.mark.parametrize(
    ("kind", "name", "limit"),
    [
        ("tool-calls", "given", 30.0),
        ("tool-calls", "plain", 6.0),
        ("tool-calls", "nobody", 6.0),
        ("assistant-request", "", 7.5),
        ("transfer-destination-request", "", 4.0),
        ("handoff-destination-request", "", 6.0),
        ("end-of-call-report", "", 20.0),
    ],
)
def test_what_is_late(kind: str, name: str, limit: float) -> None:
    assert patience(kind, SPEC, name) == limit
    body = b'{"results": [{"toolCallId": "c", "name": "%s", "result": "x"}]}' % name.encode()
    call = {"id": "c", "name": name} if kind == "tool-calls" else None
    late = verdict_on_message(kind, Answer(200, body), limit + 0.1, SPEC, call).failures
    assert any("came late" in failure for failure in late)
    early = verdict_on_message(kind, Answer(200, body), limit - 0.1, SPEC, call).failures
    assert not any("came late" in failure for failure in early)


@pytest.mark.parametrize(
    ("twiml", "failed", "refused"),
    [
        (b"<Response><Connect><Stream url='x'/></Connect></Response>", False, False),
        (b"<Response><Dial>+1</Dial></Response>", False, False),
        (b"<!-- fallback --><Response><Dial>+1</Dial></Response>", True, False),
        (b"<Response><Say>Closed</Say><Hangup/></Response>", False, True),
        (b"<Response><Hangup></Response>", True, False),
        (b"<html/>", True, False),
        (b"", True, False),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><Response/>", True, False),
    ],
)
def test_twiml(twiml: bytes, failed: bool, refused: bool) -> None:
    verdict = verdict_on_twiml(Answer(200, twiml), 0.1)
    assert (bool(verdict.failures), bool(verdict.refusal)) == (failed, refused)
    assert verdict_on_twiml(Answer(200, twiml), 15.5).failures


ASSISTANT_ANSWERS = [
    ({"assistantId": "desk"}, "assistantId: 'desk' is no id"),
    ({"agent": "desk"}, "agent: unknown key"),
    ({"assistant": {"firstMesage": "x"}}, "assistant.firstMesage: unknown key firstMesage"),
    ({"assistant": {"voice": {"provider": "11labs", "voiceId": "x", "speed": "fast"}}}, "assistant.voice.speed"),
    ({"destination": {"type": "number"}}, "number is missing"),
    ({"assistantOverrides": {}}, "has to be there"),
    ([], "must be a map"),
]


@pytest.mark.parametrize(("answer", "said"), ASSISTANT_ANSWERS)
def test_an_answer_that_vapi_refuses_is_wrong(answer: Any, said: str) -> None:
    verdict = verdict_on_message("assistant-request", Answer(200, json.dumps(answer).encode()), 0.1, SPEC)
    assert any(said in failure for failure in verdict.failures), verdict.failures
