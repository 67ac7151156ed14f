"""One call, had again: the caller's turns as they were, and each tool answered as it was answered then."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from voiceops.model.values import JSON
from voiceops.testing.outcome import Attempt
from voiceops.testing.replay.conversation import AgentTurn, Conversation, Used
from voiceops.testing.replay.differences import Deviation, Record, ends, said_otherwise
from voiceops.testing.replay.harmless_agent import HarmlessAgent
from voiceops.testing.replay.playback import Playback, was
from voiceops.testing.replay.vapi_chats import Reply, WantedTool, assistant, tool_answer, user

Ask = Callable[[Mapping[str, Any], Sequence[Mapping[str, JSON]], Mapping[str, JSON]], Awaitable[Reply]]
_SPOKE_THE_END = "assistant-said-end-call-phrase"
_STOPS = ("new", "arguments", "ended")  # what follows has no answer on record, or no caller


async def play_back(conversation: Conversation, agent: HarmlessAgent, ask: Ask) -> Playback:
    """Have the call again with this agent. Raises ProviderError: what `ask` raises."""
    began = time.monotonic()
    messages = _opening(conversation, agent)
    first = next((str(message["content"]) for message in messages if message.get("content")), "")
    answers = [AgentTurn(first, conversation.opening.used)]
    record = Record.of(conversation, agent.loose)
    found: list[Deviation] = []
    costs: list[float] = []
    chats = turn = 0
    for turn, exchange in enumerate(conversation.exchanges, 1):
        messages.append(user(exchange.caller))
        answer = AgentTurn()
        while True:
            reply = await ask(agent.body, messages, conversation.variables)
            chats += 1
            costs += [reply.cost] if reply.cost is not None else []
            messages.append(assistant(reply.said, reply.tools))
            used, new = _use(record, turn, reply.tools)
            answer = AgentTurn(f"{answer.said} {reply.said}".strip(), (*answer.used, *used))
            found += new
            over = turn == len(conversation.exchanges) and any(ends(tool.name) for tool in reply.tools)
            if not reply.tools or over or any(difference.sort in _STOPS for difference in new):
                break
            pairs = zip(reply.tools, used, strict=True)
            messages += [tool_answer(tool.id, once.answer or "") for tool, once in pairs]
        answers.append(answer)
        found += _spoken_end(agent, conversation, answer, turn)
        if any(difference.sort in _STOPS for difference in found):
            break
    found += record.missing(turn)
    return Playback(
        answers=tuple(answers),
        differences=tuple(sorted(found, key=lambda difference: difference.turn)),
        said=said_otherwise(was(conversation), answers),
        chats=chats,
        cost=sum(costs) if costs else None,
        seconds=time.monotonic() - began,
    )


def _opening(conversation: Conversation, agent: HarmlessAgent) -> list[dict[str, JSON]]:
    """What was before the caller's first word: the agent's first message of today, and the tools as they were."""
    text = agent.first_message
    if not text or "{{" in text:
        text = conversation.opening.said  # who waits for the caller says nothing, and what was filled in is in there
    messages = [assistant(text)] if text else []
    for n, used in enumerate(conversation.opening.used):
        tool = WantedTool(f"opening_{n}", used.name, used.arguments, json.dumps(dict(used.arguments)))
        messages += [assistant("", [tool]), tool_answer(tool.id, used.answer or "")]
    return messages


def _use(record: Record, turn: int, tools: Sequence[WantedTool]) -> tuple[list[Used], list[Deviation]]:
    """The tools with what they answered then, and what is otherwise about them."""
    used: list[Used] = []
    found: list[Deviation] = []
    for tool in tools:
        then, difference = record.answer(turn, tool.name, tool.arguments)
        used.append(Used(tool.name, tool.arguments, then.answer if then else None))
        found += [difference] if difference else []
    return used, found


def _spoken_end(agent: HarmlessAgent, conversation: Conversation, answer: AgentTurn, turn: int) -> list[Deviation]:
    """Vapi hangs up where the agent says one of its phrases; in a chat it does not."""
    says = next((phrase for phrase in agent.end_phrases if phrase in answer.said.casefold()), "")
    last = turn == len(conversation.exchanges)
    if says and not last:
        return [Deviation(turn, "ended", f"hangs up by saying {says!r}, and the caller went on")]
    if last and conversation.reason == _SPOKE_THE_END and agent.end_phrases and not says:
        return [Deviation(turn, "missing", "does not say the phrase that ended the call")]
    return []


def attempt_of(played: Playback) -> Attempt:
    """The same as an attempt at a test: where the call differs first.

    Without the transcript: reports of tests go to pull requests and artifacts, and callers' words don't.
    """
    first = played.differences[0] if played.differences else None
    return Attempt(
        passed=played.same,
        reason=played.error or (f"turn {first.turn}: {first.text}" if first else ""),
        seconds=played.seconds,
        cost=played.cost,
    )
