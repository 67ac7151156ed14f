"""How calls went as text, CSV, markdown and JSON, and two sides compared. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from voiceops.calls.alarm import Compared
from voiceops.calls.ended_reasons import WELL, is_failure
from voiceops.model.safe_text import one_line
from voiceops.render.call_list import cell, clock, date
from voiceops.render.markdown import code
from voiceops.render.style import PLAIN, Style

_ARROWS = {"worse": "✗ worse", "better": "✓ better", "unclear": "· unclear"}
_TITLES = {
    "success": "good calls",
    "failed": "failed calls",
    "toolsFailed": "with a failed tool",
    "turnMs": "wait for an answer",
    "costPerMinute": "cost a minute",
}


_LEFT_OUT = ("a minute", "moved on", "lasted", "cost")  # the first one first, where a terminal is too narrow

Row = dict[str, Any]  # of a report, as its JSON has it


class Figured(NamedTuple):
    """A column of the table that people read: its title, and its cell of a row."""

    title: str
    of: Callable[[dict[str, Any]], str]


COLUMNS = (
    Figured("calls", lambda row: str(row["calls"])),
    Figured("failed", lambda row: _part(row["failed"], row["calls"])),
    Figured("good", lambda row: _share(row["success"]["share"])),
    Figured("moved on", lambda row: str(row["transferred"] or "–")),
    Figured("lasted", lambda row: _pair(row["durationSeconds"], clock)),
    Figured("waited", lambda row: _pair(row["turnMs"], lambda ms: f"{ms / 1000:.1f}s")),
    Figured("tools", lambda row: f"{row['tools']['calls']}" if row["tools"]["calls"] else "–"),
    Figured("failed", lambda row: _part(row["tools"]["failed"], row["tools"]["calls"])),
    Figured("cost", lambda row: f"${row['cost']['total']:.2f}" if row["cost"]["perMinute"] is not None else "–"),
    Figured(
        "a minute", lambda row: f"${row['cost']['perMinute']:.3f}" if row["cost"]["perMinute"] is not None else "–"
    ),
)


def report_data(rows: Sequence[Row], since: float | None, until: float | None, by: str) -> dict[str, Any]:
    """For JSON. `by` is null for one row of all calls; times are null where nothing bounds them."""
    return {
        "since": date(since),
        "until": date(until),
        "by": by or None,
        "rows": list(rows),
    }


def comparison_data(
    figures: Sequence[Compared], a: str, b: str, since: float | None, until: float | None
) -> dict[str, Any]:
    """For JSON: every figure of both sides, with the interval of its difference and a verdict."""
    return {
        "since": date(since),
        "until": date(until),
        "a": a,
        "b": b,
        "figures": [
            {
                "figure": figure.figure,
                "a": round(figure.a, 6),
                "b": round(figure.b, 6),
                "difference": round(figure.difference, 6),
                "interval": [round(value, 6) for value in figure.interval],
                "verdict": figure.verdict,
            }
            for figure in figures
        ],
    }


def render_report(rows: Sequence[Row], by: str, style: Style = PLAIN, width: int | None = None) -> str:
    """A table, and below it why calls ended. p50 and p95 stand as `p50–p95`.

    `width`: of a terminal that is too narrow for all columns; the last ones to be missed are kept.
    """
    if not rows:
        return "There are no calls in this time."
    data = list(rows)
    shown = [column for column in COLUMNS if any(column.of(row) not in ("–", "0") for row in data)]
    lines = _table(data, shown, by)
    for title in _LEFT_OUT if width is not None else ():
        if max(map(len, lines)) > (width or 0):
            shown = [column for column in shown if column.title != title]
            lines = _table(data, shown, by)
    return "\n".join([style(lines[0], "bold"), *lines[1:], *_outcomes(data, style), *_reasons(data, style)])


def _table(data: Sequence[Row], shown: Sequence[Figured], by: str) -> list[str]:
    table = [[name_of_rows(by), *(column.title for column in shown)]]
    table += [[one_line(key_of(row["key"], by)), *(column.of(row) for column in shown)] for row in data]
    widths = [max(len(line[at]) for line in table) for at in range(len(table[0]))]
    return ["  ".join(_placed(at, text, widths) for at, text in enumerate(line)).rstrip() for line in table]


def _placed(at: int, text: str, widths: Sequence[int]) -> str:
    return text.ljust(widths[at]) if at == 0 else text.rjust(widths[at])


def _outcomes(data: Sequence[dict[str, Any]], style: Style) -> list[str]:
    """Of a report by tool: how the calls of each tool ended."""
    told = [row for row in data if row.get("outcomes")]
    if not told:
        return []
    width = max(len(one_line(str(row["key"]))) for row in told)
    lines = ["", style("What came of the tools", "bold")]
    for row in told:
        each = [
            style(text, "red") if outcome not in WELL else text
            for outcome, count in row["outcomes"].items()
            if (text := f"{one_line(outcome)} {count}")
        ]
        lines.append(f"{one_line(str(row['key'])):<{width}}  {', '.join(each)}")
    return lines


def _reasons(data: Sequence[dict[str, Any]], style: Style) -> list[str]:
    counts: dict[str, int] = {}
    for row in data:
        for reason, count in row["reasons"].items():
            counts[reason] = counts.get(reason, 0) + count
    if not counts:
        return []
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lines = ["", style("How they ended", "bold")]
    for reason, count in most[:12]:
        sign = style("✗", "red") if is_failure(reason) else " "
        lines.append(f"{sign} {count:>6}  {one_line(reason)}")
    return [*lines, *([f"  and {len(most) - 12} more reasons"] if len(most) > 12 else [])]


def render_comparison(figures: Sequence[Compared], a: str, b: str, calls: tuple[int, int], style: Style = PLAIN) -> str:
    """Figure by figure: both sides, the difference with its interval at 95 %, and what to make of it."""
    head = f"{a} ({calls[0]} calls) and {b} ({calls[1]} calls)"
    colours = {"worse": "red", "better": "green", "unclear": "dim"}
    lines = [style(one_line(head), "bold")]
    for figure in figures:
        show = _shown_as(figure.figure)
        low, high = figure.interval
        verdict = style(f"{_ARROWS[figure.verdict]:<9}", colours[figure.verdict])
        lines.append(
            f"{verdict} {_TITLES[figure.figure]:<18} {show(figure.a):>7} → {show(figure.b):<7} "
            f"{show(figure.difference, True)} ({_bare(show(low, True))} to {_bare(show(high, True))})"
        )
    return "\n".join(lines)


def report_csv(rows: Sequence[Row]) -> str:
    """One row each, nested figures as `durationSeconds.p50`; the reasons as columns of their own."""
    data = list(rows)
    flat = [_flat(row) for row in data]
    columns = list(dict.fromkeys(key for row in flat for key in row)) or ["key"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([cell(column) for column in columns])
    for row in flat:
        writer.writerow([cell(row.get(column)) for column in columns])
    return out.getvalue()


def report_markdown(rows: Sequence[Row], by: str) -> str:
    """A table for a pull request or an issue."""
    if not rows:
        return "There are no calls in this time.\n"
    titles = " | ".join(column.title for column in COLUMNS)
    lines = [
        f"| {name_of_rows(by)} | {titles} |",
        "|---|" + "---:|" * len(COLUMNS),
    ]
    for row in rows:
        name = code(key_of(row["key"], by), table=True)
        lines.append(f"| {name} | {' | '.join(column.of(row) for column in COLUMNS)} |")
    return "\n".join(lines) + "\n"


def comparison_markdown(figures: Sequence[Compared], a: str, b: str, calls: tuple[int, int]) -> str:
    """A table for a pull request or an issue."""
    lines = [
        f"| figure | {code(a, table=True)}, {calls[0]} calls | {code(b, table=True)}, {calls[1]} calls "
        "| difference (95 %) | |",
        "|---|---:|---:|---:|---|",
    ]
    lines += [f"| {' | '.join(comparison_cells(figure))} |" for figure in figures]
    return "\n".join(lines) + "\n"


def comparison_cells(figure: Compared) -> list[str]:
    """A figure's name, both sides, the difference with its interval, and the verdict."""
    show = _shown_as(figure.figure)
    low, high = figure.interval
    difference = f"{show(figure.difference, True)} ({show(low, True)} to {show(high, True)})"
    return [_TITLES[figure.figure], show(figure.a), show(figure.b), difference, _ARROWS[figure.verdict]]


def _flat(row: dict[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value
    return found


def _bare(text: str) -> str:
    """Without its unit, which stands before it already."""
    return text.partition(" ")[0]


def _shown_as(figure: str) -> Callable[..., str]:
    def show(value: float, signed: bool = False) -> str:
        sign = "+" if signed and value >= 0 else ""
        if figure == "turnMs":
            return f"{sign}{value:.0f} ms"
        if figure == "costPerMinute":
            return f"{sign}${value:.3f}" if value >= 0 else f"-${-value:.3f}"
        return f"{sign}{value * 100:.1f} {'points' if signed else '%'}"

    return show


def about_calls(project: str, environment: str, since: float | None, until: float | None) -> str:
    """Of what a report is, in a line."""
    times = [f"{word} {date(at)}" for word, at in (("since", since), ("until", until)) if at is not None]
    return ", ".join([project, environment, *times])


def name_of_rows(by: str) -> str:
    """What stands over the first column."""
    return {"": "", "phone": "line", "reason": "ended"}.get(by, by)


def key_of(key: str, by: str) -> str:
    """What stands in the first column."""
    return key or f"(no {by})"


def _part(count: int, of: int) -> str:
    return f"{count} ({count / of * 100:.0f} %)" if count and of else "0" if of else "–"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.0f} %"


def _pair(quantiles: dict[str, float | None], show: Callable[[float], str]) -> str:
    low, high = quantiles["p50"], quantiles["p95"]
    return "–" if low is None or high is None else f"{show(low)}–{show(high)}"
