"""The overview: how the last day, week and month went, what failed last, and how the queue stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from markupsafe import Markup

from voiceops.calls.counting import ALL
from voiceops.calls.record import CallRecord
from voiceops.calls.store import CallFilter
from voiceops.calls.sums import Counts, Sums
from voiceops.model.wording import many
from voiceops.runtime.dashboard.asked import link
from voiceops.runtime.dashboard.board import BoardReading
from voiceops.runtime.dashboard.call_list_page import CALL_HEADS, call_cells
from voiceops.runtime.dashboard.charts import ChartSpan, RevisionMark, history
from voiceops.runtime.dashboard.figures import Figures
from voiceops.runtime.dashboard.frame import Frame, framed
from voiceops.runtime.dashboard.page_tables import FIGURES, PageTable, Shown, figures_of, turned
from voiceops.runtime.dashboard.words import duration, share

_HOUR, _DAY = 3600, 86_400
PERIODS = {"24h": (1, _HOUR), "7d": (7, 6 * _HOUR), "30d": (30, _DAY)}  # days, and seconds of a column
_NEWEST = 8
_COLUMNS = 100  # of a chart, at most
_WIDE, _NARROW = 860, 350
_LATE = 60.0  # seconds after which a message that waits is worth a look


@dataclass(frozen=True, slots=True)
class Chart:
    """Drawn twice, for a wide window and for a narrow one, and as a table for who sees none."""

    wide: Markup
    narrow: Markup
    table: PageTable
    revisions: str


def overview(reading: BoardReading, frame: Frame, figures: Figures, period: str) -> str:
    """The page; for the board's thread."""
    now = figures.now
    wholes: list[Sums] = []
    for days, _ in PERIODS.values():
        whole = Sums()
        for _, sums in reading.reports.cells(CallFilter(since=now - days * _DAY, until=now), ALL):
            whole.join(sums)
        wholes.append(whole)
    days, step = PERIODS[period]
    failed = reading.store.listed(CallFilter(failed=True), _NEWEST)
    return framed(
        frame,
        "overview.html.j2",
        "Overview",
        "",
        periods=[(name, link(frame.base, period=name), name == period) for name in PERIODS],
        period=period,
        tiles=_tiles(wholes[0], figures),
        chart=chart(reading, CallFilter(since=now - days * _DAY, until=now), now, step),
        figures=PageTable("How calls went", ("figure", *PERIODS), turned(FIGURES, map(figures_of, wholes))),
        failed=failed_table(failed, frame.base),
        all_failed=link(f"{frame.base}/calls", failed="1"),
        behind=reading.behind,
        again=link(frame.base, period=period, refresh="" if frame.refresh else "60"),
    )


def _tiles(day: Sums, figures: Figures) -> list[tuple[str, str, str]]:
    waiting, dead = (sum(getattr(one, name) for one in figures.queue) for name in ("waiting", "dead"))
    oldest = figures.oldest
    late = oldest is not None and oldest > _LATE
    return [
        ("Calls, 24 h", f"{day.calls:,}", ""),
        ("Failed", share(day.failed, day.calls), "bad" if day.calls and day.failed >= 0.05 * day.calls else "good"),
        ("Good, of those judged", share(day.good, day.judged), ""),
        (
            "Waiting in the queue",
            f"{waiting:,}" + (f", {duration(oldest)}" if oldest else ""),
            "warn" if late else "good",
        ),
        ("Dead letters", f"{dead:,}", "bad" if dead else "good"),
    ]


def failed_table(calls: Iterable[CallRecord], base: str) -> PageTable:
    """Calls that failed, as the list has them."""
    return PageTable("The newest calls that failed", CALL_HEADS, [call_cells(call, base) for call in calls], numbers=9)


def chart(reading: BoardReading, wanted: CallFilter, now: float, step: int) -> Chart:
    """Calls over time, with a mark where a revision came into force. `step`: seconds of a column, or more."""
    since = wanted.since if wanted.since is not None else now - 30 * _DAY
    until = min(now, wanted.until) if wanted.until is not None else now
    while (until - since) / step > _COLUMNS:
        step *= 2
    first, last = int(since) // step, int(until) // step
    found: dict[int, Counts] = defaultdict(Counts)
    for cell, sums in reading.reports.counts(replace(wanted, since=since, until=until), by_hour=step < _DAY):
        found[min(last, max(first, cell.start * _HOUR // step))].count(sums)
    spans = [_span(start * step, step, found[start]) for start in range(first, last + 1)]
    marks, shown = [], []
    before: int | None = None
    for revision, began in reading.reports.began(since):
        if before is not None:  # the first one was in force when this time began
            at = datetime.fromtimestamp(began, UTC).strftime("%b %-d %H:00")
            marks.append(
                RevisionMark((began - first * step) / step, f"r{revision}", f"revision {revision}: first call {at} UTC")
            )
            shown.append(f"r{revision} {at}")
        before = revision
    calls, failed = sum(span.calls for span in spans), sum(span.failed for span in spans)
    name = f"Calls over time: {many(calls, 'call')}, {failed:,} failed"
    unit = {_HOUR: "hour", _DAY: "day"}.get(step, f"{step // _HOUR} hours" if step < _DAY else f"{step // _DAY} days")
    return Chart(
        wide=history(name, spans, marks, _WIDE),
        narrow=history(name, spans, marks, _NARROW),
        table=PageTable(f"Calls by {unit}, UTC", ("from", "calls", "failed", "good"), _rows(spans)),
        revisions=", ".join(shown),
    )


def _span(start: int, step: int, tally: Counts) -> ChartSpan:
    at = datetime.fromtimestamp(start, UTC)
    name = at.strftime("%b %-d") if step >= _DAY else at.strftime("%H:00") if step == _HOUR else at.strftime("%a %H:00")
    return ChartSpan(name, tally.calls, tally.failed, tally.good / tally.judged if tally.judged else None)


def _rows(spans: Sequence[ChartSpan]) -> list[list[Shown]]:
    return [
        [
            Shown(span.name),
            Shown(f"{span.calls:,}"),
            Shown(f"{span.failed:,}"),
            Shown("–" if span.good is None else f"{span.good:.0%}"),
        ]
        for span in spans
    ]
