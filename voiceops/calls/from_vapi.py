"""Vapi's calls and messages as calls of ours. Pure, and lenient: what a message lacks or garbles is not known.

The shapes: `Call` of `GET /call`, and the server messages `status-update` and `end-of-call-report`.
https://docs.vapi.ai/api-reference/calls/get, https://docs.vapi.ai/server-url/events
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from voiceops.calls.ended_reasons import is_transfer
from voiceops.calls.judgement import judged
from voiceops.calls.record import CallRecord, Spoken, ToolUse, ToolValues
from voiceops.model.instants import instant_of
from voiceops.model.json_in import as_list, as_map

_DIRECTIONS = {
    "inboundPhoneCall": "inbound",
    "outboundPhoneCall": "outbound",
    "webCall": "web",
    "vapi.websocketCall": "web",
}
_SPEAKERS = {"bot": "agent", "assistant": "agent", "user": "caller"}
TOLD_BY = ("status-update", "end-of-call-report")  # the messages that tell of a call
SIMULATED = "voiceopsSimulated"  # in the metadata of calls that `simulate` plays
_SPOKEN = 50_000  # characters of what is said at once, that are kept
_DEEPEST = 20  # maps and lists within each other, of a structured output
_LATEST = 4_102_444_800.0  # the year 2100
# Of `costBreakdown`: what is money, under the words that `costs` has for it.
_PARTS = {
    "transport": "transport",
    "stt": "transcriber",
    "llm": "model",
    "tts": "voice",
    "vapi": "vapi",
    "chat": "chat",
}


def call_of(data: Mapping[str, Any]) -> CallRecord | None:
    """A call of Vapi's list, or one inside a message; None where it has no id."""
    id_ = _text(data.get("id"))
    return _told(id_, data, {}) if id_ else None


def call_told_by(message: Mapping[str, Any]) -> CallRecord | None:
    """What a server message tells of its call; None where it tells of none."""
    if message.get("type") not in TOLD_BY:
        return None
    call = as_map(message.get("call"))
    id_ = _text(call.get("id"))
    return _told(id_, call, message) if id_ else None


def tool_values(data: Mapping[str, Any]) -> dict[str, ToolValues]:
    """What the tools of a call of Vapi's were asked and what they answered, by the tool call's id.

    They are for the moment: a record of ours has the names of arguments alone.
    """
    messages = [
        as_map(item) for item in as_list(as_map(data.get("artifact")).get("messages")) or as_list(data.get("messages"))
    ]
    answers = {
        _text(item.get("toolCallId")): _answered(item)
        for item in messages
        if item.get("role") in ("tool_call_result", "tool")
    }
    found: dict[str, ToolValues] = {}
    for item in messages:
        for called in map(as_map, as_list(item.get("toolCalls") or item.get("tool_calls"))):
            raw = as_map(called.get("function")).get("arguments", called.get("parameters"))
            given = _parsed(raw)
            arguments = {_text(key): _plain(value) for key, value in list(given.items())[:100]}
            garbled = not arguments and raw not in (None, "", "{}", {})
            id_ = _text(called.get("id"))
            found[id_] = ToolValues(None if garbled else arguments, answers.get(id_))
    return found


def variable_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """What stood for `{{name}}` in a call of Vapi's: texts and numbers alone."""
    artifact, overrides = as_map(data.get("artifact")), as_map(data.get("assistantOverrides"))
    found = {**as_map(artifact.get("variableValues")), **as_map(overrides.get("variableValues"))}
    return {_text(name): _plain(value) for name, value in found.items() if isinstance(value, str | int | float)}


def _answered(result: Mapping[str, Any]) -> str:
    said = result.get("result", result.get("content", ""))
    return _storable(said if isinstance(said, str) else json.dumps(_plain(said)), _SPOKEN)


def _told(id_: str, call: Mapping[str, Any], message: Mapping[str, Any]) -> CallRecord:
    """From a call, and from a message beside it, which is newer where both say something."""

    def first(*keys: str) -> Any:
        return next((found[key] for key in keys for found in (message, call) if found.get(key) is not None), None)

    analysis, artifact = as_map(first("analysis")), as_map(first("artifact"))
    performance = as_map(artifact.get("performanceMetrics"))
    customer, phone = as_map(first("customer")), as_map(first("phoneNumber"))
    assistant, costs = as_map(first("assistant")), _costs(first("costs"), first("costBreakdown"))
    status = _text(first("status"))
    ended = _when(first("endedAt"))
    sent = _when(message.get("timestamp"))
    if message.get("type") == "status-update" and status == "ended" and ended is None:
        ended = sent
    started = _when(first("startedAt"))
    if message.get("type") == "status-update" and status == "in-progress" and started is None:
        started = sent
    if message.get("type") == "end-of-call-report":
        status = "ended"
    reason = _text(first("endedReason"))
    transfers = as_list(artifact.get("transfers"))
    destination = as_map(first("destination"))
    messages = as_list(artifact.get("messages")) or as_list(call.get("messages"))
    waited = tuple(ms for item in as_list(performance.get("turnLatencies")) if (ms := _wait(item)) is not None)
    ended_here = bool(reason) or ended is not None
    return CallRecord(
        id=id_,
        agent=_text(assistant.get("name")),
        assistant_id=_text(first("assistantId")) or _text(assistant.get("id")),
        assistant_version=_text(first("assistantVersion")),
        phone=_text(phone.get("number")) or _text(phone.get("sipUri")),
        phone_id=_text(first("phoneNumberId")) or _text(phone.get("id")),
        direction=_DIRECTIONS.get(_text(call.get("type")), ""),
        customer=_text(customer.get("number")) or _text(customer.get("sipUri")),
        created_at=_when(call.get("createdAt")),
        started_at=started,
        ended_at=ended,
        status=status,
        reason=reason,
        cost=_money(first("cost")),
        costs=costs,
        success=judged(analysis.get("successEvaluation")),
        evaluation=_spelled(analysis.get("successEvaluation")),
        summary=_text(analysis.get("summary"), _SPOKEN),
        outputs=_plain(dict(_outputs(artifact, analysis))),
        interruptions=_count(performance.get("numAssistantInterrupted")),
        transferred=(True if is_transfer(reason) or transfers or destination else False if ended_here else None),
        transfer_to=_where_to(transfers, destination),
        turns=tuple(_turns(messages, waited)),
        tools=tuple(_tools(messages)),
        turn_ms=waited,
        simulated=as_map(call.get("metadata")).get(SIMULATED) is True,
    )


def _turns(messages: Sequence[Any], waited: Sequence[float]) -> Iterator[Spoken]:
    """What was said, in order. The n-th wait belongs to the n-th answer of the agent to the caller."""
    waits, spoke = iter(waited), False
    for item in messages:  # the part of a long call's report that costs: no function is called that need not be
        said_by = item.get("role") if isinstance(item, dict) else None
        role = _SPEAKERS.get(said_by) if isinstance(said_by, str) else None
        if role is None:
            continue
        answers = role == "agent" and spoke
        spoke = role == "caller"
        yield Spoken(
            role=role,
            at=_number(item.get("secondsFromStart")),
            seconds=_seconds(item),
            text=_text(item.get("message"), _SPOKEN) or _text(item.get("content"), _SPOKEN),
            ms=next(waits, None) if answers else None,
            agent=_text(item.get("assistantId")) if role == "agent" else "",
        )


def _tools(messages: Sequence[Any]) -> Iterator[ToolUse]:
    """Every tool call with its end, where the conversation holds one."""
    results = {
        _text(item.get("toolCallId")): item
        for item in map(as_map, messages)
        if item.get("role") in ("tool_call_result", "tool") and item.get("toolCallId")
    }
    for item in map(as_map, messages):
        asked = item.get("toolCalls") or item.get("tool_calls")
        if not asked:
            continue
        for called in map(as_map, as_list(asked)):
            id_, function = _text(called.get("id")), as_map(called.get("function"))
            result = as_map(results.get(id_))
            began, ended = _number(item.get("secondsFromStart")), _number(result.get("secondsFromStart"))
            ms = None if began is None or ended is None else round(max(0.0, ended - began) * 1000, 1)
            yield ToolUse(
                id=id_,
                name=_text(function.get("name")) or _text(called.get("name")),
                at=began,
                ms=ms,
                outcome=_outcome(result) if result else "",
                arguments=_argument_names(function.get("arguments", called.get("parameters"))),
            )


def _outcome(result: Mapping[str, Any]) -> str:
    """Vapi marks a tool that failed in the result's metadata, or by a text that begins with the word."""
    said = _text(result.get("result")).lstrip().casefold()
    failed = bool(result.get("error")) or bool(as_map(result.get("metadata")).get("error"))
    return "failed" if failed or said.startswith(("error", "tool error", "failed")) else "ok"


def _argument_names(given: Any) -> tuple[str, ...]:
    return tuple(_text(key) for key in list(_parsed(given))[:100])


def _parsed(given: Any) -> Mapping[str, Any]:
    """Arguments, which come as a map or as its JSON; nothing of anything else."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return {}
    return as_map(given)


def _outputs(artifact: Mapping[str, Any], analysis: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Structured outputs by name. `artifact.structuredOutputs` is `{id: {name, result}}`."""
    if isinstance(analysis.get("structuredData"), dict):
        yield "structuredData", analysis["structuredData"]
    for id_, item in as_map(artifact.get("structuredOutputs")).items():
        found = as_map(item)
        yield _text(found.get("name")) or _text(id_), found.get("result", item)


def _costs(items: Any, breakdown: Any) -> dict[str, float]:
    found: dict[str, float] = {}
    for item in map(as_map, as_list(items)):
        kind, cost = _text(item.get("type")), _money(item.get("cost"))
        if kind and cost is not None:
            found[kind] = found.get(kind, 0.0) + cost
    if found:
        return found
    money = ((name, _money(as_map(breakdown).get(key))) for key, name in _PARTS.items())
    return {name: cost for name, cost in money if cost is not None}


def _where_to(transfers: Sequence[Any], destination: Mapping[str, Any]) -> str:
    last = as_map(transfers[-1]) if transfers else {}
    to = as_map(last.get("destination")) or destination
    return next((_text(to.get(key)) for key in ("number", "sipUri", "assistantName", "assistantId") if to.get(key)), "")


def _wait(item: Any) -> float | None:
    ms = _number(as_map(item).get("turnLatency"))
    return ms if ms is not None and 0 <= ms < 3_600_000 else None


def _seconds(item: Mapping[str, Any]) -> float | None:
    begun, ended = _number(item.get("time")), _number(item.get("endTime"))
    if begun is not None and ended is not None and ended >= begun:
        return round((ended - begun) / 1000, 3)
    return None


def _when(value: Any) -> float | None:
    """Epoch seconds of a date in ISO 8601, or of milliseconds since 1970; None of a time that no call can have."""
    found = _number(value)
    if found is not None and found > 1e11:
        found /= 1000
    if found is None:
        found = instant_of(value)
    return found if found is not None and 0 <= found < _LATEST else None


def _money(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and 0 <= number < 1e6 else None


def _number(value: Any) -> float | None:
    """A finite number; a text that is one counts, too."""
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if number - number == 0 else None


def _count(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 <= number < 1e9 else None


def _spelled(value: Any) -> str:
    return _text(value if isinstance(value, str) else "" if value is None else json.dumps(_plain(value)))


def _text(value: Any, most: int = 300) -> str:
    """A text that every database takes, no longer than what a name or a number needs; nothing of anything else."""
    return _storable(value, most) if isinstance(value, str) else ""


def _storable(text: str, most: int) -> str:
    if len(text) > most:
        text = text[:most]
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _plain(value: Any, depth: int = 0) -> Any:
    """A JSON value that can be written: half characters, endless numbers and endless nesting are none."""
    if isinstance(value, str):
        return _storable(value, _SPOKEN)
    if isinstance(value, float) and value - value != 0:
        return None
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)[:40] if abs(value) < 10**40 else None
    if isinstance(value, (dict, list)) and depth >= _DEEPEST:
        return None
    if isinstance(value, dict):
        return {_storable(str(key), 300): _plain(item, depth + 1) for key, item in value.items()}
    return [_plain(item, depth + 1) for item in value] if isinstance(value, list) else value
