"""How much one source may send: a token bucket each, in bounded memory. Knows addresses and a clock, nothing else."""

from __future__ import annotations

import time
from collections import OrderedDict

_SOURCES = 10_000


class Limiter:
    """`rate` requests a second and source, with a burst of twice that; 0: everything is allowed."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._logged = 0.0

    def allows(self, client: tuple[str, int] | None) -> bool:
        if not self._rate:
            return True
        source = client[0] if client else ""
        now = time.monotonic()
        left, then = self._buckets.pop(source, (self._rate * 2, now))
        left = min(self._rate * 2, left + (now - then) * self._rate)
        allowed = left >= 1
        self._buckets[source] = (left - 1 if allowed else left, now)
        if len(self._buckets) > _SOURCES:
            self._buckets.popitem(last=False)
        return allowed

    def may_log(self) -> bool:
        """At most one line a second about refused requests."""
        now = time.monotonic()
        if now - self._logged < 1:
            return False
        self._logged = now
        return True
