"""The other messages whose answer Vapi waits for: which agent, which destination, which documents.

Turns what a handler gives into what Vapi takes; whatever fails, there is an answer in time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from voiceops.manifest.problems import did_you_mean
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
from voiceops.runtime.messages.answer_check import is_id, refused
from voiceops.runtime.messages.directory import Directory
from voiceops.runtime.messages.vapi_api import VapiApi, VapiFailed
from voiceops.runtime.observe.observer import Observer
from voiceops.runtime.spec import LineSpec, RuntimeSpec, ToolSpec
from voiceops.runtime.vapi_messages import Message

UNAVAILABLE = "I am sorry, nobody can take this call right now. Please call again later."
NO_TRANSFER = "I am sorry, I can't connect you just now."

_TARGETS = {"agent": "Agent", "squad": "Squad"}
_RAW = ("assistantId", "assistant", "squadId", "squad", "workflowId", "workflow", "destination", "error")
# Where a manifest's name may stand in a handler's choice, and what it becomes.
_NAMED = {
    "agent": ("agent", "Agent"),
    "assistant": ("agent", "Agent"),
    "assistantId": ("agent", "Agent"),
    "assistantName": ("agent", "Agent"),
    "squad": ("squad", "Squad"),
    "squadId": ("squad", "Squad"),
}
_RAW_ID = {"agent": "assistantId", "squad": "squadId"}
_SOME_ID = "00000000-0000-4000-8000-000000000000"


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
        self._agents = {agent.address: agent for agent in spec.agents}
        self._decorated = {name: handler_of(function) for name, function in handlers.registry.answers.items()}

    def knows(self, kind: str) -> bool:
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
        if isinstance(answer, Mapping) and (
            wrong := refused(kind, answer, allow_unknown=self._spec.allow_unknown, ids=self._api.known_ids)
        ):
            more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
            return Failure("misused", without_values(f"Vapi would refuse it: {'; '.join(wrong[:3])}{more}", {}))
        return answer

    async def _answer(self, kind: str, message: Message, body: bytes, line: LineSpec | None, started: float) -> Any:
        handler, seconds, arguments = await self._handler(kind, message, body, line)
        until = started + seconds
        if handler is None:
            if kind == ASSISTANT and line is not None and line.target:
                return await self._within(self._target(line.target), until)
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
                    return self._transfer(value)
                except LookupError as error:
                    return Failure("misused", str(error))
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
        handler = self._handlers.get(line.handler) or (None if line.target else self._decorated.get(ASSISTANT))
        if handler is None:
            return _pointing(line.target) if line.target else Failure("missing", "no agent, no squad, no handler")
        value = await self._invoker.invoke(handler, call, {}, seconds)
        if isinstance(value, Failure):
            return value
        try:
            chosen = self._chosen(value, line)
        except LookupError as error:
            return Failure("misused", str(error))
        # The ids of agents are looked up when the call is made; the rest is looked at here.
        stand_in = {_RAW_ID.get(key, key): _SOME_ID if key in _RAW_ID else item for key, item in chosen.items()}
        wrong = self._checked(ASSISTANT, stand_in)
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

    async def _target(self, address: str) -> dict[str, Any]:
        return await self._api.resolved(_pointing(address))

    async def _assistant(self, value: Any, line: LineSpec | None) -> Any:
        return await self._api.resolved(self._chosen(value, line))

    def _chosen(self, value: Any, line: LineSpec | None = None) -> dict[str, Any]:
        """A handler's choice as Vapi's answer, with `agent` or `squad` and an address where a name stood.

        A name or an id, a number or SIP address, a map with `agent` or `squad`, `variables` and `overrides`, or
        Vapi's own answer. Raises LookupError where it chooses nobody.
        """
        if value is None:
            return self._default(line)
        if isinstance(value, str):
            if (outside := _outside(value)) is not None:
                return {"destination": outside}
            return {"assistantId": value} if is_id(value) else _pointing(self._address(value))
        if not isinstance(value, Mapping):
            raise LookupError(f"a handler's choice is a name or a map, not {type(value).__name__}")
        body = dict(value)
        for key, (target, kind) in _NAMED.items():
            named = body.get(key)
            if isinstance(named, str):
                del body[key]
                if any(other in body for other in (*_TARGETS, *_RAW_ID.values())):
                    raise LookupError(f"the handler chose two: {key} is one of them")
                body[_RAW_ID[target] if is_id(named) else target] = (
                    named if is_id(named) else self._address(named, kind)
                )
            elif key in _TARGETS and named is not None and not (key == "squad" and isinstance(named, Mapping)):
                raise LookupError(f"{key} must be a name, not {type(named).__name__}")
        if not any(key in body for key in (*_TARGETS, *_RAW)):
            body |= self._default(line, body)
        return _with_overrides(body)

    def _default(self, line: LineSpec | None, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Whom the line leads to when the handler chooses nobody. Raises LookupError."""
        if line is None or not line.target:
            keys = f": it gave {', '.join(map(str, given))}" if given else ""
            raise LookupError(f"the handler chose nobody{keys}")
        return _pointing(line.target)

    def _address(self, text: str, kind: str = "") -> str:
        """The address that a name in a handler's choice means, of this kind where one is given. Raises LookupError."""
        for candidate in (text, *(f"{side}/{text}" for side in ([kind] if kind else _TARGETS.values()))):
            if candidate in self._agents and candidate.startswith(f"{kind}/" if kind else ""):
                return candidate
        named = [
            a.address for a in self._spec.agents if a.name == text and a.address.startswith(f"{kind}/" if kind else "")
        ]
        if named:
            return named[0]
        wanted = {"Agent": "agent", "Squad": "squad"}.get(kind, "agent or squad")
        known = [
            address.partition("/")[2] for address in self._agents if address.startswith(f"{kind}/" if kind else "")
        ]
        raise LookupError(
            " ".join(part for part in (f"there is no {wanted} {text!r}.", did_you_mean(text, known)) if part)
        )

    def _transfer(self, value: Any) -> Any:
        """A number, a SIP address, an agent's name, a destination, or the whole answer. Raises LookupError."""
        if isinstance(value, str):
            if (outside := _outside(value)) is not None:
                return {"destination": outside}
            address = self._address(value)
            if not address.startswith("Agent/"):
                return Failure("misused", f"a call can be transferred to an agent, and not to {address}")
            return {"destination": {"type": "assistant", "assistantName": self._agents[address].name}}
        if isinstance(value, Mapping) and isinstance(value.get("agent"), str):  # and what Vapi says with it
            found = self._transfer(value["agent"])
            rest = {key: item for key, item in value.items() if key != "agent"}
            return found if isinstance(found, Failure) else {**rest, **found}
        return self._by_live_name(_as_destination(value))

    async def _handoff(self, value: Any) -> Any:
        """An agent's or squad's name, a destination, or the whole answer. Raises LookupError, VapiFailed."""
        if isinstance(value, str):
            address = self._address(value)
            side, kind = ("squadId", "squad") if address.startswith("Squad/") else ("assistantId", "assistant")
            return {"destination": {"type": kind, side: await self._api.id_of(address)}}
        for key, side in _TARGETS.items():
            if isinstance(value, Mapping) and isinstance(value.get(key), str):
                found = await self._handoff(self._address(value[key], side))
                return {**{name: item for name, item in value.items() if name != key}, **found}
        answer = self._by_live_name(_as_destination(value))
        destination = answer.get("destination") if isinstance(answer, dict) else None
        if isinstance(destination, dict):
            for key, kind in (("assistantId", "Agent"), ("squadId", "Squad")):
                named = destination.get(key)
                if isinstance(named, str) and not is_id(named):
                    destination[key] = await self._api.id_of(self._address(named, kind))
        return answer

    def _by_live_name(self, answer: Any) -> Any:
        """A destination's `assistantName` may be a manifest's: Vapi knows the live one. Raises LookupError."""
        destination = answer.get("destination") if isinstance(answer, dict) else None
        if not isinstance(destination, dict) or not isinstance(named := destination.get("assistantName"), str):
            return answer
        live = self._agents[self._address(named, "Agent")].name
        return {**answer, "destination": {**destination, "assistantName": live}}


def _outside(text: str) -> dict[str, Any] | None:
    """The destination that a phone number or a SIP address means."""
    if text.startswith("+"):
        return {"type": "number", "number": text}
    return {"type": "sip", "sipUri": text} if text.lower().startswith(("sip:", "sips:")) else None


def _with_overrides(body: dict[str, Any]) -> dict[str, Any]:
    """`overrides` and `variables` under the name that Vapi has for them. Raises LookupError on what is no map."""
    side = "squadOverrides" if "squad" in body or "squadId" in body else "assistantOverrides"
    for key in ("overrides", "variables", side):
        if key in body and body[key] is not None and not isinstance(body[key], Mapping):
            raise LookupError(f"{key} must be a map, not {type(body[key]).__name__}")
    overrides, variables = body.pop("overrides", None), body.pop("variables", None)
    if not overrides and not variables:
        return body
    whole = {**(body.get(side) or {}), **(overrides or {})}
    if variables:
        known = whole.get("variableValues")
        whole["variableValues"] = {**(known if isinstance(known, Mapping) else {}), **variables}
    return {**body, side: whole}


def _as_destination(value: Any) -> Any:
    if value is None:
        return {"error": NO_TRANSFER}
    if isinstance(value, Mapping) and "type" in value and "destination" not in value:
        return {"destination": dict(value)}
    answer = _map(value)
    destination = answer.get("destination") if isinstance(answer, dict) else None
    return {**answer, "destination": dict(destination)} if isinstance(destination, Mapping) else answer


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
