"""The rule of `watch`: what it finds, and how often it errs, by thousands of made-up runs."""

from __future__ import annotations

import random

import pytest

from voiceops.calls.alarm import ALLOWED, allowed_at, compared, look_at, looks, worse_than
from voiceops.calls.measures import FIGURES, Measured


def made(rng: random.Random, *, success: float = 0.9, slower: float = 1.0, tools: float = 0.04) -> Measured:
    used = rng.choice((0, 1, 2, 3))
    return Measured(
        failed=rng.random() < 0.03,
        success=rng.random() < success,
        duration=rng.expovariate(1 / 120) + 5,
        cost=rng.uniform(0.05, 0.3),
        turn_ms=rng.lognormvariate(6.8, 0.4) * slower,
        tools=used,
        tools_failed=sum(rng.random() < tools for _ in range(used)),
    )


def first_alarm(rng: random.Random, most: int, **change: float) -> int | None:
    """After how many calls one run of `watch` raises its alarm; None: it doesn't."""
    before = [made(rng) for _ in range(most)]
    since: list[Measured] = []
    for number, size in enumerate(looks(30), 1):
        if size > most:
            return None
        since += [made(rng, **change) for _ in range(size - len(since))]
        if worse_than(before[-size:], since, number):
            return size
    raise AssertionError("looks() ended")


@pytest.mark.parametrize(
    ("change", "within", "least"),
    [
        ({"success": 0.7}, 200, 0.95),
        ({"slower": 1.3}, 200, 0.95),
        ({"tools": 0.25}, 310, 0.9),
    ],
)
def test_a_change_for_the_worse_is_found(change: dict[str, float], within: int, least: float) -> None:
    rng, runs = random.Random(5), 200
    found = sum(first_alarm(rng, within, **change) is not None for _ in range(runs))
    assert found / runs >= least


def test_nothing_is_found_where_nothing_changed() -> None:
    rng, runs = random.Random(6), 200
    assert sum(first_alarm(rng, 810) is not None for _ in range(runs)) / runs <= ALLOWED


def test_the_allowed_errors_add_up() -> None:
    assert sum(figure.weight for figure in FIGURES) == pytest.approx(1)
    assert sum(allowed_at(figure, look) for figure in FIGURES for look in range(1, 10_000)) <= ALLOWED


def test_a_look_is_taken_only_at_its_size() -> None:
    assert [look_at(calls, 30) for calls in (0, 29, 30, 47, 48, 200, 309)] == [
        (0, 0),
        (0, 0),
        (1, 30),
        (1, 30),
        (2, 48),
        (5, 200),
        (5, 200),
    ]


def test_two_sides_are_compared_figure_by_figure() -> None:
    rng = random.Random(7)
    a = [made(rng) for _ in range(300)]
    b = [made(rng, success=0.6, slower=0.7) for _ in range(300)]
    found = {figure.figure: figure for figure in compared(a, b)}
    assert found["success"].verdict == "worse"
    assert found["turnMs"].verdict == "better"
    assert found["failed"].verdict == "unclear"
    assert found["success"].difference == pytest.approx(found["success"].b - found["success"].a)
    low, high = found["success"].interval
    assert low < found["success"].difference < high < 0


def test_what_a_side_does_not_tell_is_not_compared() -> None:
    silent = [Measured(failed=False)] * 50
    assert [figure.figure for figure in compared(silent, silent)] == ["failed"]
