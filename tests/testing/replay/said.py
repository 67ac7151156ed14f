"""Calls as the store has them, and agents that answer by a rule, for tests of replays."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from voiceops.calls.record import CallRecord, Spoken, ToolUse, ToolValues
from voiceops.testing.replay.conversation import Conversation, conversation_of
from voiceops.testing.replay.harmless_agent import HarmlessAgent, harmless
from voiceops.testing.replay.vapi_chats import Reply, WantedTool
from voiceops.testing.replay.who_answers import Member, WhoAnswers

LOOKUP = {
    "type": "function",
    "function": {"name": "lookupOrder", "parameters": {"type": "object", "properties": {"number": {"type": "string"}}}},
    "server": {"url": "https://shop.example/tools"},
}
END = {"type": "endCall"}
TRANSFER = {"type": "transferCall", "destinations": [{"type": "number", "number": "+14155550199"}]}


def agent(prompt: str = "Look orders up.", **more: Any) -> HarmlessAgent:
    """An agent with three tools."""
    model = {
        "provider": "openai",
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": prompt}],
        "tools": [LOOKUP, END, TRANSFER],
    }
    return harmless({"name": "support", "firstMessage": "Hello!", "model": model, **more}, [])


def alone(who: HarmlessAgent) -> WhoAnswers:
    """An agent that answers alone."""
    return WhoAnswers(members=(Member(key="Agent/support", agent=who),))


def call(*items: Spoken | ToolUse, **more: Any) -> CallRecord:
    """A call that ended, with what was said and called in this order."""
    turns = tuple(item for item in items if isinstance(item, Spoken))
    tools = tuple(item for item in items if isinstance(item, ToolUse))
    given: dict[str, Any] = {"status": "ended", "reason": "customer-ended-call", "ended_at": 99.0, **more}
    return CallRecord(id="c-1", agent="support", turns=turns, tools=tools, **given)


def order_call(**more: Any) -> CallRecord:
    """A caller asks for an order, and it is looked up when he has said its number."""
    return call(
        Spoken(role="agent", at=0.5, text="Hello!"),
        Spoken(role="caller", at=2, text="Where is my order?"),
        Spoken(role="agent", at=4, text="What is its number?"),
        Spoken(role="caller", at=6, text="It is 1234."),
        ToolUse(id="t-1", name="lookupOrder", at=8, arguments=("number",)),
        Spoken(role="agent", at=9, text="It comes tomorrow."),
        Spoken(role="caller", at=12, text="Thanks, bye."),
        Spoken(role="agent", at=13, text="Goodbye!"),
        **more,
    )


VALUES = {"t-1": ToolValues({"number": "1234"}, "It comes tomorrow.")}


def order() -> Conversation:
    """The same as a conversation."""
    return conversation_of(order_call(), VALUES)


async def by_rule(
    body: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]
) -> Reply:
    """What the agent answers: it looks up what has a number, where its prompt says so, and says what the tool said."""
    prompt = str(body["model"]["messages"][0]["content"])
    last = messages[-1]
    if last["role"] == "tool":
        return Reply(str(last["content"]), cost=0.01)
    text = str(last["content"])
    number = re.search(r"\d{3,}", text)
    if number and "Look orders up" in prompt:
        arguments = {"number": number[0]}
        return Reply("", (WantedTool(f"w{len(messages)}", "lookupOrder", arguments, json.dumps(arguments)),), 0.01)
    if "bye" in text and "hang up" in prompt:
        return Reply("Goodbye!", (WantedTool("e", "endCall", {}, "{}"),), 0.01)
    return Reply("Goodbye!" if "bye" in text else "What is its number?", cost=0.01)
