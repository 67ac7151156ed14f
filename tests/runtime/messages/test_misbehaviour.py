"""Handlers that leave, bodies that no strict reader takes, a store that is slow: there is an answer all the same."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.places import place_of
from tests.runtime.runtime_bench import (
    DASHBOARD,
    AgentSpec,
    Serving,
    serving,
    spec_of,
    tool,
    wait_for,
)
from voiceops.errors import VoiceopsError
from voiceops.runtime.http.bounds import Bounds
from voiceops.runtime.messages.choices import NO_TRANSFER
from voiceops.runtime.messages.event_worker import Retries
from voiceops.runtime.messages.questions import UNAVAILABLE
from voiceops.runtime.messages.tool_calls import FAILED, MISUNDERSTOOD
from voiceops.runtime.settings import Settings
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.records import DEAD, DONE
from voiceops.runtime.store.sqlite import SqliteBackend

HANDLERS = """
import asyncio, sys, time
from pathlib import Path

def ok(n=0): return "fine"
async def leaves(): sys.exit(3)
def leaves_plainly(): sys.exit(3)
async def interrupts(): raise KeyboardInterrupt
async def cancelled():
    other = asyncio.create_task(asyncio.sleep(10)); other.cancel(); await other
def cancelled_plainly(): raise asyncio.CancelledError
def runs_out(): return next(iter([]))
async def late_to_leave():
    try: await asyncio.sleep(10)
    except asyncio.CancelledError:
        await asyncio.sleep(0.1); sys.exit(4)
def half(): return "half an emoji \\ud83d"
def half_inside(): return {"text": "\\ud83d", "ok": 1}
def generator(): return (n for n in ())
def whole(call: Call): return call.message["note"]

@on_end_of_call
def report(event, message):
    note = str(message.get("note"))
    with open(Path(__file__).with_suffix(".reports"), "a", encoding="utf-8") as file: file.write(note + "\\n")
    if note == "cancel": raise asyncio.CancelledError
    if note == "exit": sys.exit(1)
    if note == "slow": time.sleep(1.0)

@answers("assistant-request")
def who(call): return MODE[0]
@answers("knowledge-base-request")
def knows(call, query): return MODE[0]
@answers("transfer-destination-request")
def to(call): return MODE[0]
MODE = ["desk"]
"""

SPEC = spec_of(
    *(tool(name, f"h:{name}") for name in ("ok", "leaves", "leaves_plainly", "interrupts", "cancelled")),
    *(tool(name, f"h:{name}") for name in ("cancelled_plainly", "runs_out", "half", "half_inside", "generator")),
    tool("late_to_leave", "h:late_to_leave", timeout=1.0),
    tool("whole", "h:whole"),
    tool("quick", "h:ok", timeout=2.0),
    tool("steps", "h:ok", parameters={"type": "object", "properties": {"n": {"type": "number", "multipleOf": 0.01}}}),
    agents=(AgentSpec(address="Agent/desk", name="desk"), AgentSpec(address="Squad/team", name="team")),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serving(tmp_path_factory.mktemp("misbehaviour"), SPEC, HANDLERS, known={"Agent/desk": "as-1"}) as found:
        yield found


def _mode(server: Serving, value: Any) -> None:
    module = next(m for name, m in sys.modules.items() if name.startswith("h_") and _is_in(server, m))
    module.MODE[0] = value  # type: ignore[attr-defined]


def _is_in(server: Serving, module: Any) -> bool:
    return Path(server.parts.settings.database).parent in Path(getattr(module, "__file__", None) or "/").parents


@pytest.mark.parametrize(
    "name",
    ["leaves", "leaves_plainly", "interrupts", "cancelled", "cancelled_plainly", "runs_out", "generator"],
)
def test_a_handler_that_leaves_ends_no_server(server: Serving, name: str) -> None:
    started = time.monotonic()
    assert server.tool(name)["error"] == FAILED
    assert time.monotonic() - started < 5
    assert server.tool("ok")["result"] == "fine"


def test_one_that_leaves_after_its_time_ends_no_server(server: Serving) -> None:
    assert server.tool("late_to_leave")["error"] == FAILED
    time.sleep(0.3)
    assert server.tool("ok")["result"] == "fine"


def test_half_a_surrogate_pair_costs_that_place(server: Serving) -> None:
    assert server.tool("half")["result"] == "half an emoji \ufffd"
    assert json.loads(server.tool("half_inside")["result"]) == {"text": "\ufffd", "ok": 1}
    listed = b'"toolCallList":[{"id":"hs","name":"whole"}]'
    got = server.raw(b'{"message":{"type":"tool-calls","call":{"id":"c"},"note":"a\\ud83d",' + listed + b"}}")
    assert got.results[0]["result"] == "a\ufffd"


@pytest.mark.parametrize(("n", "good"), [("0.3", 1), ("1e308", 1), ("1" + "0" * 400, 1), ("0.005", 0), ("1e-320", 0)])
def test_multiples_of_any_size(server: Serving, n: str, good: int) -> None:
    body = (
        f'{{"message":{{"type":"tool-calls","toolCallList":[{{"id":"m{n}","name":"steps","arguments":{{"n":{n}}}}}]}}}}'
    )
    (entry,) = server.raw(body.encode()).results
    if good:
        assert entry["result"] == "fine"
    else:
        assert entry["message"]["content"] == MISUNDERSTOOD
        assert entry["error"] == f"{MISUNDERSTOOD} (Wrong arguments: n must be a multiple of 0.01)"


@pytest.mark.parametrize("id_", [7, {"x": 1}, None, ["a"]])
def test_one_malformed_call_does_not_cost_the_others(server: Serving, id_: Any) -> None:
    listed = [{"id": f"good-{id_}", "name": "ok"}, {"id": id_, "name": "ok"}]
    results = server.message("tool-calls", toolCallList=listed).results
    assert [entry["result"] for entry in results] == ["fine", "fine"]
    assert len({entry["toolCallId"] for entry in results}) == 2
    if id_ == 7:
        assert results[1]["toolCallId"] == "7"


@pytest.mark.parametrize(
    "value", [{"error": "no \ud83d"}, 5, {}, None, [], {"agent": "desk", "variables": {"a": "\ud83d"}}]
)
def test_an_assistant_request_is_always_answered(server: Serving, value: Any) -> None:
    _mode(server, value)
    answer = server.message("assistant-request").data
    if isinstance(value, dict) and "agent" in value:
        assert answer == {"assistantId": "as-1", "assistantOverrides": {"variableValues": {"a": "\ufffd"}}}
    else:
        assert answer == {"error": "no \ufffd" if isinstance(value, dict) and value else UNAVAILABLE}


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (None, []),
        ("text", [{"content": "text", "similarity": 1.0}]),
        (["x \ud83d"], [{"content": "x \ufffd", "similarity": 1.0}]),
        (5, []),
    ],
)
def test_what_a_knowledge_base_found(server: Serving, value: Any, answer: Any) -> None:
    _mode(server, value)
    assert server.message("knowledge-base-request", messages=[]).data == {"documents": answer}


def test_what_contains_itself_is_no_answer(server: Serving) -> None:
    endless: list[Any] = []
    endless.append(endless)
    _mode(server, endless)
    assert server.message("knowledge-base-request", messages=[]).data == {"documents": []}


@pytest.mark.parametrize("value", [5, {}, None, "team", "nobody"])
def test_what_is_no_destination(server: Serving, value: Any) -> None:
    _mode(server, value)
    assert server.message("transfer-destination-request").data == {"error": NO_TRANSFER}


def _states(server: Serving, kind: str) -> list[tuple[int, str]]:
    store = backend_of(server.parts.settings.database, worker=False)
    store.open()
    try:
        return [(found.state, found.error) for found in store.find(state=None, type_=kind, limit=100)]
    finally:
        store.close()


@pytest.mark.parametrize(
    "note",
    [b'"half \\ud83d"', b"NaN", b'"\xff"', b'"fine"', b'"' + b"x" * 50 + b'"'],
    ids=lambda n: n.decode("latin-1")[:9],
)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_message_that_was_acknowledged_is_worked_on(tmp_path: Path, note: bytes, bom: bytes) -> None:
    with serving(tmp_path, SPEC, HANDLERS) as server:
        got = server.raw(bom + b'{"message":{"type":"end-of-call-report","call":{"id":"c"},"note":' + note + b"}}")
        if got.status == 400:  # said, and so sent again or looked into; never lost in silence
            assert bom
            return
        wait_for(lambda: [state for state, _ in _states(server, "end-of-call-report")] == [DONE])


@pytest.mark.parametrize("note", ["cancel", "exit"])
def test_a_handler_that_leaves_is_tried_again(tmp_path: Path, note: str) -> None:
    with serving(tmp_path, SPEC, HANDLERS, retries=Retries(pauses=(0.05,))) as server:
        server.message("end-of-call-report", note=note)
        wait_for(lambda: [state for state, _ in _states(server, "end-of-call-report")] == [DEAD], 60)
        assert "failed" in _states(server, "end-of-call-report")[0][1]


def test_a_message_whose_process_always_dies_is_dead_in_the_end(tmp_path: Path) -> None:
    with serving(tmp_path, SPEC, HANDLERS) as server:
        wait_for(lambda: server.get("/readyz").status == 200)
    place = str(tmp_path / "runtime.db")
    with sqlite3.connect(place) as connection:
        connection.execute(
            "INSERT INTO events (id, key, type, call, received, sent, state, attempts, owner)"
            " VALUES (7, x'00', 'end-of-call-report', 'c', 1, 1, 1, 8, 12345)"
        )
        connection.execute("INSERT INTO bodies VALUES (7, ?)", (b'{"message":{"type":"end-of-call-report"}}',))
    connection.close()
    with serving(tmp_path, SPEC, HANDLERS) as server:
        wait_for(lambda: [state for state, _ in _states(server, "end-of-call-report")] == [DEAD], 60)
        assert "process ended" in _states(server, "end-of-call-report")[0][1]


@contextmanager
def _blocked(server: Serving) -> Iterator[None]:
    """Somebody else writes for long: nothing is stored meanwhile."""
    place = server.parts.settings.database
    if place.startswith("postgresql"):
        import psycopg

        with psycopg.connect(place) as other:
            other.execute("LOCK TABLE voiceops_claims, voiceops_events IN ACCESS EXCLUSIVE MODE")
            yield
            other.rollback()
        return
    connection = sqlite3.connect(place, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_slow_store_makes_no_answer_late(tmp_path: Path, kind: str) -> None:
    with serving(tmp_path, SPEC, HANDLERS, known={"Agent/desk": "as-1"}, database=place_of(kind, tmp_path)) as server:
        assert server.tool("ok")["result"] == "fine"
        with _blocked(server):
            started = time.monotonic()
            assert server.tool("quick", id="q")["error"] == FAILED
            assert 1 < time.monotonic() - started < 2.2  # its deadline is 1.7 s
            started = time.monotonic()
            assert server.message("assistant-request").data == {"assistantId": "as-1"}
            assert time.monotonic() - started < 2
            started = time.monotonic()
            assert server.get("/readyz", DASHBOARD).status == 503
            assert time.monotonic() - started < 5
        wait_for(lambda: server.get("/readyz", DASHBOARD).status == 200, 60)
        assert server.tool("ok", id="again")["result"] == "fine"


def test_the_end_of_a_message_is_kept_when_the_store_is_back(tmp_path: Path) -> None:
    failed: list[int] = []

    class Locked(SqliteBackend):
        def finish(self, id_: int) -> None:
            if len(failed) < 2:
                failed.append(id_)
                raise sqlite3.OperationalError("database is locked")
            super().finish(id_)

    with serving(tmp_path, SPEC, HANDLERS, backend=Locked(tmp_path / "runtime.db")) as server:
        server.message("end-of-call-report", note="once")
        wait_for(lambda: [state for state, _ in _states(server, "end-of-call-report")] == [DONE])
        assert len(failed) == 2
        reports = [path.read_text().split() for path in tmp_path.rglob("*.reports")]
        assert reports == [["once"]]


DEEP = b'"a":[' * 2000


@pytest.mark.parametrize(
    "body",
    [
        b'{"message":{"type":"model-output","output":"said \\ud83d"}}',
        b'{"message":{"type":"transcript","transcript":"said \\ud83d"}}',
        b'{"message":{"type":"hang","transcript":"said",' + DEEP + b"]}}",
    ],
    ids=["output", "half", "deep"],
)
def test_redaction_leaves_nothing_that_was_said(tmp_path: Path, body: bytes) -> None:
    with serving(tmp_path, spec_of(), redact=("transcripts",)) as server:
        if server.raw(body).status == 400:
            return
        store = backend_of(server.parts.settings.database, worker=False)
        store.open()
        (found,) = store.find(state=None, type_="", limit=10)
        stored = store.get(found.id)
        store.close()
        assert stored is not None
        assert b"said" not in stored.body
        assert b"(redacted)" in stored.body


def test_a_name_that_redacts_nothing_stops_the_start() -> None:
    with pytest.raises(VoiceopsError, match="VOICEOPS_REDACT names 'transcript'") as caught:
        Settings.from_environ(
            {"VAPI_WEBHOOK_SECRET": "x", "VOICEOPS_REDACT": "transcript"}, database="x", answers_lines=False
        )
    assert "transcripts, recordings" in caught.value.hint


def test_a_body_that_never_begins_is_not_waited_for(tmp_path: Path) -> None:
    import socket

    with serving(tmp_path, spec_of(), bounds=Bounds(body_seconds=0.5)) as server:
        for head in (
            "POST /vapi/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n",
            "POST /twilio/voice/x HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
                connection.sendall(head.encode())
                assert b" 408 " in connection.recv(1000).partition(b"\r\n")[0] + b" "


def test_a_hanging_handler_does_not_keep_the_process(tmp_path: Path) -> None:
    script = """
import asyncio, sys, time
from voiceops.runtime.handlers.invoke import Invoker, Failure
from voiceops.runtime.handlers.loading import handler_of
async def main():
    invoker = Invoker()
    got = await invoker.invoke(handler_of(lambda: time.sleep(60)), None, {}, 0.2)
    assert got == Failure("timeout"), got
    invoker.close()
asyncio.run(main())
print("ended")
"""
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=40)
    assert done.stdout == "ended\n", done.stderr
    assert time.monotonic() - started < 10


def test_many_sync_handlers_at_once_and_one_after_another(tmp_path: Path) -> None:
    spec = spec_of(tool("slow", "h:slow"))
    with serving(tmp_path, spec, "import time\ndef slow(n): time.sleep(0.1); return n") as server:
        listed = [{"id": f"s{n}", "name": "slow", "arguments": {"n": n}} for n in range(100)]
        started = time.monotonic()
        assert [e["result"] for e in server.message("tool-calls", toolCallList=listed).results] == [
            str(n) for n in range(100)
        ]
        assert time.monotonic() - started < 9  # one after the other they take 10 s
        assert threading.active_count() < 100
