"""Tool calls: every shape, every way to fail, and each call once."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import ORDER, AgentSpec, Serving, serving, spec_of, tool
from voiceops.runtime.json_text import one_line
from voiceops.runtime.messages.tool_calls import FAILED, MISUNDERSTOOD
from voiceops.runtime.spec import deadline_of

HANDLERS = """
import asyncio, os, time
from pathlib import Path

def ran(name): 
    with open(Path(__file__).with_suffix(".ran"), "a") as file: file.write(name + "\\n")

async def order(call: Call, orderNumber: str) -> dict:
    ran(orderNumber)
    seen = {"call": call.id, "customer": call.customer, "tool": call.tool, "id": call.tool_call_id}
    return {"number": orderNumber, **seen}

def plain(orderNumber): return "a\\nb\\r\\n  c\\u2028d"
def nothing(): return None
def fails(): raise ValueError("card 4111 1111 1111 1111")
async def hangs(): await asyncio.sleep(60)
def blocks(): time.sleep(9)
async def stubborn():
    while True:
        try: await asyncio.sleep(60)
        except asyncio.CancelledError: pass
async def slow(n: str):
    ran(n); await asyncio.sleep(0.4); return n
def slow_plain(n: str):
    ran(n); time.sleep(0.4); return n
def strange(): return {"set": {1}, "at": Path("x")}
def everything(**given): return given
def reserved(from_: str): return from_
def reserved_beside(from_: str, **rest): return from_ + str(rest)
def named(*, call, n: str): return call.tool + n
async def named_async(*, call, n: str): return call.tool + n
def needs(a, b): return a
@tool("decorated")
def decorated(x: int): return x + 1
"""

PARAMETERS = ("reserved_beside", "named", "named_async")


def tools(**given: Any) -> Any:
    names = ["plain", "nothing", "fails", "strange", "everything", "needs"]
    return spec_of(
        tool("lookupOrder", "h:order", parameters=ORDER),
        *(tool(name, f"h:{name}") for name in names),
        *(tool(name, f"h:{name}", timeout=1.0) for name in ("hangs", "blocks", "stubborn")),
        *(tool(name, f"h:{name}") for name in ("slow", "slow_plain", "reserved", *PARAMETERS)),
        tool("nobody", None, failure="Nobody does that."),
        tool("ownWords", "h:fails", failure="The shop's own words."),
        **given,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serving(tmp_path_factory.mktemp("tools"), tools(), HANDLERS) as found:
        yield found


def runs(server: Serving, name: str) -> int:
    folder = Path(server.parts.settings.database).parent
    return sum(path.read_text().split().count(name) for path in folder.rglob("*.ran"))


CALL = {"number": "12"}
SHAPES = [
    {"toolCallList": [{"id": "@", "type": "function", "function": {"name": "lookupOrder", "arguments": "@args"}}]},
    {"toolCallList": [{"id": "@", "name": "lookupOrder", "arguments": "@args"}]},
    {"toolCallList": [{"id": "@", "name": "lookupOrder", "parameters": "@args"}]},
    {"toolCalls": [{"id": "@", "function": {"name": "lookupOrder", "arguments": "@args"}}]},
    {"toolWithToolCallList": [{"function": {"name": "lookupOrder"}, "toolCall": {"id": "@", "parameters": "@args"}}]},
]


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("number", range(len(SHAPES)))
def test_every_shape(server: Serving, number: int, as_text: bool) -> None:
    id_ = f"shape-{number}-{as_text}"
    arguments: Any = {"orderNumber": "12"}
    text = json.dumps(SHAPES[number]).replace('"@args"', json.dumps(json.dumps(arguments) if as_text else arguments))
    shape = json.loads(text.replace('"@"', json.dumps(id_)))
    got = server.message("tool-calls", customer={"number": "+14155550123"}, **shape)
    (entry,) = got.results
    assert entry["toolCallId"] == id_
    assert entry["name"] == "lookupOrder"
    assert json.loads(entry["result"]) == {
        "number": "12",
        "call": "call-1",
        "customer": "+14155550123",
        "tool": "Tool/lookuporder",
        "id": id_,
    }


def test_a_result_is_one_line_of_text(server: Serving) -> None:
    assert server.tool("plain", {"orderNumber": "1"})["result"] == "a b c d"
    assert server.tool("nothing")["result"] == "Done."
    assert json.loads(server.tool("strange")["result"])["at"] == "x"
    assert server.tool("everything", {"a": 1, "b": [None]})["result"] == '{"a":1,"b":[null]}'
    assert server.tool("reserved", {"from": "here", "other": 1})["result"] == "here"
    assert server.tool("decorated", {"x": 1})["result"] == "2"
    assert [one_line(v) for v in (True, 1.5, [1], "")] == ["true", "1.5", "[1]", "Done."]


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("fails", {}, FAILED),
        ("ownWords", {}, "The shop's own words."),
        ("nobody", {}, "Nobody does that."),
        ("unheardOf", {}, FAILED),
        ("lookupOrder", {}, MISUNDERSTOOD),
        ("lookupOrder", {"orderNumber": 12}, MISUNDERSTOOD),
        ("lookupOrder", "no json", MISUNDERSTOOD),
        ("lookupOrder", "[1]", MISUNDERSTOOD),
        ("needs", {"a": 1}, MISUNDERSTOOD),
    ],
)
def test_a_failure_is_a_sentence(server: Serving, name: str, arguments: Any, sentence: str) -> None:
    entry = server.tool(name, arguments)
    assert entry["error"].partition(" (Wrong arguments: ")[0] == sentence
    assert ("Wrong arguments" in entry["error"]) is (name == "lookupOrder")
    assert entry["message"] == {"type": "request-failed", "content": sentence}
    assert "result" not in entry


@pytest.mark.parametrize("name", ["hangs", "blocks", "stubborn"])
def test_a_handler_that_hangs_is_answered_for_in_time(server: Serving, name: str) -> None:
    began = time.monotonic()
    assert server.tool(name)["error"] == FAILED
    assert time.monotonic() - began < 8


def test_deadlines_stay_below_vapis() -> None:
    assert [round(deadline_of(t), 2) for t in (1, 5, 20, 300)] == [0.7, 4.5, 18.0, 298.0]


@pytest.mark.parametrize("name", ["slow", "slow_plain"])
def test_calls_of_one_message_run_together_and_keep_their_order(server: Serving, name: str) -> None:
    calls = [{"id": f"{name}-{n}", "function": {"name": name, "arguments": {"n": str(n)}}} for n in range(8)]
    began = time.monotonic()
    entries = server.message("tool-calls", toolCallList=calls).results
    assert time.monotonic() - began < 3.1  # one after the other they take 3.2 s
    assert [entry["result"] for entry in entries] == [str(n) for n in range(8)]


def test_the_same_call_runs_once_and_answers_the_same(server: Serving) -> None:
    first = server.tool("lookupOrder", {"orderNumber": "once"}, id="twice")
    assert server.tool("lookupOrder", {"orderNumber": "once"}, id="twice") == first
    assert runs(server, "once") == 1
    # Another call of a model that counts its calls from one:
    server.tool("lookupOrder", {"orderNumber": "once"}, id="twice", call="call-2")
    assert runs(server, "once") == 2


def test_deliveries_at_the_same_time_run_once(server: Serving) -> None:
    found: list[Any] = []

    def one() -> None:
        found.append(server.tool("slow", {"n": "together"}, id="at-once"))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry["result"] for entry in found] == ["together"] * 6
    assert runs(server, "together") == 1


def test_other_workers_share_the_claims(tmp_path: Path) -> None:
    with serving(tmp_path, tools(), HANDLERS) as one, serving(tmp_path, tools(), HANDLERS) as two:
        found: list[Any] = []

        def ask(server: Serving) -> None:
            found.append(server.tool("slow", {"n": "shared"}, id="shared"))

        threads = [threading.Thread(target=ask, args=(server,)) for server in (one, two) * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [entry["result"] for entry in found] == ["shared"] * 6
        assert runs(one, "shared") == 1
        first = one.tool("fails", id="failed")
        assert two.tool("fails", id="failed") == first
    with serving(tmp_path, tools(), HANDLERS) as again:
        assert again.tool("slow", {"n": "shared"}, id="shared") == found[0]
        assert runs(again, "shared") == 1


def test_the_agents_own_tool_of_several_with_one_name(tmp_path: Path) -> None:
    spec = spec_of(
        tool("say", "h:red", agents=("Agent/red",)),
        tool("say", "h:blue", agents=("Agent/blue",)),
        agents=tuple(AgentSpec(address=f"Agent/{name}", name=f"{name} (dev)") for name in ("red", "blue")),
    )
    with serving(tmp_path, spec, "def red(): return 'red'\ndef blue(): return 'blue'\n") as server:
        for name in ("red", "blue"):
            call = [{"id": name, "name": "say"}]
            got = server.message("tool-calls", assistant={"name": f"{name} (dev)"}, toolCallList=call)
            assert got.results[0]["result"] == name


def test_a_message_without_calls(server: Serving) -> None:
    assert server.message("tool-calls").results == []
    assert server.message("tool-calls", toolCallList=[5, None, {}]).results[0]["error"] == FAILED


def test_parameters_of_every_kind(server: Serving) -> None:
    assert server.tool("reserved_beside", {"from": "a", "to": "b"})["result"] == "a{'to': 'b'}"
    assert server.tool("named", {"n": "1"})["result"] == "Tool/named1"
    assert server.tool("named_async", {"n": "1"})["result"] == "Tool/named_async1"
    assert server.tool("named", {})["message"]["content"] == MISUNDERSTOOD
