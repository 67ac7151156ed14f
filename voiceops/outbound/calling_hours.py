"""When a phone may ring: the hours of `calling:` in each time zone that the phone may be in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from voiceops.model.calling import DAYS, Calling

_AHEAD = 9  # days that are looked at: a week, and what zones differ by
_DAY = 24 * 60


class Opening(NamedTuple):
    """From when until when (epoch seconds); the end is not in it."""

    start: float
    end: float


@lru_cache(maxsize=4096)  # many people are in few zones
def next_opening(calling: Calling, zones: tuple[str, ...], at: float, *, needed: float = 0.0) -> Opening | None:
    """The first time from `at` on that is inside the hours in all of these zones, and lasts at least `needed` seconds;
    `start` is not before `at`. None: there is no such time, or no zone.

    Raises KeyError: a zone that this machine does not know.
    """
    if not zones:
        return None
    spans: list[Opening] | None = None
    for zone in zones:
        own = list(_openings(calling, ZoneInfo(zone), at))
        spans = own if spans is None else _in_both(spans, own)
    for start, end in _joined(spans or ()):
        if end - max(start, at) > needed:
            return Opening(max(start, at), end)
    return None


def _openings(calling: Calling, zone: ZoneInfo, at: float) -> Iterator[Opening]:
    first = datetime.fromtimestamp(at, UTC).date() - timedelta(days=1)
    for day in (first + timedelta(days=n) for n in range(_AHEAD + 1)):
        if DAYS[day.weekday()] not in calling.days:
            continue
        # Where the clock shows a time twice, or never: the later beginning and the earlier end.
        start = max(_moment(day, calling.start, zone, fold) for fold in (0, 1))
        end = min(_moment(day, calling.end, zone, fold) for fold in (0, 1))
        if at < end and start < end:
            yield Opening(start, end)


def _moment(day: date, minutes: int, zone: ZoneInfo, fold: int) -> float:
    if minutes == _DAY:
        day, minutes = day + timedelta(days=1), 0
    return datetime.combine(day, time(minutes // 60, minutes % 60, tzinfo=zone, fold=fold)).timestamp()


def _in_both(left: Iterable[Opening], right: Sequence[Opening]) -> list[Opening]:
    found = (Opening(max(a.start, b.start), min(a.end, b.end)) for a in left for b in right)
    return sorted(span for span in found if span.start < span.end)


def _joined(spans: Iterable[Opening]) -> Iterator[Opening]:
    """Spans that follow each other without a gap as one: hours of 00:00-24:00 never end."""
    last: Opening | None = None
    for span in spans:
        if last is not None and span.start <= last.end:
            last = Opening(last.start, max(last.end, span.end))
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last
