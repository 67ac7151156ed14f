"""What a handler's choice means: a name, a number, a map, or Vapi's own answer become what Vapi takes.

Names are the manifests'; Vapi gets live names, and ids where it wants those. Knows nothing of messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voiceops.manifest.problems import did_you_mean
from voiceops.runtime.handlers.invoke import Failure
from voiceops.runtime.messages.answer_check import is_id
from voiceops.runtime.messages.vapi_api import VapiApi
from voiceops.runtime.spec import LineSpec, RuntimeSpec

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


class Choices:
    """Reads what handlers choose among the agents and squads of one spec."""

    def __init__(self, spec: RuntimeSpec, api: VapiApi) -> None:
        self._spec = spec
        self._api = api
        self._agents = {agent.address: agent for agent in spec.agents}

    def agent(self, value: Any, line: LineSpec | None = None) -> dict[str, Any]:
        """A handler's choice as Vapi's answer, with `agent` or `squad` and an address where a name stood.

        A name or an id, a number or SIP address, a map with `agent` or `squad`, `variables` and `overrides`, or
        Vapi's own answer. Raises LookupError where it chooses nobody.
        """
        if value is None:
            return self._default(line)
        if isinstance(value, str):
            if (outside := _outside(value)) is not None:
                return {"destination": outside}
            return {"assistantId": value} if is_id(value) else pointing(self._address(value))
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
        return pointing(line.target)

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

    def transfer(self, value: Any) -> Any:
        """A number, a SIP address, an agent's name, a destination, or the whole answer. Raises LookupError."""
        if isinstance(value, str):
            if (outside := _outside(value)) is not None:
                return {"destination": outside}
            address = self._address(value)
            if not address.startswith("Agent/"):
                return Failure("misused", f"a call can be transferred to an agent, and not to {address}")
            return {"destination": {"type": "assistant", "assistantName": self._agents[address].name}}
        if isinstance(value, Mapping) and isinstance(value.get("agent"), str):  # and what Vapi says with it
            found = self.transfer(value["agent"])
            rest = {key: item for key, item in value.items() if key != "agent"}
            return found if isinstance(found, Failure) else {**rest, **found}
        return self._by_live_name(_as_destination(value))

    async def handoff(self, value: Any) -> Any:
        """An agent's or squad's name, a destination, or the whole answer. Raises LookupError, VapiFailed."""
        if isinstance(value, str):
            address = self._address(value)
            side, kind = ("squadId", "squad") if address.startswith("Squad/") else ("assistantId", "assistant")
            return {"destination": {"type": kind, side: await self._api.id_of(address)}}
        for key, side in _TARGETS.items():
            if isinstance(value, Mapping) and isinstance(value.get(key), str):
                found = await self.handoff(self._address(value[key], side))
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
    answer = whole_answer(value)
    destination = answer.get("destination") if isinstance(answer, dict) else None
    return {**answer, "destination": dict(destination)} if isinstance(destination, Mapping) else answer


def pointing(address: str) -> dict[str, Any]:
    """The choice of an agent or a squad by its address."""
    return {"squad" if address.startswith("Squad/") else "agent": address}


def with_stand_ins(choice: Mapping[str, Any]) -> dict[str, Any]:
    """The choice with some id where an address stands, whose id is not known yet: for a look at all the rest."""
    return {_RAW_ID.get(key, key): _SOME_ID if key in _RAW_ID else item for key, item in choice.items()}


def whole_answer(value: Any) -> Any:
    """The whole answer, as it is; anything else is a mistake of the handler."""
    if isinstance(value, Mapping) and value:
        return dict(value)
    return Failure("misused", f"the handler's value answers nothing: {type(value).__name__}")
