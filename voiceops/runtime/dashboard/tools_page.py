"""The tools: how often they failed and how long they took, whole, by agent and by line; and how they ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from voiceops.calls.ended_reasons import WELL
from voiceops.calls.sums import Sums, ordered_outcomes
from voiceops.runtime.dashboard.asked import AskedCalls
from voiceops.runtime.dashboard.board import BoardReading
from voiceops.runtime.dashboard.frame import Frame, framed
from voiceops.runtime.dashboard.page_tables import TOOL_FIGURES, PageTable, Shown, tool_figures_of


def tools_page(reading: BoardReading, frame: Frame, asked: AskedCalls) -> str:
    """The page; for the board's thread."""
    whole: dict[tuple[str, str], Sums] = defaultdict(Sums)
    agents: dict[tuple[str, str], Sums] = defaultdict(Sums)
    lines: dict[tuple[str, str], Sums] = defaultdict(Sums)
    for cell, sums in reading.reports.cells(asked.wanted, "tool"):
        for found, of in ((whole, ""), (agents, cell.agent), (lines, cell.phone)):
            _add(found[cell.value, of], sums)
    return framed(
        frame,
        "tools.html.j2",
        "Tools",
        "/tools",
        path=f"{frame.base}/tools",
        fields={
            name: asked.fields.get(name, "") for name in ("since", "until", "agent", "phone", "revision", "version")
        },
        problems=asked.problems,
        behind=reading.behind,
        tables=[
            _table("All calls of each tool", "", whole),
            _outcomes(whole),
            _table("By agent", "agent", agents),
            _table("By line", "line", lines),
        ],
    )


def _add(found: Sums, sums: Sums) -> None:
    """What a tool's row shows, and no more: it is a page that somebody waits for."""
    found.tools += sums.tools
    found.tools_failed += sums.tools_failed
    found.tool_ms.join(sums.tool_ms)
    for outcome, count in sums.outcomes.items():
        found.outcomes[outcome] = found.outcomes.get(outcome, 0) + count


def _table(caption: str, of: str, found: Mapping[tuple[str, str], Sums]) -> PageTable:
    ordered = sorted(found.items(), key=lambda item: (item[0][0], -item[1].tools, item[0][1]))
    names: Iterable[list[Shown]] = (
        [Shown(tool), Shown(name or "(none)")] if of else [Shown(tool)] for (tool, name), _ in ordered
    )
    rows = [
        [*name, *tool_figures_of(sums), *([_otherwise(sums)] if of else [])]
        for name, (_, sums) in zip(names, ordered, strict=True)
    ]
    heads = ("tool", *([of] if of else []), *TOOL_FIGURES, *(["not ok"] if of else []))
    return PageTable(caption, heads, rows, numbers=2 if of else 1)


def _otherwise(sums: Sums) -> Shown:
    """How the calls ended that did not end well."""
    told = {name: count for name, count in ordered_outcomes(sums.outcomes).items() if name not in WELL}
    return Shown(", ".join(f"{name} {count:,}" for name, count in told.items()), colour="bad" if told else "")


def _outcomes(whole: Mapping[tuple[str, str], Sums]) -> PageTable:
    found = {outcome for sums in whole.values() for outcome in sums.outcomes}
    outcomes = sorted(found, key=lambda one: (one != "ok", one))
    return PageTable(
        "How they ended",
        ("tool", *outcomes),
        [
            [Shown(tool), *(_counted(sums, one) for one in outcomes)]
            for (tool, _), sums in sorted(whole.items(), key=lambda item: item[0])
        ],
    )


def _counted(sums: Sums, outcome: str) -> Shown:
    count = sums.outcomes.get(outcome, 0)
    return Shown(f"{count:,}", colour="bad" if count and outcome not in WELL else "")
