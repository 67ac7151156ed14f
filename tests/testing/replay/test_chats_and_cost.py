"""What comes of a chat is read leniently, and what a replay costs is said before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.testing.replay.said import agent, alone, order
from voiceops.engine.review.estimate import Table
from voiceops.testing.replay.differences import alike, same_arguments
from voiceops.testing.replay.replay_cost import replay_cost
from voiceops.testing.replay.vapi_chats import assistant, reply_of

CALLED = {
    "role": "assistant",
    "content": "One moment.",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "lookupOrder", "arguments": '{"n": 1}'}}],
}


def test_what_comes_behind_the_first_tool_call_is_left_aside() -> None:
    reply = reply_of(
        {
            "output": [
                CALLED,
                {"role": "tool", "tool_call_id": "c1", "content": "Error: no server"},
                {"role": "assistant", "content": "I could not find it."},
            ],
            "cost": 0.02,
        }
    )
    assert reply.said == "One moment."
    assert [(tool.id, tool.name, tool.arguments) for tool in reply.tools] == [("c1", "lookupOrder", {"n": 1})]
    assert reply.cost == 0.02
    assert assistant(reply.said, reply.tools) == CALLED


@pytest.mark.parametrize(
    ("output", "said", "tools"),
    [
        ([], "", []),
        ([None, 7, {"role": "assistant"}, {"role": "assistant", "content": None}], "", []),
        ([{"role": "assistant", "content": " a "}, {"role": "assistant", "content": "b"}], "a b", []),
        ([{"role": "assistant", "tool_calls": [None]}], "", [("call_0", "", {})]),
        (
            [{"role": "assistant", "toolCalls": [{"function": {"name": "x", "arguments": "{not json"}}]}],
            "",
            [("call_0", "x", {})],
        ),
        (
            [{"role": "assistant", "tool_calls": [{"function": {"name": "x", "arguments": {"a": 1}}}]}],
            "",
            [("call_0", "x", {"a": 1})],
        ),
        (
            [{"role": "assistant", "tool_calls": [{"function": {"name": "x", "arguments": "[1]"}}]}],
            "",
            [("call_0", "x", {})],
        ),
    ],
)
def test_odd_answers(output: list[Any], said: str, tools: list[Any]) -> None:
    reply = reply_of({"output": output, "costs": [{"cost": 0.01}, None, {"cost": True}, {"cost": 0.02}]})
    assert (reply.said, [(tool.id, tool.name, tool.arguments) for tool in reply.tools]) == (said, tools)
    assert reply.cost == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("was", "now", "same"),
    [
        ({"n": "1234"}, {"n": 1234}, True),
        ({"n": "0123"}, {"n": "123"}, False),
        ({"n": 1.0}, {"n": 1}, True),
        ({"day": "Monday"}, {"day": " monday. "}, True),
        ({"day": "Monday"}, {"day": "Tuesday"}, False),
        ({"to": "+1 (415) 555-0100"}, {"to": "14155550100"}, True),
        ({"a": 1, "note": ""}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": None}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"ok": True}, {"ok": "true"}, True),
        ({"ok": True}, {"ok": 1}, False),
        ({"l": ["a", "b"]}, {"l": ["A", "b"]}, True),
        ({"l": ["a", "b"]}, {"l": ["a"]}, False),
        ({"why": "The caller wants the red one back"}, {"why": "Caller wants the red one returned"}, True),
        ({"why": "The caller wants the red one back"}, {"why": "Somebody asks about opening hours again"}, False),
        ({"x": {"y": "1"}}, {"x": {"y": 1}}, True),
        ({"x": {"y": "1"}}, {"x": "1"}, False),
        ({"x": "?"}, {"x": "!"}, False),
    ],
)
def test_same_arguments(was: Any, now: Any, same: bool) -> None:
    assert same_arguments(was, now) is same
    assert same_arguments(now, was) is same


def test_alike_is_the_share_of_words() -> None:
    assert alike("It comes tomorrow.", "Tomorrow it comes!") == 1
    assert alike("It comes tomorrow.", "Goodbye.") == 0
    assert alike("", "") == 1
    assert alike("a b c d", "a b x y") == 0.5


def test_the_cost_is_chats_tokens_and_the_fee() -> None:
    table = Table.of({"models": {"openai": {"models": {"gpt-4o": {"inputPerMillion": 1000.0, "outputPerMillion": 0}}}}})
    cost = replay_cost([(order(), alone(agent()))], table)
    assert (cost.calls, cost.chats, cost.assumed) == (1, 4, ())
    assert cost.money == pytest.approx(cost.tokens_in / 1000 + 4 * 0.005, abs=1e-4)
    longer = replay_cost([(order(), alone(agent("Look orders up. " * 500)))], table, repeat=2)
    assert longer.chats == 8
    assert longer.tokens_in > 8 * 500 * 16 / 4
    unknown = agent()
    body = dict(unknown.body) | {"model": dict(unknown.body["model"]) | {"provider": "custom-llm-2", "model": "mine"}}
    assert replay_cost([(order(), alone(type(unknown)(body=body)))], table).assumed == ("custom-llm-2/mine",)
