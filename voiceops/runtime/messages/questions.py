"""The other messages whose answer Vapi waits for: which agent, which destination, which documents.

Whatever fails, there is an answer in time, and one that Vapi takes. What a handler's value means: `choices`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from voiceops.kinds.schema import Facts, using
from voiceops.model.json_in import as_map, maps_in
from voiceops.runtime.handlers.call import Call
from voiceops.runtime.handlers.decorators import (
    ANSWERED,
    ASSISTANT,
    ENDPOINTING,
    HANDOFF,
    KNOWLEDGE,
    PREDIAL,
    TRANSFER,
    VOICE,
)
from voiceops.runtime.handlers.failure_text import told, without_values
from voiceops.runtime.handlers.invoke import Failure, Invoker
from voiceops.runtime.handlers.loading import Handler, Handlers, handler_of
from voiceops.runtime.handlers.sessions import Sessions
from voiceops.runtime.json_text import dumps, message_of
from voiceops.runtime.messages.answer_check import refused
from voiceops.runtime.messages.choices import NO_TRANSFER, Choices, pointing, whole_answer, with_stand_ins
from voiceops.runtime.messages.directory import Directory
from voiceops.runtime.messages.vapi_api import VapiApi, VapiFailed
from voiceops.runtime.observe.observer import Observer
from voiceops.runtime.spec import LineSpec, RuntimeSpec, ToolSpec
from voiceops.runtime.vapi_messages import Message

UNAVAILABLE = "I am sorry, nobody can take this call right now. Please call again later."


class Questions:
    """Answers every message type of `ANSWERED`."""

    def __init__(
        self,
        spec: RuntimeSpec,
        handlers: Handlers,
        api: VapiApi,
        invoker: Invoker,
        observer: Observer,
        *,
        directory: Directory,
        assistant_seconds: float,
        sessions: Sessions | None = None,
        facts: Facts | None = None,
    ) -> None:
        """`assistant_seconds` are for an assistant-request, for which Vapi waits less long than for the others."""
        self._spec = spec
        self._directory = directory
        self._handlers = handlers
        self._api = api
        self._invoker = invoker
        self._observer = observer
        self._assistant_seconds = assistant_seconds
        self._sessions = sessions
        self._facts = facts
        self._choices = Choices(spec, api)
        self._agents = {agent.address: agent for agent in spec.agents}
        self._decorated = {name: handler_of(function) for name, function in handlers.registry.answers.items()}

    def knows(self, kind: str) -> bool:
        """Is this type of message one whose answer Vapi waits for, or that a decorator answers?"""
        return kind in ANSWERED or kind in self._decorated

    async def answer(self, message: Message, body: bytes, started: float) -> tuple[bytes, str, str]:
        """The response's body, its content type, and `ok` or why the handler did not give it; never raises."""
        kind = message.kind
        outcome = "ok"
        line = None
        try:
            line = await self._within(self._directory.line(message), started + 2)
            line = line if isinstance(line, LineSpec) else None
            answer = await self._answer(kind, message, body, line, started)
            if not isinstance(answer, (bytes, Failure)):
                answer = self._checked(kind, answer)
            if not isinstance(answer, (bytes, Failure)):
                answer = dumps(answer), "application/json"
        except Exception as error:
            answer = Failure("failed", told(error))
        detail = ""
        if isinstance(answer, Failure):
            outcome, detail = answer.reason, answer.whole
            answer = self._fallback(kind, line)
        self._observer.answer_ended(kind, outcome, message.call_id, detail)
        if isinstance(answer, bytes):
            return answer, "application/octet-stream", outcome
        text, content_type = answer if isinstance(answer, tuple) else (dumps(answer), "application/json")
        return text, content_type, outcome

    def _checked(self, kind: str, answer: Any) -> Any:
        """The answer, if Vapi takes it: what it refuses would be a call that is lost."""
        if not isinstance(answer, Mapping):
            return answer
        with using(self._facts):
            wrong = refused(kind, answer, allow_unknown=self._spec.allow_unknown, ids=self._api.known_ids)
        if wrong:
            more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
            return Failure("misused", without_values(f"Vapi would refuse it: {'; '.join(wrong[:3])}{more}", {}))
        return answer

    async def _answer(self, kind: str, message: Message, body: bytes, line: LineSpec | None, started: float) -> Any:
        handler, seconds, arguments = await self._handler(kind, message, body, line)
        until = started + seconds
        if handler is None:
            if kind == ASSISTANT and line is not None and line.target:
                return await self._within(self._api.resolved(pointing(line.target)), until)
            return self._fallback(kind, line)
        call = Call.of(message, body, until, self._sessions, line=line)
        value = await self._invoker.invoke(handler, call, arguments, until - time.monotonic())
        if isinstance(value, Failure):
            return value
        match kind:
            case "assistant-request":
                return await self._within(self._assistant(value, line), until)
            case "transfer-destination-request":
                try:
                    return self._choices.transfer(value)
                except LookupError as error:
                    return Failure("misused", str(error))
            case "handoff-destination-request":
                return await self._within(self._choices.handoff(value), until)
            case "knowledge-base-request":
                return _documents(value)
            case "call.endpointing.request":
                number = isinstance(value, (int, float)) and not isinstance(value, bool)
                return {"timeoutSeconds": value} if number else whole_answer(value)
            case "campaign.predial":
                return {"eligible": value} if isinstance(value, bool) else whole_answer(value)
            case "voice-request":
                return value if isinstance(value, bytes) else Failure("misused", "the handler gave no audio")
        return {} if value is None else value

    async def for_call(self, line: LineSpec, call: Call, seconds: float) -> Mapping[str, Any] | Failure:
        """Whom a runtime-answered line connects to, as `{"agent": ADDRESS, …}` or Vapi's own fields."""
        handler = self._handlers.get(line.handler) or (None if line.target else self._decorated.get(ASSISTANT))
        if handler is None:
            return pointing(line.target) if line.target else Failure("missing", "no agent, no squad, no handler")
        value = await self._invoker.invoke(handler, call, {}, seconds)
        if isinstance(value, Failure):
            return value
        try:
            chosen = self._choices.agent(value, line)
        except LookupError as error:
            return Failure("misused", str(error))
        # The ids of agents are looked up when the call is made; the rest is looked at here.
        wrong = self._checked(ASSISTANT, with_stand_ins(chosen))
        return wrong if isinstance(wrong, Failure) else chosen

    async def _handler(
        self, kind: str, message: Message, body: bytes, line: LineSpec | None
    ) -> tuple[Handler | None, float, Mapping[str, Any]]:
        """Who answers, how long he has, and what he is given beside the call."""
        decorated = self._decorated.get(kind)
        if kind == ASSISTANT:
            named = self._handlers.get(line.handler) if line is not None else None
            return named or decorated, self._assistant_seconds, {}
        if kind in (TRANSFER, HANDOFF):
            tool = await self._destination_tool("transferCall" if kind == TRANSFER else "handoff", message)
            arguments = _parameters(body) if kind == HANDOFF else {}
            return (
                self._handlers.get(tool.handler) if tool else decorated,
                self._spec.deadline(tool.timeout if tool else None),
                arguments,
            )
        if kind == KNOWLEDGE:
            with_handler = [agent for agent in self._spec.agents if agent.handler]
            agent = with_handler[0] if len(with_handler) == 1 else None
            if len(with_handler) > 1:
                agent = self._agents.get(await self._directory.agent(message))
            named = self._handlers.get(agent.handler) if agent is not None else None
            return named or decorated, self._spec.deadline(agent.timeout if agent else None), _query(body)
        return decorated, self._spec.deadline(None), {}

    async def _destination_tool(self, type_: str, message: Message) -> ToolSpec | None:
        """The tool whose handler chooses; where several have one, that of the agent that speaks."""
        found = [tool for tool in self._spec.tools if tool.type == type_ and tool.handler]
        if len({tool.handler for tool in found}) > 1:
            agent = await self._directory.agent(message)
            return next((tool for tool in found if agent and agent in tool.agents), None)
        return found[0] if found else None

    def _fallback(self, kind: str, line: LineSpec | None) -> Any:
        """The answer when nobody gave one."""
        if kind == ASSISTANT:
            if line is not None and line.fallback:
                return {"destination": dict(line.fallback)}
            return {"error": UNAVAILABLE}
        return {
            TRANSFER: {"error": NO_TRANSFER},
            HANDOFF: {"error": NO_TRANSFER},
            KNOWLEDGE: {"documents": []},
            ENDPOINTING: {"timeoutSeconds": 0.5},
            PREDIAL: {"eligible": False},
            VOICE: b"",
        }.get(kind, {})

    async def _within(self, work: Any, until: float) -> Any:
        try:
            return await asyncio.wait_for(work, max(0.01, until - time.monotonic()))
        except TimeoutError:
            return Failure("timeout")
        except VapiFailed as error:
            return Failure("failed", str(error))
        except LookupError as error:
            return Failure("misused", str(error))

    async def _assistant(self, value: Any, line: LineSpec | None) -> Any:
        return await self._api.resolved(self._choices.agent(value, line))


def _document(item: Any) -> Any:
    return {"content": item, "similarity": 1.0} if isinstance(item, str) else item


def _documents(value: Any) -> Any:
    """What a knowledge base's handler found: nothing, a text, several, or the whole answer."""
    found = [] if value is None else [value] if isinstance(value, str) else value
    return (
        {"documents": [_document(item) for item in found]} if isinstance(found, (list, tuple)) else whole_answer(value)
    )


def _parameters(body: bytes) -> dict[str, Any]:
    return dict(as_map(message_of(body).get("parameters")))


def _query(body: bytes) -> dict[str, Any]:
    """What the caller said last, and everything that was said."""
    said = maps_in(message_of(body).get("messages"))
    asked = [str(m.get("content") or m.get("message") or "") for m in said if m.get("role") == "user"]
    return {"query": asked[-1] if asked else "", "messages": said}
