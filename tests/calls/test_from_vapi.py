"""Vapi's calls and messages, read."""

from __future__ import annotations

import json
import tempfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceops.calls.counting import Reports
from voiceops.calls.ended_reasons import is_failure, is_transfer
from voiceops.calls.from_vapi import call_of, call_told_by, tool_values
from voiceops.calls.judgement import judged
from voiceops.calls.record import CallRecord, Spoken, ToolUse, merged
from voiceops.calls.store import CallFilter, CallStore
from voiceops.render.call_list import call_details, render_call, render_calls
from voiceops.runtime.store.backends import backend_of

CALL = {
    "id": "c-1",
    "type": "inboundPhoneCall",
    "assistantId": "a-1",
    "phoneNumberId": "p-1",
    "createdAt": "2026-11-01T10:00:00.000Z",
    "customer": {"number": "+14155550199"},
}
REPORT = {
    "type": "end-of-call-report",
    "timestamp": 1793527260000,
    "call": CALL,
    "assistant": {"name": "Front desk"},
    "assistantVersion": "v3",
    "phoneNumber": {"number": "+14155550100"},
    "startedAt": "2026-11-01T10:00:05.000Z",
    "endedAt": "2026-11-01T10:01:00.500Z",
    "endedReason": "customer-ended-call",
    "cost": 0.12,
    "costs": [{"type": "model", "cost": 0.05}, {"type": "voice", "cost": 0.04}, {"type": "model", "cost": 0.01}],
    "analysis": {"summary": "An order.", "successEvaluation": "true", "structuredData": {"topic": "order"}},
    "artifact": {
        "messages": [
            {"role": "system", "message": "You are …"},
            {"role": "bot", "message": "Hello", "secondsFromStart": 0.1, "time": 1000, "endTime": 2000},
            {"role": "user", "message": "Where is my order?", "secondsFromStart": 2},
            {
                "role": "tool_calls",
                "secondsFromStart": 3,
                "toolCalls": [
                    {"id": "t1", "function": {"name": "lookupOrder", "arguments": '{"orderNumber": "12"}'}},
                    {"id": "t2", "name": "note", "parameters": {"text": "x"}},
                ],
            },
            {"role": "tool_call_result", "toolCallId": "t1", "result": "found", "secondsFromStart": 3.25},
            {"role": "tool_call_result", "toolCallId": "t2", "result": "Error: no", "secondsFromStart": 3.5},
            {"role": "bot", "message": "It comes today.", "secondsFromStart": 4},
        ],
        "performanceMetrics": {"turnLatencies": [{"turnLatency": 850}, {}], "numAssistantInterrupted": 1},
        "structuredOutputs": {"id-1": {"name": "call-outcome", "result": {"resolved": True}}},
    },
}


def test_a_report_tells_the_whole_call() -> None:
    call = call_told_by(REPORT)
    assert call is not None
    assert (call.agent, call.assistant_id, call.assistant_version) == ("Front desk", "a-1", "v3")
    assert (call.phone, call.phone_id, call.direction, call.customer) == (
        "+14155550100",
        "p-1",
        "inbound",
        "+14155550199",
    )
    assert call.duration == 55.5
    assert call.began == 1793527205
    assert (call.status, call.reason, call.success, call.summary) == ("ended", "customer-ended-call", True, "An order.")
    assert (call.cost, call.costs) == (0.12, {"model": pytest.approx(0.06), "voice": 0.04})
    assert call.outputs == {"structuredData": {"topic": "order"}, "call-outcome": {"resolved": True}}
    assert (call.interruptions, call.transferred, call.turn_ms) == (1, False, (850.0,))
    assert call.turns == (
        Spoken(role="agent", at=0.1, seconds=1.0, text="Hello"),
        Spoken(role="caller", at=2.0, text="Where is my order?"),
        Spoken(role="agent", at=4.0, text="It comes today.", ms=850.0),
    )
    assert call.tools == (
        ToolUse(id="t1", name="lookupOrder", at=3.0, ms=250.0, outcome="ok", arguments=("orderNumber",)),
        ToolUse(id="t2", name="note", at=3.0, ms=500.0, outcome="failed", arguments=("text",)),
    )


def test_a_list_and_a_report_tell_the_same() -> None:
    listed = CALL | {key: value for key, value in REPORT.items() if key not in ("type", "timestamp", "call")}
    told, from_list = call_told_by(REPORT), call_of(listed | {"status": "ended"})
    assert from_list == told


def test_states_of_a_call_are_told_one_by_one() -> None:
    def update(status: str, seconds: int) -> CallRecord:
        told = call_told_by({"type": "status-update", "status": status, "timestamp": seconds * 1000, "call": CALL})
        assert told is not None
        return told

    running, ended = update("in-progress", 1793527205), update("ended", 1793527260)
    for order in ((running, ended), (ended, running), (running, ended, running)):
        call = CallRecord(id="c-1")
        for told in order:
            call = merged(call, told)
        assert (call.started_at, call.ended_at, call.status) == (1793527205, 1793527260, "ended")


@pytest.mark.parametrize(
    "message", [{}, {"type": "hang"}, {"type": "status-update"}, {"type": "status-update", "call": 5}]
)
def test_other_messages_tell_of_no_call(message: dict[str, Any]) -> None:
    assert call_told_by(message) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*REPORT, *CALL]), _JSON), st.dictionaries(st.sampled_from(list(CALL)), _JSON))
def test_what_is_garbled_is_not_known(message: dict[str, Any], call: dict[str, Any]) -> None:
    told = call_told_by({**message, "type": "end-of-call-report", "call": {**call, "id": "c"}})
    artifact = {key: message.get(key) for key in ("messages", "performanceMetrics", "structuredOutputs", "transfers")}
    listed = call_of({**call, "id": "c", "artifact": artifact, "analysis": message})
    kept(told, listed)


_HALF = st.text(st.characters(codec=None), max_size=6) | st.just("\ud800\0x")


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "endedReason": _HALF,
            "cost": st.floats() | st.integers() | _HALF,
            "startedAt": st.integers() | st.floats() | _HALF | st.just("9999-12-31T23:59:59-23:59"),
            "endedAt": st.integers() | st.floats(),
            "assistant": st.fixed_dictionaries({"name": _HALF}),
            "analysis": st.fixed_dictionaries({"summary": _HALF, "structuredData": st.dictionaries(_HALF, _JSON)}),
            "artifact": st.fixed_dictionaries(
                {
                    "structuredOutputs": st.dictionaries(
                        _HALF, st.fixed_dictionaries({"name": _HALF, "result": _JSON})
                    ),
                    "messages": st.lists(
                        st.fixed_dictionaries(
                            {"role": st.sampled_from(["bot", "user", "tool_calls"]), "message": _HALF},
                            optional={
                                "secondsFromStart": st.floats(),
                                "toolCalls": st.lists(st.fixed_dictionaries({"id": _HALF, "name": _HALF}), max_size=2),
                            },
                        ),
                        max_size=4,
                    ),
                }
            ),
        },
    )
)
def test_whatever_is_told_can_be_kept_and_shown(message: dict[str, Any]) -> None:
    kept(call_told_by({**message, "type": "end-of-call-report", "call": {"id": "c"}}))


def test_outputs_without_end_can_be_kept() -> None:
    deep: Any = 10**400
    for _ in range(5000):
        deep = [deep]
    kept(call_of({"id": "c", "artifact": {"structuredOutputs": {"a": {"name": "n", "result": deep}}}}))


def kept(*calls: CallRecord | None) -> None:
    """They go into a store, come out of it, and can be shown."""
    with tempfile.TemporaryDirectory() as folder:
        backend = backend_of(f"{folder}/calls.db", worker=False)
        backend.open()
        store = CallStore(backend)
        store.prepare()
        store.keep([call for call in calls if call is not None])
        found = store.get("c")
        assert found is not None
        json.dumps(call_details(found), allow_nan=False).encode()
        render_call(found).encode()
        render_calls([found]).encode()
        Reports(backend).rows(CallFilter(), "reason")
        backend.close()


@pytest.mark.parametrize(
    ("said", "good"),
    [
        ("true", True), ("false", False), ("Pass", True), (True, True), (None, None), ("", None), ("perhaps", None),
        ("8", True), ("6", False), (7, True), ("10", True), ("85%", True), ("40 %", False), ("9/10", True),
        ("75/100", True), ("Excellent", True), ("Fair", False), ("Strongly Agree", True), ("Neutral", False),
        ("Strongly disagree", False), ("11/10", None), ({"a": 1}, None),
    ],
)  # fmt: skip
def test_every_rubric_becomes_yes_or_no(said: Any, good: bool | None) -> None:
    assert judged(said) is good


@pytest.mark.parametrize(
    "reason",
    [
        "pipeline-error-openai-llm-failed",
        "call.in-progress.error-vapifault-worker-died",
        "assistant-not-found",
        "assistant-request-returned-no-assistant",
        "twilio-failed-to-connect-call",
        "phone-call-provider-closed-websocket",
        "call.start.error-subscription-concurrency-limit-reached",
    ],
)
def test_what_broke_is_a_failure(reason: str) -> None:
    assert is_failure(reason)


@pytest.mark.parametrize(
    "reason",
    ["", "customer-ended-call", "silence-timed-out", "voicemail", "customer-busy", "assistant-forwarded-call",
     "exceeded-max-duration", "manually-canceled", "customer-did-not-answer"],
)  # fmt: skip
def test_what_people_do_is_none(reason: str) -> None:
    assert not is_failure(reason)
    assert is_transfer(reason) is (reason == "assistant-forwarded-call")


def test_arguments_that_are_no_json_are_not_known() -> None:
    calls = [{"id": raw, "function": {"name": "f", "arguments": raw}} for raw in ("{broken", "{}", '{"a": 1}', "[1]")]
    found = tool_values({"artifact": {"messages": [{"role": "tool_calls", "toolCalls": calls}]}})
    assert {raw: values.arguments for raw, values in found.items()} == {
        "{broken": None,
        "{}": {},
        '{"a": 1}': {"a": 1},
        "[1]": None,
    }
