"""State in PostgreSQL: what belongs together is written in one transaction, under an advisory lock.

The lock belongs to a session that is open for as long as it is held; all work of its holder goes through that
session, so that nothing can be written once it is lost. PostgreSQL ends it when the holder dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from voiceops.errors import Locked, StateError
from voiceops.state import postgres_schema as schema
from voiceops.state import sealed
from voiceops.state.batch import Batch
from voiceops.state.lock_holder import (
    Shared,
    nobody_holds,
    taken_away,
    this_process,
    took_over,
    wait_for,
    written_by_another,
)
from voiceops.state.store import Lease, LockInfo

_PAUSE = 0.25  # between two tries for the lock
_MINE = "project = %(project)s AND environment = %(environment)s"
# A machine that vanishes without a word is noticed after half a minute; a held lock is never an idle session.
_SESSION = """
SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
SET idle_session_timeout = 0; SET idle_in_transaction_session_timeout = 0
"""


class PostgresStore:
    """One environment of one project in the database at `url`."""

    def __init__(self, url: str, place: str, project: str, environment: str) -> None:
        self._url = url
        self._place = place
        self._mine: dict[str, Any] = {"project": project, "environment": environment}
        name = f"{project}\0{environment}".encode()
        self._key = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
        self._batch = Batch(self._append)
        self._kept: Any = None  # the connection that stays open, while there is one
        self._held = False
        self._ready = False  # the tables are there
        self._busy = asyncio.Lock()  # a connection does one thing at a time

    @property
    def place(self) -> str:
        return self._place

    async def __aenter__(self) -> Self:
        self._kept = await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        kept, self._kept = self._kept, None
        await kept.close()

    async def _connect(self) -> Any:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        async with self._said():
            parameters: dict[str, Any] = {"connect_timeout": 10, "application_name": "voiceops"}
            where = make_conninfo("", **(parameters | conninfo_to_dict(self._url)))
            return await psycopg.AsyncConnection.connect(where, autocommit=True, prepare_threshold=None)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """A connection for one piece of work: the one that is kept, or one of its own; never two at a time."""
        async with self._busy:
            connection = self._kept or await self._connect()
            try:
                async with self._said():
                    yield connection
            finally:
                if connection is not self._kept:
                    await connection.close()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Any]:
        """One transaction, in which nobody else writes this state."""
        async with self._connection() as connection:
            await self._prepare(connection)
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(%s)", [self._key ^ 1])
                yield connection

    async def _prepare(self, connection: Any) -> None:
        if not self._ready:
            await schema.ensure(connection, self.place)
            self._ready = True

    async def _has_tables(self, connection: Any) -> bool:
        self._ready = self._ready or await schema.exists(connection, self.place)
        return self._ready

    async def _rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What a query finds; nothing in a database that has no tables yet."""
        async with self._connection() as connection:
            if not await self._has_tables(connection):
                return []
            cursor = await connection.execute(query, self._mine | values)
            return list(await cursor.fetchall())

    @asynccontextmanager
    async def _said(self) -> AsyncIterator[None]:
        """What the driver raises, as an error that a user can act on; without the password."""
        import psycopg

        try:
            yield
        except psycopg.errors.InsufficientPrivilege as error:
            raise StateError(
                f"{self.place} refused: {self._line(error)}",
                hint="The first use makes the schema `voiceops`: the role needs CREATE on the database, or its tables.",
            ) from None
        except psycopg.ProgrammingError as error:
            raise StateError(f"{self.place} can't be used: {self._line(error)}") from None
        except psycopg.Error as error:
            raise StateError(
                f"{self.place} can't be reached: {self._line(error)}",
                hint="Check the server, the network and the role.",
            ) from None

    def _line(self, error: BaseException) -> str:
        line = str(error).strip().partition("\n")[0] or type(error).__name__
        with contextlib.suppress(ValueError):
            if password := urlsplit(self._url).password:
                line = line.replace(password, "…").replace(unquote(password), "…")
        return line

    async def read(self) -> dict[str, Any] | None:
        rows = await self._rows(
            f"SELECT data, checksum FROM voiceops.states WHERE {_MINE} ORDER BY serial DESC LIMIT 1"
        )
        if not rows:
            return None
        data = _good(*rows[0])
        if data is None:
            raise sealed.damaged(self.place, await self.states())
        return data

    async def write(
        self, data: dict[str, Any], *, if_serial: int | None, keep: list[dict[str, Any]] | None = None
    ) -> None:
        content, digest = sealed.dumps(data), sealed.checksum(data)
        await self._batch.flush()
        async with self._writing() as connection:
            cursor = await connection.execute(f"SELECT max(serial) FROM voiceops.states WHERE {_MINE}", self._mine)
            serial = (await cursor.fetchone())[0]
            if serial != if_serial:
                raise written_by_another(self.place, serial, if_serial)
            await self._add_state(connection, data["serial"], content, digest)
            if keep is not None:
                await self._cut(connection, keep)

    async def _add_state(self, connection: Any, serial: int, content: str, digest: str) -> None:
        await connection.execute(
            "INSERT INTO voiceops.states (project, environment, serial, data, checksum)"
            " VALUES (%(project)s, %(environment)s, %(serial)s, %(data)s, %(checksum)s)",
            self._mine | {"serial": serial, "data": content, "checksum": digest},
        )
        await connection.execute(
            f"DELETE FROM voiceops.states WHERE {_MINE} AND serial <= (SELECT serial FROM voiceops.states"
            f" WHERE {_MINE} ORDER BY serial DESC OFFSET {sealed.KEPT_STATES} LIMIT 1)",
            self._mine,
        )

    async def states(self) -> list[dict[str, Any]]:
        rows = await self._rows(f"SELECT data, checksum FROM voiceops.states WHERE {_MINE} ORDER BY serial")
        return [data for data in (_good(*row) for row in rows) if data is not None]

    async def restore(self, serial: int) -> dict[str, Any]:
        data = sealed.chosen(self.place, serial, await self.states())
        async with self._writing() as connection:
            cursor = await connection.execute(f"SELECT max(serial) FROM voiceops.states WHERE {_MINE}", self._mine)
            data = {**data, "serial": (await cursor.fetchone())[0] + 1}
            await self._add_state(connection, data["serial"], sealed.dumps(data), sealed.checksum(data))
        return data

    async def append(self, records: list[dict[str, Any]], *, urgent: bool = True) -> None:
        await self._batch.add(records, urgent=urgent or not self._held)

    async def _append(self, records: list[dict[str, Any]]) -> None:
        async with self._connection() as connection:
            await self._prepare(connection)
            await self._insert(connection, records)

    async def _insert(self, connection: Any, records: list[dict[str, Any]]) -> None:
        await connection.execute(
            "INSERT INTO voiceops.journal (project, environment, record)"
            " SELECT %(project)s, %(environment)s, record::json"
            " FROM unnest(%(records)s::text[]) WITH ORDINALITY AS given (record, place) ORDER BY place",
            self._mine | {"records": [sealed.dumps(record) for record in records]},
        )

    async def journal(self) -> list[dict[str, Any]]:
        rows = await self._rows(f"SELECT record FROM voiceops.journal WHERE {_MINE} ORDER BY position")
        return [record for (record,) in rows]

    async def cut_journal(self, keep: list[dict[str, Any]]) -> None:
        await self._batch.flush()
        async with self._writing() as connection:
            await self._cut(connection, keep)

    async def _cut(self, connection: Any, keep: list[dict[str, Any]]) -> None:
        await connection.execute(f"DELETE FROM voiceops.journal WHERE {_MINE}", self._mine)
        await self._insert(connection, keep)

    async def put_blob(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        async with self._writing() as connection:
            await connection.execute(
                "INSERT INTO voiceops.blobs VALUES (%(project)s, %(environment)s, %(digest)s, %(content)s)"
                " ON CONFLICT DO NOTHING",
                self._mine | {"digest": digest, "content": content},
            )
        return digest

    async def get_blob(self, digest: str) -> bytes:
        rows = await self._rows(
            f"SELECT content FROM voiceops.blobs WHERE {_MINE} AND digest = %(digest)s", digest=digest
        )
        if not rows:
            raise StateError(f"the state has no blob {digest}")
        return bytes(rows[0][0])

    async def blobs(self) -> list[str]:
        rows = await self._rows(f"SELECT digest FROM voiceops.blobs WHERE {_MINE} ORDER BY digest")
        return [digest for (digest,) in rows]

    async def add_revision(self, number: int, data: dict[str, Any]) -> None:
        async with self._writing() as connection:
            cursor = await connection.execute(
                "INSERT INTO voiceops.revisions (project, environment, number, data)"
                " VALUES (%(project)s, %(environment)s, %(number)s, %(data)s) ON CONFLICT DO NOTHING",
                self._mine | {"number": number, "data": sealed.dumps(data)},
            )
            if not cursor.rowcount:
                raise StateError(f"revision {number} exists already in {self.place}")

    async def revisions(self) -> list[dict[str, Any]]:
        rows = await self._rows(f"SELECT data FROM voiceops.revisions WHERE {_MINE} ORDER BY number")
        return [data for (data,) in rows]

    async def revision(self, number: int) -> dict[str, Any] | None:
        rows = await self._rows(
            f"SELECT data FROM voiceops.revisions WHERE {_MINE} AND number = %(number)s", number=number
        )
        return rows[0][0] if rows else None

    async def revision_numbers(self) -> list[int]:
        rows = await self._rows(f"SELECT number FROM voiceops.revisions WHERE {_MINE} ORDER BY number")
        return [int(row[0]) for row in rows]

    async def add_note(self, id_: str, data: dict[str, Any]) -> None:
        async with self._writing() as connection:
            await connection.execute(
                "INSERT INTO voiceops.notes (project, environment, id, data)"
                " VALUES (%(project)s, %(environment)s, %(id)s, %(data)s)"
                " ON CONFLICT (project, environment, id) DO UPDATE SET data = excluded.data",
                self._mine | {"id": id_, "data": sealed.dumps(data)},
            )

    async def notes(self) -> list[dict[str, Any]]:
        rows = await self._rows(f'SELECT data FROM voiceops.notes WHERE {_MINE} ORDER BY id COLLATE "C"')
        return [data for (data,) in rows]

    async def forget(self, revisions: Iterable[int] = (), notes: Iterable[str] = ()) -> None:
        async with self._writing() as connection:
            for table, column, given in (("revisions", "number", revisions), ("notes", "id", notes)):
                await connection.execute(
                    f"DELETE FROM voiceops.{table} WHERE {_MINE} AND {column} = ANY(%(given)s)",
                    self._mine | {"given": list(given)},
                )

    async def remove(self) -> None:
        await self._batch.flush()
        async with self._writing() as connection:
            for table in ("journal", "revisions", "notes", "blobs", "states"):
                await connection.execute(f"DELETE FROM voiceops.{table} WHERE {_MINE}", self._mine)

    async def siblings(self) -> list[dict[str, Any]]:
        rows = await self._rows(
            "SELECT DISTINCT ON (environment) data, checksum, environment FROM voiceops.states"
            " WHERE project = %(project)s AND environment <> %(environment)s ORDER BY environment, serial DESC"
        )
        found = []
        for data, digest, environment in rows:
            if _good(data, digest) is None:
                raise StateError(f"the state of {environment} in {self.place} is damaged")
            found.append(data)
        return found

    async def sibling_journals(self) -> list[list[dict[str, Any]]]:
        rows = await self._rows(
            "SELECT environment, record FROM voiceops.journal"
            " WHERE project = %(project)s AND environment <> %(environment)s ORDER BY position"
        )
        found: dict[str, list[dict[str, Any]]] = {}
        for environment, record in rows:
            found.setdefault(environment, []).append(record)
        return list(found.values())

    @asynccontextmanager
    async def lock(self, operation: str, timeout: float) -> AsyncIterator[Lease]:
        info = this_process(operation)
        connection, before = await self._connect(), self._kept
        try:
            async with self._said():
                await connection.execute(_SESSION)
                await self._prepare(connection)
            await wait_for(lambda: self._attempt(connection), timeout, _PAUSE)
            async with self._said():
                note = await self._write_holder(connection, info)
            lease = _PostgresLease(note, self, info.id)
            self._kept, self._held = connection, True
            try:
                async with self._batch.flushed():
                    yield lease
            finally:
                self._kept, self._held = before, False
                with contextlib.suppress(StateError):  # the session's end gives it back as well
                    async with self._said():
                        await connection.execute(
                            f"DELETE FROM voiceops.locks WHERE {_MINE} AND holder->>'id' = %(id)s",
                            self._mine | {"id": info.id},
                        )
        finally:
            await connection.close()

    async def _attempt(self, connection: Any) -> LockInfo | None:
        async with self._said():
            cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", [self._key])
            if (await cursor.fetchone())[0]:
                return None
            cursor = await connection.execute(f"SELECT holder FROM voiceops.locks WHERE {_MINE}", self._mine)
            row = await cursor.fetchone()
        return LockInfo(**row[0]) if row else LockInfo("unknown", "another process", "just now", "a moment ago")

    async def _write_holder(self, connection: Any, info: LockInfo) -> str:
        """Returns a note when the one written down before us never came to give the lock back."""
        cursor = await connection.execute(f"DELETE FROM voiceops.locks WHERE {_MINE} RETURNING holder", self._mine)
        dead = await cursor.fetchone()
        await connection.execute(
            "INSERT INTO voiceops.locks VALUES (%(project)s, %(environment)s, pg_backend_pid(), %(holder)s)",
            self._mine | {"holder": sealed.dumps(info.to_data())},
        )
        return took_over(LockInfo(**dead[0])) if dead else ""

    async def check(self, id_: str) -> None:
        """Does our session hold the lock, under this id? Raises Locked."""
        try:
            rows = await self._rows(
                f"SELECT 1 FROM voiceops.locks WHERE {_MINE} AND holder->>'id' = %(id)s AND EXISTS"
                " (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"
                f" AND {_KEY_IN_PG_LOCKS})",
                id=id_,
                key=self._key,
            )
        except StateError as error:
            raise Locked(
                f"the lock of this state was taken away, or the session that held it broke: {error.summary}",
                hint="Plan again.",
            ) from None
        if not rows:
            raise taken_away()

    async def unlock(self, id_: str) -> None:
        async with self._connection() as connection:
            if await self._has_tables(connection):
                cursor = await connection.execute(
                    f"DELETE FROM voiceops.locks WHERE {_MINE} AND holder->>'id' = %(id)s RETURNING backend",
                    self._mine | {"id": id_},
                )
                if row := await cursor.fetchone():
                    # The session ends with the lock, if it still has it: a backend's number may be another's by now.
                    await connection.execute(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"
                        f" AND granted AND pid = %(backend)s AND {_KEY_IN_PG_LOCKS}",
                        {"backend": row[0], "key": self._key},
                    )
                    return
        raise nobody_holds(id_, self.place)


# pg_locks shows a bigint key as two halves
_KEY_IN_PG_LOCKS = "objsubid = 1 AND (classid::bigint << 32) | objid::bigint = %(key)s"


class _PostgresLease:
    def __init__(self, note: str, store: PostgresStore, id_: str) -> None:
        self.note = note
        self.check = Shared(lambda: store.check(id_))


def _good(data: Any, digest: str) -> dict[str, Any] | None:
    return data if isinstance(data, dict) and sealed.checksum(data) == digest else None
