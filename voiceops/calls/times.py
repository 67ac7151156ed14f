"""Many times, and their quantiles: exact of few, within 1 % of many. Pure.

Up to 1,000 values are kept as they are; more are counted in buckets, each 2 % wider than the one before, so that a
quantile read off them is at most 1 % away from the exact one, however many there are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from voiceops.calls.chance import quantile

_WIDTH = math.log(1.02)
_EXACT = 1_000
_KEPT_EXACT = 64  # values that a stored hour keeps as they are


class Times(msgspec.Struct, array_like=True):
    """Values, or how many there are in each bucket: never both."""

    values: list[float] = msgspec.field(default_factory=list)
    buckets: dict[int, int] = msgspec.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values) or sum(self.buckets.values())

    def add(self, values: Iterable[float]) -> None:
        """Count these, too."""
        if self.buckets:
            self._count(values)
            return
        self.values.extend(values)
        if len(self.values) > _EXACT:
            self._to_buckets()

    def join(self, other: Times) -> None:
        """Count what another one counts, too."""
        self.add(other.values)
        if not other.buckets:
            return
        if self.values:
            self._to_buckets()
        mine = self.buckets
        for bucket, count in other.buckets.items():
            mine[bucket] = mine.get(bucket, 0) + count

    def quantile(self, share: float) -> float | None:
        """The value that this share does not exceed; None of none."""
        if self.values:
            return quantile(sorted(self.values), share)
        wanted = share * (len(self) - 1)
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen > wanted:
                return math.exp(bucket * _WIDTH)
        return None

    def to_keep(self) -> Times:
        """For the store: many values as buckets, so that an hour stays small."""
        kept = Times(list(self.values), self.buckets)
        if len(kept.values) > _KEPT_EXACT:
            kept._to_buckets()
        return kept

    def _to_buckets(self) -> None:
        values, self.values = self.values, []
        self._count(values)

    def _count(self, values: Iterable[float]) -> None:
        mine = self.buckets
        for value in values:
            bucket = round(math.log(max(value, 0.001)) / _WIDTH)
            mine[bucket] = mine.get(bucket, 0) + 1
