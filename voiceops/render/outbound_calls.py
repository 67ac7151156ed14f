"""Calls to people as text and JSON: what is going to happen, what is happening, and what came of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from voiceops.calls.record import CallRecord
from voiceops.calls.shown_numbers import shown_number
from voiceops.model.calling import Calling
from voiceops.model.safe_text import one_line
from voiceops.outbound.call_result import CallResult
from voiceops.outbound.order import Caller
from voiceops.outbound.planned_call import PlannedCall, hours
from voiceops.render.call_list import clock, date
from voiceops.render.style import PLAIN, Style

_WORDS = {
    "called": "called",
    "scheduled": "given to Vapi for later",
    "done": "called before",
    "not-called": "not called",
    "refused": "refused by Vapi",
    "unclear": "unclear",
    "left": "left",
}
_COLOURS = {"called": "green", "scheduled": "green", "refused": "red", "unclear": "red", "left": "yellow"}
_SHOWN = 500  # rows of a plan in text


def render_call_plan(
    caller: Caller, batch: str, calling: Calling, calls: Sequence[PlannedCall], style: Style = PLAIN
) -> str:
    """What would be done, a line a person; `batch` is empty of a single call."""
    on = f"{caller.line} ({caller.number})" if caller.number else caller.line
    head = f"{style(one_line(caller.agent), 'bold')} calls on {one_line(on)}, {hours(calling)} where the phone is"
    bounds = f"at most {calling.per_minute} a minute and {calling.max_concurrent} at once"
    lines = [f"{head}, {bounds}."]
    if batch:
        lines.append(f"Batch {one_line(batch)}: nobody is called twice in it.")
    lines.append("")
    lines += [_planned(call, style) for call in calls[:_SHOWN]]
    if len(calls) > _SHOWN:
        lines.append(f"… and {len(calls) - _SHOWN} more.")
    if len(calls) > 1:
        lines += ["", plan_summary(calls)]
    return "\n".join(lines)


def plan_summary(calls: Sequence[PlannedCall]) -> str:
    """How many would be called now, later, and not."""
    words = (
        ("call", "to call now"),
        ("later", "to give to Vapi for later"),
        ("look", "to look for at Vapi first"),
        ("done", "called before"),
        ("not", "not to be called"),
    )
    counts = {step: sum(call.step == step for call in calls) for step, _ in words}
    return f"{len(calls)} people: " + ", ".join(f"{counts[step]} {word}" for step, word in words if counts[step]) + "."


def _planned(call: PlannedCall, style: Style) -> str:
    match call.step:
        case "call":
            what = style("call now", "green")
        case "later":
            what = f"call at {date(call.opening.start if call.opening else None)}{_zone(call)}"
        case "look":
            what = style("cut off before: looked for at Vapi, then called", "yellow")
        case "done":
            what = style(f"called before{f': {call.reason}' if call.reason else ''}", "dim")
        case _:
            what = style(f"not called: {one_line(call.reason)}", "dim" if call.meant else "red")
    return f"  {_who(call)}  {what}"


def _zone(call: PlannedCall) -> str:
    if not call.zones:
        return ""
    return f" ({call.zones[0]})" if len(call.zones) == 1 else f" ({len(call.zones)} time zones)"


def _who(call: PlannedCall) -> str:
    place = call.person.place
    at = f"{place.place} " if place.file != "--to" else ""
    return f"{one_line(at)}{one_line(shown_number(call.person.number or call.person.given))}"


def render_result(result: CallResult, style: Style = PLAIN) -> str:
    """What came of one person, in a line."""
    word = style(_WORDS[result.result], *([_COLOURS[result.result]] if result.result in _COLOURS else []))
    parts = [f"{_who(result.plan)}  {word}"]
    if result.result == "scheduled":
        parts.append(f"at {date(result.at)}")
    if result.call:
        parts.append(f"· {one_line(result.call)}")
    if result.ended:
        parts.append(f"· {_ending(result.ended, result.seconds, result.cost)}")
    elif result.reason:
        parts.append(f"· {one_line(result.reason)}")
    return " ".join(parts)


def render_results(results: Sequence[CallResult]) -> str:
    """How many of each, in a line."""
    counts = {word: sum(result.result == word for result in results) for word in _WORDS}
    listed = ", ".join(f"{count} {_WORDS[word]}" for word, count in counts.items() if count)
    ends: dict[str, int] = {}
    for result in results:
        if result.ended:
            ends[result.ended] = ends.get(result.ended, 0) + 1
    ended = ", ".join(f"{one_line(reason)} {count}" for reason, count in sorted(ends.items(), key=lambda i: -i[1]))
    return f"{len(results)} people: {listed}." + (f"\nEnded: {ended}." if ended else "")


def render_status(call: CallRecord) -> str:
    """How a call that is followed stands."""
    if call.status != "ended":
        return one_line(call.status or "unknown")
    return _ending(call.reason, call.duration, call.cost)


def _ending(reason: str, seconds: float | None, cost: float | None) -> str:
    parts = [f"ended: {reason or 'no reason told'}"]
    if seconds is not None:
        parts.append(clock(seconds))
    if cost is not None:
        parts.append(f"${cost:.4f}")
    return one_line(", ".join(parts))


def plan_data(call: PlannedCall) -> dict[str, Any]:
    """One person of a plan for JSON."""
    return _person(call) | {
        "step": call.step,
        "at": date(call.opening.start) if call.opening is not None and call.step == "later" else None,
        "timeZones": list(call.zones),
        "reason": call.reason or None,
    }


def result_data(result: CallResult) -> dict[str, Any]:
    """What came of one person, for JSON."""
    return _person(result.plan) | {
        "result": result.result,
        "call": result.call or None,
        "at": date(result.at),
        "reason": result.reason or None,
        "endedReason": result.ended or None,
        "durationSeconds": None if result.seconds is None else round(result.seconds, 3),
        "cost": result.cost,
    }


def _person(call: PlannedCall) -> dict[str, Any]:
    place = call.person.place
    from_file = place.file != "--to"
    return {
        "file": place.file if from_file else None,
        "line": place.line if from_file else None,
        "number": shown_number(call.person.number or call.person.given),
    }


def left_of(results: Iterable[CallResult]) -> int:
    """How many are still to be called."""
    return sum(result.result == "left" for result in results)
