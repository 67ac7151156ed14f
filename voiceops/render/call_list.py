"""Calls as text, CSV and JSON: a list of them, and one as a timeline. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any

from voiceops.calls.ended_reasons import is_failure
from voiceops.calls.in_force import InForce
from voiceops.calls.record import CallRecord, Spoken, ToolUse
from voiceops.calls.shown_numbers import shown_number
from voiceops.model.instants import to_second
from voiceops.model.safe_text import one_line
from voiceops.model.wording import many
from voiceops.render.style import PLAIN, Style

_NOTHING = InForce()
COLUMNS = (
    "id",
    "agent",
    "assistantVersion",
    "revision",
    "phone",
    "direction",
    "startedAt",
    "endedAt",
    "endedReason",
    "durationSeconds",
    "cost",
    "toolCalls",
    "turnMs",
    "success",
)


def call_data(call: CallRecord, *, numbers: bool = False) -> dict[str, Any]:
    """A call in JSON's words. `toolCalls` is how many there were, `turnMs` the median of what the caller waited.

    `numbers`: the caller's number as it is kept, and not without its middle.
    """
    return {
        "id": call.id,
        "agent": call.agent or None,
        "assistantId": call.assistant_id or None,
        "assistantVersion": call.assistant_version or None,
        "revision": call.revision,
        "phone": call.phone or None,
        "direction": call.direction or None,
        "customer": (call.customer if numbers else shown_number(call.customer)) or None,
        "startedAt": date(call.started_at if call.started_at is not None else call.created_at),
        "endedAt": date(call.ended_at),
        "endedReason": call.reason or None,
        "durationSeconds": _rounded(call.duration, 3),
        "cost": call.cost,
        "toolCalls": len(call.tools),
        "turnMs": _rounded(median(call.turn_ms), 1) if call.turn_ms else None,
        "success": call.success,
        "failed": is_failure(call.reason),
        "transferred": call.transferred,
        "simulated": call.simulated,
    }


def call_details(call: CallRecord, in_force: InForce = _NOTHING, *, numbers: bool = False) -> dict[str, Any]:
    """The same with all that is known: costs by part, tools, turns, outputs, and by which manifests it was answered."""
    return call_data(call, numbers=numbers) | {
        "status": call.status or None,
        "costs": dict(call.costs),
        "interruptions": call.interruptions,
        "transferTo": call.transfer_to or None,
        "evaluation": call.evaluation or None,
        "summary": call.summary or None,
        "outputs": dict(call.outputs),
        "tools": [
            {
                "id": tool.id,
                "name": tool.name,
                "secondsFromStart": tool.at,
                "ms": tool.ms,
                "outcome": tool.outcome or None,
                "arguments": list(tool.arguments),
                "manifest": in_force.tool(tool) or None,
            }
            for tool in call.tools
        ],
        "turns": [
            {
                "role": turn.role,
                "secondsFromStart": turn.at,
                "seconds": turn.seconds,
                "text": turn.text,
                "waitedMs": turn.ms,
            }
            | _answered_by(turn, call, in_force)
            for turn in call.turns
        ],
        "manifests": dict(in_force.manifests),
        "prompts": dict(in_force.prompts),
    }


def _answered_by(turn: Spoken, call: CallRecord, in_force: InForce) -> dict[str, Any]:
    """Of an agent's answer: whose it is, of which version and revision, and by which prompt."""
    speaker = in_force.speaker(turn, call)
    if not speaker:
        return {}
    version = call.assistant_version if not turn.agent or turn.agent == call.assistant_id else ""
    return {
        "agent": speaker.partition("/")[2],
        "assistantVersion": version or None,
        "revision": call.revision,
        "prompt": in_force.prompts.get(speaker),
    }


def date(at: float | None) -> str | None:
    """Epoch seconds as ISO 8601, to the second."""
    return None if at is None else to_second(at)


def render_calls(calls: Iterable[CallRecord], style: Style = PLAIN) -> str:
    """A line a call: when, how long, who, where, how it ended, what it cost; the first characters of its id."""
    return "\n".join(_line(call, style) for call in calls) or "There are no such calls."


def _line(call: CallRecord, style: Style) -> str:
    failed = is_failure(call.reason)
    sign = style("✗", "red") if failed else style("✓", "green") if call.success else style("·", "dim")
    parts = [
        (date(call.began) or "").replace("T", " ").removesuffix("Z"),
        clock(call.duration) if call.duration is not None else "–",
        call.agent or "(no agent)",
        call.phone or call.direction or "–",
        call.reason or call.status or "–",
        many(len(call.tools), "tool") if call.tools else "",
        f"${call.cost:.3f}" if call.cost is not None else "",
        "simulated" if call.simulated else "",
        call.id[:8],
    ]
    return f"{sign} " + one_line(" · ".join(part for part in parts if part))


def render_call(call: CallRecord, style: Style = PLAIN, *, numbers: bool = False, in_force: InForce = _NOTHING) -> str:
    """One call: what is known of it, the manifests that it was answered by, and its conversation as a timeline."""
    about = call_data(call, numbers=numbers)
    head = [f"{style('Call', 'bold')} {one_line(call.id)}"]
    for title, value in (
        ("began", about["startedAt"]),
        ("lasted", clock(call.duration) if call.duration is not None else None),
        ("agent", _with(call.agent, call.assistant_version)),
        ("revision", call.revision),
        ("line", call.phone),
        ("direction", call.direction),
        ("caller", about["customer"]),
        ("ended", call.reason or call.status),
        ("transferred", call.transfer_to or ("yes" if call.transferred else None)),
        ("judged", None if call.success is None else f"{'good' if call.success else 'not good'} ({call.evaluation})"),
        ("cost", None if call.cost is None else f"${call.cost:.4f}{_costs(call)}"),
        ("summary", call.summary),
    ):
        if value not in (None, ""):
            head.append(f"  {title:<12} {one_line(str(value))}")
    for address, place in in_force.manifests.items():
        head.append(f"  {'manifest':<12} {one_line(f'{address}, {place}')}")
        if prompt := in_force.prompts.get(address):
            head.append(f"  {'prompt':<12} {one_line(prompt)}")
        if handler := in_force.handlers.get(address):
            head.append(f"  {'handler':<12} {one_line(handler)}")
    for name, value in call.outputs.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        head.append(f"  {'output':<12} {one_line(f'{name}: {shown}')}")
    lines = [text for _, text in sorted(_timeline(call, style, in_force), key=lambda item: item[0])]
    return "\n".join([*head, "", *(lines or ["Nothing of what was said is kept."])])


def _timeline(call: CallRecord, style: Style, in_force: InForce) -> Iterator[tuple[float, str]]:
    last, speaker = 0.0, f"Agent/{call.agent}"
    for item in _in_order(call):
        last = max(last, item.at) if item.at is not None else last
        at = style(f"{clock(last):>7}", "dim")
        if isinstance(item, ToolUse):
            wrong = item.outcome not in ("", "ok")
            shown = f"{item.name}({', '.join(item.arguments)})"
            ended = f" {item.outcome}" if item.outcome else ""
            took = f" in {item.ms:.0f} ms" if item.ms is not None else ""
            text = style(f"tool    {one_line(shown)}{one_line(ended)}{took}", "red" if wrong else "cyan")
        else:
            now = in_force.speaker(item, call)
            if now and now != speaker:
                speaker = now
                place = in_force.prompts.get(now) or in_force.manifests[now]
                yield last, style(f"{'':>7}  {one_line(now)} speaks, {one_line(place)}", "dim")
            waited = style(f" (waited {item.ms:.0f} ms)", "dim") if item.ms is not None else ""
            text = f"{item.role:<7} {one_line(item.text) or style('(not kept)', 'dim')}{waited}"
        yield last, f"{at}  {text}"


def _in_order(call: CallRecord) -> list[Spoken | ToolUse]:
    items: list[Spoken | ToolUse] = [*call.turns, *call.tools]
    return sorted(items, key=lambda item: item.at if item.at is not None else float("inf"))


def calls_csv(calls: Iterable[CallRecord]) -> str:
    """One row a call, with the columns that JSON has. A cell that a spreadsheet would run gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for call in calls:
        data = call_data(call)
        writer.writerow([cell(data[column]) for column in COLUMNS])
    return out.getvalue()


def cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value


def clock(seconds: float) -> str:
    """1:05 of 65 seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _with(name: str, version: str) -> str:
    return f"{name} ({version})" if name and version else name or version


def _costs(call: CallRecord) -> str:
    parts = sorted(call.costs.items(), key=lambda item: -item[1])
    return f" ({', '.join(f'{name} ${cost:.4f}' for name, cost in parts)})" if parts else ""


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
