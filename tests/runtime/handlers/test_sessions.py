"""`call.session`: what handlers remember between the tool calls of one call, on both databases, across workers."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.places import place_of
from tests.runtime.runtime_bench import Serving, serving, spec_of, tool, wait_for
from voiceops.runtime.handlers.call import Call
from voiceops.runtime.handlers.sessions import MAX_BYTES, MAX_VALUES, Session, SessionError, Sessions
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.inbox import Inbox

HANDLERS = """
import asyncio, json, threading
from pathlib import Path

async def remember(call, name: str):
    await call.session.set("caller", {"name": name})
    return "Hello."

def who(call):
    return call.session.get("caller", {}).get("name", "nobody")

async def add(call, item: str):
    return await call.session.change("cart", lambda cart: [*cart, item], [])

def add_slowly(call, item: str):
    here = threading.current_thread()
    def append(cart):
        assert threading.current_thread() is here
        return [*cart, item]
    return call.session.change("cart", append, [])

def own_loop(call):
    async def work():
        await call.session.set("loop", 1)
        return await call.session.get("loop")
    return asyncio.run(work())

def forget(call):
    call.session.delete("cart")

def too_much(call):
    call.session.set("big", "x" * 70_000)

@on_assistant_request
async def choose(call):
    await call.session.set("caller", {"name": call.customer})
    return {"error": "closed"}

@on_end_of_call
async def ended(call, event):
    (Path(__file__).parent / "cart.json").write_text(json.dumps(await call.session.get("cart")))
"""
NAMES = ["remember", "who", "add", "add_slowly", "own_loop", "forget", "too_much"]
TEXT = {"type": "object", "properties": {"name": {"type": "string"}, "item": {"type": "string"}}}
SPEC = spec_of(*(tool(name, f"h:{name}", parameters=TEXT) for name in NAMES))


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return place_of(request.param, tmp_path)


@contextlib.asynccontextmanager
async def opened(place: str, seconds: float = 3600.0) -> AsyncIterator[Sessions]:
    inbox = Inbox(backend_of(place))
    await inbox.start()
    try:
        yield Sessions(inbox, seconds)
    finally:
        await inbox.close()


def many(client: Serving, name: str, items: list[str]) -> list[dict[str, Any]]:
    listed = [{"id": f"{name}-{i}", "function": {"name": name, "arguments": {"item": i}}} for i in items]
    return client.message("tool-calls", toolCallList=listed).results


def test_two_workers_and_a_restart_share_what_a_call_remembers(tmp_path: Path, place: str) -> None:
    with (
        serving(tmp_path, SPEC, HANDLERS, database=place) as one,
        serving(tmp_path, SPEC, HANDLERS, database=place) as two,
    ):
        assert one.tool("who")["result"] == "nobody"
        assert one.tool("remember", {"name": "Zoë"})["result"] == "Hello."
        assert two.tool("who")["result"] == "Zoë"
        assert two.tool("who", call="another")["result"] == "nobody"
        assert two.tool("own_loop")["result"] == "1"
    with serving(tmp_path, SPEC, HANDLERS, database=place) as three:
        assert three.tool("who")["result"] == "Zoë"


def test_changes_at_once_lose_nothing(tmp_path: Path, place: str) -> None:
    with (
        serving(tmp_path, SPEC, HANDLERS, database=place) as one,
        serving(tmp_path, SPEC, HANDLERS, database=place) as two,
    ):
        work = [
            threading.Thread(target=many, args=(client, name, [f"{number}-{name}-{n}" for n in range(8)]))
            for number, client in enumerate((one, two))
            for name in ("add", "add_slowly")
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
        cart = json.loads(one.tool("add", {"item": "last"})["result"])
        assert len(cart) == len(set(cart)) == 33
        one.tool("forget")
        assert json.loads(two.tool("add", {"item": "first"})["result"]) == ["first"]


def test_it_begins_with_the_question_who_answers(tmp_path: Path) -> None:
    with serving(tmp_path, SPEC, HANDLERS) as client:
        call = {"id": "call-1", "customer": {"number": "+14155550123"}}
        assert client.message("assistant-request", call=call).data == {"error": "closed"}
        assert client.tool("who")["result"] == "+14155550123"


def test_what_happens_after_the_call_sees_it(tmp_path: Path, place: str) -> None:
    with serving(tmp_path, SPEC, HANDLERS, database=place) as client:
        many(client, "add", ["a", "b"])
        client.message("end-of-call-report", endedReason="done")
        wait_for(lambda: list(tmp_path.glob("handlers-*/cart.json")))
        (found,) = tmp_path.glob("handlers-*/cart.json")
        wait_for(lambda: found.read_text())
        assert sorted(json.loads(found.read_text())) == ["a", "b"]


def test_a_value_that_does_not_fit_is_the_failure_sentence(tmp_path: Path) -> None:
    with serving(tmp_path, SPEC, HANDLERS) as client:
        assert "error" in client.tool("too_much")
        assert client.tool("remember", {"name": "Al"})["result"] == "Hello."


async def test_values_last_their_time_and_are_then_pruned(place: str) -> None:
    async with opened(place, 600) as short, opened(place) as long:
        box = short.inbox
        sessions = f"{box.backend.prefix}sessions"

        async def pass_by(seconds: int) -> None:
            """What was kept gets so much older."""
            await box.run(lambda b: b.change(f"UPDATE {sessions} SET expires = expires - ?", (seconds,)))

        await short.of("c").set("a", 1)
        await long.of("c").set("b", 2)
        await box.run(lambda b: b.prune(time.time() + 99, time.time() + 99))
        assert await long.of("c").get("a") == 1  # never before its time
        await pass_by(400)
        await short.of("c").set("a", 3)
        await pass_by(400)
        assert await long.of("c").get("a") == 3  # a write begins it anew
        await pass_by(300)
        assert await long.of("c").get("a", "gone") == "gone"
        assert await long.of("c").get("b") == 2
        count = f"SELECT count(*) FROM {sessions}"
        assert await box.run(lambda b: b.rows(count)) == [(2,)]
        await box.run(lambda b: b.prune(0.0, 0.0))
        assert await box.run(lambda b: b.rows(count)) == [(1,)]
        await short.of("c").set("a", 4)
        await pass_by(700)
        assert await long.of("c").change("a", lambda value: [value], "new") == ["new"]  # what is over is not there


async def test_a_deleted_value_is_not_brought_back_by_a_change(place: str) -> None:
    async with opened(place) as sessions:
        session = sessions.of("c")
        await session.set("a", 1)
        seen: list[Any] = []

        def change(value: Any) -> Any:
            seen.append(value)
            return value + 1

        kept = session._kept
        calls = 0

        async def slow(key: str) -> Any:
            nonlocal calls
            calls += 1
            found = await kept(key)
            if calls == 1:
                await sessions.of("c").delete("a")
            return found

        Session._kept, original = (lambda self, key: slow(key)), Session._kept  # type: ignore[method-assign]
        try:
            assert await session.change("a", change, 10) == 11
        finally:
            Session._kept = original  # type: ignore[method-assign]
        assert seen == [1, 10]


async def test_a_call_holds_only_so_much(place: str) -> None:
    async with opened(place) as sessions:
        session = sessions.of("c")
        with pytest.raises(SessionError, match="at most"):
            await session.set("a", "x" * MAX_BYTES)
        await session.set("a", "x" * (MAX_BYTES - 10))
        with pytest.raises(SessionError, match="at most"):
            await session.set("b", "x" * 20)
        await session.set("a", "x")  # its own old value does not count
        await session.set("b", "\0\ud7ffé" * 100)
        assert await session.get("b") == "\0\ud7ffé" * 100
        for n in range(MAX_VALUES - 2):
            await session.set(f"k{n}", n)
        with pytest.raises(SessionError, match="at most"):
            await session.set("one too many", None)
        await sessions.of("d").set("a", None)
        assert await sessions.of("d").get("a", "default") is None
        await session.clear()
        assert [await session.get(key, "none") for key in ("a", "b", "k0")] == ["none"] * 3
        await session.set("a", "x" * (MAX_BYTES - 10))
        assert await sessions.of("d").get("a", "default") is None
    with pytest.raises(RuntimeError, match="closed"):
        session.get("a")


@pytest.mark.parametrize(
    "value", [object(), {1: "a"}, (1, 2), float("nan"), {"a": {2}}, b"bytes"], ids=lambda value: type(value).__name__
)
async def test_only_json_is_kept(tmp_path: Path, value: Any) -> None:
    async with opened(str(tmp_path / "r.db")) as sessions:
        with pytest.raises(SessionError, match="no JSON"):
            await sessions.of("c").set("a", value)
        for key in ("", "x" * 101, "a\nb", 7):
            with pytest.raises(SessionError, match="a key is"):
                await sessions.of("c").get(key)  # type: ignore[arg-type]


def test_without_a_call_there_is_no_session(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no session"):
        _ = Call(b"", id="c").session
    with pytest.raises(RuntimeError, match="no call"):
        _ = Call(b"", sessions=Sessions(Inbox(backend_of(str(tmp_path / "r.db"))), 1.0)).session
