"""The tools: how often they failed and how long they took, whole, by agent and by line; and how the newest ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from voiceops.calls.sums import Sums
from voiceops.runtime.dashboard.asked import AskedCalls
from voiceops.runtime.dashboard.board import BoardReading
from voiceops.runtime.dashboard.frame import Frame, framed
from voiceops.runtime.dashboard.page_tables import TOOL_FIGURES, PageTable, Shown, tool_figures_of

_NEWEST = 1_000  # calls whose tools are looked at one by one


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
            _outcomes(reading),
            _table("By agent", "agent", agents),
            _table("By line", "line", lines),
        ],
    )


def _add(found: Sums, sums: Sums) -> None:
    """What a tool's row shows, and no more: it is a page that somebody waits for."""
    found.tools += sums.tools
    found.tools_failed += sums.tools_failed
    found.tool_ms.join(sums.tool_ms)


def _table(caption: str, of: str, found: Mapping[tuple[str, str], Sums]) -> PageTable:
    ordered = sorted(found.items(), key=lambda item: (item[0][0], -item[1].tools, item[0][1]))
    names: Iterable[list[Shown]] = (
        [Shown(tool), Shown(name or "(none)")] if of else [Shown(tool)] for (tool, name), _ in ordered
    )
    rows = [[*name, *tool_figures_of(sums)] for name, (_, sums) in zip(names, ordered, strict=True)]
    return PageTable(caption, ("tool", *([of] if of else []), *TOOL_FIGURES), rows, numbers=2 if of else 1)


def _outcomes(reading: BoardReading) -> PageTable:
    prefix = reading.backend.prefix
    newest = reading.backend.rows(
        f"SELECT id FROM {prefix}calls WHERE simulated = 0 ORDER BY began DESC, id DESC LIMIT {_NEWEST}"
    )
    among = ", ".join("?" * len(newest)) or "NULL"
    rows = reading.backend.rows(  # by their ids: a database without statistics would read every tool call
        f"SELECT name, outcome, count(*) FROM {prefix}call_tools WHERE call IN ({among}) GROUP BY name, outcome",
        tuple(id_ for (id_,) in newest),
    )
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for name, outcome, count in rows:
        counts[name][outcome or "not known"] = count
    outcomes = sorted({outcome for found in counts.values() for outcome in found}, key=lambda one: (one != "ok", one))
    return PageTable(
        f"How they ended in the newest {_NEWEST:,} calls",
        ("tool", *outcomes),
        [[Shown(name), *(_counted(found, one) for one in outcomes)] for name, found in sorted(counts.items())],
    )


def _counted(found: Mapping[str, int], outcome: str) -> Shown:
    count = found.get(outcome, 0)
    return Shown(f"{count:,}", colour="bad" if count and outcome not in ("ok", "not known", "repeated") else "")
