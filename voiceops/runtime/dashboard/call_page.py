"""One call: what is known of it, and its conversation as a timeline. Pure but for the drawing of its template."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from voiceops.calls.ended_reasons import is_failure
from voiceops.calls.record import CallRecord, Spoken, ToolUse
from voiceops.calls.shown_numbers import shown_number
from voiceops.runtime.dashboard.asked import link
from voiceops.runtime.dashboard.frame import Frame, framed
from voiceops.runtime.dashboard.page_tables import PageTable, Shown
from voiceops.runtime.dashboard.words import clock, moment, money, ms
from voiceops.runtime.json_text import dumps

_LONG = 1_200  # characters that are shown of what was said; the rest is there to be opened
_SLOW = 2_000.0  # milliseconds that a caller notices
_MOST = 3_000  # entries of one page


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened in a call. `colour` is a class of the style sheet."""

    at: str
    who: str
    colour: str
    text: str
    rest: str = ""  # of a long text
    waited: str = ""
    slow: bool = False


def call_page(frame: Frame, call: CallRecord) -> str:
    """The page."""
    entries = _timeline(call)
    return framed(
        frame,
        "call.html.j2",
        f"Call {call.id[:8]}",
        "/calls",
        call=call.id,
        failed=is_failure(call.reason),
        facts=_facts(call, frame.base),
        costs=PageTable(
            "Cost by part",
            ("part", "cost"),
            [[Shown(name), Shown(money(cost))] for name, cost in sorted(call.costs.items(), key=lambda one: -one[1])],
        ),
        outputs=[
            (name, value if isinstance(value, str) else dumps(value).decode()) for name, value in call.outputs.items()
        ],
        summary=call.summary,
        entries=entries[:_MOST],
        more=max(0, len(entries) - _MOST),
    )


def _facts(call: CallRecord, base: str) -> list[tuple[str, Shown]]:
    judged = "" if call.success is None else "good" if call.success else "not good"
    if judged and call.evaluation:
        judged += f" ({call.evaluation[:200]})"
    transferred = shown_number(call.transfer_to)
    found = [
        ("Began", Shown(f"{moment(call.began)} UTC" if call.began is not None else "")),
        ("Lasted", Shown(clock(call.duration) if call.duration is not None else "")),
        ("Ended", Shown(call.reason or call.status, colour="bad" if is_failure(call.reason) else "")),
        ("Agent", Shown(call.agent, link(f"{base}/agent", name=call.agent))),
        (
            "Version",
            Shown(call.assistant_version, link(f"{base}/calls", agent=call.agent, version=call.assistant_version)),
        ),
        (
            "Revision",
            Shown(
                "" if call.revision is None else f"{call.revision}", link(f"{base}/calls", revision=f"{call.revision}")
            ),
        ),
        ("Line", Shown(call.phone, link(f"{base}/line", name=call.phone))),
        ("Direction", Shown(call.direction)),
        ("Caller", Shown(shown_number(call.customer))),
        ("Judged", Shown(judged)),
        (
            "Waited for an answer",
            Shown(f"{ms(median(call.turn_ms))} in the middle, {ms(max(call.turn_ms))} at most")
            if call.turn_ms
            else Shown(""),
        ),
        ("Interrupted by the caller", Shown("" if call.interruptions is None else _times(call.interruptions))),
        ("Transferred", Shown(transferred or ("yes" if call.transferred else ""))),
        ("Cost", Shown("" if call.cost is None else money(call.cost))),
        ("Simulated", Shown("yes" if call.simulated else "")),
    ]
    return [(name, cell) for name, cell in found if cell.text]


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _timeline(call: CallRecord) -> list[TimelineEntry]:
    entries = list(_entries(call))
    if call.transferred or call.transfer_to:
        to = shown_number(call.transfer_to)
        entries.append(TimelineEntry("", "transfer", "tool", f"The call went on with {to or 'somebody else'}."))
    if call.reason:
        at = "" if call.duration is None else clock(call.duration)
        entries.append(TimelineEntry(at, "end", "bad" if is_failure(call.reason) else "quiet", call.reason))
    return entries


def _entries(call: CallRecord) -> Iterator[TimelineEntry]:
    items: list[Spoken | ToolUse] = [*call.turns, *call.tools]
    items.sort(key=lambda item: item.at if item.at is not None else float("inf"))
    for item in items:
        at = "" if item.at is None else clock(item.at)
        slow = item.ms is not None and item.ms > _SLOW
        if isinstance(item, ToolUse):
            wrong = item.outcome not in ("", "ok")
            shown = f"{item.name}({', '.join(item.arguments)})"
            text = f"{shown[:_LONG]} – {item.outcome or 'no outcome known'}"
            waited = "" if item.ms is None else f"took {ms(item.ms)}"
            yield TimelineEntry(at, "tool", "bad" if wrong else "tool", text, "", waited, slow)
        else:
            waited = "" if item.ms is None else f"waited {ms(item.ms)}"
            text, rest = item.text[:_LONG], item.text[_LONG:]
            yield TimelineEntry(at, item.role, item.role, text or "(not kept)", rest, waited, slow)
