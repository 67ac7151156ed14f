"""What the table of calls needs of a database: the runtime's back ends have it, SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Database(Protocol):
    """One connection. `?` stands for a value in its SQL, and nothing else; `prefix` is before every table's name."""

    prefix: str

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """What a query finds."""

    def change(self, sql: str, values: tuple[Any, ...] = ()) -> int:
        """Execute one statement; the number of rows that it touched."""

    def change_many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute one statement with each row of values."""

    def transaction(self) -> AbstractContextManager[None]:
        """All of what is done inside, or nothing. One writer at a time."""

    def scrubbing(self) -> AbstractContextManager[None]:
        """What is deleted inside can't be read off the files afterwards, as far as the database can do that."""

    def forget(self, calls: Sequence[str], number: str) -> int:
        """Delete what else is stored of these calls, and what tells of the number; how many messages there were."""

    def type_of(self, kind: str) -> str:
        """What the database calls a column's type: `text`, `number`, `integer` or `bytes`."""
