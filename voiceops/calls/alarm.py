"""Are calls worse than before, beyond chance? The rule of `watch` and of `report --compare`. Pure.

The rule. Five figures are compared, each by a one-sided test: shares by Fisher's exact test (mid-p), times by the rank
test, with one value a call. Whoever looks often, or at much, finds something by chance; so the false alarms that are
allowed altogether (5 in 100 runs) are shared out: to each figure its weight, and to the k-th look 1 / (k (k + 1)) of
that. A look is taken only when the calls since have grown to the next size (30, 48, 80, 120, 200, …), however often
the command asks. The sum over all figures and all looks is at most 5 %, whatever depends on what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from voiceops.calls.chance import difference_of_quantiles, difference_of_shares, fewer_by_chance, larger_by_chance
from voiceops.calls.measures import FIGURES, Figure, Measured, share_of, times_of, value_of

ALLOWED = 0.05  # false alarms altogether, a run
Verdict = Literal["better", "worse", "unclear"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A figure of both sides; `difference` is b less a, `interval` holds it in 95 of 100 cases."""

    figure: str
    a: float
    b: float
    difference: float
    interval: tuple[float, float]
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How it stood. `calls` began since the apply, `before` as many before it; `number` of the look by the rule, 0
    before there are enough calls; `worse` names the figures that are worse beyond chance."""

    revision: int
    calls: int
    before: int
    number: int = 0
    size: int = 0  # of the calls since, how many this look compares
    figures: tuple[Compared, ...] = ()
    worse: tuple[str, ...] = ()


def looks(least: int) -> Iterator[int]:
    """The sizes at which one looks: from the least on, each about 1.6 times the one before."""
    size = float(least)
    while True:
        yield int(round(size, -1) if size >= 50 else round(size))
        size *= 1.6


def look_at(calls: int, least: int) -> tuple[int, int]:
    """The newest look that so many calls allow, as its number (from 1; 0: none yet) and its size."""
    taken = list(takewhile(lambda size: size <= calls, looks(least)))
    return len(taken), taken[-1] if taken else 0


def allowed_at(figure: Figure, look: int) -> float:
    """How unlikely a figure has to be at the k-th look, before it counts as worse."""
    return ALLOWED * figure.weight / (look * (look + 1))


def worse_than(before: Sequence[Measured], since: Sequence[Measured], look: int) -> list[Figure]:
    """The figures that are worse beyond chance at this look."""
    return [figure for figure in FIGURES if _by_chance(figure, before, since) <= allowed_at(figure, look)]


def compared(a: Sequence[Measured], b: Sequence[Measured]) -> list[Compared]:
    """Every figure that both sides have, with a verdict. Five of a hundred such looks may err."""
    found = []
    for figure in FIGURES:
        was, now = value_of(figure, a), value_of(figure, b)
        if was is None or now is None:
            continue
        found.append(
            Compared(
                figure=figure.name,
                a=was,
                b=now,
                difference=now - was,
                interval=_interval(figure, a, b),
                verdict=_verdict(figure, a, b),
            )
        )
    return found


def _verdict(figure: Figure, a: Sequence[Measured], b: Sequence[Measured]) -> Verdict:
    allowed = ALLOWED * figure.weight / 2  # either way
    if _by_chance(figure, a, b) <= allowed:
        return "worse"
    return "better" if _by_chance(figure, b, a) <= allowed else "unclear"


def _by_chance(figure: Figure, before: Sequence[Measured], since: Sequence[Measured]) -> float:
    """How likely it would look so much worse, if nothing had changed."""
    if figure.is_share:
        was, now = share_of(figure, before), share_of(figure, since)
        return fewer_by_chance(was, now) if figure.worse == "lower" else fewer_by_chance(now, was)
    was_times, now_times = times_of(figure, before), times_of(figure, since)
    return larger_by_chance(was_times, now_times)


def _interval(figure: Figure, a: Sequence[Measured], b: Sequence[Measured]) -> tuple[float, float]:
    if figure.is_share:
        return difference_of_shares(share_of(figure, a), share_of(figure, b))
    return difference_of_quantiles(times_of(figure, a), times_of(figure, b), 0.5)
