"""What the simulated vendors keep: rows by collection, in memory, and in a SQLite file where one is given.

A transaction is in the file before it ends, so that an answered write outlives a kill of the process.
Two processes may use one file: each sees the other's commits before its next read or write.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Body = dict[str, Any]


@dataclass(slots=True)
class Row:
    """One object, and what reads see of it: a write may become visible later than it is answered."""

    collection: str
    id: str
    body: Body
    seq: int = 0  # the order of creation
    visible_at: float = 0.0
    gone_at: float | None = None  # deleted; reads show it until then
    before: Body | None = None  # what reads show until `before_until`
    before_until: float = 0.0

    @property
    def alive(self) -> bool:
        return self.gone_at is None

    def changed(self, body: Body) -> Row:
        """The same object with another content, which reads see at once."""
        return Row(self.collection, self.id, body, self.seq, self.visible_at)

    def seen(self, now: float) -> Body | None:
        """What a read at this time answers."""
        if now < self.visible_at or (self.gone_at is not None and now >= self.gone_at):
            return None
        return self.before if self.before is not None and now < self.before_until else self.body


class Store:
    """The rows of one sandbox. Not thread-safe: one event loop owns it."""

    def __init__(self, path: Path | None = None) -> None:
        self._rows: dict[str, dict[str, Row]] = {}
        self._seq = 0
        self._version = -1
        self._inside = False
        self._db: sqlite3.Connection | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
            # A commit is in the operating system's hands when it returns: enough against a killed process.
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS rows"
                " (collection TEXT, id TEXT, seq INTEGER, doc TEXT, PRIMARY KEY (collection, id))"
            )
            self._load()

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def refresh(self) -> None:
        """See what another process committed since."""
        if self._db is not None and not self._inside and self._data_version() != self._version:
            self._load()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside, or none; a transaction inside another is part of it."""
        if self._inside:
            yield
            return
        if self._db is not None:
            self._db.execute("BEGIN IMMEDIATE")
            if self._data_version() != self._version:
                self._load()
        self._inside, undo = True, ({name: dict(rows) for name, rows in self._rows.items()}, self._seq)
        try:
            yield
            if self._db is not None:
                self._db.execute("COMMIT")
        except BaseException:
            self._rows, self._seq = undo
            if self._db is not None:
                self._db.execute("ROLLBACK")
            raise
        finally:
            self._inside = False

    def rows(self, collection: str) -> list[Row]:
        """Every row, oldest first."""
        return list(self._rows.get(collection, {}).values())

    def bodies(self, collection: str) -> list[Body]:
        """The objects that exist, visible or not."""
        return [row.body for row in self.rows(collection) if row.alive]

    def get(self, collection: str, id_: str) -> Row | None:
        """The row of an object that exists, visible or not."""
        row = self._rows.get(collection, {}).get(id_)
        return row if row is not None and row.alive else None

    def any(self, collection: str, id_: str) -> Row | None:
        """The row, deleted ones that are still visible included."""
        return self._rows.get(collection, {}).get(id_)

    def find(self, id_: str) -> Row | None:
        """The row with this id, whatever its collection, the sandbox's own aside."""
        names = [name for name in self._rows if not name.startswith("sandbox:")]
        return next((row for name in names if (row := self.get(name, id_)) is not None), None)

    def collections(self) -> list[str]:
        """The names of the collections that hold something."""
        return [name for name, rows in self._rows.items() if rows]

    def put(self, row: Row) -> Row:
        """Add or replace. Rows in the store are replaced, never edited, so that a rollback finds them as they were."""
        with self.transaction():
            if not row.seq:
                self._seq += 1
                row.seq = self._seq
            self._rows.setdefault(row.collection, {})[row.id] = row
            if self._db is not None:
                doc = json.dumps(asdict(row))
                self._db.execute(
                    "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)", (row.collection, row.id, row.seq, doc)
                )
        return row

    def remove(self, collection: str, id_: str) -> None:
        """Take out a row; nothing happens where there is none."""
        with self.transaction():
            self._rows.get(collection, {}).pop(id_, None)
            if self._db is not None:
                self._db.execute("DELETE FROM rows WHERE collection = ? AND id = ?", (collection, id_))

    def clear(self) -> None:
        """Take out everything."""
        with self.transaction():
            self._rows.clear()
            if self._db is not None:
                self._db.execute("DELETE FROM rows")

    def _data_version(self) -> int:
        assert self._db is not None
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _load(self) -> None:
        assert self._db is not None
        self._version = self._data_version()
        self._rows, self._seq = {}, 0
        for (doc,) in self._db.execute("SELECT doc FROM rows ORDER BY seq"):
            row = Row(**json.loads(doc))
            self._rows.setdefault(row.collection, {})[row.id] = row
            self._seq = max(self._seq, row.seq)
