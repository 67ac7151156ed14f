"""Tables of a page: what their cells say, and where they lead. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voiceops.calls.sums import Sums
from voiceops.runtime.dashboard.words import clock, money, ms, share


@dataclass(frozen=True, slots=True)
class Shown:
    """`href`: it is a link; `colour`: a class of the style sheet."""

    text: str
    href: str = ""
    colour: str = ""


@dataclass(frozen=True, slots=True)
class PageTable:
    """The first cell of a row names it; the heads from `numbers` on stand over numbers."""

    caption: str
    heads: tuple[str, ...]
    rows: Sequence[Sequence[Shown]]
    numbers: int = 1
    nothing: str = "There were none."


FIGURES = ("calls", "failed", "good", "transferred", "length p50", "wait p50", "wait p95", "cost", "cost/min")
TOOL_FIGURES = ("calls", "failed", "p50", "p95", "p99")


def figures_of(sums: Sums) -> list[Shown]:
    """The cells below FIGURES."""
    failed = f"{sums.failed:,} ({share(sums.failed, sums.calls)})" if sums.failed else "0"
    minutes = sums.costed_seconds / 60
    return [
        Shown(f"{sums.calls:,}"),
        Shown(failed, colour="bad" if sums.calls and sums.failed >= 0.05 * sums.calls else ""),
        Shown(share(sums.good, sums.judged)),
        Shown(f"{sums.transferred:,}"),
        Shown(clock(sums.durations.quantile(0.5))),
        Shown(ms(sums.waits.quantile(0.5))),
        Shown(ms(sums.waits.quantile(0.95))),
        Shown(money(sums.cost)),
        Shown(money(sums.cost / minutes if minutes else None)),
    ]


def tool_figures_of(sums: Sums) -> list[Shown]:
    """The cells below TOOL_FIGURES."""
    failed = f"{sums.tools_failed:,} ({share(sums.tools_failed, sums.tools)})" if sums.tools_failed else "0"
    return [
        Shown(f"{sums.tools:,}"),
        Shown(failed, colour="bad" if sums.tools and sums.tools_failed >= 0.05 * sums.tools else ""),
        *(Shown(ms(sums.tool_ms.quantile(one))) for one in (0.5, 0.95, 0.99)),
    ]


def turned(heads: Sequence[str], columns: Iterable[Sequence[Shown]]) -> list[list[Shown]]:
    """Columns of figures as rows, each named by its head."""
    return [[Shown(head), *cells] for head, *cells in zip(heads, *columns, strict=True)]
