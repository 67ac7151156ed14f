"""No schema and no megabyte of arguments keeps the loop; no tool that hangs keeps another one from its thread.

The bound here is for a machine that does much else beside; `python -m benchmarks.runtime_arguments` measures.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import Serving, serving, spec_of, tool
from voiceops.runtime.messages.tool_calls import FAILED

EMAIL = r"^([a-zA-Z0-9]+([._-]?[a-zA-Z0-9]+)*)+@([a-zA-Z0-9]+([.-]?[a-zA-Z0-9]+)*)+\.[a-z]{2,}$"
TREE = {"$defs": {"t": {"anyOf": [{"properties": {"a": {"$ref": "#/$defs/t"}}, "required": ["a"]}, {"const": 1}]}}}
SCHEMAS: dict[str, Any] = {
    "email": {"properties": {"it": {"type": "string", "pattern": EMAIL}}},
    "looks": {"properties": {"it": {"type": "string", "pattern": r"^(?=(a+)+$)(a|aa)+$"}}},
    "unique": {"properties": {"it": {"type": "array", "uniqueItems": True}}},
    "enum": {"properties": {"it": {"items": {"enum": [{"n": [number]} for number in range(3000)]}}}},
    "tree": {**TREE, "properties": {"it": {"$ref": "#/$defs/t"}}},
    "forms": {"properties": {"it": {"anyOf": [{"items": {"type": "string"}}, {"items": {"type": "number"}}]}}},
    "one of": {"properties": {"it": {"items": {"oneOf": [{"minimum": n} for n in range(300)]}}}},
    "names": {"patternProperties": {EMAIL: {"type": "integer"}}, "additionalProperties": {"type": "integer"}},
    "large": {"properties": {"it": {"type": "string", "pattern": r"(?:(?:.?){40}){40}[xz]"}}},
    "contains": {"properties": {"it": {"contains": {"enum": list(range(2000))}, "minContains": 40_000}}},
    "any": {},
}


def megabyte(value: Any) -> bytes:
    return json.dumps({"it": value}).encode()


DEEP = b'{"it":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}"
ARGUMENTS: dict[str, bytes] = {
    "letters": megabyte("a" * 40),
    "many letters": megabyte("ab" * 500_000),
    "an odd end": b'{"it":"' + b"a" * 1_000_000 + rb'\ud83d"}',
    "numbers": megabyte(list(range(10_000))),
    "more numbers": megabyte(list(range(49_000))),
    "too many numbers": megabyte([1] * 300_000),
    "lists": megabyte([[]] * 24_000),
    "maps": megabyte([{"n": [2999]}] * 20_000),
    "nulls": megabyte([None] * 49_000),
    "deep": DEEP,
    "too deep": b'{"it":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
    "odd numbers": b'{"it":[' + b"1e999," * 40_000 + b"1]}",
    "names": json.dumps({f"a{number}": number for number in range(20_000)}).encode(),
    "long names": json.dumps({"a" * 1_000 + str(number): None for number in range(900)}).encode(),
    "in a text": json.dumps(json.dumps({"it": ["x"] * 40_000})).encode(),
}


@contextmanager
def turns(server: Serving) -> Iterator[list[float]]:
    """The longest time between two turns of the server's loop so far, in seconds."""
    worst = [0.0]
    loop = server.parts.inbox.loop
    assert loop is not None

    async def beat() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.002)
            now = time.perf_counter()
            worst[0], last = max(worst[0], now - last - 0.002), now

    task = asyncio.run_coroutine_threadsafe(beat(), loop)
    try:
        yield worst
    finally:
        task.cancel()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    tools = [tool(name, "h:take", parameters=schema, timeout=8.0) for name, schema in SCHEMAS.items()]
    with serving(tmp_path_factory.mktemp("free"), spec_of(*tools), "def take(**given): return 'taken'") as made:
        yield made


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_arguments_keep_the_loop(server: Serving, name: str) -> None:
    """Once in three times, for the machine may be busy."""
    assert any(_longest_turn(server, name) < 0.5 for _ in range(3))


def _longest_turn(server: Serving, name: str) -> float:
    with turns(server) as worst:
        for number, raw in enumerate(ARGUMENTS.values()):
            listed = b'[{"id":"%s-%d","name":"%s","arguments":%s}]' % (name.encode(), number, name.encode(), raw)
            started = time.monotonic()
            (entry,) = server.raw(b'{"message":{"type":"tool-calls","toolCallList":%s}}' % listed).results
            assert ("result" in entry) is not ("error" in entry)
            assert time.monotonic() - started < 12
    return worst[0]


HANG = """
import asyncio, threading, time
GATE = threading.Event()
def hangs(): GATE.wait(30)
def hangs_too(): GATE.wait(30)
def quick(): return "here"
async def quick_async(): return "here"
def open_gate(): GATE.set()
def slow(): time.sleep(0.2); return "done"
"""


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Serving]:
    named = ("hangs", "hangs_too", "quick", "quick_async", "slow")
    tools = [tool(name, f"h:{name}", timeout=6.0) for name in named]
    with serving(tmp_path, spec_of(*tools), HANG) as made:
        yield made
        hanging = made.parts.tools.named("hangs")[0].handler
        assert hanging is not None
        hanging.function.__globals__["GATE"].set()


def crowd(server: Serving, name: str, count: int) -> list[threading.Thread]:
    """That many calls at once, each in a message of its own."""
    threads = [threading.Thread(target=server.tool, args=(name,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    return threads


@pytest.mark.parametrize("names", [("hangs",), ("hangs", "hangs_too")])
def test_a_tool_that_hangs_keeps_no_other_one_waiting(shared: Serving, names: tuple[str, ...]) -> None:
    threads = [thread for name in names for thread in crowd(shared, name, 100)]
    for name in ("quick", "quick_async", "slow"):
        started = time.monotonic()
        assert shared.tool(name)["result"]
        assert time.monotonic() - started < 5  # theirs is over after 6
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_one_message_with_a_hundred_calls_that_hang(shared: Serving) -> None:
    listed = [{"id": f"m{number}", "name": "hangs"} for number in range(100)] + [{"id": "q", "name": "quick"}]
    started = time.monotonic()
    results = shared.message("tool-calls", toolCallList=listed).results
    assert time.monotonic() - started < 15
    assert [entry.get("error") for entry in results] == [FAILED] * 100 + [None]


def test_what_cannot_start_is_answered_soon_and_counted(shared: Serving) -> None:
    threads = crowd(shared, "hangs", 40)
    time.sleep(2.0)  # by now it shows that they hang
    started = time.monotonic()
    assert shared.tool("hangs")["error"] == FAILED
    assert time.monotonic() - started < 4
    assert 'outcome="busy",tool="hangs"' in shared.get("/metrics").text
    for thread in threads:
        thread.join(20)
    started = time.monotonic()
    assert shared.tool("hangs")["error"] == FAILED, "their threads hang on after their time"
    assert time.monotonic() - started < 4


def test_many_of_one_tool_that_does_not_hang_are_all_done(shared: Serving) -> None:
    listed = [{"id": f"s{number}", "name": "slow"} for number in range(120)]
    assert {entry["result"] for entry in shared.message("tool-calls", toolCallList=listed).results} == {"done"}
