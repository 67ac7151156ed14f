"""`calling:` in voiceops.yaml: when people may be called, how many at once, and whom never. Pure data."""

from __future__ import annotations

import re
from dataclasses import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)\Z")
_DAY = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """`start` and `end` in minutes since midnight where the phone rings. What stands here counts without a setting."""

    start: int = 9 * 60
    end: int = 20 * 60
    days: tuple[str, ...] = DAYS
    timezone: str = ""  # of numbers that don't tell theirs
    per_minute: int = 30
    max_concurrent: int = 5
    do_not_call: str = ""  # a file of numbers that are never called


def hours_of(text: str) -> tuple[int, int]:
    """Minutes since midnight of `09:00-20:00`. Raises ValueError with what is wrong."""
    found = _HOURS.match(text.strip())
    if found is None:
        raise ValueError("write the hours as 09:00-20:00")
    start, end = (int(found[place]) * 60 + int(found[place + 1]) for place in (1, 3))
    if int(found[2]) > 59 or int(found[4]) > 59 or end > _DAY:
        raise ValueError("hours go from 00:00 to 24:00")
    if start >= end:
        raise ValueError("hours begin before they end, on one day")
    return start, end


def clock(minutes: int) -> str:
    """Minutes since midnight as `09:00`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"
