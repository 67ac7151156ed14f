"""What the dashboard shows, read from the store and the counters: figures and ids, no numbers and no words of callers.

The store is read over a connection of its own: what a page counts through must not hold up the writer, on which
somebody on the phone waits.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from voiceops.runtime.store.records import DEAD, LEASED, WAITING, Backend
from voiceops.runtime.store.sqlite import SqliteBackend

HOURS = 24
_SECONDS = 5.0  # for one query
_NEWEST = 50
_OUTCOMES = "voiceops_tool_calls_total"


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour by the clock, in UTC; `start` in epoch seconds. A call counts where it was first heard of."""

    start: int
    calls: int = 0
    messages: int = 0
    tool_calls: int = 0


@dataclass(frozen=True, slots=True)
class ToolFigures:
    """A tool's answered calls in the last 24 hours, in milliseconds; None: there were none."""

    calls: int = 0
    p50: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """Stored messages of one type that are not done; `oldest` is the age of the longest waiting one, in seconds."""

    type: str
    waiting: int = 0
    working: int = 0
    dead: int = 0
    oldest: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The store at one moment."""

    now: float
    hours: tuple[Hour, ...] = ()
    tools: dict[str, ToolFigures] = field(default_factory=dict)
    queue: tuple[Queued, ...] = ()
    newest: tuple[dict[str, Any], ...] = ()

    @property
    def oldest(self) -> float | None:
        """The seconds that the longest waiting message waits; None where none does."""
        return max((item.oldest for item in self.queue if item.oldest is not None), default=None)


@dataclass(frozen=True, slots=True)
class _Store:
    """A database for one reading: its two tables, and what the two databases say differently."""

    ask: Callable[..., list[tuple[Any, ...]]]  # a query's answer; takes the query, and a value for each `given`
    events: str
    claims: str
    hour: str  # of `at`, since 1970
    given: str  # stands for a value


@contextlib.contextmanager
def _sqlite(backend: SqliteBackend) -> Iterator[_Store]:
    with contextlib.closing(sqlite3.connect(f"{backend.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:

        def ask(sql: str, *values: object) -> list[tuple[Any, ...]]:
            until = time.monotonic() + _SECONDS
            connection.set_progress_handler(lambda: time.monotonic() > until, 100_000)
            return connection.execute(sql, values).fetchall()

        yield _Store(ask, "events", "claims", hour="CAST(at / 3600 AS INTEGER)", given="?")


@contextlib.contextmanager
def _postgres(url: str) -> Iterator[_Store]:
    import psycopg

    with psycopg.connect(url, autocommit=True, connect_timeout=5, application_name="voiceops") as connection:
        connection.execute("SET default_transaction_read_only = on")
        connection.execute(f"SET statement_timeout = {int(_SECONDS * 1000)}".encode())

        def ask(sql: str, *values: object) -> list[tuple[Any, ...]]:
            return connection.execute(sql.encode(), values).fetchall()

        yield _Store(ask, "voiceops_events", "voiceops_claims", hour="floor(at / 3600)::bigint", given="%s")


def figures(backend: Backend, location: str, now: float) -> Figures:
    """Blocks: for a thread. `location` is VOICEOPS_RUNTIME_DB. Raises what the database raises."""
    with _sqlite(backend) if isinstance(backend, SqliteBackend) else _postgres(location) as store:
        return Figures(
            now=now, hours=_hours(store, now), tools=_tools(store, now), queue=_queue(store, now), newest=_newest(store)
        )


def queue_figures(backend: Backend, location: str, now: float) -> Figures:
    """The queue alone, which is all that most pages show: the rest is counted through a day of tool calls."""
    with _sqlite(backend) if isinstance(backend, SqliteBackend) else _postgres(location) as store:
        return Figures(now=now, queue=_queue(store, now))


def _hours(store: _Store, now: float) -> tuple[Hour, ...]:
    """The last 24 hours by the clock; the newest is not over."""
    last = int(now) // 3600
    first = last - HOURS + 1
    # An event's id begins with its millisecond, and is what the table is ordered by.
    hour_of_event = "(id >> 22) / 3600000"
    messages = dict(
        store.ask(
            f"SELECT {hour_of_event} AS hour, count(*) FROM {store.events} WHERE id >= {store.given} GROUP BY 1",
            _id(first * 3600),
        )
    )
    tools = dict(
        store.ask(
            f"SELECT {store.hour} AS hour, count(*) FROM {store.claims} "
            f"WHERE at >= {store.given} AND {_IS_TOOL} GROUP BY 1",
            first * 3600,
        )
    )
    # Two hours more are looked at, so that a call that began before counts where it began.
    begun = dict(
        store.ask(
            "SELECT hour, count(*) FROM (SELECT call, min(hour) AS hour FROM ("
            f"SELECT call, {hour_of_event} AS hour FROM {store.events} WHERE id >= {store.given} UNION ALL "
            f"SELECT call, {store.hour} AS hour FROM {store.claims} WHERE at >= {store.given} AND {_IS_TOOL}"
            ") AS heard WHERE call <> '' GROUP BY call) AS begun GROUP BY hour",
            _id((first - 2) * 3600),
            (first - 2) * 3600,
        )
    )
    return tuple(
        Hour(hour * 3600, begun.get(hour, 0), messages.get(hour, 0), tools.get(hour, 0))
        for hour in range(first, last + 1)
    )


_IS_TOOL = "substr(tool, 1, 6) <> 'Phone/'"  # lines that the runtime answers are claimed there, too


def _id(seconds: int) -> int:
    """The smallest id that an event of that second can have."""
    return (seconds * 1000) << 22


def _tools(store: _Store, now: float) -> dict[str, ToolFigures]:
    """Nearest-rank percentiles: values that were measured, the same from both databases."""
    found = store.ask(
        "SELECT tool, max(n), max(CASE WHEN rank = (n * 50 + 99) / 100 THEN ms END), "
        "max(CASE WHEN rank = (n * 95 + 99) / 100 THEN ms END) FROM ("
        "SELECT tool, ms, row_number() OVER (PARTITION BY tool ORDER BY ms) AS rank, "
        f"count(*) OVER (PARTITION BY tool) AS n FROM {store.claims} "
        f"WHERE at >= {store.given} AND result <> '' AND {_IS_TOOL}) AS ranked GROUP BY tool",
        now - HOURS * 3600,
    )
    return {tool: ToolFigures(calls, p50, p95) for tool, calls, p50, p95 in found}


def _queue(store: _Store, now: float) -> tuple[Queued, ...]:
    counted: dict[str, dict[int, tuple[int, float]]] = {}
    for state in (WAITING, LEASED, DEAD):  # each has an index of its own; what is done is not looked at
        select = f"SELECT type, count(*), min(received) FROM {store.events} WHERE state = {state} GROUP BY type"
        for type_, count, received in store.ask(select):
            counted.setdefault(type_, {})[state] = count, received
    return tuple(
        Queued(
            type=type_,
            waiting=states.get(WAITING, (0, 0.0))[0],
            working=states.get(LEASED, (0, 0.0))[0],
            dead=states.get(DEAD, (0, 0.0))[0],
            oldest=max(0.0, now - states[WAITING][1]) if WAITING in states else None,
        )
        for type_, states in sorted(counted.items())
    )


def _newest(store: _Store) -> tuple[dict[str, Any], ...]:
    found = store.ask(f"SELECT at, call, tool, ms, result <> '' FROM {store.claims} ORDER BY at DESC LIMIT {_NEWEST}")
    return tuple(
        {"at": at, "call": call, "tool": tool, "ms": ms if done else None} for at, call, tool, ms, done in found
    )


def outcomes(snapshots: Iterable[str]) -> dict[str, dict[str, int]]:
    """Tool → outcome → calls, over all workers, since each of them started."""
    found: dict[str, dict[str, int]] = {}
    for snapshot in snapshots:
        for name, labels, value in json.loads(snapshot)["counters"]:
            if name == _OUTCOMES and value:
                named = dict(labels)
                counts = found.setdefault(named["tool"], {})
                counts[named["outcome"]] = counts.get(named["outcome"], 0) + int(value)
    return found
