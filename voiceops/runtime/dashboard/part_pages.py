"""Agents and lines: a row each, and a page for one of them with its days, versions, revisions, tools and endings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from voiceops.calls.counting import Cell
from voiceops.calls.sums import Sums
from voiceops.runtime.dashboard.asked import AskedCalls, link
from voiceops.runtime.dashboard.board import BoardReading
from voiceops.runtime.dashboard.frame import Frame, framed
from voiceops.runtime.dashboard.overview_page import chart
from voiceops.runtime.dashboard.page_tables import FIGURES, TOOL_FIGURES, PageTable, Shown, figures_of, tool_figures_of
from voiceops.runtime.dashboard.words import share

_DAY = 86_400
_NUMBERS = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class PartKind:
    """What a page is about: agents, or lines. `field` is the filter, `other` what they are split by."""

    word: str
    many: str
    field: str
    other: PartKind | None = None

    def key(self, cell: Cell) -> str:
        """Which one a cell counts."""
        return str(getattr(cell, self.field))


LINES = PartKind("line", "Lines", "phone")
AGENTS = PartKind("agent", "Agents", "agent", LINES)


def grouped(cells: Iterable[tuple[Cell, Sums]], key: Callable[[Cell], str]) -> dict[str, Sums]:
    """Sums by a key, the busiest first."""
    found: dict[str, Sums] = defaultdict(Sums)
    for cell, sums in cells:
        found[key(cell)].join(sums)
    return dict(sorted(found.items(), key=lambda item: (-item[1].calls, item[0])))


def part_list(reading: BoardReading, frame: Frame, asked: AskedCalls, kind: PartKind) -> str:
    """Every agent, or every line; for the board's thread."""
    rows = [
        [
            Shown(name or f"(no {kind.word})", asked.link(f"{frame.base}/{kind.word}", name=name) if name else ""),
            *figures,
        ]
        for name, figures in (
            (name, figures_of(sums)) for name, sums in grouped(reading.reports.cells(asked.wanted), kind.key).items()
        )
    ]
    return framed(
        frame,
        "parts.html.j2",
        kind.many,
        f"/{kind.word}s",
        path=f"{frame.base}/{kind.word}s",
        fields=_fields(asked, ""),
        problems=asked.problems,
        behind=reading.behind,
        table=PageTable(f"{kind.many} and how their calls went", (kind.word, *FIGURES), rows),
    )


def part_page(reading: BoardReading, frame: Frame, asked: AskedCalls, kind: PartKind, name: str, now: float) -> str:
    """One agent, or one line; for the board's thread."""
    cells = list(reading.reports.cells(asked.wanted))
    whole = Sums()
    for _, sums in cells:
        whole.join(sums)
    tools = grouped(reading.reports.cells(asked.wanted, "tool"), lambda cell: cell.value).items()
    other = LINES if kind is AGENTS else AGENTS
    calls = f"{frame.base}/calls"
    tables = [
        _table("By version", "version", cells, lambda cell: cell.version, lambda key: asked.link(calls, version=key)),
        _table("By revision", "revision", cells, _revision, lambda key: asked.link(calls, revision=key)),
        _table(
            f"By {other.word}", other.word, cells, other.key, lambda key: link(f"{frame.base}/{other.word}", name=key)
        ),
        PageTable("Tools", ("tool", *TOOL_FIGURES), [[Shown(tool), *tool_figures_of(sums)] for tool, sums in tools]),
        _reasons(whole, lambda reason: asked.link(calls, text=reason)),
    ]
    return framed(
        frame,
        "part.html.j2",
        name,
        f"/{kind.word}s",
        kind=kind.word,
        path=f"{frame.base}/{kind.word}",
        calls=asked.link(calls),
        fields=_fields(asked, name),
        problems=asked.problems,
        behind=reading.behind,
        tiles=[(head, cell.text, cell.colour) for head, cell in zip(FIGURES, figures_of(whole), strict=True)],
        chart=chart(reading, asked.wanted, now, _DAY),
        tables=tables,
    )


def _fields(asked: AskedCalls, name: str) -> dict[str, str]:
    return {
        "name": name,
        **{field: asked.fields.get(field, "") for field in ("since", "until", "agent", "phone", "revision", "version")},
    }


def _revision(cell: Cell) -> str:
    return "" if cell.revision is None else str(cell.revision)


def _table(
    caption: str,
    head: str,
    cells: Iterable[tuple[Cell, Sums]],
    key: Callable[[Cell], str],
    href: Callable[[str], str],
) -> PageTable:
    found: Iterable[tuple[str, Sums]] = grouped(cells, key).items()
    if head in ("version", "revision"):
        found = sorted(found, key=lambda item: _natural(item[0]), reverse=True)  # the newest first
    rows = [[Shown(name or "(not known)", href(name) if name else ""), *figures_of(sums)] for name, sums in found]
    return PageTable(caption, (head, *FIGURES), rows)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Numbers in a name as numbers: v9 is before v10."""
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in _NUMBERS.split(name[:100])]


def _reasons(whole: Sums, href: Callable[[str], str]) -> PageTable:
    found = sorted(whole.reasons.items(), key=lambda item: (-item[1], item[0]))
    rows = [
        [Shown(reason, href(reason)), Shown(f"{count:,}"), Shown(share(count, whole.calls))] for reason, count in found
    ]
    return PageTable("How they ended", ("reason", "calls", "share"), rows)
