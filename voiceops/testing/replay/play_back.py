"""One call, had again: the caller's turns as they were, and each tool answered as it was answered then."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voiceops.model.values import JSON
from voiceops.testing.outcome import Attempt
from voiceops.testing.replay.conversation import AgentTurn, Conversation, Used
from voiceops.testing.replay.differences import Deviation, Record, ends, said_otherwise
from voiceops.testing.replay.handoffs import ANSWER, Handoff, carried
from voiceops.testing.replay.harmless_agent import HarmlessAgent
from voiceops.testing.replay.playback import Playback, was
from voiceops.testing.replay.vapi_chats import Reply, WantedTool, assistant, tool_answer, user
from voiceops.testing.replay.who_answers import Member, WhoAnswers

Ask = Callable[[Mapping[str, Any], Sequence[Mapping[str, JSON]], Mapping[str, JSON]], Awaitable[Reply]]
_SPOKE_THE_END = "assistant-said-end-call-phrase"
_STOPS = ("new", "arguments", "ended")  # what follows has no answer on record, or no caller


@dataclass(slots=True)
class _Line:
    """Who is on the line, what it has read, and what came of it so far."""

    conversation: Conversation
    who: WhoAnswers
    ask: Ask
    record: Record
    member: Member
    messages: list[Mapping[str, JSON]]
    since: int = 0  # where the member took over
    chats: int = 0
    costs: list[float] = field(default_factory=list)
    found: list[Deviation] = field(default_factory=list)
    lost: str = ""  # whom the caller was handed on to, who is not here

    async def turn(self, number: int, caller: str) -> AgentTurn:
        """All that is said and called until the caller is to speak again. Raises ProviderError."""
        self.messages.append(user(caller))
        answer = AgentTurn(by=self.member.key)
        last = number == len(self.conversation.answered)
        while True:
            variables = {**self.member.variables, **self.conversation.variables}
            reply = await self.ask(self.member.agent.body, self.messages, variables)
            self.chats += 1
            self.costs += [reply.cost] if reply.cost is not None else []
            self.messages.append(assistant(reply.said, reply.tools))
            used, new, handoff = self._use(number, reply.tools)
            said = f"{answer.said} {reply.said}".strip()
            answer = AgentTurn(said, (*answer.used, *used), self.member.key)
            self.found += new
            to = next((tool.to for tool in used if tool.to), "")
            over = last and (self._all_told(to) if to else any(ends(tool.name) for tool in reply.tools))
            if not reply.tools or over or any(difference.sort in _STOPS for difference in new):
                return answer
            answered = zip(reply.tools, used, strict=True)
            self.messages += [tool_answer(t.id, u.answer or (ANSWER if u.to else "")) for t, u in answered]
            if to:
                greets = self._hand_on(to, handoff)
                answer = AgentTurn(f"{answer.said} {greets}".strip(), answer.used, self.member.key)
                if greets or self.lost:
                    return answer

    def _all_told(self, to: str) -> bool:
        """Is the call over with this handoff: nothing is on record that the one who takes over did?"""
        return not self.record.open and self.conversation.answered[-1].answer.by != to

    def _use(self, number: int, tools: Sequence[WantedTool]) -> tuple[list[Used], list[Deviation], Handoff | None]:
        """The tools with what they answered then, what is otherwise about them, and how the caller is handed on."""
        used: list[Used] = []
        found: list[Deviation] = []
        handoff = None
        for tool in tools:
            to, way = self.who.led_to(self.member, tool.name, tool.arguments)
            then, difference = self.record.answer(number, tool.name, tool.arguments, to)
            if then is not None and way is not None:
                to = to if then.to is None else then.to and (to or then.to)  # one that led nowhere does so again
            used.append(Used(tool.name, tool.arguments, then.answer if then else None, to=to or None))
            found += [difference] if difference else []
            handoff = way if to else handoff
        return used, found, handoff

    def _hand_on(self, to: str, handoff: Handoff | None) -> str:
        """Another member takes over; its greeting, where it has one, after which the caller is to speak."""
        member = self.who.find(to)
        if member is None:
            self.lost = to
            return ""
        self.messages = carried(self.messages, handoff, self.since)
        self.since, self.member = len(self.messages), member.after(handoff)
        greets = self.member.agent.first_message
        if greets:
            self.messages.append(assistant(greets))
        return greets


async def play_back(conversation: Conversation, who: WhoAnswers, ask: Ask) -> Playback:
    """Have the call again with these agents. Raises ProviderError: what `ask` raises."""
    began = time.monotonic()
    messages = _opening(conversation, who.first.agent)
    record = Record.of(conversation, who.loose)
    line = _Line(conversation, who, ask, record, who.first, list(messages))
    for used in conversation.opening.used:
        line.member = who.find(used.to or "") or line.member
    first = next((str(message["content"]) for message in messages if message.get("content")), "")
    answers = [AgentTurn(first, conversation.opening.used, who.first.key)]
    turn = 0
    for turn, exchange in enumerate(conversation.answered, 1):
        answers.append(await line.turn(turn, exchange.caller))
        line.found += _spoken_end(line.member.agent, conversation, answers[-1], turn)
        if line.lost or any(difference.sort in _STOPS for difference in line.found):
            break
    found = [*line.found, *line.record.missing(turn)]
    error = ""
    if line.lost and turn < len(conversation.answered) and not found:
        error = f"the caller is handed on to {line.lost}, who is not live in this environment"
    return Playback(
        answers=tuple(answers),
        differences=tuple(sorted(found, key=lambda difference: difference.turn)),
        said=said_otherwise(was(conversation), answers),
        chats=line.chats,
        cost=sum(line.costs) if line.costs else None,
        seconds=time.monotonic() - began,
        error=error,
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


def _spoken_end(agent: HarmlessAgent, conversation: Conversation, answer: AgentTurn, turn: int) -> list[Deviation]:
    """Vapi hangs up where the agent says one of its phrases; in a chat it does not."""
    says = next((phrase for phrase in agent.end_phrases if phrase in answer.said.casefold()), "")
    last = turn == len(conversation.answered)
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
