"""Tests and intervals against their definitions, worked out by counting all cases."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from voiceops.calls.chance import (
    difference_of_quantiles,
    difference_of_shares,
    fewer_by_chance,
    larger_by_chance,
    quantile,
    quantile_interval,
    share_interval,
)


def counted(a: tuple[int, int], b: tuple[int, int]) -> float:
    """Fisher's mid-p value from whole numbers: of all ways to draw b's calls out of both, those with so few."""
    (good_a, n_a), (good_b, n_b) = a, b
    good, n = good_a + good_b, n_a + n_b
    ways = [math.comb(good, k) * math.comb(n - good, n_b - k) for k in range(n_b + 1)]
    return (sum(ways[:good_b]) + ways[good_b] / 2) / math.comb(n, n_b)


@pytest.mark.parametrize("sizes", [(1, 1), (7, 5), (30, 30), (200, 80)])
def test_the_test_of_shares_counts_all_cases(sizes: tuple[int, int]) -> None:
    rng = random.Random(1)
    for _ in range(200):
        a, b = ((rng.randint(0, n), n) for n in sizes)
        assert fewer_by_chance(a, b) == pytest.approx(counted(a, b), rel=1e-9, abs=1e-12)


def test_nothing_is_unlikely_without_calls() -> None:
    assert fewer_by_chance((0, 0), (0, 5)) == fewer_by_chance((5, 5), (0, 0)) == 1.0
    assert larger_by_chance([], [1.0]) == larger_by_chance([1.0], []) == 1.0
    assert larger_by_chance([2.0] * 9, [2.0] * 9) == 1.0


def test_the_rank_test_is_near_the_count_of_all_orders() -> None:
    rng = random.Random(2)
    for _ in range(8):
        values = [rng.choice([1.0, 2.0, 3.0, 5.0, 8.0, 13.0]) + rng.random() * rng.choice([0, 1]) for _ in range(14)]
        a, b = values[:7], values[7:]

        def statistic(chosen: tuple[int, ...], values: list[float] = values) -> float:
            mine = [values[i] for i in chosen]
            others = [value for i, value in enumerate(values) if i not in chosen]
            return sum((x > y) + (x == y) / 2 for x in mine for y in others)

        found = statistic(tuple(range(7, 14)))
        orders = [statistic(chosen) for chosen in itertools.combinations(range(14), 7)]
        exact = sum(other >= found for other in orders) / len(orders)
        assert larger_by_chance(a, b) == pytest.approx(exact, abs=0.02)


def test_a_quantile_lies_between_neighbours() -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.5
    assert quantile([7.0], 0.95) == 7.0
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


def test_an_interval_holds_the_truth_in_95_of_100_cases() -> None:
    rng = random.Random(3)
    held = dict.fromkeys(("share", "shares", "median", "medians"), 0)
    rounds = 600
    for _ in range(rounds):
        a, b = (sum(rng.random() < p for _ in range(90)) for p in (0.9, 0.75))
        low, high = share_interval(a, 90)
        held["share"] += low <= 0.9 <= high
        low, high = difference_of_shares((a, 90), (b, 90))
        held["shares"] += low <= -0.15 <= high
        one = sorted(rng.lognormvariate(0, 0.5) for _ in range(90))
        other = sorted(rng.lognormvariate(0.3, 0.5) for _ in range(90))
        low, high = quantile_interval(one, 0.5)
        held["median"] += low <= 1 <= high
        low, high = difference_of_quantiles(one, other, 0.5)
        held["medians"] += low <= math.exp(0.3) - 1 <= high
    assert all(0.93 * rounds <= count for count in held.values()), held
