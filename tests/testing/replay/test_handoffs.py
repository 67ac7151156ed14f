"""Handing on within a replay: whom a tool leads to, what is carried along, and what the record says of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.testing.replay.said import call
from tests.testing.replay.test_play_back import found, says
from voiceops.calls.record import Spoken, ToolUse, ToolValues
from voiceops.testing.replay.conversation import Conversation, Used, conversation_of
from voiceops.testing.replay.handoffs import Handoff, carried, handoffs_of, wanted
from voiceops.testing.replay.harmless_agent import harmless
from voiceops.testing.replay.play_back import play_back
from voiceops.testing.replay.playback import Playback
from voiceops.testing.replay.who_answers import Member, WhoAnswers, functions_used, overridden

MODEL = {"provider": "openai", "model": "gpt-4o"}
MESSAGES: list[Any] = [
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": "Where is it?"},
    {"role": "assistant", "content": "One moment.", "tool_calls": [{"id": "1"}]},
    {"role": "tool", "tool_call_id": "1", "content": "Handoff initiated."},
]


def member(name: str, *to: str, **more: Any) -> Member:
    body = {"name": name, "model": {**MODEL, **more.pop("model", {})}, **more}
    agent = harmless(body, [], [{"type": "assistant", "assistantName": other} for other in to])
    return Member(key=f"Agent/{name}", agent=agent, names=frozenset({f"Agent/{name}", name, f"id-{name}"}))


SHOP = WhoAnswers(members=(member("desk", "parcels", "bills"), member("parcels", "desk"), member("bills")))
KEYS = {f"id-{name}": f"Agent/{name}" for name in ("desk", "parcels", "bills")}


def handed(*items: Spoken | ToolUse, values: dict[str, ToolValues] | None = None, **more: Any) -> Conversation:
    return conversation_of(
        call(*items, assistant_id="id-desk", **more), values or {}, keys=KEYS, hands_on=SHOP.hands_on
    )


def over(at: float = 2, name: str = "handoff_to_parcels") -> ToolUse:
    return ToolUse(id=f"h{at}", name=name, at=at)


def caller(at: float, text: str = "Where is it?") -> Spoken:
    return Spoken(role="caller", at=at, text=text)


def spoke(at: float, who: str, text: str = "Here.") -> Spoken:
    return Spoken(role="agent", at=at, text=text, agent=f"id-{who}" if who else "")


async def played(conversation: Conversation, *replies: Any, who: WhoAnswers = SHOP) -> Playback:
    return await play_back(conversation, who, says(*replies))


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ("all", MESSAGES),
        ("none", MESSAGES[1:2]),
        ("lastNMessages", MESSAGES[2:] + MESSAGES[1:2]),
        ("userAndAssistantMessages", [*MESSAGES[:2], {"role": "assistant", "content": "One moment."}]),
        ("previousAssistantMessages", MESSAGES[:2]),
        ("of tomorrow", MESSAGES),
    ],
)
def test_what_is_carried_along(context: str, expected: list[Any]) -> None:
    assert carried(MESSAGES, Handoff(context=context, most=2), 1) == expected


def test_an_answer_without_its_call_is_not_carried_along() -> None:
    assert carried(MESSAGES, Handoff(context="lastNMessages", most=1), 0) == MESSAGES[1:2]
    assert carried(MESSAGES, Handoff(context="lastNMessages"), 0) == MESSAGES[1:2]


def test_whom_a_tool_means() -> None:
    several = handoffs_of(
        {
            "type": "handoff",
            "destinations": [
                {"type": "assistant", "assistantName": "The bills"},
                {"type": "assistant", "assistantId": "id-parcels", "transferMode": "delete-history"},
                {"type": "squad", "squadId": "sq", "entryAssistantName": "night"},
                {"type": "dynamic"},
                {"type": "number", "number": "+14155550100"},
                None,
            ],
        }
    )
    assert [(one.to, one.squad, one.context) for one in several] == [
        ("The bills", "", "all"),
        ("id-parcels", "", "none"),
        ("night", "sq", "all"),
        ("", "", "all"),
    ]
    for said, place in (("The bills", 0), ("The_bills", 0), ("id-parcels", 1), ("sq", 2), ("dynamic", 3)):
        assert wanted(several, {"destination": said}) is several[place]
    assert wanted(several, {}) is None
    assert wanted(several[:1], {"reason": "x"}) is several[0]
    assert wanted(several, {"destination": "+14155550100"}) is None
    assert handoffs_of({"type": "function", "destinations": [{"type": "assistant"}]}) == ()


def test_the_record_tells_who_took_over() -> None:
    made = handed(
        spoke(0, "desk"), caller(1), over(2), spoke(3, "desk", "One moment."), spoke(4, "parcels"),
        caller(5), spoke(6, "bills"), caller(7), over(8, "handoff_to_desk"), spoke(9, "bills"),
    )  # fmt: skip
    used = [[(u.name, u.to) for u in exchange.answer.used] for exchange in made.exchanges]
    assert used == [[("handoff_to_parcels", "Agent/parcels")], [("handoff", "Agent/bills")], [("handoff_to_desk", "")]]
    assert [exchange.answer.by for exchange in made.exchanges] == ["Agent/parcels", "Agent/bills", "Agent/bills"]


def test_who_took_over_without_a_name_is_not_known() -> None:
    made = handed(caller(1), over(2), spoke(3, ""), caller(4))
    assert [u.to for u in made.exchanges[0].answer.used] == [None]


async def test_a_handoff_that_led_nowhere_does_so_again() -> None:
    made = handed(
        caller(1), over(2), spoke(3, "desk", "They are gone."), caller(4, "Well?"), spoke(5, "desk", "So."),
        values={"h2": ToolValues({}, "Error: gone")},
    )  # fmt: skip
    one = await played(made, ("handoff_to_parcels", {}), "They are gone.", "So.")
    assert found(one) == []
    assert [answer.by for answer in one.answers] == ["Agent/desk"] * 3


@pytest.mark.parametrize("tool", [("handoff_to_parcels", {}), ("transferCall", {"destination": "parcels"})])
async def test_the_way_of_handing_on_does_not_count(tool: Any) -> None:
    transfer = {"type": "transferCall", "destinations": [{"type": "assistant", "assistantName": "parcels"}]}
    desk = member("desk", "parcels", model={"tools": [transfer]})
    made = handed(caller(1), over(2, "transferCall"), spoke(3, "parcels"), values={"h2": ToolValues({}, None)})
    who = WhoAnswers(members=(desk, *SHOP.members[1:]))
    assert found(await played(made, tool, "Here.", who=who)) == []


async def test_a_call_that_ends_with_a_handoff_asks_nobody_else() -> None:
    one = await played(handed(spoke(0, "desk"), caller(1), over(2)), ("handoff_to_parcels", {}))
    assert (found(one), one.chats, one.same) == ([], 1, True)


async def test_only_a_server_knows_whom_a_dynamic_handoff_leads_to() -> None:
    tool = {"type": "handoff", "function": {"name": "route"}, "destinations": [{"type": "dynamic"}]}
    who = WhoAnswers(members=(member("desk", model={"tools": [tool]}), *SHOP.members[1:]))
    items = (caller(1), ToolUse(id="r", name="route", at=2), spoke(3, "bills"), caller(4), spoke(5, "bills"))
    made = conversation_of(call(*items, assistant_id="id-desk"), {}, keys=KEYS, hands_on=who.hands_on)
    one = await played(made, ("route", {"destination": "dynamic"}), "Here.", "Here.", who=who)
    assert found(one) == []
    assert [answer.by for answer in one.answers] == ["Agent/desk", "Agent/bills", "Agent/bills"]


async def test_who_is_not_live_is_said() -> None:
    who = WhoAnswers(members=(member("desk", "gone"),))
    made = conversation_of(call(caller(1), over(2, "handoff_to_gone"), caller(3), spoke(4, "")), {})
    one = await played(made, ("handoff_to_gone", {}), who=who)
    assert one.same is None
    assert one.error == "the caller is handed on to gone, who is not live in this environment"


async def test_who_takes_over_does_so_as_the_handoff_says() -> None:
    body = {"name": "bills", "firstMessage": "Bills, hello!", "model": MODEL}
    bills = Member(
        key="Agent/bills",
        agent=harmless(body, []),
        names=frozenset({"Agent/bills", "bills"}),
        under=lambda more: harmless(overridden(body, (more,))[0], []),
    )
    quiet = {"firstMessageMode": "assistant-speaks-first-with-model-generated-message", "variableValues": {"a": "b"}}
    for overrides, said in ((None, "Bills, hello!"), (quiet, "Made up."), ({"firstMessage": "Hm?"}, "Hm?")):
        to = {"type": "assistant", "assistantName": "bills", "assistantOverrides": overrides}
        desk = Member(key="Agent/desk", agent=harmless({"name": "desk", "model": MODEL}, [], [to]))
        who = WhoAnswers(members=(desk, bills))
        made = conversation_of(
            call(caller(1), over(2, "handoff_to_bills"), spoke(3, "bills", "Made up.")), {}, keys=KEYS
        )
        one = await played(made, ("handoff_to_bills", {}), "Made up.", who=who)
        assert one.answers[1].said == said


async def test_an_early_handoff_is_found() -> None:
    made = handed(spoke(0, "desk"), caller(1), spoke(2, "desk"), caller(3), over(4), spoke(5, "parcels"))
    one = await played(made, ("handoff_to_parcels", {}))
    assert found(one) == [(1, "ended", "hands the caller on at turn 1, was at turn 2")]


def test_functions_that_only_a_server_knows_are_taken_from_calls() -> None:
    used = [
        Used("mcp_find", {"day": "Monday", "people": 2}),
        Used("mcp_find", {"late": True, "odd": None}),
        Used("handoff_to_bills"),
        Used("handoff_to_parcels", to="Agent/parcels"),
    ]
    ((name, parameters),) = functions_used(SHOP, used)
    assert name == "mcp_find"
    assert parameters["properties"] == {
        "day": {"type": "string"},
        "people": {"type": "integer"},
        "late": {"type": "boolean"},
        "odd": {},
    }
    offered = SHOP.first.agent.with_functions([(name, parameters), ("handoff_to_bills", {})])
    assert [tool["function"]["name"] for tool in offered.body["model"]["tools"]][2:] == ["mcp_find"]
    assert "mcpfind" in offered.loose


def test_a_squad_says_otherwise_than_its_member() -> None:
    tools = [{"type": "endCall"}]
    body, variables = overridden(
        {"name": "desk", "firstMessage": "Hi", "model": {**MODEL, "tools": tools}},
        [
            {"firstMessage": "Hello", "variableValues": {"a": 1}},
            None,
            {"name": None, "tools:append": [{"type": "dtmf"}]},
        ],
    )
    assert (body["name"], body["firstMessage"], variables) == ("desk", "Hello", {"a": 1})
    assert [tool["type"] for tool in body["model"]["tools"]] == ["endCall", "dtmf"]
