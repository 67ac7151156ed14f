"""Calls are recorded out of the messages that a runtime stores: in any order, once, on both databases."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.places import place_of
from tests.runtime.runtime_bench import Serving, serving
from voiceops.calls.record import CallRecord
from voiceops.calls.store import CallFilter, CallStore
from voiceops.model.privacy import Privacy
from voiceops.runtime.messages.call_recorder import CallRecorder
from voiceops.runtime.spec import AgentSpec, LineSpec, RuntimeSpec, ToolSpec
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.records import DONE, EventRow

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
    recorder = CallRecorder(lambda: backend_of(place), SPEC, most=2)
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
