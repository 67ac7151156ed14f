"""Runs of evals: mock conversations, and what their judges say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.sandbox_bench import NOBODY, Bench
from tests.sandbox.shop import PROMPT, agent, look

HOURS = "When are you open?"
OPEN = "We are open Monday to Saturday, nine to six."


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _judge(kind: str, content: str = "", **more: Any) -> dict[str, Any]:
    plan: dict[str, Any] = {"type": kind, "content": content, **more}
    if kind == "ai":
        messages = [{"role": "system", "content": content}]
        plan = {"type": "ai", "model": {"provider": "openai", "model": "gpt-4o", "messages": messages}}
    return {"role": "assistant", "judgePlan": plan}


def _run(bench: Bench, *messages: dict[str, Any], prompt: str = PROMPT) -> dict[str, Any]:
    """The run of an eval of these messages, once it has ended."""
    made = bench.make("/eval", {"name": "hours", "type": "chat.mockConversation", "messages": list(messages)})
    target = {"type": "assistant", "assistantId": agent(bench, prompt)}
    started = bench.make("/eval/run", {"type": "eval", "evalId": made["id"], "target": target})
    assert started["status"] == "queued"
    found: dict[str, Any] = look(bench, f"/eval/run/{started['id']}")
    return found


@pytest.mark.parametrize(
    ("judge", "fails"),
    [
        (_judge("exact", OPEN.upper()), ""),
        (_judge("exact", "We are closed."), f"Expected exact match: 'We are closed.' but got: '{OPEN}'"),
        (_judge("regex", "/SATURDAY/i"), ""),
        (_judge("regex", "SATURDAY"), f"Expected a match of: 'SATURDAY' but got: '{OPEN}'"),
        (_judge("regex", "("), "'(' is no regular expression"),
        (_judge("ai", 'Pass where it says "Monday to Saturday". Output: pass or fail'), ""),
        (_judge("ai", 'Fail unless it never mentions "Saturday".'), 'the assistant said "Saturday"'),
        (_judge("exact", toolCalls=[{"name": "lookupOrder"}]), "Expected tool calls: lookupOrder but got: none"),
    ],
)
def test_judges(bench: Bench, judge: dict[str, Any], fails: str) -> None:
    found = _run(bench, _user(HOURS), judge)
    (result,) = found["results"]
    assert result["status"] == ("fail" if fails else "pass")
    verdict = result["messages"][1]["judge"]
    assert verdict["status"] == result["status"]
    assert verdict.get("failureReason", "").startswith(fails)
    assert found["endedReason"] == "mockConversation.done"
    assert found["cost"] == found["costs"][0]["cost"]


@pytest.mark.parametrize(
    ("kind", "arguments", "status"),
    [
        ("exact", {"orderNumber": "77"}, "pass"),
        ("exact", {"orderNumber": "78"}, "fail"),
        ("regex", {"orderNumber": "^7"}, "pass"),
        ("regex", {"orderNumber": "^8"}, "fail"),
        ("regex", None, "pass"),
    ],
)
def test_judges_of_tool_calls(bench: Bench, kind: str, arguments: Any, status: str) -> None:
    call = {"name": "lookupOrder", **({"arguments": arguments} if arguments else {})}
    found = _run(bench, _user("Where is order 77?"), _judge(kind, toolCalls=[call]))
    assert found["results"][0]["status"] == status


def test_a_tool_answers_as_the_eval_says(bench: Bench) -> None:
    tool = {"role": "tool", "content": '{"state": "lost"}'}
    found = _run(bench, _user("Where is order 77?"), _judge("regex", ".*"), tool, _judge("regex", "lost"))
    assert [message["role"] for message in found["results"][0]["messages"]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert found["results"][0]["status"] == "pass"


def test_a_failed_judge_may_end_it(bench: Bench) -> None:
    strict = {**_judge("exact", "No."), "continuePlan": {"exitOnFailureEnabled": True}}
    ended = _run(bench, _user(HOURS), strict, _user("Bye"), _judge("regex", ".*"))
    assert len(ended["results"][0]["messages"]) == 2
    mild = {**_judge("exact", "No."), "continuePlan": {"contentOverride": "Could you tell me the order number?"}}
    went_on = _run(bench, _user(HOURS), mild, _user("77"), _judge("exact", toolCalls=[{"name": "lookupOrder"}]))
    verdicts = [message["judge"]["status"] for message in went_on["results"][0]["messages"] if "judge" in message]
    assert verdicts == ["fail", "pass"]


def test_outcomes_are_ordered(bench: Bench) -> None:
    bench.control.outcome("failed", what="eval", name="hours", nth=[1])
    bench.control.outcome("error", nth=[2], reason="The assistant returned an error")
    bench.control.outcome("hang", nth=[3])
    judge = _judge("regex", "Saturday")
    failed, broken, hangs = (_run(bench, _user(HOURS), judge) for _ in range(3))
    assert failed["results"][0]["status"] == "fail"
    assert (broken["endedReason"], broken["endedMessage"], broken["results"]) == (
        "error",
        "The assistant returned an error",
        [],
    )
    assert hangs["status"] == "running"
    assert bench.vapi.delete(f"/eval/run/{hangs['id']}").status_code == 200
    assert bench.vapi.get(f"/eval/run/{hangs['id']}").status_code == 404
    assert bench.control.runs()["started"] == {"eval": 3}


def test_bodies_are_checked(bench: Bench) -> None:
    target = {"type": "assistant", "assistantId": agent(bench)}
    assert bench.refused("POST", "/eval/run", {"type": "eval", "target": target}) == "Need either eval or evalId"
    unknown = {"type": "eval", "target": target, "evalId": NOBODY}
    assert bench.refused("POST", "/eval/run", unknown) == f'Eval with ID "{NOBODY}" not found'
    assert "type should not be empty" in bench.refused("POST", "/eval/run", {"target": target})


def test_an_inline_eval_runs_against_a_squad(bench: Bench) -> None:
    of = {"type": "chat.mockConversation", "messages": [_user(HOURS), _judge("regex", "Saturday")]}
    squad = {"members": [{"assistantId": agent(bench)}]}
    body = {"type": "eval", "eval": of, "target": {"type": "squad", "squad": squad}}
    started = bench.make("/eval/run", body)
    assert look(bench, f"/eval/run/{started['id']}")["results"][0]["status"] == "pass"
