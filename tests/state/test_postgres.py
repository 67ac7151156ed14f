"""State in PostgreSQL: tables come by themselves, a session that ends loses the lock, and nothing secret is said."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.state import backends
from tests.state.backends import key_of, postgres_store, postgres_url
from voiceops.errors import Locked, StateError
from voiceops.state import postgres_schema
from voiceops.state.open import open_store, redacted
from voiceops.state.postgres import PostgresStore


def _sql(query: str, *values: Any, url: str = "") -> list[Any]:
    with psycopg.connect(url or postgres_url(), autocommit=True) as connection:
        cursor = connection.execute(query, values)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def database(tmp_path: Path) -> str:
    return backends.database(tmp_path)


def _in(url: str, environment: str = "dev", project: str = "shop") -> PostgresStore:
    return PostgresStore(url, "postgresql://here/db", project, environment)


async def test_reading_makes_no_tables(database: str) -> None:
    store = _in(database)
    assert (await store.read(), await store.journal(), await store.revisions()) == (None, [], [])
    with pytest.raises(StateError, match="nobody holds"):
        await store.unlock("x")
    assert _sql("SELECT to_regclass('voiceops.versions')", url=database) == [(None,)]


async def test_many_at_once_make_the_tables_once(database: str) -> None:
    await asyncio.gather(*(_in(database, f"env-{n}").append([{"n": n}]) for n in range(10)))
    assert _sql("SELECT version FROM voiceops.versions", url=database) == [(postgres_schema.SCHEMA_VERSION,)]


async def test_tables_of_a_newer_voiceops_are_left_alone(database: str) -> None:
    await _in(database).append([{"n": 1}])
    _sql("INSERT INTO voiceops.versions VALUES (99)", url=database)
    for work in (_in(database).read(), _in(database).append([{"n": 2}])):
        with pytest.raises(StateError, match="version 99"):
            await work


async def test_two_projects_share_a_database(database: str) -> None:
    one, other = _in(database), _in(database, project="depot")
    await one.write({"serial": 1}, if_serial=None)
    async with one.lock("apply", 0), other.lock("apply", 0):
        assert await other.read() is None
        assert await other.siblings() == []


async def test_a_state_and_its_journal_are_one_transaction(tmp_path: Path) -> None:
    store = postgres_store(tmp_path)
    await store.append([{"n": 1}])
    with pytest.raises(TypeError):
        await store.write({"serial": 1}, if_serial=None, keep=[{"n": object()}])
    assert (await store.read(), await store.journal()) == (None, [{"n": 1}])


async def test_a_damaged_state_names_the_newest_good_copy(tmp_path: Path) -> None:
    store = postgres_store(tmp_path)
    for serial in (1, 2, 3):
        await store.write({"serial": serial, "text": "x"}, if_serial=serial - 1 or None)
    changed = json.dumps({"serial": 3, "text": "y"})
    _sql("UPDATE voiceops.states SET data = %s WHERE project = %s AND serial = 3", changed, key_of(tmp_path))
    with pytest.raises(StateError, match="is damaged") as caught:
        await store.read()
    assert "restore 2" in caught.value.hint
    assert await store.restore(2) == {"serial": 4, "text": "x"} == await store.read()


async def test_a_session_that_is_ended_has_lost_the_lock_and_writes_nothing_more(tmp_path: Path) -> None:
    store = postgres_store(tmp_path)
    async with store.lock("apply", 0) as lease:
        await store.append([{"n": 1}])
        [(backend,)] = _sql("SELECT backend FROM voiceops.locks WHERE project = %s", key_of(tmp_path))
        _sql("SELECT pg_terminate_backend(%s, 5000)", backend)
        with pytest.raises(Locked, match="taken away"):
            await lease.check()
        for work in (store.append([{"n": 2}]), store.write({"serial": 1}, if_serial=None), store.read()):
            with pytest.raises(StateError, match="can't be reached"):
                await work
        async with postgres_store(tmp_path).lock("apply", 0) as second:
            assert "no longer running" in second.note
        store._batch._waiting.clear()
        store._batch._written = store._batch._added
    assert await postgres_store(tmp_path).journal() == [{"n": 1}]


async def test_a_lock_that_is_let_go_behind_our_back_is_noticed(tmp_path: Path) -> None:
    """As behind a pooler that gives each statement another session."""

    store = postgres_store(tmp_path)
    async with store.lock("apply", 0) as lease:
        await store._kept.execute("SELECT pg_advisory_unlock_all()")
        with pytest.raises(Locked, match="taken away"):
            await lease.check()


async def test_a_server_that_is_not_there_is_said_without_the_password(tmp_path: Path) -> None:
    for location in (
        "postgresql://me:s3cr3t%21@127.0.0.1:9/db",
        "postgresql://me:s3cr3t%21@127.0.0.1:port/db",
        "postgres://me:s3cr3t%21@127.0.0.1/db?nonsense=s3cr3t!",
    ):
        with pytest.raises(StateError) as caught:
            await open_store(location, tmp_path, "dev", project="shop").read()
        said = f"{caught.value} {caught.value.hint} {caught.value.to_data()}"
        assert "s3cr3t" not in said
        assert "me:" not in said


async def test_a_role_that_may_not_is_told_what_it_needs(database: str, tmp_path: Path) -> None:
    role = f"role_{key_of(tmp_path)}"
    _sql(f"DROP ROLE IF EXISTS {role}")
    _sql(f"CREATE ROLE {role} LOGIN")
    url = database.replace("//postgres:", f"//{role}:")
    with pytest.raises(StateError, match="permission denied") as caught:
        await _in(url).append([{"n": 1}])
    assert "CREATE on the database" in caught.value.hint


def test_what_is_said_of_an_address() -> None:
    assert redacted("postgresql://me:pw@host:5432/db?sslmode=require") == "postgresql://host:5432/db"
    assert redacted("https://u:p@h/x?token=1#f") == "https://h/x"
    assert redacted(".voiceops/state") == ".voiceops/state"
