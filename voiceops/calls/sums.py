"""Many calls as counts: a row of a report, and what an hour is kept as, so that no report reads every call again.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from voiceops.calls.ended_reasons import NOT_KNOWN
from voiceops.calls.times import Times


class Counts(msgspec.Struct, array_like=True):
    """Counts of calls: what a chart shows. They are the first fields of Sums, and read without the rest of it."""

    calls: int = 0
    failed: int = 0
    transferred: int = 0
    judged: int = 0
    good: int = 0

    def count(self, other: Counts) -> None:
        """Count what another one counts, too."""
        self.calls += other.calls
        self.failed += other.failed
        self.transferred += other.transferred
        self.judged += other.judged
        self.good += other.good


class Sums(Counts, array_like=True):
    """With times and costs, too. Durations in seconds, waits and tools' times in milliseconds, cost in US dollars."""

    cost: float = 0.0
    costed_seconds: float = 0.0  # of the calls whose cost is known
    tools: int = 0
    tools_failed: int = 0
    durations: Times = msgspec.field(default_factory=Times)
    waits: Times = msgspec.field(default_factory=Times)
    tool_ms: Times = msgspec.field(default_factory=Times)
    reasons: dict[str, int] = msgspec.field(default_factory=dict)
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)  # of one tool's calls, in the sums of that tool

    def join(self, other: Sums) -> None:
        """Count what another one counts, too."""
        self.count(other)
        self.cost += other.cost
        self.costed_seconds += other.costed_seconds
        self.tools += other.tools
        self.tools_failed += other.tools_failed
        self.durations.join(other.durations)
        self.waits.join(other.waits)
        self.tool_ms.join(other.tool_ms)
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count
        for outcome, count in other.outcomes.items():
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + count

    def add_call(
        self,
        *,
        failed: bool,
        transferred: bool,
        success: bool | None,
        duration: float | None,
        cost: float | None,
        reason: str,
        waits: Iterable[float],
    ) -> None:
        """Count one call, without its tools."""
        self.calls += 1
        self.failed += failed
        self.transferred += transferred
        if success is not None:
            self.judged += 1
            self.good += success
        if duration is not None:
            self.durations.add((duration,))
        if cost is not None:
            self.cost += cost
            self.costed_seconds += duration or 0.0
        if reason:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
        self.waits.add(waits)

    def add_tool(self, ms: float | None, *, failed: bool) -> None:
        """Count one tool call."""
        self.tools += 1
        self.tools_failed += failed
        if ms is not None:
            self.tool_ms.add((ms,))

    def add_outcome(self, outcome: str) -> None:
        """Count how a tool call ended; empty where nobody said."""
        name = outcome or NOT_KNOWN
        self.outcomes[name] = self.outcomes.get(name, 0) + 1

    def to_row(self) -> dict[str, Any]:
        """For a report's JSON: null where nothing tells."""
        minutes = self.costed_seconds / 60
        return {
            "calls": self.calls,
            "failed": self.failed,
            "transferred": self.transferred,
            "success": {"n": self.judged, "share": _rounded(self.good / self.judged if self.judged else None, 4)},
            "durationSeconds": _quantiles(self.durations, (0.5, 0.95)),
            "turnMs": _quantiles(self.waits, (0.5, 0.95)),
            "cost": {"total": round(self.cost, 4), "perMinute": _rounded(self.cost / minutes if minutes else None, 4)},
            "tools": {
                "calls": self.tools,
                "failed": self.tools_failed,
                **_quantiles(self.tool_ms, (0.5, 0.95, 0.99)),
            },
            "reasons": dict(sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))),
            **({"outcomes": ordered_outcomes(self.outcomes)} if self.outcomes else {}),
        }


def ordered_outcomes(outcomes: Mapping[str, int]) -> dict[str, int]:
    """What went well first, then what is most."""
    return dict(sorted(outcomes.items(), key=lambda item: (item[0] != "ok", -item[1], item[0])))


def _quantiles(times: Times, shares: tuple[float, ...]) -> dict[str, float | None]:
    return {f"p{share * 100:g}": _rounded(times.quantile(share), 1) for share in shares}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Sums)
_COUNTS = msgspec.msgpack.Decoder(Counts)


def packed(sums: Sums) -> bytes:
    """For the store."""
    kept = {name: getattr(sums, name).to_keep() for name in ("durations", "waits", "tool_ms")}
    return _ENCODER.encode(msgspec.structs.replace(sums, **kept))


def unpacked(data: bytes) -> Sums:
    """What `packed` gave. Raises ValueError: it is something else."""
    return _DECODER.decode(data)


def counts_in(data: bytes) -> Counts:
    """The counts of what `packed` gave, in a tenth of the time. Raises ValueError: it is something else."""
    return _COUNTS.decode(data)
