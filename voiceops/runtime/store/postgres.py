"""The store in PostgreSQL: for several machines. The same tables as in SQLite, the same promises.

A worker is alive as long as its connection holds an advisory lock under its number; the server lets go of it when the
process or its machine is gone. A connection that breaks is made anew at the next write.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import psycopg

from voiceops.calls.private_calls import tells_of
from voiceops.errors import VoiceopsError
from voiceops.runtime.store.keys import prefix_of
from voiceops.runtime.store.records import (
    DEAD,
    DONE,
    LEASED,
    WAITING,
    Claim,
    ClaimRow,
    EventRow,
    ResultRow,
    Stats,
    Stored,
)

_TABLES = """
CREATE TABLE IF NOT EXISTS voiceops_claims (
    key text PRIMARY KEY, owner bigint NOT NULL, tool text NOT NULL, call text NOT NULL, at double precision NOT NULL,
    result text NOT NULL DEFAULT '', outcome text NOT NULL DEFAULT '', ms double precision NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS voiceops_claims_at ON voiceops_claims (at);
CREATE INDEX IF NOT EXISTS voiceops_claims_call ON voiceops_claims (call);
CREATE TABLE IF NOT EXISTS voiceops_events (
    id bigint PRIMARY KEY, key bytea NOT NULL UNIQUE, type text NOT NULL, call text NOT NULL,
    received double precision NOT NULL, sent double precision NOT NULL, state smallint NOT NULL,
    error text NOT NULL DEFAULT '', attempts integer NOT NULL DEFAULT 0, due double precision NOT NULL DEFAULT 0,
    owner bigint NOT NULL DEFAULT 0, body bytea NOT NULL
);
CREATE INDEX IF NOT EXISTS voiceops_events_waiting ON voiceops_events (due) WHERE state = 0;
CREATE INDEX IF NOT EXISTS voiceops_events_working ON voiceops_events (owner) WHERE state = 1;
CREATE INDEX IF NOT EXISTS voiceops_events_dead ON voiceops_events (id) WHERE state = 3;
CREATE TABLE IF NOT EXISTS voiceops_sessions (
    call text NOT NULL, key text NOT NULL, value text NOT NULL, version bigint NOT NULL,
    expires double precision NOT NULL, PRIMARY KEY (call, key)
);
CREATE INDEX IF NOT EXISTS voiceops_sessions_expires ON voiceops_sessions (expires);
CREATE TABLE IF NOT EXISTS voiceops_workers (
    owner bigint PRIMARY KEY, boot text NOT NULL, at double precision NOT NULL, data text NOT NULL
);
"""
_COLUMNS = "id, type, call, received, sent, state, attempts, due, error"
# A network that swallows packets is an error after a quarter of a minute, and not a writer that waits for ever.
_CONNECTION: Any = {
    "connect_timeout": 5,
    "application_name": "voiceops",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
_SETUP_LOCK = 7_310_579  # any number: keeps two starting workers from making the tables at once

_WRITER_LOCK = 7_310_580  # as in SQLite, one transaction of many statements at a time


class PostgresBackend:
    """See `records.Backend`. `worker` False: only look, as a command does beside a running server."""

    prefix = "voiceops_"

    def __init__(self, url: str, *, worker: bool = True) -> None:
        self.owner = secrets.randbits(62) | 1
        self._url = url
        self._worker = worker
        self._connection: psycopg.Connection[Any] | None = None

    def open(self) -> None:
        try:
            connection = self._connect()
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SETUP_LOCK,))
                for statement in filter(None, map(str.strip, _TABLES.split(";"))):
                    connection.execute(statement.encode())
        except psycopg.Error as error:
            where = urlsplit(self._url)
            raise VoiceopsError(
                f"the store at {where.hostname or 'this machine'}{where.path} can't be opened: {_first_line(error)}",
                hint="Check VOICEOPS_RUNTIME_DB, and that the database runs.",
            ) from None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(self._url, autocommit=True, **_CONNECTION)
        connection.execute("SET synchronous_commit = on")
        connection.execute("SET statement_timeout = '15s'")  # the writer has more to do than to wait for one statement
        if self._worker:
            self._be_alive(connection)
        self._connection = connection
        return connection

    def _be_alive(self, connection: psycopg.Connection[Any]) -> None:
        """Hold the lock that tells the others that we live. After a broken connection the old session may have it."""
        key = (self.owner,)
        for _ in range(20):
            if connection.execute("SELECT pg_try_advisory_lock(%s)", key).fetchone() == (True,):
                return
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted "
                "AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = %s AND pid <> pg_backend_pid()",
                key,
            )
            time.sleep(0.1)
        raise psycopg.OperationalError("another session holds this worker's lock")

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed or self._connection.broken:
            return self._connect()
        return self._connection

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection[Any]]:
        connection = self._open()
        with connection.transaction():
            yield connection

    def _run(self, sql: str, values: tuple[Any, ...] = ()) -> psycopg.Cursor[Any]:
        return self._open().execute(sql.encode(), values)

    def write(
        self, claims: list[ClaimRow], results: list[ResultRow], events: list[EventRow], *, safe: bool
    ) -> tuple[list[Claim], list[bool]]:
        try:
            return self._written(claims, results, events)
        except psycopg.OperationalError:
            if self._connection is not None and not (self._connection.closed or self._connection.broken):
                raise
            return self._written(claims, results, events)  # once more, over a new connection

    def _written(
        self, claims: list[ClaimRow], results: list[ResultRow], events: list[EventRow]
    ) -> tuple[list[Claim], list[bool]]:
        with self._transaction():
            owned = self._claim(claims) if claims else []
            if results:
                self._run(
                    "UPDATE voiceops_claims AS c SET result = r.result, outcome = r.outcome, ms = r.ms FROM "
                    "unnest(%s::text[], %s::text[], %s::float8[], %s::text[]) AS r(result, outcome, ms, key) "
                    "WHERE c.key = r.key",
                    _columns(results, 4),
                )
            new = self._keep(events) if events else []
        return owned, new

    def _claim(self, claims: list[ClaimRow]) -> list[Claim]:
        first: dict[str, ClaimRow] = {}
        for row in claims:
            first.setdefault(row.key, row)
        # In the order of keys, so that two workers never wait for each other.
        rows = [first[key] for key in sorted(first)]
        inserted = {
            key
            for (key,) in self._run(
                "INSERT INTO voiceops_claims (key, owner, tool, call, at) SELECT * FROM "
                "unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::float8[]) "
                "ON CONFLICT (key) DO NOTHING RETURNING key",
                _columns(rows, 5),
            )
        }
        answers = []
        for row in claims:
            if row.key in inserted and first[row.key] is row:
                answers.append(Claim(True))
                continue
            found = self._run("SELECT owner, result, at FROM voiceops_claims WHERE key = %s", (row.key,)).fetchone()
            # Written by an earlier try whose end was not heard of: the time tells.
            if found is None:
                answers.append(Claim(False))
            else:
                mine = first[row.key] is row and found == (row.owner, "", row.at)
                answers.append(Claim(True) if mine else Claim(False, found[0], found[1]))
        return answers

    def _keep(self, events: list[EventRow]) -> list[bool]:
        rows = sorted(events, key=lambda row: row.key)
        kept = {
            id_
            for (id_,) in self._run(
                "INSERT INTO voiceops_events (id, key, type, call, received, sent, state, error, body) SELECT * FROM "
                "unnest(%s::bigint[], %s::bytea[], %s::text[], %s::text[], %s::float8[], %s::float8[], %s::smallint[],"
                " %s::text[], %s::bytea[]) ON CONFLICT (key) DO NOTHING RETURNING id",
                _columns(rows, 9),
            )
        }
        return [row.id in kept for row in events]

    def lookup(self, key: str) -> Claim | None:
        row = self._run("SELECT owner, result FROM voiceops_claims WHERE key = %s", (key,)).fetchone()
        return Claim(False, row[0], row[1]) if row else None

    def take_over(self, key: str, dead: int) -> bool:
        changed = self._run(
            "UPDATE voiceops_claims SET owner = %s WHERE key = %s AND owner = %s AND result = ''",
            (self.owner, key, dead),
        )
        return changed.rowcount == 1

    def alive(self, owner: int) -> bool:
        if owner == self.owner:
            return True
        held = self._run(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
            "AND (classid::bigint << 32 | objid::bigint) = %s",
            (owner,),
        )
        return held.fetchone() is not None

    def take(self, types: list[str] | None, now: float, limit: int) -> list[Stored]:
        typed = "AND type = ANY(%s)" if types is not None else ""
        rows = self._run(
            f"UPDATE voiceops_events SET state = {LEASED}, owner = %s, attempts = attempts + 1 WHERE id IN ("
            f"SELECT id FROM voiceops_events WHERE state = {WAITING} AND due <= %s {typed} "
            f"ORDER BY due, id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING {_COLUMNS}, body",
            (self.owner, now, *([types] if types is not None else []), limit),
        )
        return sorted((_stored(row) for row in rows), key=lambda event: event.id)

    def finish(self, id_: int) -> None:
        self._run(f"UPDATE voiceops_events SET state = {DONE}, error = '' WHERE id = %s", (id_,))

    def put_off(self, id_: int, due: float, error: str) -> None:
        self._run(
            f"UPDATE voiceops_events SET state = {WAITING}, due = %s, error = %s WHERE id = %s", (due, error, id_)
        )

    def bury(self, id_: int, error: str) -> None:
        self._run(f"UPDATE voiceops_events SET state = {DEAD}, error = %s WHERE id = %s", (error, id_))

    def release_dead(self) -> int:
        owners = [o for (o,) in self._run(f"SELECT DISTINCT owner FROM voiceops_events WHERE state = {LEASED}")]
        gone = [owner for owner in owners if not self.alive(owner)]
        if not gone:
            return 0
        return self._run(
            f"UPDATE voiceops_events SET state = {WAITING} WHERE state = {LEASED} AND owner = ANY(%s)", (gone,)
        ).rowcount

    def check(self) -> str:
        return ""  # the server's own business

    def damaged(self, error: Exception) -> bool:
        return False  # the server's own business

    def stats(self) -> Stats:
        row = self._run(
            f"SELECT count(*) FILTER (WHERE state = {WAITING}), count(*) FILTER (WHERE state = {LEASED}), "
            f"count(*) FILTER (WHERE state = {DEAD}), coalesce(min(received) FILTER (WHERE state = {WAITING}), 0) "
            f"FROM voiceops_events WHERE state != {DONE}"
        ).fetchone()
        return Stats(*row) if row else Stats()

    def newest(self) -> int:
        return int(self.rows("SELECT coalesce(max(id), 0) FROM voiceops_events")[0][0])

    def find(self, *, state: int | None, type_: str, limit: int) -> list[Stored]:
        rows = self._run(
            f"SELECT {_COLUMNS} FROM voiceops_events WHERE (%s::int IS NULL OR state = %s) AND (%s = '' OR type = %s) "
            "ORDER BY id DESC LIMIT %s",
            (state, state, type_, type_, limit),
        )
        return [Stored(*row) for row in rows]

    def ran(self, call: str) -> list[tuple[str, str, str, float]]:
        first, last = prefix_of(call)
        rows = self._run(
            "SELECT key, tool, outcome, ms FROM voiceops_claims "
            'WHERE key COLLATE "C" >= %s AND key COLLATE "C" < %s AND call = %s AND result <> \'\'',
            (first, last, call),
        )
        return [(key[len(first) :], tool, outcome, ms) for key, tool, outcome, ms in rows]

    def get(self, id_: int) -> Stored | None:
        row = self._run(f"SELECT {_COLUMNS}, body FROM voiceops_events WHERE id = %s", (id_,)).fetchone()
        return _stored(row) if row else None

    def replay(self, ids: list[int]) -> int:
        return self._run(
            f"UPDATE voiceops_events SET state = {WAITING}, attempts = 0, due = 0, error = '' "
            f"WHERE id = ANY(%s) AND state != {LEASED}",
            (ids,),
        ).rowcount

    def replace_body(self, id_: int, body: bytes) -> None:
        self._run("UPDATE voiceops_events SET body = %s WHERE id = %s", (body, id_))

    def prune(self, events_before: float, claims_before: float) -> int:
        deleted = self._run(
            "DELETE FROM voiceops_events WHERE id IN "
            f"(SELECT id FROM voiceops_events WHERE state = {DONE} AND received < %s LIMIT 500)",
            (events_before,),
        ).rowcount
        self._run(
            "DELETE FROM voiceops_claims WHERE key IN (SELECT key FROM voiceops_claims WHERE at < %s LIMIT 500)",
            (claims_before,),
        )
        now = time.time()
        self._run("DELETE FROM voiceops_workers WHERE at < %s", (now - 86_400,))
        self._run("DELETE FROM voiceops_sessions WHERE expires < %s", (now,))
        return deleted

    def maintain(self) -> None:
        """PostgreSQL keeps itself in shape."""

    def publish(self, boot: str, data: str) -> None:
        self._run(
            "INSERT INTO voiceops_workers (owner, boot, at, data) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (owner) DO UPDATE SET at = excluded.at, data = excluded.data",
            (self.owner, boot, time.time(), data),
        )

    def published(self, boot: str) -> list[str]:
        rows = self._run("SELECT data FROM voiceops_workers WHERE boot = %s AND owner != %s", (boot, self.owner))
        return [data for (data,) in rows]

    def calls(self, limit: int) -> list[dict[str, Any]]:
        rows = self._run("SELECT at, call, tool, outcome, ms FROM voiceops_claims ORDER BY at DESC LIMIT %s", (limit,))
        return [dict(zip(("at", "call", "tool", "outcome", "ms"), row, strict=True)) for row in rows]

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self._run(sql.replace("?", "%s"), values).fetchall()

    def change(self, sql: str, values: tuple[Any, ...] = ()) -> int:
        return self._run(sql.replace("?", "%s"), values).rowcount

    def change_many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        self._open().cursor().executemany(sql.replace("?", "%s").encode(), rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        with self._transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_WRITER_LOCK,))
            yield

    @contextlib.contextmanager
    def scrubbing(self) -> Iterator[None]:
        yield  # the server overwrites dead rows when it vacuums

    def forget(self, calls: Sequence[str], number: str) -> int:
        ids = list(calls)
        self._run("DELETE FROM voiceops_claims WHERE call = ANY(%s)", (ids,))
        self._run("DELETE FROM voiceops_sessions WHERE call = ANY(%s)", (ids,))
        holding = self._run("SELECT id, body FROM voiceops_events WHERE position(%s IN body) > 0", (number.encode(),))
        told = [id_ for id_, body in holding if tells_of(bytes(body), number)]
        return self._run("DELETE FROM voiceops_events WHERE call = ANY(%s) OR id = ANY(%s)", (ids, told)).rowcount

    def type_of(self, kind: str) -> str:
        return {"text": "text", "number": "double precision", "integer": "bigint", "bytes": "bytea"}[kind]


def _stored(row: Any) -> Stored:
    *columns, body = row
    return replace(Stored(*columns), body=bytes(body))


def _columns(rows: Any, count: int) -> tuple[list[Any], ...]:
    return tuple([row[index] for row in rows] for index in range(count))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
