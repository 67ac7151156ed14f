"""Lengths of time as people write them: `30s`, `30m`, `24h`, `7d`, `2w`."""

from __future__ import annotations

import re

LONGEST = 366 * 86_400.0  # that anything is set to last
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"([0-9]{1,6})\s*([smhdw])\Z")


def seconds_of(text: str) -> float | None:
    """The seconds of a length of time; None where the text is none. `0s` is one."""
    found = _SPAN.match(text.strip().lower())
    return None if found is None else float(int(found[1]) * _UNITS[found[2]])
