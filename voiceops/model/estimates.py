"""What an agent probably feels like and costs: figures by part, before and after a plan. Pure data.

The figures come from engine/review/estimate.py; ballpark numbers, never a bill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Estimate:
    """One agent as it is configured: milliseconds until it answers a turn, money a minute; `assumed` parts are
    those that the table doesn't list."""

    latency: Mapping[str, int]
    cost: Mapping[str, float]
    assumed: tuple[str, ...] = ()

    @property
    def turn_latency_ms(self) -> int:
        """Milliseconds from the caller's last word to the agent's first: the sum of the parts."""
        return sum(self.latency.values())

    @property
    def cost_per_minute(self) -> float:
        """What a minute of a call costs, in the currency of the table, to four places: the sum of the parts."""
        return round(sum(self.cost.values()), 4)

    def to_data(self) -> dict[str, Any]:
        """For JSON output: the sums, their parts, and what was assumed."""
        return {
            "turnLatencyMs": self.turn_latency_ms,
            "latencyParts": dict(self.latency),
            "costPerMinute": self.cost_per_minute,
            "costParts": {part: round(value, 4) for part, value in self.cost.items()},
            "assumed": list(self.assumed),
        }


@dataclass(frozen=True, slots=True)
class AgentEstimate:
    """One agent before and after a plan; None where it is not there."""

    address: str
    before: Estimate | None
    after: Estimate | None

    @property
    def changed(self) -> bool:
        """Does the plan change the estimate?"""
        return self.before != self.after

    def to_data(self) -> dict[str, Any]:
        """For JSON output; null where the agent is not there."""
        return {
            "address": self.address,
            "before": self.before.to_data() if self.before else None,
            "after": self.after.to_data() if self.after else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """All agents of a plan, and what the numbers cost a month."""

    agents: tuple[AgentEstimate, ...]
    numbers_before: float
    numbers_after: float
    currency: str
    date: str

    def to_data(self) -> dict[str, Any]:
        """For JSON output, with the table's currency and date."""
        return {
            "currency": self.currency,
            "tableDate": self.date,
            "agents": [agent.to_data() for agent in self.agents],
            "numbersPerMonth": {"before": self.numbers_before, "after": self.numbers_after},
        }
