"""How far chance alone reaches: tests and intervals for shares and for times. Pure arithmetic.

Shares: Fisher's exact test by its mid-p value, and Newcombe's interval for the difference of two shares (Statistics in
Medicine 17, 1998, method 10). Times: the rank test of Mann and Whitney, and intervals for quantiles from the order of
the values, put together by the same rule as Newcombe's (Zou and Donner, Statistics in Medicine 27, 2008).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf(0.975)  # of every interval here: they hold what is true 95 times of 100


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed, between neighbours in proportion; of a sorted sequence.

    Raises ValueError: there are none.
    """
    if not ordered:
        raise ValueError("there are no values")
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def share_interval(good: int, all_: int) -> tuple[float, float]:
    """Wilson's interval for a share. Nothing counted: anything is possible."""
    if not all_:
        return 0.0, 1.0
    share = good / all_
    middle = (share + _Z * _Z / (2 * all_)) / (1 + _Z * _Z / all_)
    half = _Z / (1 + _Z * _Z / all_) * math.sqrt(share * (1 - share) / all_ + _Z * _Z / (4 * all_ * all_))
    return max(0.0, middle - half), min(1.0, middle + half)


def difference_of_shares(a: tuple[int, int], b: tuple[int, int]) -> tuple[float, float]:
    """The interval for `b`'s share less `a`'s; each is (how many, of how many). Raises ValueError: one is of none."""
    if not a[1] or not b[1]:
        raise ValueError("there is nothing to compare")
    return _difference(a[0] / a[1], share_interval(*a), b[0] / b[1], share_interval(*b))


def quantile_interval(ordered: Sequence[float], share: float) -> tuple[float, float]:
    """The interval for a quantile: the values whose ranks the binomial distribution can't exclude.

    Raises ValueError: there are none.
    """
    n = len(ordered)
    if not n:
        raise ValueError("there are no values")
    half = _Z * math.sqrt(n * share * (1 - share))
    low, high = math.floor(n * share - half), math.ceil(n * share + half)
    return ordered[max(0, low - 1)], ordered[min(n - 1, high)]


def difference_of_quantiles(a: Sequence[float], b: Sequence[float], share: float) -> tuple[float, float]:
    """The interval for `b`'s quantile less `a`'s; both sorted. Raises ValueError: one is empty."""
    return _difference(quantile(a, share), quantile_interval(a, share), quantile(b, share), quantile_interval(b, share))


def _difference(a: float, of_a: tuple[float, float], b: float, of_b: tuple[float, float]) -> tuple[float, float]:
    middle = b - a
    below = math.hypot(b - of_b[0], of_a[1] - a)
    above = math.hypot(of_b[1] - b, a - of_a[0])
    return middle - below, middle + above


def fewer_by_chance(a: tuple[int, int], b: tuple[int, int]) -> float:
    """How likely `b` has so few, or fewer, if its share is the same as `a`'s: Fisher's exact test, one-sided.

    Each is (how many, of how many). What was found itself counts half (Lancaster's mid-p): the plain test errs far
    less often than it is allowed to, and finds less.
    """
    (good_a, n_a), (good_b, n_b) = a, b
    good, n = good_a + good_b, n_a + n_b
    if not n_a or not n_b:
        return 1.0
    all_ways = _log_choose(n, good)
    least = max(0, good - n_a)
    ways = [_log_choose(n_b, k) + _log_choose(n_a, good - k) - all_ways for k in range(least, good_b + 1)]
    return min(1.0, math.fsum(map(math.exp, ways[:-1])) + math.exp(ways[-1]) / 2)


def larger_by_chance(a: Sequence[float], b: Sequence[float]) -> float:
    """How likely `b`'s values rank so high, or higher, if they come from where `a`'s do: Mann and Whitney, one-sided.

    By the normal distribution, with ties; exact enough from about 20 values a side.
    """
    n_a, n_b = len(a), len(b)
    if not n_a or not n_b:
        return 1.0
    counts = Counter(a)
    counts.update(b)
    below, rank = 0, {}
    for value in sorted(counts):
        rank[value] = below + (counts[value] + 1) / 2
        below += counts[value]
    u = math.fsum(rank[value] for value in b) - n_b * (n_b + 1) / 2
    n = n_a + n_b
    ties = math.fsum(count**3 - count for count in counts.values())
    variance = n_a * n_b / 12 * (n + 1 - ties / (n * (n - 1)))
    if variance <= 0:
        return 1.0
    z = (u - n_a * n_b / 2 - 0.5) / math.sqrt(variance)
    return 1 - _NORMAL.cdf(z)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
