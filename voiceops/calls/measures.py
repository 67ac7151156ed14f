"""What a set of calls is measured by, and which way is worse. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from voiceops.calls.chance import quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one call counts for. None: the call says nothing of it."""

    failed: bool = False
    transferred: bool = False
    success: bool | None = None
    duration: float | None = None  # seconds
    cost: float | None = None  # US dollars
    turn_ms: float | None = None  # the median of its turns: turns of one call are no independent measurements
    tools: int = 0
    tools_failed: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. A share is of calls (or of tool calls); a time has a value for each call."""

    name: str
    is_share: bool
    worse: Literal["higher", "lower"]
    weight: float  # of the false alarms that are allowed altogether, this figure's part


SUCCESS = Figure("success", True, "lower", 0.35)
FAILED = Figure("failed", True, "higher", 0.25)
TOOLS_FAILED = Figure("toolsFailed", True, "higher", 0.15)
TURN_MS = Figure("turnMs", False, "higher", 0.15)
COST = Figure("costPerMinute", False, "higher", 0.10)
FIGURES = (SUCCESS, FAILED, TOOLS_FAILED, TURN_MS, COST)


def share_of(figure: Figure, calls: Iterable[Measured]) -> tuple[int, int]:
    """How many, of how many. A call with a failed tool counts once, however many of its tools failed."""
    if figure is SUCCESS:
        judged = [call.success for call in calls if call.success is not None]
        return sum(judged), len(judged)
    if figure is TOOLS_FAILED:
        used = [call.tools_failed > 0 for call in calls if call.tools]
        return sum(used), len(used)
    failed = [call.failed for call in calls]
    return sum(failed), len(failed)


def times_of(figure: Figure, calls: Iterable[Measured]) -> list[float]:
    """A value for each call that has one, sorted."""
    if figure is TURN_MS:
        return sorted(call.turn_ms for call in calls if call.turn_ms is not None)
    return sorted(call.cost / (call.duration / 60) for call in calls if call.cost is not None and call.duration)


def value_of(figure: Figure, calls: Sequence[Measured]) -> float | None:
    """The share, or the median; None where no call tells."""
    if figure.is_share:
        count, of = share_of(figure, calls)
        return count / of if of else None
    times = times_of(figure, calls)
    return quantile(times, 0.5) if times else None
