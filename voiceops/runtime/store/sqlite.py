"""The store in one SQLite file: for one machine, any number of worker processes.

WAL, so that readers never wait; many rows in one statement, so that the interpreter's lock is given up once a
statement and not once a row; checkpoints from a thread of their own, so that no commit waits for one.
A worker is alive as long as the kernel holds its lock on a file beside the database.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

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

try:
    import fcntl
except ImportError:  # Windows: one process only, and its claims are its own
    fcntl = None  # type: ignore[assignment]

VERSION = 1
_ROWS = 32  # rows a statement, at most
_PATIENCE = 15.0  # seconds for others that use the database
_BUSY = sqlite3.SQLITE_BUSY
_WAL_LIMIT = 64_000_000  # bytes after which the write-ahead log is started anew

_TABLES = """
CREATE TABLE IF NOT EXISTS claims (
    key TEXT PRIMARY KEY, owner INTEGER NOT NULL, tool TEXT NOT NULL, call TEXT NOT NULL, at REAL NOT NULL,
    result TEXT NOT NULL DEFAULT '', outcome TEXT NOT NULL DEFAULT '', ms REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, type TEXT NOT NULL, call TEXT NOT NULL,
    received REAL NOT NULL, sent REAL NOT NULL, state INTEGER NOT NULL, error TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0, owner INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS workers (
    owner INTEGER PRIMARY KEY, boot TEXT NOT NULL, at REAL NOT NULL, data TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS present (owner INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS sessions (
    call TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL, expires REAL NOT NULL,
    PRIMARY KEY (call, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_expires ON sessions (expires);
CREATE INDEX IF NOT EXISTS events_waiting ON events (due) WHERE state = 0;
CREATE INDEX IF NOT EXISTS events_working ON events (owner) WHERE state = 1;
CREATE INDEX IF NOT EXISTS events_dead ON events (id) WHERE state = 3;
"""
_COLUMNS = "id, type, call, received, sent, state, attempts, due, error"


class SqliteBackend:
    """See `records.Backend`. `worker` False: only look, as a command does beside a running server."""

    prefix = ""

    def __init__(self, path: Path, *, worker: bool = True, patience: float = _PATIENCE) -> None:
        """`patience`: the seconds for which others that use the database are waited for."""
        self.path = path
        self._patience = patience
        self.owner = secrets.randbits(62) | 1
        self._worker = worker
        self._lock: IO[bytes] | None = None
        self._stop = threading.Event()
        self._checkpointer: threading.Thread | None = None
        self._safe: bool | None = None

    def open(self) -> None:
        until = time.monotonic() + self._patience
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _make_private(self.path)
            while not self._set_up(last=time.monotonic() >= until):
                time.sleep(0.02)
            keep_private(self.path)  # by now it is known to be a database, and no file of somebody else's
            found = self.path.stat()
            self._place, self._size = (found.st_dev, found.st_ino), found.st_size
        except (OSError, sqlite3.Error) as error:
            raise VoiceopsError(
                f"the store {self.path} can't be opened: {error}", hint="Check VOICEOPS_RUNTIME_DB and the folder."
            ) from None
        if self._worker:
            self._be_alive()
            self._connection.execute("PRAGMA wal_autocheckpoint=0")
            self._checkpointer = threading.Thread(target=self._checkpoints, name="voiceops-checkpoint", daemon=True)
            self._checkpointer.start()

    def _set_up(self, *, last: bool) -> bool:
        """Connect, and make what is missing; False where others that do the same are in the way.

        SQLite does not wait for them when the journal's mode is set: it would be a dead end where both change it.
        """
        connection = self._connection = self._connect()
        try:
            if not self.path.stat().st_size:
                connection.execute("PRAGMA page_size=16384")  # reports are large: fewer pages to chain
            there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if there and there.isdisjoint({"events", "bodies", "claims"}):
                raise VoiceopsError(
                    f"{self.path} is a database of something else", hint="Check --db, and VOICEOPS_RUNTIME_DB."
                )
            connection.execute("PRAGMA journal_mode=WAL")
            with self._transaction():
                for statement in filter(None, map(str.strip, _TABLES.split(";"))):
                    connection.execute(statement)
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise VoiceopsError(f"{self.path.name} was written by a newer voiceops", hint="Use that one.")
            connection.execute(f"PRAGMA user_version={VERSION}")
            if self._worker:
                connection.execute("INSERT INTO present (owner) VALUES (?)", (self.owner,))
        except BaseException as error:
            connection.close()
            busy = isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF == _BUSY
            if busy and not last:
                return False
            raise
        return True

    def close(self) -> None:
        self._stop.set()
        if self._checkpointer is not None:
            self._checkpointer.join()
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("DELETE FROM present WHERE owner = ?", (self.owner,))
        self._connection.close()
        if self._lock is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._lock_file(self.owner))
            self._lock.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._patience, isolation_level=None, cached_statements=512, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-32768")
        return connection

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def write(
        self, claims: list[ClaimRow], results: list[ResultRow], events: list[EventRow], *, safe: bool
    ) -> tuple[list[Claim], list[bool]]:
        if safe is not self._safe:
            self._connection.execute(f"PRAGMA synchronous={'FULL' if safe else 'NORMAL'}")
            self._safe = safe
        with self._transaction():
            owned = self._claim(claims) if claims else []
            for chunk in _chunks(results):
                self._connection.execute(
                    "INSERT INTO claims (result, outcome, ms, key, owner, tool, call, at) VALUES "
                    f"{_results(len(chunk))} ON CONFLICT (key) DO UPDATE SET "
                    "result = excluded.result, outcome = excluded.outcome, ms = excluded.ms",
                    [value for row in chunk for value in row],
                )
            new = self._keep(events) if events else []
        return owned, new

    def _claim(self, claims: list[ClaimRow]) -> list[Claim]:
        answers: list[Claim] = []
        seen: set[str] = set()
        for chunk in _chunks(claims):
            first = [row for row in chunk if not (row.key in seen or seen.add(row.key))]  # type: ignore[func-returns-value]
            inserted = (
                0
                if not first
                else self._connection.execute(
                    f"INSERT INTO claims (key, owner, tool, call, at) VALUES {_marks(5, len(first))} "
                    "ON CONFLICT (key) DO NOTHING",
                    [value for row in first for value in row],
                ).rowcount
            )
            if inserted == len(chunk):
                answers += [_MINE] * inserted
                continue
            # Rare: somebody has been here. Which of them are new shows in the time that we wrote.
            for row in chunk:
                found = self._connection.execute(
                    "SELECT owner, result, at FROM claims WHERE key = ?", (row.key,)
                ).fetchone()
                mine = found[0] == row.owner and found[2] == row.at and not found[1] and row in first
                answers.append(_MINE if mine else Claim(False, found[0], found[1]))
        return answers

    def _keep(self, events: list[EventRow]) -> list[bool]:
        new: list[bool] = []
        for chunk in _chunks(events):
            inserted = self._connection.execute(
                "INSERT INTO events (id, key, type, call, received, sent, state, error) "
                f"VALUES {_marks(8, len(chunk))} ON CONFLICT (key) DO NOTHING",
                [value for row in chunk for value in row[:8]],
            ).rowcount
            fresh = [True] * len(chunk)
            if inserted != len(chunk):
                ids = [row.id for row in chunk]
                there = self._connection.execute(f"SELECT id FROM events WHERE id IN ({_list(len(ids))})", ids)
                kept = {id_ for (id_,) in there}
                fresh = [id_ in kept for id_ in ids]
            bodies = [value for row, is_new in zip(chunk, fresh, strict=True) if is_new for value in (row.id, row.body)]
            if bodies:
                self._connection.execute(f"INSERT INTO bodies (id, body) VALUES {_marks(2, len(bodies) // 2)}", bodies)
            new += fresh
        return new

    def lookup(self, key: str) -> Claim | None:
        row = self._connection.execute("SELECT owner, result FROM claims WHERE key = ?", (key,)).fetchone()
        return Claim(False, row[0], row[1]) if row else None

    def take_over(self, key: str, dead: int) -> bool:
        changed = self._connection.execute(
            "UPDATE claims SET owner = ? WHERE key = ? AND owner = ? AND result = ''", (self.owner, key, dead)
        )
        return changed.rowcount == 1

    def alive(self, owner: int) -> bool:
        if owner == self.owner:
            return True
        if fcntl is None:
            return False
        try:
            with open(self._lock_file(owner), "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True  # held: its process lives
        return False

    def take(self, types: list[str] | None, now: float, limit: int) -> list[Stored]:
        typed = f"AND type IN ({_list(len(types))})" if types is not None else ""
        with self._transaction():
            ids = [
                id_
                for (id_,) in self._connection.execute(
                    f"SELECT id FROM events WHERE state = 0 AND due <= ? {typed} ORDER BY due, id LIMIT ?",
                    (now, *(types or ()), limit),
                )
            ]
            if not ids:
                return []
            among = f"id IN ({_list(len(ids))})"
            self._connection.execute(
                f"UPDATE events SET state = {LEASED}, owner = ?, attempts = attempts + 1 WHERE {among}",
                (self.owner, *ids),
            )
            return self._select(f"{among} ORDER BY id", ids)

    def _select(self, where: str, values: list[Any]) -> list[Stored]:
        columns = ", ".join(f"events.{name}" for name in _COLUMNS.split(", "))
        rows = self._connection.execute(
            f"SELECT {columns}, body FROM events JOIN bodies USING (id) WHERE {where}", values
        )
        return [Stored(*row) for row in rows]

    def finish(self, id_: int) -> None:
        self._connection.execute(f"UPDATE events SET state = {DONE}, error = '' WHERE id = ?", (id_,))

    def put_off(self, id_: int, due: float, error: str) -> None:
        self._connection.execute(
            f"UPDATE events SET state = {WAITING}, due = ?, error = ? WHERE id = ?", (due, error, id_)
        )

    def bury(self, id_: int, error: str) -> None:
        self._connection.execute(f"UPDATE events SET state = {DEAD}, error = ? WHERE id = ?", (error, id_))

    def release_dead(self) -> int:
        owners = [o for (o,) in self._connection.execute("SELECT DISTINCT owner FROM events WHERE state = 1")]
        gone = [owner for owner in owners if not self.alive(owner)]
        released = 0
        for owner in gone:
            released += self._connection.execute(
                f"UPDATE events SET state = {WAITING} WHERE state = {LEASED} AND owner = ?", (owner,)
            ).rowcount
        for path in self.path.parent.glob(f"{self.path.name}.worker-*"):
            owner_text = path.name.rpartition("-")[2]
            if owner_text.isdigit() and not self.alive(int(owner_text)):
                path.unlink(missing_ok=True)
                self._connection.execute("DELETE FROM present WHERE owner = ?", (int(owner_text),))
        return released

    def check(self) -> str:
        """See `records.Backend`. Looks at the file: an open database goes on with what it holds in memory.

        Only by its place, its size and SQLite itself: `keep_private` says why nothing else may open it.
        """
        try:
            found = self.path.stat()
        except OSError as error:
            return f"the store's file is gone: {error.strerror}"
        if (found.st_dev, found.st_ino) != self._place:
            return "the store's file was replaced by another one"
        if found.st_size < self._size:
            return "the store's file is damaged: it was cut"
        self._size = found.st_size  # it never shrinks: what is deleted leaves room for what comes
        try:
            with contextlib.closing(sqlite3.connect(self.path, timeout=1)) as fresh:
                there = fresh.execute("SELECT 1 FROM present WHERE owner = ?", (self.owner,)).fetchone()
                fresh.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            return "" if "locked" in str(error) else f"the store's file is damaged: {error}"
        except sqlite3.DatabaseError as error:
            return f"the store's file is damaged: {error}"
        return "" if there else "the store's file is an older copy: what was stored since is not in it"

    def damaged(self, error: Exception) -> bool:
        """See `records.Backend`. Pages are damaged, or the file is no database. https://www.sqlite.org/rescode.html"""
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

    def stats(self) -> Stats:
        count = "SELECT count(*), coalesce(min(received), 0) FROM events WHERE state = "
        waiting, oldest = self._connection.execute(count + "0").fetchone()
        return Stats(
            waiting=waiting,
            working=self._connection.execute(count + "1").fetchone()[0],
            dead=self._connection.execute(count + "3").fetchone()[0],
            oldest=oldest,
        )

    def newest(self) -> int:
        return int(self.rows("SELECT coalesce(max(id), 0) FROM events")[0][0])

    def find(self, *, state: int | None, type_: str, limit: int) -> list[Stored]:
        where, values = ["1"], []
        if state is not None:
            where.append("state = ?")
            values.append(state)
        if type_:
            where.append("type = ?")
            values.append(type_)  # type: ignore[arg-type]
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM events WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?", (*values, limit)
        )
        return [Stored(*row) for row in rows]

    def ran(self, call: str) -> list[tuple[str, str, str, float]]:
        first, last = prefix_of(call)
        rows = self.rows(
            "SELECT key, tool, outcome, ms FROM claims WHERE key >= ? AND key < ? AND result <> ''", (first, last)
        )
        return [(key[len(first) :], tool, outcome, ms) for key, tool, outcome, ms in rows]

    def get(self, id_: int) -> Stored | None:
        found = self._select("id = ?", [id_])
        return found[0] if found else None

    def replay(self, ids: list[int]) -> int:
        changed = 0
        for id_ in ids:
            changed += self._connection.execute(
                f"UPDATE events SET state = {WAITING}, attempts = 0, due = 0, error = '' WHERE id = ? AND state != 1",
                (id_,),
            ).rowcount
        return changed

    def replace_body(self, id_: int, body: bytes) -> None:
        self._connection.execute("UPDATE bodies SET body = ? WHERE id = ?", (body, id_))

    def prune(self, events_before: float, claims_before: float) -> int:
        old = f"SELECT id FROM events WHERE state = {DONE} AND received < ? LIMIT 500"
        with self._transaction():
            ids = [id_ for (id_,) in self._connection.execute(old, (events_before,))]
            self._connection.execute(f"DELETE FROM bodies WHERE id IN ({_list(len(ids))})", ids)
            self._connection.execute(f"DELETE FROM events WHERE id IN ({_list(len(ids))})", ids)
            self._connection.execute(
                "DELETE FROM claims WHERE key IN (SELECT key FROM claims WHERE at < ? LIMIT 500)", (claims_before,)
            )
            now = time.time()
            self._connection.execute("DELETE FROM workers WHERE at < ?", (now - 86_400,))
            self._connection.execute("DELETE FROM sessions WHERE expires < ?", (now,))
        return len(ids)

    def maintain(self) -> None:
        """Start the write-ahead log anew when it has grown: most of it is in the database by then."""
        wal = self.path.with_name(self.path.name + "-wal")
        with contextlib.suppress(OSError, sqlite3.Error):
            if wal.stat().st_size > _WAL_LIMIT:
                self._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()

    def publish(self, boot: str, data: str) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO workers (owner, boot, at, data) VALUES (?, ?, ?, ?)",
            (self.owner, boot, time.time(), data),
        )

    def published(self, boot: str) -> list[str]:
        rows = self._connection.execute("SELECT data FROM workers WHERE boot = ? AND owner != ?", (boot, self.owner))
        return [data for (data,) in rows]

    def calls(self, limit: int) -> list[dict[str, Any]]:
        rows = self._connection.execute(
            "SELECT at, call, tool, outcome, ms FROM claims ORDER BY at DESC LIMIT ?", (limit,)
        )
        return [dict(zip(("at", "call", "tool", "outcome", "ms"), row, strict=True)) for row in rows]

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()

    def change(self, sql: str, values: tuple[Any, ...] = ()) -> int:
        return self._connection.execute(sql, values).rowcount

    def change_many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        self._connection.executemany(sql, rows)

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        return self._transaction()

    @contextlib.contextmanager
    def scrubbing(self) -> Iterator[None]:
        self._connection.execute("PRAGMA secure_delete=ON")
        try:
            yield
        finally:
            # The log holds the pages as they were. A reader that is at work keeps it until its own end.
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._connection.execute("PRAGMA secure_delete=OFF")

    def forget(self, calls: Sequence[str], number: str) -> int:
        holding = self._connection.execute("SELECT id, body FROM bodies WHERE instr(body, ?)", (number.encode(),))
        ids = {id_ for id_, body in holding if tells_of(body, number)}
        for call in calls:
            ids |= {id_ for (id_,) in self.rows("SELECT id FROM events WHERE call = ?", (call,))}
            self.change("DELETE FROM claims WHERE call = ?", (call,))
            self.change("DELETE FROM sessions WHERE call = ?", (call,))
        for table in ("bodies", "events"):
            self.change_many(f"DELETE FROM {table} WHERE id = ?", [(id_,) for id_ in ids])
        return len(ids)

    def type_of(self, kind: str) -> str:
        return {"text": "TEXT", "number": "REAL", "integer": "INTEGER", "bytes": "BLOB"}[kind]

    def _be_alive(self) -> None:
        if fcntl is None:
            return
        path = self._lock_file(self.owner)
        new = path.with_name(f"{path.name}.new")
        self._lock = open(new, "xb", opener=_private)  # noqa: SIM115 - held until the process ends
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rename(new, path)  # nobody sees it without its lock

    def _lock_file(self, owner: int) -> Path:
        return self.path.with_name(f"{self.path.name}.worker-{owner}")

    def _checkpoints(self) -> None:
        """Move the log into the database bit by bit, beside the writer."""
        connection = self._connect()
        try:
            while not self._stop.wait(0.5):
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        finally:
            connection.close()


def _make_private(path: Path) -> None:
    """Make the file, where there is none yet, so that nobody else may read it. Raises OSError."""
    with contextlib.suppress(FileExistsError):  # of a link what it points to
        os.close(os.open(path.resolve(), os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600))


def keep_private(path: Path) -> None:
    """Let nobody else read a database: it holds what callers said. Also what was made before this was so.

    A file that is there is never opened: when this process closes it, the locks of all its connections are gone, and
    another process takes the log away under them.
    https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    Raises OSError.
    """
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        beside = path.with_name(name)
        # Somebody else's file that we may use is theirs to close; one that is gone needs nothing.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            mode = beside.stat().st_mode
            if mode & 0o077 and stat.S_ISREG(mode):
                beside.chmod(0o600)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


_MINE = Claim(True)


def _chunks(rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), _ROWS):
        yield rows[start : start + _ROWS]


@lru_cache(maxsize=_ROWS)
def _results(rows: int) -> str:
    return ",".join(["(?, ?, ?, ?, 0, '', '', 0)"] * rows)


@lru_cache(maxsize=_ROWS * 8)
def _marks(columns: int, rows: int) -> str:
    return ",".join(["(" + ",".join("?" * columns) + ")"] * rows)


def _list(count: int) -> str:
    return ",".join("?" * count)
