"""Conversations without a model: a tester that says its lines, and the mock conversations of evals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from voiceops.sandbox.judging import Heard, judged
from voiceops.sandbox.plain_words import quoted, sentences
from voiceops.sandbox.stand_in import NextTurn, Said, StandIn, ToolAtHand, answer, as_arguments
from voiceops.sandbox.store import Body
from voiceops.sandbox.tool_servers import NO_RESULT

# What a tool returns, of those that nobody mocks.
Ask: TypeAlias = Callable[[ToolAtHand, Mapping[str, Any]], str]

_ENDS = ("endCall", "transferCall")
_HANDED = "Handoff initiated."
_ENOUGH = 5  # tool calls on one turn of the caller's
_LINE = re.compile(r"^\s*(?:[-*]\s+)?say:\s*(.+?)\s*$", re.I | re.M)


def lines(instructions: str) -> tuple[str, ...]:
    """What the tester says: the lines after `say:`; without them what stands in quotes, or else each sentence."""
    said = tuple(_LINE.findall(instructions))
    return said or tuple(text for text, _ in quoted(instructions)) or sentences(instructions)


def nobody(_: ToolAtHand, __: Mapping[str, Any]) -> str:
    """Nothing is called: no tool returns anything."""
    return NO_RESULT


def simulated(
    cast: Sequence[StandIn], script: Sequence[str], mocks: Mapping[str, str], ask: Ask = nobody
) -> tuple[Said, ...]:
    """A simulated call: the assistant greets, the tester says its lines, tools answer by their mocks."""
    turns: list[Said] = [Said("assistant", cast[0].first_message)] if cast[0].first_message else []
    for text in script:
        turns.append(Said("user", text))
        found, ended = replies(cast, turns, mocks, ask)
        turns += found
        if ended:
            break
    return tuple(turns)


def replies(
    cast: Sequence[StandIn],
    turns: Sequence[Said],
    mocks: Mapping[str, str],
    ask: Ask = nobody,
    *,
    waits: bool = False,
) -> tuple[list[Said], bool]:
    """The assistant's turns up to where the caller is to speak, and whether it ended the call.

    With `waits` the call of a tool that nobody serves is the last turn: its result comes with the next request.
    """
    found: list[Said] = []
    for _ in range(_ENOUGH):
        reply = answer(cast, [*turns, *found])
        found.append(reply.turn)
        if reply.tool is None:
            return found, False
        if reply.tool.kind in _ENDS:
            return found, True
        if waits and not reply.tool.served and reply.tool.name not in mocks:
            return found, False
        found.append(Said("tool", _result(reply, mocks, ask)))
    return found, False


def _result(reply: NextTurn, mocks: Mapping[str, str], ask: Ask) -> str:
    assert reply.tool is not None
    if reply.tool.name in mocks:
        return mocks[reply.tool.name]
    return _HANDED if reply.tool.hands_to else ask(reply.tool, reply.arguments)


@dataclass(frozen=True, slots=True)
class Mocked:
    """How a mock conversation went: its messages as an eval's result holds them, and whether every judge agreed."""

    messages: tuple[Body, ...]
    passed: bool


def mocked(cast: Sequence[StandIn], script: Sequence[Body]) -> Mocked:
    """A mock conversation: what is given is taken as said, and what has a judge is answered and judged."""
    turns: list[Said] = []
    messages: list[Body] = []
    passed = True
    for item in script:
        plan = item.get("judgePlan")
        if not isinstance(plan, dict):
            turns.append(_given(item))
            messages.append({key: item[key] for key in ("role", "content", "toolCalls") if key in item})
            continue
        turn = Said("tool", NO_RESULT) if item.get("role") == "tool" else answer(cast, turns).turn
        why = judged(plan, turn, Heard(tuple(cast), tuple(turns)))
        judge = {"status": "fail", "failureReason": why} if why else {"status": "pass"}
        messages.append({**_shown(turn), "judge": judge})
        passed = passed and not why
        then = item.get("continuePlan") or {}
        if why and then.get("exitOnFailureEnabled"):
            break
        turns.append(_overridden(turn, then))
    return Mocked(tuple(messages), passed)


def _given(item: Body) -> Said:
    calls = tuple(
        (str(call.get("name")), as_arguments(call.get("arguments")))
        for call in item.get("toolCalls") or ()
        if isinstance(call, dict)
    )
    return Said(str(item.get("role")), str(item.get("content") or ""), calls)


def _overridden(turn: Said, plan: Body) -> Said:
    if "contentOverride" not in plan and "toolCallsOverride" not in plan:
        return turn
    content = plan.get("contentOverride", turn.text)
    calls = _given({"role": turn.role, "toolCalls": plan.get("toolCallsOverride")}).calls
    return Said(turn.role, str(content), calls if "toolCallsOverride" in plan else turn.calls)


def _shown(turn: Said) -> Body:
    """A turn as an eval's result holds it."""
    shown: Body = {"role": turn.role}
    if turn.text or not turn.calls:
        shown["content"] = turn.text
    if turn.calls:
        shown["toolCalls"] = [{"name": name, "arguments": dict(arguments)} for name, arguments in turn.calls]
    return shown


def chat_messages(turns: Sequence[Said], ids: str) -> list[Body]:
    """Turns as chats and simulated calls hold them, in OpenAI's form; `ids` makes the ids of tool calls their own."""
    found: list[Body] = []
    last = ""
    for place, turn in enumerate(turns):
        if turn.role == "tool":
            found.append({"role": "tool", "content": turn.text, "tool_call_id": last})
            continue
        message: Body = {"role": turn.role}
        if turn.text or not turn.calls:
            message["content"] = turn.text
        if turn.calls:
            calls: list[Body] = []
            for n, (name, arguments) in enumerate(turn.calls):
                last = f"call_{ids}_{place}_{n}"
                function: Body = {"name": name, "arguments": json.dumps(dict(arguments))}
                calls.append({"id": last, "type": "function", "function": function})
            message["tool_calls"] = calls
        found.append(message)
    return found


def turns_of(messages: Sequence[Any]) -> list[Said]:
    """Messages in OpenAI's form as turns; `message` may stand for `content`, as in Vapi's own messages."""
    found = []
    for item in messages:
        calls: list[tuple[str, Mapping[str, Any]]] = []
        for call in item.get("tool_calls") or item.get("toolCalls") or ():
            function = call.get("function") if isinstance(call.get("function"), dict) else call
            calls.append((str(function.get("name")), as_arguments(function.get("arguments"))))
        role = "system" if item.get("role") == "developer" else str(item.get("role"))
        found.append(Said(role, str(item.get("content") or item.get("message") or ""), tuple(calls)))
    return found
