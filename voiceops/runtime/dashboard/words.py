"""Figures as the dashboard says them. Pure."""

from __future__ import annotations

import time

NOTHING = "–"


def moment(seconds: float | None) -> str:
    """A time in UTC, to the second."""
    return NOTHING if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def ms(value: float | None) -> str:
    """Milliseconds, as few digits as tell something."""
    if value is None:
        return NOTHING
    return f"{value / 1000:,.1f} s" if value >= 10_000 else f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def clock(seconds: float | None) -> str:
    """1:05 of 65 seconds."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def money(dollars: float | None) -> str:
    """US dollars."""
    if dollars is None:
        return NOTHING
    return f"${dollars:,.2f}" if abs(dollars) >= 1 or not dollars else f"${dollars:.3f}"


def share(part: int, whole: int) -> str:
    """Per cent; of nothing there is no share."""
    if not whole:
        return NOTHING
    per_cent = 100 * part / whole
    return f"{per_cent:.0f} %" if per_cent in (0, 100) or 10 <= per_cent <= 99 else f"{per_cent:.1f} %"


def duration(seconds: float) -> str:
    """A time in the unit in which people say it: `40 s`, `12 min`, `3 h`, `2 d`."""
    for unit, size, until in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < until:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"
