"""Calls are recorded out of the messages that a runtime stores: in any order, once, on both databases."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.places import place_of
from tests.runtime.runtime_bench import Serving, serving
from voiceops.calls.record import CallRecord
from voiceops.calls.store import CallFilter, CallStore
from voiceops.model.privacy import Privacy
from voiceops.runtime.messages.call_naming import CallNaming
from voiceops.runtime.messages.call_recorder import CallRecorder
from voiceops.runtime.spec import AgentSpec, LineSpec, RuntimeSpec, ToolSpec
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.records import DONE, Backend, EventRow

SPEC = RuntimeSpec(
    project="shop",
    environment="live",
    url="http://127.0.0.1",
    auth="hmac",
    tools=(ToolSpec(name="lookupOrder", address="Tool/lookup-order", handler="h:look"),),
    lines=(LineSpec(address="Phone/main-line", path="main-line", number="+14155550100", target="Agent/front-desk"),),
    agents=(AgentSpec(address="Agent/front-desk", name="Front desk"),),
)
HANDLERS = "def look(orderNumber: str) -> str:\n    assert orderNumber != 'bad'\n    return 'tomorrow'\n"


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return place_of(request.param, tmp_path)


def call(id_: str, **more: Any) -> dict[str, Any]:
    return {
        "call": {"id": id_, "type": "inboundPhoneCall", "customer": {"number": "+14155550199"}, **more},
        "assistant": {"name": "Front desk"},
        "phoneNumber": {"number": "+14155550100"},
    }


def whole_call(serving: Serving, id_: str, **more: Any) -> None:
    serving.message("status-update", status="in-progress", timestamp=1793527205000, **call(id_, **more))
    serving.message(
        "tool-calls",
        toolCallList=[{"id": "t1", "function": {"name": "lookupOrder", "arguments": {"orderNumber": "7"}}}],
        **call(id_, **more),
    )
    serving.message("status-update", status="ended", timestamp=1793527265000, **call(id_, **more))
    serving.message(
        "end-of-call-report",
        timestamp=1793527266000,
        endedReason="customer-ended-call",
        cost=0.2,
        artifact={
            "messages": [
                {"role": "bot", "message": "Hello", "secondsFromStart": 0},
                {
                    "role": "tool_calls",
                    "secondsFromStart": 2,
                    "toolCalls": [{"id": "t1", "function": {"name": "lookupOrder"}}],
                },
            ]
        },
        analysis={"successEvaluation": "true"},
        **call(id_, **more),
    )  # fmt: skip


def recorded(place: str, enough: Callable[[list[CallRecord]], bool]) -> list[CallRecord]:
    backend = backend_of(place, worker=False)
    backend.open()
    try:
        store, until = CallStore(backend), time.monotonic() + 20
        store.prepare()
        while True:
            found = store.listed(CallFilter(simulated=True), 1000)
            if enough(found) or time.monotonic() > until:
                return found
            time.sleep(0.05)
    finally:
        backend.close()


def ended(count: int) -> Callable[[list[CallRecord]], bool]:
    return lambda calls: sum(bool(c.reason) for c in calls) >= count


def test_a_call_is_recorded_with_the_names_of_the_manifests(tmp_path: Path, place: str) -> None:
    with serving(tmp_path, SPEC, HANDLERS, database=place) as runtime:
        whole_call(runtime, "c-1")
        (found,) = recorded(place, ended(1))
    assert (found.agent, found.phone, found.direction, found.customer) == (
        "front-desk",
        "main-line",
        "inbound",
        "+14155550199",
    )
    assert (found.duration, found.cost, found.success, found.reason) == (60.0, 0.2, True, "customer-ended-call")
    (tool,) = found.tools
    assert (tool.id, tool.name, tool.outcome) == ("t1", "lookupOrder", "ok")
    assert tool.ms is not None
    assert tool.ms < 5000
    assert not found.simulated


def test_a_tool_that_failed_is_said(tmp_path: Path, place: str) -> None:
    with serving(tmp_path, SPEC, HANDLERS, database=place) as runtime:
        runtime.tool("lookupOrder", {"orderNumber": "bad"}, id="t1", call="c-1")
        runtime.message("end-of-call-report", endedReason="customer-ended-call", **call("c-1"))
        (found,) = recorded(place, ended(1))
    assert [(tool.name, tool.outcome) for tool in found.tools] == [("lookupOrder", "failed")]


def test_messages_that_wait_are_recorded_after_a_start(tmp_path: Path, place: str) -> None:
    with serving(tmp_path, SPEC, HANDLERS, database=place) as runtime:
        for number in range(60):
            whole_call(runtime, f"c-{number}")
    with serving(tmp_path, SPEC, HANDLERS, database=place), serving(tmp_path, SPEC, HANDLERS, database=place) as other:
        whole_call(other, "late")
        found = recorded(place, ended(61))
    assert len(found) == 61
    assert {one.tools[0].outcome for one in found} == {"ok"}


async def test_any_number_of_messages_may_come_at_once(place: str) -> None:
    """More within the seconds that are looked through again than are looked at together."""
    backend = backend_of(place, worker=False)
    backend.open()
    now = int(time.time() * 1000)
    bodies = [json.dumps({"message": {"type": "status-update", "status": "ended", **call(f"c{n}")}}) for n in range(9)]
    rows = [
        EventRow((now + n) << 22, b"k%d" % n, "status-update", f"c{n}", time.time(), 0.0, DONE, "", body.encode())
        for n, body in enumerate(bodies)
    ]
    backend.write([], [], rows, safe=False)
    backend.close()
    recorder = CallRecorder(lambda: backend_of(place), CallNaming(SPEC, None, None, None), most=2)
    recorder.start()
    try:
        found = await asyncio.to_thread(recorded, place, lambda calls: len(calls) == 9)
    finally:
        await recorder.close()
    assert {one.id for one in found} == {f"c{n}" for n in range(9)}


def test_a_played_call_is_marked(tmp_path: Path, place: str) -> None:
    with serving(tmp_path, SPEC, HANDLERS, database=place) as runtime:
        whole_call(runtime, "c-1", metadata={"voiceopsSimulated": True})
        (found,) = recorded(place, ended(1))
    assert found.simulated


def test_nothing_that_was_said_is_kept_where_transcripts_are_redacted(tmp_path: Path) -> None:
    place = str(tmp_path / "runtime.db")
    with serving(tmp_path, SPEC, HANDLERS, database=place, redact=("transcripts",)) as runtime:
        whole_call(runtime, "c-1")
        (found,) = recorded(place, ended(1))
    assert not any(turn.text for turn in found.turns)
    assert found.tools


def test_a_runtime_keeps_what_the_project_allows(tmp_path: Path, place: str) -> None:
    with serving(tmp_path, SPEC, HANDLERS, database=place) as runtime:
        whole_call(runtime, "before")
        (kept,) = recorded(place, ended(1))
    assert kept.turns[0].text
    strict = replace(SPEC, privacy=Privacy(numbers="mask", transcripts="drop"))
    with serving(tmp_path, strict, HANDLERS, database=place) as runtime:
        whole_call(runtime, "after")
        found = recorded(
            place, lambda calls: len(calls) == 2 and not any(c.customer.startswith("+14155") for c in calls)
        )
    assert len(found) == 2
    assert {one.customer.partition("#")[0] for one in found} == {"+14…99"}
    assert not any(turn.text for one in found for turn in one.turns)


def by_ids(id_: str, at: float) -> bytes:
    """A message that names nobody but by live ids."""
    told = {"id": id_, "assistantId": "live-agent", "phoneNumberId": "live-line"}
    return json.dumps(
        {"message": {"type": "status-update", "status": "in-progress", "timestamp": at * 1000, "call": told}}
    ).encode()


class Knowing:
    """What a state and Vapi's lists tell; they may learn more."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self.revisions: list[tuple[float, int]] = []
        self.listed: dict[str, str] = {}

    def naming(self) -> CallNaming:
        async def known() -> dict[str, str]:
            return self.ids

        async def revisions() -> list[tuple[float, int]]:
            return list(self.revisions)

        async def address_of(id_: str, kind: str) -> str:
            return next((a for a, live in self.listed.items() if live == id_ and a.startswith(kind)), "")

        return CallNaming(SPEC, known, revisions, address_of)


@asynccontextmanager
async def recording(place: str, naming: CallNaming) -> AsyncIterator[Callable[[str, float], None]]:
    """A recorder at work; what it gives stores a message of a call that began at a time."""
    backend = backend_of(place, worker=False)
    backend.open()
    recorder = CallRecorder(lambda: backend_of(place), naming)
    numbers = itertools.count(int(time.time() * 1000) << 22)

    def told(id_: str, at: float) -> None:
        row = EventRow(next(numbers), id_.encode(), "status-update", id_, at, 0.0, DONE, "", by_ids(id_, at))
        backend.write([], [], [row], safe=False)

    recorder.start()
    try:
        yield told
    finally:
        await recorder.close()
        backend.close()


async def test_calls_that_began_before_it_was_known_whose_they_are_get_their_names(place: str) -> None:
    """A runtime that was started before the first apply, with a state."""
    knowing = Knowing()
    async with recording(place, knowing.naming()) as told:
        told("before", time.time())
        (found,) = await asyncio.to_thread(recorded, place, lambda calls: len(calls) == 1)
        assert (found.agent, found.phone, found.revision) == ("", "", None)
        applied = time.time()
        knowing.ids = {"Agent/front-desk": "live-agent", "Phone/main-line": "live-line"}
        knowing.revisions = [(applied, 1)]
        told("after", applied + 0.01)
        found_both = await asyncio.to_thread(
            recorded, place, lambda calls: [c.agent for c in calls] == ["front-desk"] * 2
        )
    assert [(c.id, c.agent, c.phone, c.revision) for c in found_both] == [
        ("after", "front-desk", "main-line", 1),
        ("before", "front-desk", "main-line", None),
    ]


async def test_a_call_has_the_revision_that_was_in_force_when_it_began(place: str) -> None:
    knowing = Knowing()
    knowing.ids = {"Agent/front-desk": "live-agent", "Phone/main-line": "live-line"}
    knowing.revisions = [(time.time() - 1000, 1)]
    async with recording(place, knowing.naming()) as told:
        told("first", time.time())
        await asyncio.to_thread(recorded, place, lambda calls: [c.revision for c in calls] == [1])
        applied = time.time()
        knowing.revisions.append((applied, 2))
        told("second", applied + 0.01)
        told("late", applied - 500)
        found = await asyncio.to_thread(
            recorded, place, lambda calls: len(calls) == 3 and all(c.revision for c in calls)
        )
    assert {c.id: c.revision for c in found} == {"first": 1, "second": 2, "late": 1}


async def test_without_a_state_vapis_lists_tell_whose_a_call_is(place: str) -> None:
    knowing = Knowing()
    knowing.listed = {"Agent/front-desk": "live-agent", "Phone/main-line": "live-line"}
    async with recording(place, knowing.naming()) as told:
        told("a", time.time())
        found = await asyncio.to_thread(recorded, place, lambda calls: [c.agent for c in calls] == ["front-desk"])
    assert [(c.agent, c.phone, c.revision) for c in found] == [("front-desk", "main-line", None)]


async def test_a_store_that_can_not_be_opened_yet_is_opened_later(place: str) -> None:
    tries = []

    def database() -> Backend:
        tries.append(1)
        return backend_of(place if len(tries) > 2 else "postgresql://nobody@127.0.0.1:1/none")

    recorder = CallRecorder(database, CallNaming(SPEC, None, None, None), again=0.05)
    backend = backend_of(place, worker=False)
    backend.open()
    now = time.time()
    row = EventRow(int(now * 1000) << 22, b"k", "status-update", "c", now, 0.0, DONE, "", by_ids("c", now))
    backend.write([], [], [row], safe=False)
    backend.close()
    recorder.start()
    try:
        assert await asyncio.to_thread(recorded, place, lambda calls: len(calls) == 1)
    finally:
        await recorder.close()


def test_calls_are_recorded_after_a_clock_was_put_back(tmp_path: Path, place: str) -> None:
    backend = backend_of(place, worker=False)
    backend.open()
    ahead = int((time.time() + 3600) * 1000) << 22
    backend.write([], [], [EventRow(ahead, b"k", "hang", "c", time.time(), 0.0, DONE, "", b"{}")], safe=False)
    store = CallStore(backend)
    store.prepare()
    store.note("recorded", str(ahead))
    backend.close()
    with serving(tmp_path, SPEC, HANDLERS, database=place) as runtime:
        whole_call(runtime, "c-1")
        assert recorded(place, ended(1))


async def test_whoever_records_by_a_clock_that_was_wrong_keeps_nobody_out(place: str) -> None:
    backend = backend_of(place, worker=False)
    backend.open()
    store = CallStore(backend)
    store.prepare()
    store.note("recorder", f"77 {time.time() + 86_400}")
    backend.close()
    async with recording(place, CallNaming(SPEC, None, None, None)) as told:
        told("c", time.time())
        assert await asyncio.to_thread(recorded, place, lambda calls: len(calls) == 1)
