"""The other messages whose answer Vapi waits for: which agent, which destination, which documents.

Turns what a handler gives into what Vapi takes; whatever fails, there is an answer in time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from voiceops.runtime.call import Call
from voiceops.runtime.calling import Caller, Failure
from voiceops.runtime.loading import Handler, Loaded, handler_of
from voiceops.runtime.log import log
from voiceops.runtime.messages import Message
from voiceops.runtime.metrics import Metrics
from voiceops.runtime.plain import dumps, message_of
from voiceops.runtime.registry import ANSWERED, ASSISTANT, ENDPOINTING, HANDOFF, KNOWLEDGE, PREDIAL, TRANSFER, VOICE
from voiceops.runtime.sessions import Sessions
from voiceops.runtime.spec import LineSpec, RuntimeSpec, ToolSpec
from voiceops.runtime.tools import deadline_of
from voiceops.runtime.vapi_api import VapiApi, VapiFailed
from voiceops.runtime.whose import Whose

UNAVAILABLE = "I am sorry, nobody can take this call right now. Please call again later."
NO_TRANSFER = "I am sorry, I can't connect you just now."

_TARGETS = {"agent": "Agent", "squad": "Squad"}
_RAW = ("assistantId", "assistant", "squadId", "squad", "workflowId", "workflow", "destination", "error")


class Answers:
    """Answers every message type of `ANSWERED`."""

    def __init__(
        self,
        spec: RuntimeSpec,
        loaded: Loaded,
        api: VapiApi,
        caller: Caller,
        metrics: Metrics,
        assistant_seconds: float,
        sessions: Sessions | None = None,
    ) -> None:
        self._spec = spec
        self._whose = Whose(spec, api)
        self._loaded = loaded
        self._api = api
        self._caller = caller
        self._metrics = metrics
        self._assistant_seconds = assistant_seconds
        self._sessions = sessions
        self._by_name = {agent.name: agent for agent in spec.agents}
        self._agents = {agent.address: agent for agent in spec.agents}
        self._decorated = {name: handler_of(function) for name, function in loaded.registry.answers.items()}

    def knows(self, kind: str) -> bool:
        return kind in ANSWERED or kind in self._decorated

    async def answer(self, message: Message, body: bytes, started: float) -> tuple[bytes, str]:
        """The response's body and its content type; never raises."""
        kind = message.kind
        outcome = "ok"
        line = None
        try:
            line = await self._within(self._whose.line(message), started + 2)
            line = line if isinstance(line, LineSpec) else None
            answer = await self._answer(kind, message, body, line, started)
            if not isinstance(answer, (bytes, Failure)):
                answer = dumps(answer), "application/json"
        except Exception as error:
            answer = Failure("failed", type(error).__name__)
        if isinstance(answer, Failure):
            log("answer", logging.WARNING, type=kind, call=message.call_id, outcome=answer.reason, detail=answer.detail)
            outcome = answer.reason
            answer = self._fallback(kind, line)
        self._metrics.counter("voiceops_answers_total", type=kind, outcome=outcome).add()
        if isinstance(answer, bytes):
            return answer, "application/octet-stream"
        return answer if isinstance(answer, tuple) else (dumps(answer), "application/json")

    async def _answer(self, kind: str, message: Message, body: bytes, line: LineSpec | None, started: float) -> Any:
        handler, seconds, arguments = await self._handler(kind, message, body, line)
        until = started + seconds
        if handler is None:
            if kind == ASSISTANT and line is not None and line.target:
                return await self._within(self._target(line.target), until)
            return self._fallback(kind, line)
        call = Call(
            body,
            type=kind,
            id=message.call_id,
            number=message.number,
            customer=message.caller,
            agent=message.agent,
            line=line.address if line else "",
            key=line.path.partition("/")[2] if line else "",
            deadline=until,
            sessions=self._sessions,
        )
        value = await self._caller.call(handler, call, arguments, until - time.monotonic())
        if isinstance(value, Failure):
            return value
        match kind:
            case "assistant-request":
                return await self._within(self._assistant(value, line), until)
            case "transfer-destination-request":
                return self._transfer(value)
            case "handoff-destination-request":
                return await self._within(self._handoff(value), until)
            case "knowledge-base-request":
                return _documents(value)
            case "call.endpointing.request":
                number = isinstance(value, (int, float)) and not isinstance(value, bool)
                return {"timeoutSeconds": value} if number else _map(value)
            case "campaign.predial":
                return {"eligible": value} if isinstance(value, bool) else _map(value)
            case "voice-request":
                return value if isinstance(value, bytes) else Failure("misused", "the handler gave no audio")
        return {} if value is None else value

    async def for_call(self, line: LineSpec, call: Call, seconds: float) -> Mapping[str, Any] | Failure:
        """Whom a runtime-answered line connects to, as `{"agent": ADDRESS, …}` or Vapi's own fields."""
        handler = self._loaded.get(line.handler) or (None if line.target else self._decorated.get(ASSISTANT))
        if handler is None:
            return _pointing(line.target) if line.target else Failure("missing", "no agent, no squad, no handler")
        value = await self._caller.call(handler, call, {}, seconds)
        if isinstance(value, Failure):
            return value
        try:
            return self._chosen(value, line)
        except LookupError as error:
            return Failure("misused", str(error))

    async def _handler(
        self, kind: str, message: Message, body: bytes, line: LineSpec | None
    ) -> tuple[Handler | None, float, Mapping[str, Any]]:
        """Who answers, how long he has, and what he is given beside the call."""
        decorated = self._decorated.get(kind)
        if kind == ASSISTANT:
            named = self._loaded.get(line.handler) if line is not None else None
            return named or decorated, self._assistant_seconds, {}
        if kind in (TRANSFER, HANDOFF):
            tool = await self._destination_tool("transferCall" if kind == TRANSFER else "handoff", message)
            arguments = _parameters(body) if kind == HANDOFF else {}
            return (
                self._loaded.get(tool.handler) if tool else decorated,
                deadline_of(tool.timeout if tool else 20),
                arguments,
            )
        if kind == KNOWLEDGE:
            with_handler = [agent for agent in self._spec.agents if agent.handler]
            agent = with_handler[0] if len(with_handler) == 1 else None
            if len(with_handler) > 1:
                agent = self._agents.get(await self._whose.agent(message))
            named = self._loaded.get(agent.handler) if agent is not None else None
            return named or decorated, deadline_of(agent.timeout if agent else 20), _query(body)
        return decorated, deadline_of(20), {}

    async def _destination_tool(self, type_: str, message: Message) -> ToolSpec | None:
        """The tool whose handler chooses; where several have one, that of the agent that speaks."""
        found = [tool for tool in self._spec.tools if tool.type == type_ and tool.handler]
        if len({tool.handler for tool in found}) > 1:
            agent = await self._whose.agent(message)
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

    async def _target(self, address: str) -> dict[str, Any]:
        return await self._api.resolved(_pointing(address))

    async def _assistant(self, value: Any, line: LineSpec | None) -> Any:
        return await self._api.resolved(self._chosen(value, line))

    def _chosen(self, value: Any, line: LineSpec | None = None) -> dict[str, Any]:
        """A handler's choice: a name, a map with `agent` or `squad` and `variables`, or Vapi's own answer."""
        if value is None:
            if line is not None and line.target:
                return _pointing(line.target)
            raise LookupError("the handler chose nobody")
        if isinstance(value, str):
            return _pointing(self._address(value))
        if not isinstance(value, Mapping):
            raise LookupError(f"a handler's choice is a name or a map, not {type(value).__name__}")
        body = dict(value)
        for key, kind in _TARGETS.items():
            if isinstance(body.get(key), str):
                body[key] = self._address(body[key], kind)
        if not any(key in body for key in (*_TARGETS, *_RAW)):
            if line is None or not line.target:
                raise LookupError("the handler chose nobody")
            body |= _pointing(line.target)
        variables = body.pop("variables", None)
        if isinstance(variables, Mapping):
            side = "squadOverrides" if "squad" in body or "squadId" in body else "assistantOverrides"
            overrides = dict(body.get(side) or {})
            body[side] = {**overrides, "variableValues": {**overrides.get("variableValues", {}), **variables}}
        return body

    def _address(self, text: str, kind: str = "") -> str:
        """The address that a name in a handler's choice means. Raises LookupError."""
        known = {agent.address for agent in self._spec.agents}
        for candidate in (text, f"{kind}/{text}", f"Agent/{text}", f"Squad/{text}"):
            if candidate in known:
                return candidate
        if text in self._by_name:
            return self._by_name[text].address
        raise LookupError(f"there is no agent or squad {text!r}")

    def _transfer(self, value: Any) -> Any:
        """A number, a SIP address, an agent's name, a destination, or the whole answer."""
        if isinstance(value, str):
            if value.startswith("+"):
                return {"destination": {"type": "number", "number": value}}
            if value.startswith(("sip:", "sips:")):
                return {"destination": {"type": "sip", "sipUri": value}}
            address = self._address(value)
            if not address.startswith("Agent/"):
                return Failure("misused", f"a call can be transferred to an agent, and not to {address}")
            return {"destination": {"type": "assistant", "assistantName": self._agents[address].name}}
        return _as_destination(value)

    async def _handoff(self, value: Any) -> Any:
        if isinstance(value, str):
            address = self._address(value)
            side, kind = ("squadId", "squad") if address.startswith("Squad/") else ("assistantId", "assistant")
            return {"destination": {"type": kind, side: await self._api.id_of(address)}}
        return _as_destination(value)


def _as_destination(value: Any) -> Any:
    if value is None:
        return {"error": NO_TRANSFER}
    if isinstance(value, Mapping) and "type" in value and "destination" not in value:
        return {"destination": dict(value)}
    return _map(value)


def _pointing(address: str) -> dict[str, Any]:
    return {"squad" if address.startswith("Squad/") else "agent": address}


def _document(item: Any) -> Any:
    return {"content": item, "similarity": 1.0} if isinstance(item, str) else item


def _documents(value: Any) -> Any:
    """What a knowledge base's handler found: nothing, a text, several, or the whole answer."""
    found = [] if value is None else [value] if isinstance(value, str) else value
    return {"documents": [_document(item) for item in found]} if isinstance(found, (list, tuple)) else _map(value)


def _map(value: Any) -> Any:
    """The whole answer, as it is; anything else is a mistake of the handler."""
    if isinstance(value, Mapping) and value:
        return dict(value)
    return Failure("misused", f"the handler's value answers nothing: {type(value).__name__}")


def _parameters(body: bytes) -> dict[str, Any]:
    found = message_of(body).get("parameters")
    return found if isinstance(found, dict) else {}


def _query(body: bytes) -> dict[str, Any]:
    """What the caller said last, and everything that was said."""
    messages = message_of(body).get("messages")
    said = [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    asked = [str(m.get("content") or m.get("message") or "") for m in said if m.get("role") == "user"]
    return {"query": asked[-1] if asked else "", "messages": said}
