"""How calls went as one HTML file that needs nothing else: to be sent, or kept. Its templates are in `assets/`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voiceops.calls.alarm import Compared
from voiceops.render.call_report import COLUMNS, Row, comparison_cells, key_of, name_of_rows
from voiceops.templating import inline, render_page

_ASSETS = "voiceops.render"
_REASONS = 12


@dataclass(frozen=True, slots=True)
class _Sheet:
    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def report_html(rows: Sequence[Row], by: str, about: str) -> str:
    """The rows as a table, and how calls ended. `about` says of which project and time."""
    shown = [[key_of(row["key"], by), *(column.of(row) for column in COLUMNS)] for row in rows]
    counts: dict[str, int] = {}
    for row in rows:
        for reason, count in row["reasons"].items():
            counts[reason] = counts.get(reason, 0) + count
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_REASONS]
    sheets = [_Sheet("How calls went", [name_of_rows(by), *(column.title for column in COLUMNS)], shown)]
    if most:
        sheets.append(_Sheet("How they ended", ["reason", "calls"], [[reason, f"{count:,}"] for reason, count in most]))
    return _page(about, sheets if rows else [])


def comparison_html(figures: Sequence[Compared], a: str, b: str, calls: tuple[int, int], about: str) -> str:
    """Figure by figure: both sides, the difference with its interval at 95 %, and a verdict."""
    heads = ["figure", f"{a}, {calls[0]:,} calls", f"{b}, {calls[1]:,} calls", "difference (95 %)", "verdict"]
    return _page(about, [_Sheet(f"{a} and {b}", heads, [comparison_cells(figure) for figure in figures])])


def _page(about: str, sheets: Sequence[_Sheet]) -> str:
    return render_page(_ASSETS, "report.html.j2", style=inline(_ASSETS, "report.css"), about=about, sheets=sheets)
