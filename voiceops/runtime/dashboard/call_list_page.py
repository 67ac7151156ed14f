"""The list of calls: filters in its address, the newest first, a page at a time."""

from __future__ import annotations

from voiceops.calls.ended_reasons import is_failure
from voiceops.calls.record import CallRecord
from voiceops.calls.shown_numbers import shown_number
from voiceops.model.wording import many
from voiceops.runtime.dashboard.asked import AskedCalls, link
from voiceops.runtime.dashboard.board import BoardReading
from voiceops.runtime.dashboard.frame import Frame, framed
from voiceops.runtime.dashboard.page_tables import PageTable, Shown
from voiceops.runtime.dashboard.words import NOTHING, clock, moment, money

_PAGE = 50
_NAME = 80  # characters of a name
CALL_HEADS = ("began, UTC", "ended", "agent", "line", "caller", "revision", "judged", "length", "tools", "cost")


def call_list(reading: BoardReading, frame: Frame, asked: AskedCalls) -> str:
    """The page; for the board's thread."""
    path = f"{frame.base}/calls"
    found = reading.store.listed(asked.wanted, _PAGE + 1, asked.before)
    calls, last = found[:_PAGE], found[_PAGE - 1] if len(found) > _PAGE else None
    return framed(
        frame,
        "calls.html.j2",
        "Calls",
        "/calls",
        path=path,
        fields={name: asked.fields.get(name, "") for name in _FIELDS},
        problems=asked.problems,
        said=many(reading.store.count(asked.wanted), "call"),
        table=PageTable(
            "Calls, the newest first", CALL_HEADS, [call_cells(call, frame.base) for call in calls], numbers=9
        ),
        newest=asked.link(path) if asked.before else "",
        older=asked.link(path, before=f"{last.began or 0.0!r},{last.id}") if last else "",
    )


_FIELDS = ("since", "until", "agent", "phone", "revision", "version", "text", "failed", "simulated")


def call_cells(call: CallRecord, base: str) -> list[Shown]:
    """The cells below CALL_HEADS."""
    failed, wrong = is_failure(call.reason), sum(tool.outcome not in ("", "ok") for tool in call.tools)
    tools = f"{len(call.tools)}" + (f" ({wrong} failed)" if wrong else "")
    ended = call.reason or call.status or NOTHING
    return [
        Shown(moment(call.began), link(f"{base}/call", id=call.id)),
        Shown(ended[:120] + (" · simulated" if call.simulated else ""), colour="bad" if failed else ""),
        Shown(_short(call.agent) or NOTHING, _link(f"{base}/agent", call.agent)),
        Shown(
            call.phone[:80] or call.direction or NOTHING, link(f"{base}/line", name=call.phone) if call.phone else ""
        ),
        Shown(shown_number(call.customer) or NOTHING),
        Shown(NOTHING if call.revision is None else f"r{call.revision}"),
        Shown(NOTHING if call.success is None else "good" if call.success else "not good"),
        Shown(clock(call.duration)),
        Shown(tools, colour="bad" if wrong else ""),
        Shown(money(call.cost)),
    ]


def _link(path: str, name: str) -> str:
    return link(path, name=name) if name else ""


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[:_NAME]}…"
