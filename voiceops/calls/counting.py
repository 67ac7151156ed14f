"""How calls went, by agent, line, revision, day, …: sums of whole hours as they are kept, of the rest from its calls.

An hour is summed once it is asked for after it changed, and kept: a report over months reads hours, not calls.
"""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from voiceops.calls.database import Database
from voiceops.calls.measures import Measured
from voiceops.calls.store import CallFilter
from voiceops.calls.sums import Counts, Sums, counts_in, packed, unpacked

ALL = "all"  # the part of all calls together, whoever answered them: what a report reads that asks for no more
_PARTS = ("", ALL, "reason", "tool")
BY = ("agent", "phone", "revision", "version", "day", "hour", "reason", "tool")
_AT_ONCE = 96  # hours summed in one transaction
_HOUR, _DAY = 1, 24
_ANY = CallFilter()


class Cell(NamedTuple):
    """What is summed together: an agent's calls on a line (`part` empty), those of them that ended so (reason) or used
    a tool (tool), or all calls there were (all)."""

    start: int  # hours since 1970, UTC
    part: str
    value: str
    agent: str
    phone: str
    version: str
    revision: int | None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row of a report."""

    key: str
    sums: Sums

    def to_data(self) -> dict[str, Any]:
        """For JSON."""
        return {"key": self.key, **self.sums.to_row()}


class Reports:
    """Sums of the calls of one database, whose tables are there. Raises what the database raises."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._calls = f"{database.prefix}calls"
        self._tools = f"{database.prefix}call_tools"
        self._sums = f"{database.prefix}call_sums"
        self._dirty = f"{database.prefix}call_dirty"

    def refresh(self, most: int | None = None) -> int:
        """Sum the hours that changed, the newest first where only `most` are wanted; how many there were."""
        done = 0
        limit, order = (_AT_ONCE, "") if most is None else (most, "DESC")
        while most is None or done < most:
            with self._database.transaction():
                newest = f"SELECT hour FROM {self._dirty} ORDER BY hour {order} LIMIT {limit:d}"
                found = self._database.rows(f"SELECT hour FROM ({newest}) AS changed ORDER BY hour")
                hours = [hour for (hour,) in found]
                if not hours:
                    return done
                self._sum_anew(hours)
            done += len(hours)
        return done

    def changed(self) -> int:
        """How many hours changed since they were summed."""
        return int(self._database.rows(f"SELECT count(*) FROM {self._dirty}")[0][0])

    def began(self, since: float) -> list[tuple[int, float]]:
        """The revisions that calls since then ran under, each with the hour of its first call; by their number."""
        rows = self._database.rows(
            f"SELECT revision, min(start) FROM {self._sums} "
            "WHERE span = 1 AND part = '' AND start >= ? AND revision IS NOT NULL GROUP BY revision ORDER BY revision",
            (int(since // 3600),),
        )
        return [(revision, start * 3600.0) for revision, start in rows]

    def _sum_anew(self, hours: list[int]) -> None:
        cells: dict[Cell, Sums] = {}
        for first, last in _runs(hours):
            wanted = CallFilter(since=first * 3600.0, until=(last + 1) * 3600.0)
            _join(cells, self._counted(wanted))
        _add_all(cells)
        self._replace(_HOUR, hours, cells)
        days = sorted({hour // _DAY * _DAY for hour in hours})
        whole: dict[Cell, Sums] = {}
        for first, last in _runs(days, _DAY):
            for cell, sums in self._kept(_HOUR, first, last + _DAY):
                _join(whole, {cell._replace(start=cell.start // _DAY * _DAY): unpacked(sums)})
        self._replace(_DAY, days, whole)
        among = ", ".join("?" * len(hours))
        self._database.change(f"DELETE FROM {self._dirty} WHERE hour IN ({among})", tuple(hours))

    def _replace(self, span: int, starts: list[int], cells: Mapping[Cell, Sums]) -> None:
        among = ", ".join("?" * len(starts))
        self._database.change(
            f"DELETE FROM {self._sums} WHERE span = ? AND part IN ({_marks(_PARTS)}) AND start IN ({among})",
            (span, *_PARTS, *starts),
        )
        if cells:
            self._database.change_many(
                f"INSERT INTO {self._sums} (span, start, part, value, agent, phone, version, revision, sums) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(span, *cell, packed(sums)) for cell, sums in cells.items()],
            )

    def rows(self, wanted: CallFilter, by: str) -> list[ReportRow]:
        """A row for each value of `by` (of BY; empty: one row for all), the busiest first, times in their order."""
        found: dict[str, Sums] = defaultdict(Sums)
        if not (wanted.simulated or wanted.text or wanted.failed):
            self.refresh()
        part = by if by in ("reason", "tool") else ALL if by in ("", "day", "hour") else ""
        for cell, sums in self.cells(wanted, part, by_hour=by == "hour"):
            found[_key(cell, by)].join(sums)
        rows = [ReportRow(key, sums) for key, sums in found.items()]
        if by in ("day", "hour"):
            return sorted(rows, key=lambda row: row.key)
        return sorted(rows, key=lambda row: (-row.sums.calls, row.key))

    def measured(self, wanted: CallFilter, limit: int | None = None) -> list[Measured]:
        """What each call counts for, the newest first; at most so many."""
        where, values = wanted.where()
        rows = self._database.rows(
            "SELECT failed, transferred, success, duration, cost, turn_ms, tools, tools_failed "
            f"FROM {self._calls} WHERE {where} ORDER BY began DESC, id DESC" + (f" LIMIT {limit:d}" if limit else ""),
            values,
        )
        return [
            Measured(
                failed=bool(failed),
                transferred=bool(transferred),
                success=None if success is None else bool(success),
                duration=duration,
                cost=cost,
                turn_ms=turn_ms,
                tools=tools,
                tools_failed=tools_failed,
            )
            for failed, transferred, success, duration, cost, turn_ms, tools, tools_failed in rows
        ]

    def cells(self, wanted: CallFilter, part: str = "", *, by_hour: bool = False) -> Iterator[tuple[Cell, Sums]]:
        """The sums as they are kept, without what changed since `refresh`: by agent, line, version and revision.

        `part`: those of reasons or tools; or ALL, where nobody asks who answered. Of a whole day in one, unless
        `by_hour`.
        """
        for cell, sums in self._pieces(wanted, part, by_hour):
            yield cell, sums if isinstance(sums, Sums) else unpacked(sums)

    def counts(self, wanted: CallFilter, *, by_hour: bool = False) -> Iterator[tuple[Cell, Counts]]:
        """Of all calls together, and only counts: a chart needs no times, which are what takes long to read."""
        for cell, sums in self._pieces(wanted, ALL, by_hour):
            yield cell, sums if isinstance(sums, Sums) else counts_in(sums)

    def _pieces(self, wanted: CallFilter, part: str, by_hour: bool) -> Iterator[tuple[Cell, Sums | bytes]]:
        if part == ALL and (wanted.agent or wanted.phone or wanted.version or wanted.revision is not None):
            part = ""
        if wanted.simulated or wanted.text or wanted.failed:
            yield from _of(self._counted(wanted), part)
            return
        ends = self._database.rows(f"SELECT min(start), max(start) FROM {self._sums} WHERE span = 1 AND part = ''")[0]
        if ends[0] is None:
            return
        since = wanted.since if wanted.since is not None else ends[0] * 3600.0
        until = wanted.until if wanted.until is not None else (ends[1] + 1) * 3600.0
        for span, start, end in _spans(since, until, by_hour=by_hour):
            if span:
                yield from self._kept(span, int(start), int(end), part, wanted)
            else:
                yield from _of(self._counted(replace(wanted, since=start, until=end)), part)

    def _kept(
        self, span: int, start: int, end: int, part: str | None = None, wanted: CallFilter = _ANY
    ) -> Iterator[tuple[Cell, bytes]]:
        """The sums of hours or days that begin in this time, packed; `part` None: of every part."""
        where = [
            "span = ?",
            "start >= ?",
            "start < ?",
            f"part IN ({_marks(_PARTS)})" if part is None else "part = ?",
        ]
        values: list[Any] = [span, start, end, *(_PARTS if part is None else [part])]
        for column, value in (
            ("agent", wanted.agent or None),
            ("phone", wanted.phone or None),
            ("version", wanted.version or None),
            ("revision", wanted.revision),
        ):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        for *cell, sums in self._database.rows(
            f"SELECT start, part, value, agent, phone, version, revision, sums FROM {self._sums} "
            f"WHERE {' AND '.join(where)}",
            tuple(values),
        ):
            yield Cell(*cell), bytes(sums)

    def _counted(self, wanted: CallFilter) -> dict[Cell, Sums]:
        """From the calls themselves."""
        where, values = wanted.where()
        used: dict[str, list[tuple[str, float | None, str]]] = defaultdict(list)
        for call, name, ms, outcome in self._database.rows(
            f"SELECT call, name, ms, outcome FROM {self._tools} "
            f"WHERE call IN (SELECT id FROM {self._calls} WHERE tools > 0 AND {where}) ORDER BY call, n",
            values,
        ):
            used[call].append((name, ms, outcome))
        cells: dict[Cell, Sums] = defaultdict(Sums)
        for row in self._database.rows(
            "SELECT id, began, agent, phone, version, revision, reason, failed, transferred, success, duration, cost, "
            f"waits FROM {self._calls} WHERE {where}",
            values,
        ):
            _count(cells, row, used.get(row[0], []))
        return cells


def _count(cells: dict[Cell, Sums], row: tuple[Any, ...], used: list[tuple[str, float | None, str]]) -> None:
    _, began, agent, phone, version, revision, reason, failed, transferred, success, duration, cost, waits = row
    cell = Cell(int(began // 3600), "", "", agent, phone, version, revision)
    one = Sums()
    one.add_call(
        failed=bool(failed),
        transferred=bool(transferred),
        success=None if success is None else bool(success),
        duration=duration,
        cost=cost,
        reason=reason,
        waits=array("f", bytes(waits)),
    )
    for name in {name for name, _, _ in used}:
        cells[cell._replace(part="tool", value=name)].join(one)
    for name, ms, outcome in used:
        wrong = outcome not in ("", "ok")
        one.add_tool(ms, failed=wrong)
        tool = cells[cell._replace(part="tool", value=name)]
        tool.add_tool(ms, failed=wrong)
        tool.add_outcome(outcome)
    cells[cell].join(one)
    if reason:
        cells[cell._replace(part="reason", value=reason)].join(one)


def _spans(since: float, until: float, *, by_hour: bool) -> Iterator[tuple[int, float, float]]:
    """A time cut into whole days and hours, (span, from, to) in hours, and what is left, (0, from, to) in seconds."""
    first, last = math.ceil(since / 3600), math.floor(until / 3600)
    if first >= last:
        yield 0, since, until
        return
    if since < first * 3600:
        yield 0, since, first * 3600.0
    day, end = -(-first // _DAY) * _DAY, last // _DAY * _DAY
    if by_hour or day >= end:
        yield _HOUR, first, last
    else:
        if first < day:
            yield _HOUR, first, day
        yield _DAY, day, end
        if end < last:
            yield _HOUR, end, last
    if last * 3600 < until:
        yield 0, last * 3600.0, until


def _of(cells: Mapping[Cell, Sums], part: str) -> Iterator[tuple[Cell, Sums]]:
    part = "" if part == ALL else part
    return ((cell, sums) for cell, sums in cells.items() if cell.part == part)


def _add_all(cells: dict[Cell, Sums]) -> None:
    """To the sums by agent and line those of all calls of each hour."""
    for cell, sums in list(cells.items()):
        if cell.part == "":
            cells.setdefault(Cell(cell.start, ALL, "", "", "", "", None), Sums()).join(sums)


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _join(cells: dict[Cell, Sums], more: Mapping[Cell, Sums]) -> None:
    for cell, sums in more.items():
        if cell in cells:
            cells[cell].join(sums)
        else:
            cells[cell] = sums


def _runs(starts: Iterable[int], step: int = 1) -> Iterator[tuple[int, int]]:
    """Neighbours together, as (first, last); of ascending hours, or days."""
    first: int | None = None
    last = 0
    for start in starts:
        if first is not None and start != last + step:
            yield first, last
            first = None
        first, last = start if first is None else first, start
    if first is not None:
        yield first, last


def _key(cell: Cell, by: str) -> str:
    if not by:
        return "all"
    if by in ("day", "hour"):
        at = datetime.fromtimestamp(cell.start * 3600, UTC)
        return at.strftime("%Y-%m-%d" if by == "day" else "%Y-%m-%dT%H:00Z")
    value = cell.value if cell.part else getattr(cell, by)
    return "" if value is None else str(value)
