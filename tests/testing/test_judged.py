"""What Vapi's runs say, as attempts: the verdict, why, at which turn, and the conversation."""

from __future__ import annotations

from typing import Any

import pytest

from voiceops.testing.judged import attempt_of_eval, attempt_of_item
from voiceops.testing.outcome import Attempt, Turn
from voiceops.testing.turns import turns_of

TIMES = {"startedAt": "2026-01-01T00:00:00.000Z", "completedAt": "2026-01-01T00:00:42.500Z"}
GOOD = {"name": "greeted", "extractedValue": True, "expectedValue": True, "comparator": "=", "passed": True}
BAD = {"name": "refunded", "extractedValue": False, "expectedValue": True, "comparator": "=", "passed": False}


def item(status: str, *evaluations: dict[str, Any], **more: Any) -> Attempt:
    results = {"results": {"evaluations": list(evaluations), "passed": status == "passed"}} if evaluations else {}
    return attempt_of_item({"id": "i1", "status": status, **TIMES, **results, **more}, "r1")


def test_a_simulation_that_passed() -> None:
    assert item("passed", GOOD) == Attempt(passed=True, seconds=42.5, run="i1")


@pytest.mark.parametrize(
    ("evaluations", "reason"),
    [
        ([GOOD, BAD], "refunded is false, should be true"),
        ([BAD | {"comparator": ">=", "extractedValue": 3, "expectedValue": 5}], "refunded is 3, should be >= 5"),
        ([BAD | {"path": "a.b", "extractedValue": None}], "refunded.a.b is null, should be true"),
        ([BAD | {"error": "no transcript"}], "refunded could not be told: no transcript"),
        ([BAD, BAD | {"name": "kind", "required": False}], "refunded is false, should be true"),
        ([GOOD], "Vapi says that it failed, and not why"),
        ([BAD | {"name": f"e{n}"} for n in range(5)], "e0 is false, should be true; e1 is false, should be true; "
         "e2 is false, should be true and 2 more"),
    ],
)  # fmt: skip
def test_a_simulation_that_failed(evaluations: list[dict[str, Any]], reason: str) -> None:
    found = item("failed", *evaluations)
    assert (found.passed, found.reason) == (False, reason)


@pytest.mark.parametrize(
    ("status", "more", "reason"),
    [
        ("canceled", {}, "it was cancelled at Vapi"),
        ("running", {}, "the run ended while it was running"),
        ("failed", {"failureReason": "no\nslot"}, "Vapi could not play it: no slot"),
        ("\x1b[2Jodd", {}, "the run ended while it was \\u001b[2Jodd"),
    ],
)
def test_a_simulation_that_nobody_judged_is_not_run(status: str, more: dict[str, Any], reason: str) -> None:
    found = item(status, **more)
    assert (found.passed, found.reason) == (None, reason)


def an_eval(status: str, messages: list[dict[str, Any]], evaluations: list[dict[str, Any]]) -> Attempt:
    run = {
        "id": "e1",
        "endedReason": "mockConversation.done",
        "results": [{"status": status, "messages": messages}],
        "cost": 0.02,
    }
    return attempt_of_eval(run, evaluations)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def said(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def judge(kind: str, content: str = "") -> dict[str, Any]:
    return {"role": "assistant", "judgePlan": {"type": kind, "content": content}}


def test_an_eval_that_passed_has_its_conversation_and_cost() -> None:
    found = an_eval("pass", [user("Hi"), said("Hello")], [user("Hi"), judge("exact", "hello")])
    assert found == Attempt(
        passed=True, transcript=(Turn("user", "Hi"), Turn("assistant", "Hello")), run="e1", cost=0.02
    )


@pytest.mark.parametrize(
    ("messages", "evaluations", "turn", "reason"),
    [
        (
            [user("Hi"), said("Hello", judge={"status": "pass"}), user("Bye"), said("No", judge={"status": "fail"})],
            [],
            4,
            "the judge does not accept the agent's answer",
        ),
        ([user("Hi"), said("No", judge={"status": "fail", "failureReason": "rude"})], [], 2, "rude"),
        (
            [user("Hi"), said("Hello"), user("Bye"), said("No")],
            [user("Hi"), judge("exact", "hello"), user("Bye"), judge("regex", "/good ?bye/i")],
            4,
            "the agent's answer should match '/good ?bye/i'",
        ),
        (
            [user("Hi"), said("Ahoy")],
            [user("Hi"), judge("exact", "hello")],
            2,
            "the agent's answer should be 'hello'",
        ),
        ([user("Hi"), said("Ahoy")], [user("Hi"), judge("ai")], 2, "the judge does not accept the agent's answer"),
        (
            [user("Hi"), said("A"), user("So"), said("B")],
            [user("Hi"), judge("ai"), user("So"), judge("ai")],
            None,
            "an answer of the agent is not as the eval wants it; Vapi does not say which",
        ),
        (
            [user("Hi"), said("A")],
            [user("Hi"), judge("regex", "(?<=("), user("So"), judge("ai")],
            2,
            "the judge does not accept the agent's answer",
        ),
    ],
)
def test_an_eval_that_failed_names_the_turn_as_far_as_it_can_be_told(
    messages: list[dict[str, Any]], evaluations: list[dict[str, Any]], turn: int | None, reason: str
) -> None:
    found = an_eval("fail", messages, evaluations)
    assert (found.passed, found.turn, found.reason) == (False, turn, reason)


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        ({"endedReason": "error", "endedMessage": "The model is gone"}, "The model is gone"),
        ({"endedReason": "timeout"}, "Vapi gave it up: it took too long"),
        ({"endedReason": "cancelled"}, "it was cancelled at Vapi"),
        ({"endedReason": "new"}, "Vapi ended it (new)"),
        ({}, "Vapi says nothing of how it went"),
        ({"results": [7], "cost": "much"}, "Vapi says nothing of how it went"),
        ({"endedReason": "error", "results": [{"status": "pass"}]}, "Vapi ended it (error)"),
    ],
)
def test_an_eval_without_a_judgement_is_not_run(run: dict[str, Any], reason: str) -> None:
    found = attempt_of_eval(run, [])
    assert (found.passed, found.reason) == (None, reason)


def test_turns_leave_the_prompt_out_and_name_the_tools() -> None:
    call = {
        "messages": [
            {"role": "system", "content": "You are kind."},
            {"role": "assistant", "content": "Hello", "secondsFromStart": 0.5},
            {"role": "user", "message": "My order?"},
            {"role": "assistant", "tool_calls": [{"function": {"name": "find", "arguments": '{"n": 1}'}}]},
            {"role": "tool", "content": "late\x1b[1m"},
            {"role": "system", "content": "Be brief."},
            {"role": "nobody", "content": "?"},
            "odd",
        ]
    }
    assert turns_of(call) == (
        Turn("assistant", "Hello", 0.5),
        Turn("user", "My order?"),
        Turn("tool", 'find({"n": 1})'),
        Turn("tool", "late\\u001b[1m"),
        Turn("system", "Be brief."),
    )


def test_turns_of_a_transcript_that_is_text() -> None:
    assert turns_of({"transcript": "AI: Hello\nUser: Hi: there\n???\n"}) == (
        Turn("assistant", "Hello"),
        Turn("user", "Hi: there"),
    )
    assert turns_of(None) == turns_of({"messages": 1, "transcript": 2}) == ()
