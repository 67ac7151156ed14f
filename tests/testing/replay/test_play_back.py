"""A call is had again: an equal agent ends it as it ended, and what an agent does otherwise is found at its turn."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.testing.replay.said import VALUES, agent, alone, by_rule, call, order, order_call
from voiceops.calls.record import Spoken, ToolUse, ToolValues
from voiceops.testing.replay.conversation import Conversation, conversation_of, left_out
from voiceops.testing.replay.harmless_agent import NOWHERE, HarmlessAgent, harmless
from voiceops.testing.replay.play_back import attempt_of, play_back
from voiceops.testing.replay.playback import Playback
from voiceops.testing.replay.vapi_chats import Reply, WantedTool


async def played(conversation: Conversation, who: HarmlessAgent, ask: Any = by_rule) -> Playback:
    return await play_back(conversation, alone(who), ask)


def found(one: Playback) -> list[tuple[int, str, str]]:
    return [(d.turn, d.sort, d.text) for d in one.differences]


def says(*replies: str | tuple[str, Mapping[str, Any]]) -> Any:
    """An agent that says and calls this, in this order."""
    left = list(replies)

    async def ask(*_: object) -> Reply:
        reply = left.pop(0)
        if isinstance(reply, str):
            return Reply(reply)
        name, arguments = reply
        return Reply("", (WantedTool(f"w{len(left)}", name, arguments, json.dumps(arguments)),))

    return ask


def test_a_call_is_a_conversation() -> None:
    conversation = order()
    assert conversation.opening.said == "Hello!"
    assert [exchange.caller for exchange in conversation.exchanges] == [
        "Where is my order?",
        "It is 1234.",
        "Thanks, bye.",
    ]
    used = conversation.exchanges[1].answer.used
    assert [(u.name, u.arguments, u.answer) for u in used] == [
        ("lookupOrder", {"number": "1234"}, "It comes tomorrow.")
    ]


def test_what_a_caller_says_in_pieces_is_one_turn() -> None:
    made = conversation_of(
        call(
            Spoken(role="caller", at=1, text="It is"),
            Spoken(role="caller", at=2, text="1234."),
            Spoken(role="agent", at=3, text="Fine."),
        ),
        {},
    )
    assert [(e.caller, e.answer.said) for e in made.exchanges] == [("It is 1234.", "Fine.")]


async def test_an_equal_agent_ends_the_call_as_it_ended() -> None:
    one = await played(order(), agent())
    assert found(one) == []
    assert one.same is True
    assert one.said == ()
    assert one.chats == 4  # three answers, and one that calls the tool
    assert one.cost == pytest.approx(0.04)


async def test_a_tool_that_is_not_called_any_more_is_found_at_its_turn() -> None:
    one = await played(order(), agent("Be kind."))
    assert found(one) == [(2, "missing", "does not call lookupOrder")]
    assert one.answers[2].said == "What is its number?"
    assert one.said == (2,)
    assert attempt_of(one).reason == "turn 2: does not call lookupOrder"


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        pytest.param(
            ["What is its number?", ("lookupOrder", {"number": "1243"})],
            [(2, "arguments", "calls lookupOrder with other arguments (number)")],
            id="other arguments",
        ),
        pytest.param(
            [("refund", {"all": True})],
            [(1, "new", "calls refund, which was not called (again)")],
            id="a tool that was not called",
        ),
        pytest.param(
            ["Sure?", ("lookupOrder", {"number": 1234}), "Tomorrow.", ("lookupOrder", {"number": "1234"})],
            [(3, "new", "calls lookupOrder, which was not called (again)")],
            id="once more",
        ),
        pytest.param(
            ["Which?", "One moment.", ("lookupOrder", {"number": "1 2 3 4"}), "Tomorrow."], [], id="a turn later"
        ),
        pytest.param([("lookupOrder", {"number": "1234"}), "Tomorrow.", "Fine.", "Bye."], [], id="a turn earlier"),
    ],
)  # fmt: skip
async def test_what_counts(replies: list[Any], expected: list[Any]) -> None:
    assert found(await played(order(), agent(), says(*replies))) == expected


async def test_what_nobody_answered_any_more_is_not_asked() -> None:
    items = [Spoken(role="caller", at=1, text="When?"), Spoken(role="agent", at=2, text="At six.")]
    conversation = conversation_of(call(*items, Spoken(role="caller", at=3, text="Bye.")), {})
    one = await played(conversation, agent(), says("At six."))
    assert (found(one), one.chats, len(conversation.exchanges)) == ([], 1, 2)
    hung_up = conversation_of(call(*items, Spoken(role="caller", at=3, text="Bye."), reason="assistant-ended-call"), {})
    assert (await played(hung_up, agent(), says("At six.", ("endCall", {})))).chats == 2


async def test_of_arguments_that_can_not_be_read_only_the_call_counts() -> None:
    conversation = conversation_of(order_call(), {"t-1": ToolValues(None, "It comes tomorrow.")})
    assert found(await played(conversation, agent())) == []


async def test_an_answer_that_was_cut_short_is_not_said_otherwise() -> None:
    items = [Spoken(role="caller", at=1, text="When?"), Spoken(role="agent", at=2, text="We are")]
    conversation = conversation_of(call(*items, Spoken(role="caller", at=3, text="Ah, fine.")), {})
    assert (await played(conversation, agent(), says("We are open from nine to six.", "Bye."))).said == ()
    assert (await played(conversation, agent(), says("From nine to six we are open.", "Bye."))).said == (1,)


async def test_an_agent_that_hangs_up_earlier_is_found() -> None:
    conversation = conversation_of(order_call(reason="assistant-ended-call"), VALUES)
    early = await played(
        conversation, agent(), says("Number?", ("lookupOrder", {"number": "1234"}), "Tomorrow.", "Bye.")
    )
    assert found(early) == [(3, "missing", "does not call endCall")]
    early = await played(conversation, agent(), says("Number?", ("end_call_tool", {})))
    assert found(early)[0][1:] == ("ended", "hangs up at turn 2, was at turn 3")
    same = [("lookupOrder", {"number": "1234"}), "Tomorrow.", ("endCall", {"reason": "done"})]
    assert found(await played(conversation, agent(), says("Number?", *same))) == []


async def test_an_agent_that_hands_on_elsewhere_is_found() -> None:
    transfer = ToolUse(id="t", name="transferCall", at=2, arguments=("destination",))
    conversation = conversation_of(
        call(Spoken(role="caller", at=1, text="A person, please."), transfer, reason="assistant-forwarded-call"),
        {"t": ToolValues({"destination": "+14155550199"})},
    )
    assert found(await played(conversation, agent(), says(("transferCall", {"destination": "+1 415 555 0199"})))) == []
    other = await played(conversation, agent(), says(("transferCall", {"destination": "+14155550111"})))
    assert found(other)[0] == (1, "arguments", "calls transferCall with other arguments (destination)")


async def test_a_phrase_that_hangs_up_too_early_is_found() -> None:
    who = agent(endCallPhrases=["have a nice day"])
    one = await played(order(), who, says("Have a nice day!"))
    assert found(one)[0] == (1, "ended", "hangs up by saying 'have a nice day', and the caller went on")


async def test_another_order_is_found() -> None:
    conversation = conversation_of(
        call(
            Spoken(role="caller", at=1, text="Book it"),
            ToolUse(id="a", name="lookupOrder", at=2),
            Spoken(role="caller", at=3, text="and confirm"),
            ToolUse(id="b", name="confirm", at=4),
        ),
        {"a": ToolValues({}, "one"), "b": ToolValues({}, "two")},
    )
    assert found(await played(conversation, agent(), says(("lookupOrder", {}), "", ("confirm", {}), ""))) == []
    turned = await played(conversation, agent(), says(("confirm", {}), "", ("lookupOrder", {}), ""))
    assert found(turned) == [(2, "order", "calls lookupOrder after what came behind it")]


async def test_the_agent_is_sent_without_anything_that_runs() -> None:
    seen: list[Any] = []

    async def ask(body: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], _: object) -> Reply:
        seen.append((body, json.loads(json.dumps(list(messages)))))
        return await by_rule(body, messages, {})

    who = agent(
        server={"url": "https://shop.example/vapi", "headers": {"x-key": "k"}},
        hooks=[{"on": "call.ending", "do": [{"type": "tool", "tool": {"type": "sms"}}]}],
        serverMessages=["end-of-call-report"],
    )
    await played(order(), who, ask)
    body, messages = seen[2]
    assert "shop.example" not in json.dumps(body)
    assert body["server"] == {"url": NOWHERE}
    assert body["serverMessages"] == []
    assert "hooks" not in body
    assert {tool["type"] for tool in body["model"]["tools"]} == {"function"}
    assert [tool["function"]["name"] for tool in body["model"]["tools"]] == ["lookupOrder", "endCall", "transferCall"]
    assert all("server" not in tool for tool in body["model"]["tools"])
    assert [message["role"] for message in messages] == ["assistant", "user", "assistant", "user", "assistant", "tool"]
    assert messages[-1]["content"] == "It comes tomorrow."
    assert messages[-1]["tool_call_id"] == messages[-2]["tool_calls"][0]["id"]


def test_every_sort_of_tool_loses_its_effect() -> None:
    tools = [
        {"type": "apiRequest", "name": "getWeather", "url": "https://w.example", "body": {"type": "object"}},
        {"type": "sms", "metadata": {"from": "+14155550100"}},
        {"type": "handoff", "destinations": [{"type": "assistant", "assistantName": "Billing desk"}]},
        {"type": "query", "knowledgeBases": [{"name": "kb"}]},
        {"type": "mcp", "server": {"url": "https://m.example"}},
        {"type": "google.calendar.event.create", "name": "book"},
    ]  # fmt: skip
    model = {"provider": "openai", "model": "gpt-4o", "toolIds": ["x"], "tools": tools[:3]}
    who = harmless({"model": model}, tools[3:])
    named = [tool["function"]["name"] for tool in who.body["model"]["tools"]]
    assert named == ["getWeather", "sms_tool", "handoff_to_Billing_desk", "knowledge-search", "book"]
    assert who.unseen == ("mcp",)
    assert "example" not in json.dumps(who.body)
    assert "toolIds" not in who.body["model"]
    with pytest.raises(ValueError, match="no model"):
        harmless({}, [])


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (order_call(), ""),
        (call(Spoken(role="agent", text="Hello!")), "the caller said nothing"),
        (call(Spoken(role="caller", text="")), "what was said is not kept"),
        (order_call(status="in-progress", reason="", ended_at=None), "still under way"),
    ],
)
def test_what_is_left_out(record: Any, why: str) -> None:
    reason = left_out(record, needs_values=False, has_values=False)
    assert reason.startswith(why)
    assert bool(reason) == bool(why)


def test_a_call_whose_tools_answers_nobody_has_is_left_out() -> None:
    assert left_out(order_call(), needs_values=True, has_values=False).startswith("Vapi has no record")
    assert left_out(order_call(), needs_values=True, has_values=True) == ""
