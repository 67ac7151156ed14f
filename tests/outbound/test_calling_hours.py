"""Hours in one time zone, in several at once, over weekends and where clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from voiceops.model.calling import Calling, clock, hours_of
from voiceops.outbound.calling_hours import next_opening

BERLIN, NEW_YORK, HONOLULU = "Europe/Berlin", "America/New_York", "Pacific/Honolulu"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def opening(calling: Calling, zones: tuple[str, ...], now: str, needed: float = 60.0) -> tuple[str, str] | None:
    found = next_opening(calling, zones, at(now), needed=needed)
    if found is None:
        return None
    start, end = (datetime.fromtimestamp(moment, UTC).isoformat()[:16] for moment in found)
    return start, end


NINE_TO_EIGHT = Calling()
CASES = [
    # inside: from now on
    (NINE_TO_EIGHT, (BERLIN,), "2026-06-15T10:30", ("2026-06-15T10:30", "2026-06-15T18:00")),
    # before and after it, the same day and the next
    (NINE_TO_EIGHT, (BERLIN,), "2026-06-15T03:00", ("2026-06-15T07:00", "2026-06-15T18:00")),
    (NINE_TO_EIGHT, (BERLIN,), "2026-06-15T18:00", ("2026-06-16T07:00", "2026-06-16T18:00")),
    # too little of it is left
    (NINE_TO_EIGHT, (BERLIN,), "2026-06-15T17:59:30", ("2026-06-16T07:00", "2026-06-16T18:00")),
    # inside in both: nine in New York (13:00 UTC) until eight in Berlin (18:00 UTC)
    (NINE_TO_EIGHT, (BERLIN, NEW_YORK), "2026-06-15T08:00", ("2026-06-15T13:00", "2026-06-15T18:00")),
    # nine in Honolulu is nine in the evening in Berlin: never
    (NINE_TO_EIGHT, (BERLIN, HONOLULU), "2026-06-15T08:00", None),
    # a day of their own: Friday evening until Monday
    (Calling(days=("mon", "tue", "wed", "thu", "fri")), (BERLIN,), "2026-06-12T19:00",
     ("2026-06-15T07:00", "2026-06-15T18:00")),
    (Calling(days=("sun",)), (BERLIN,), "2026-06-15T08:00", ("2026-06-21T07:00", "2026-06-21T18:00")),
    # clocks go forward and back in the night before
    (NINE_TO_EIGHT, (BERLIN,), "2026-03-28T19:00", ("2026-03-29T07:00", "2026-03-29T18:00")),
    (NINE_TO_EIGHT, (BERLIN,), "2026-10-24T19:00", ("2026-10-25T08:00", "2026-10-25T19:00")),
    # hours within the hour that is there twice, or not at all
    (Calling(start=150, end=600), (BERLIN,), "2026-10-24T19:00", ("2026-10-25T01:30", "2026-10-25T09:00")),
    (Calling(start=150, end=600), (BERLIN,), "2026-03-28T19:00", ("2026-03-29T01:30", "2026-03-29T08:00")),
    # always
    (Calling(start=0, end=1440), (BERLIN,), "2026-06-15T22:00", ("2026-06-15T22:00", "2026-06-23T22:00")),
    # nothing is known
    (NINE_TO_EIGHT, (), "2026-06-15T10:30", None),
]  # fmt: skip


@pytest.mark.parametrize(("calling", "zones", "now", "expected"), CASES)
def test_the_next_opening(calling: Calling, zones: tuple[str, ...], now: str, expected: tuple[str, str] | None) -> None:
    assert opening(calling, zones, now) == expected


@pytest.mark.parametrize("month", range(1, 13))
def test_no_opening_is_ever_outside_the_hours(month: int) -> None:
    """By a clock of its own: each quarter of an hour of a week is read where the phones are."""
    from zoneinfo import ZoneInfo

    calling, zones = Calling(start=9 * 60, end=20 * 60, days=("mon", "tue", "wed", "thu", "sat")), (BERLIN, NEW_YORK)
    start = at(f"2026-{month:02}-25T00:00")
    for quarter in range(4 * 24 * 7):
        now = start + quarter * 900
        found = next_opening(calling, zones, now)
        locals_ = [datetime.fromtimestamp(now, ZoneInfo(zone)) for zone in zones]
        inside = all(9 <= local.hour < 20 and local.strftime("%a").lower() in calling.days for local in locals_)
        assert found is not None
        assert (found.start == now) == inside, locals_


@pytest.mark.parametrize(
    ("text", "expected"),
    [("09:00-20:00", (540, 1200)), ("9:30 – 12:00", (570, 720)), ("00:00-24:00", (0, 1440))],
)
def test_hours(text: str, expected: tuple[int, int]) -> None:
    assert hours_of(text) == expected
    assert clock(expected[0]) < clock(expected[1])


@pytest.mark.parametrize("text", ["", "9-20", "20:00-09:00", "09:00-09:00", "09:60-10:00", "09:00-24:01", "always"])
def test_what_are_no_hours(text: str) -> None:
    with pytest.raises(ValueError, match="hours"):
        hours_of(text)
