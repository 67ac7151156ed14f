"""What a call script makes of one answer: its text, whether it is a failure, and why.

A failure is whatever would leave somebody on the phone without what was asked for: an error's sentence, a fallback,
an answer that Vapi refuses, an answer too late. Knows the answers' forms; knows no scripts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from voiceops.runtime.handlers.decorators import ANSWERED, ASSISTANT, HANDOFF, KNOWLEDGE, TRANSFER
from voiceops.runtime.messages.answer_check import refused
from voiceops.runtime.messages.tool_calls import FAILED, MISUNDERSTOOD
from voiceops.runtime.spec import VAPI_PATIENCE, RuntimeSpec
from voiceops.simulate.sender import Answer

_ASSISTANT_PATIENCE = 7.5  # seconds that Vapi waits for the answer to an assistant-request
_TWILIO_PATIENCE = 15.0  # and Twilio for TwiML
_FALLBACK = "<!-- fallback -->"  # in the TwiML of a line whose agent could not be reached, see `lines`


@dataclass(frozen=True, slots=True)
class Verdict:
    """`failures` need a script that says `fails:`; a `refusal` one that says so, or states the answer."""

    text: str
    failures: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def failed(self) -> bool:
        """Did it fail, or refuse?"""
        return bool(self.failures or self.refusal)


def verdict_on_message(
    kind: str, answer: Answer, seconds: float, spec: RuntimeSpec, call: Mapping[str, str] | None = None
) -> Verdict:
    """An answer to one of Vapi's messages; `call` is the tool call's `id` and `name`, where it is one."""
    text = answer.body.decode("utf-8", "replace")
    if not answer.status:
        return Verdict(text, ("was not answered",))
    late = _late(seconds, patience(kind, spec, (call or {}).get("name", "")))
    if answer.status != 200:
        return Verdict(text, late)  # whoever plays says which status it is
    if kind == "tool-calls" and call is not None:
        said, failures = _result(answer.body, call["id"], call["name"], spec)
        return Verdict(said, (*failures, *late))
    if kind not in ANSWERED:
        return Verdict("" if text == "{}" else text, late)
    return _answered(kind, text, answer.headers.get("voiceops-outcome", ""), late, lenient=spec.allow_unknown)


def _answered(kind: str, text: str, outcome: str, late: tuple[str, ...], *, lenient: bool) -> Verdict:
    nobody = "nobody takes the call" if kind == ASSISTANT else "the answer is an error"
    failures = [f"{nobody}: the handler gave none ({outcome})"] if outcome else []
    refusal = ""
    if kind != "voice-request":
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return Verdict(text, (*failures, "the answer is no JSON", *late))
        wrong = refused(kind, data, allow_unknown=lenient)
        failures += [f"Vapi refuses the answer: {problem}" for problem in wrong[:5]]
        error = data.get("error") if isinstance(data, dict) else None
        if error and not failures:
            refusal = nobody
    return Verdict("" if text == "{}" else text, (*failures, *late), refusal)


def verdict_on_twiml(answer: Answer, seconds: float) -> Verdict:
    """An answer to Twilio's voice webhook."""
    text = answer.body.decode("utf-8", "replace")
    if not answer.status:
        return Verdict(text, ("was not answered",))
    late = _late(seconds, _TWILIO_PATIENCE)
    if answer.status != 200:
        return Verdict(text, late)
    if b"<!doctype" in answer.body.lower():  # entities, which Twilio has no use for
        return Verdict(text, ("the answer is no TwiML", *late))
    try:
        root = ElementTree.fromstring(answer.body)
    except (ElementTree.ParseError, ValueError):
        return Verdict(text, ("the answer is no TwiML", *late))
    if root.tag != "Response":
        return Verdict(text, ("the answer is no TwiML", *late))
    verbs = {element.tag for element in root.iter()}
    ends = "Hangup" in verbs and not verbs & {"Connect", "Dial"}
    failures = ["nobody takes the call" if ends else "the agent was not reached: the fallback answers"]
    return Verdict(text, (*(failures if _FALLBACK in text else ()), *late), "nobody takes the call" if ends else "")


def verdict_on_status(answer: Answer, seconds: float) -> Verdict:
    """An answer to Twilio's status callback."""
    text = answer.body.decode("utf-8", "replace")
    failures = _late(seconds, _TWILIO_PATIENCE) if answer.status else ("was not answered",)
    return Verdict(text, failures)


def patience(kind: str, spec: RuntimeSpec, tool: str = "") -> float:
    """The seconds after which an answer to this type of message is late."""
    if kind == ASSISTANT:
        return _ASSISTANT_PATIENCE
    if kind == "tool-calls":
        return _longest(spec, (item.timeout for item in spec.tools if item.name == tool))
    if kind in (TRANSFER, HANDOFF):
        type_ = "transferCall" if kind == TRANSFER else "handoff"
        return _longest(spec, (item.timeout for item in spec.tools if item.type == type_))
    if kind == KNOWLEDGE:
        return _longest(spec, (item.timeout for item in spec.agents if item.handler))
    return VAPI_PATIENCE


def _longest(spec: RuntimeSpec, timeouts: Iterable[float | None]) -> float:
    return max((spec.patience(timeout) for timeout in timeouts), default=spec.patience(None))


def _late(seconds: float, limit: float) -> tuple[str, ...]:
    return (f"came late: after {seconds:.1f} s, when {limit:g} s is the limit",) if seconds > limit else ()


def _result(body: bytes, id_: str, name: str, spec: RuntimeSpec) -> tuple[str, list[str]]:
    """A tool call's result and what is wrong with it. https://docs.vapi.ai/tools/custom-tools"""
    text = body.decode("utf-8", "replace")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return text, ["the answer is no JSON"]
    results = data.get("results") if isinstance(data, dict) else None
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        return text, ["the answer has no list of results"]
    ours = [item for item in results if item.get("toolCallId") == id_]
    failures = [f"holds a result of another call, {item.get('toolCallId')!r}" for item in results if item not in ours]
    if not ours:
        return text, [*failures, "there is no result for this call"]
    if len(ours) > 1:
        failures.append(f"there are {len(ours)} results for this call")
    entry = ours[0]
    if entry.get("name") != name:
        failures.append(f"the result is of {entry.get('name')!r}, not of {name!r}")
    said = entry.get("error") if entry.get("error") is not None else entry.get("result")
    failures += _unfit(said)
    if entry.get("error") is not None:
        failures.append(f"failed: {said}")
    elif isinstance(said, str) and said in _sentences(name, spec):
        failures.append(f"failed, and says so as its result: {said}")
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False), failures


def _unfit(said: Any) -> list[str]:
    """Why Vapi makes nothing of a result's text."""
    if not isinstance(said, str):
        return ["the result is missing" if said is None else f"the result is no text, but {type(said).__name__}"]
    if not said.strip():
        return ["the result is empty"]
    return ["the result has more than one line"] if len(said.splitlines()) > 1 else []


def _sentences(name: str, spec: RuntimeSpec) -> set[str]:
    """What a caller hears when the tool fails."""
    return {FAILED, MISUNDERSTOOD, *(tool.failure for tool in spec.tools if tool.name == name and tool.failure)}
