"""Counters and histograms in Prometheus's text format, summed over worker processes.

Labels are known names, never numbers, ids or texts of callers. Knows nothing of what is counted.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0)

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Counter:
    """A bound counter: look it up once, then add."""

    value: float = 0.0

    def add(self, amount: float = 1.0) -> None:
        """So much more."""
        self.value += amount


@dataclass(slots=True)
class Histogram:
    """A bound histogram of seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS) + 1))
    total: float = 0.0

    def observe(self, seconds: float) -> None:
        """One more duration."""
        self.counts[bisect_left(_BUCKETS, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        """How many durations there were."""
        return sum(self.counts)


class Metrics:
    """All figures of one worker."""

    def __init__(self) -> None:
        self._help: dict[str, tuple[str, str]] = {}
        self._counters: dict[tuple[str, Labels], Counter] = {}
        self._histograms: dict[tuple[str, Labels], Histogram] = {}

    def describe(self, name: str, kind: str, text: str) -> None:
        """What a figure means; `kind` is counter or histogram."""
        self._help[name] = (kind, text)

    def counter(self, name: str, **labels: str) -> Counter:
        """The counter of a name and labels; made where there is none. Keep it, where it is needed often."""
        return self._counters.setdefault((name, tuple(sorted(labels.items()))), Counter())

    def histogram(self, name: str, **labels: str) -> Histogram:
        """The histogram of a name and labels; made where there is none. Keep it, where it is needed often."""
        return self._histograms.setdefault((name, tuple(sorted(labels.items()))), Histogram())

    def snapshot(self) -> str:
        """This worker's figures, for another one to add."""
        return json.dumps(
            {
                "counters": [[name, list(labels), c.value] for (name, labels), c in self._counters.items()],
                "histograms": [
                    [name, list(labels), h.counts, h.total] for (name, labels), h in self._histograms.items()
                ],
            }
        )

    def text(self, others: Iterable[str] = (), gauges: Iterable[tuple[str, str, float]] = ()) -> str:
        """The exposition; `gauges` are name, help and value, taken as they are."""
        total = Metrics()
        total._help = self._help
        for snapshot in (self.snapshot(), *others):
            total._add(json.loads(snapshot))
        lines: list[str] = []
        for name in sorted({key[0] for key in (*total._counters, *total._histograms)}):
            kind, text = self._help.get(name, ("counter", name))
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
            for (found, labels), counter in sorted(total._counters.items()):
                if found == name:
                    lines.append(f"{name}{_shown(labels)} {counter.value:g}")
            for (found, labels), histogram in sorted(total._histograms.items()):
                if found == name:
                    lines += _histogram_lines(name, labels, histogram)
        for name, text, value in gauges:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", f"{name} {value:g}"]
        return "\n".join(lines) + "\n"

    def _add(self, data: dict[str, Any]) -> None:
        for name, labels, value in data["counters"]:
            self._counters.setdefault((name, _labels(labels)), Counter()).add(value)
        for name, labels, counts, seconds in data["histograms"]:
            held = self._histograms.setdefault((name, _labels(labels)), Histogram())
            held.counts = [a + b for a, b in zip(held.counts, counts, strict=True)]
            held.total += seconds


def _labels(pairs: list[list[str]]) -> Labels:
    return tuple((name, value) for name, value in pairs)


def _histogram_lines(name: str, labels: Labels, histogram: Histogram) -> list[str]:
    lines, running = [], 0
    for bound, count in zip((*map(str, _BUCKETS), "+Inf"), histogram.counts, strict=True):
        running += count
        lines.append(f"{name}_bucket{_shown((*labels, ('le', bound)))} {running}")
    lines.append(f"{name}_sum{_shown(labels)} {histogram.total:g}")
    lines.append(f"{name}_count{_shown(labels)} {running}")
    return lines


def _shown(labels: Labels) -> str:
    if not labels:
        return ""
    escaped = ((k, v.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for k, v in labels)
    return "{" + ",".join(f'{k}="{v}"' for k, v in escaped) + "}"
