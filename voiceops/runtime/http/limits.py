"""How much one source may do: requests, attempts to guess. In bounded memory.

Knows addresses and a clock, nothing else.
"""

from __future__ import annotations

import time
from collections import OrderedDict

_SOURCES = 10_000


class Limiter:
    """`rate` requests a second and source, with a burst of `burst` (twice the rate); 0: everything is allowed."""

    def __init__(self, rate: float, burst: float = 0.0) -> None:
        self._rate = rate
        self._burst = burst or rate * 2
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, client: tuple[str, int] | None) -> bool:
        """One more request of a peer: is it still within the limit?"""
        return not self._rate or self.takes(client[0] if client else "")

    def takes(self, source: str) -> bool:
        """One more from there: is it still within the limit?"""
        if not self._rate:
            return True
        left, now = self._left(source)
        allowed = left >= 1
        self._buckets.pop(source, None)
        self._buckets[source] = (left - 1 if allowed else left, now)
        if len(self._buckets) > _SOURCES:
            self._buckets.popitem(last=False)
        return allowed

    def has(self, source: str) -> bool:
        """Would one more be within the limit?"""
        return not self._rate or self._left(source)[0] >= 1

    def _left(self, source: str) -> tuple[float, float]:
        now = time.monotonic()
        left, then = self._buckets.get(source, (self._burst, now))
        return min(self._burst, left + (now - then) * self._rate), now


class Attempts:
    """Who tries to guess a secret: a number of failures at once, then one now and then; by source, and in all."""

    def __init__(self) -> None:
        self._each = Limiter(1 / 6, 10)  # ten, then ten a minute
        self._all = Limiter(5, 200)  # from everywhere: no botnet gets further by its size

    def may(self, source: str) -> bool:
        """May one more secret from there be looked at?"""
        return self._each.has(source) and self._all.has("")

    def failed(self, source: str) -> bool:
        """Another wrong one came from there: are more of them looked at?"""
        each, everywhere = self._each.takes(source), self._all.takes("")
        return each and everywhere
