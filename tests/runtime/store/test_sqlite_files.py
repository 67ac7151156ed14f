"""The store's files are nobody else's to read, and one that was damaged while it ran says so."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runtime.runtime_bench import DASHBOARD, Serving, serving, spec_of, tool, wait_for
from voiceops.errors import VoiceopsError
from voiceops.runtime.store.records import DONE, EventRow
from voiceops.runtime.store.sqlite import SqliteBackend


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=["umask-000", "umask-022", "umask-077"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.name.startswith("r.db")}


def test_a_store_that_another_worker_makes_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself does not wait where the journal's mode is set: one of two workers that start together would end."""
    with contextlib.closing(sqlite3.connect(tmp_path / "r.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        other.execute("BEGIN IMMEDIATE")
        end = threading.Timer(0.5, other.execute, ["COMMIT"])
        end.start()
        store = SqliteBackend(tmp_path / "r.db", worker=False)
        store.open()
        store.close()
        end.join()


def test_a_store_that_stays_locked_is_one_error(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "r.db", isolation_level=None)) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(VoiceopsError, match="can't be opened: database is locked"):
            SqliteBackend(tmp_path / "r.db", worker=False, patience=0.2).open()


LOOK = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM events').fetchall(); c.close()"


@pytest.mark.parametrize("meanwhile", ["nothing", "check", "another connection", "one that was closed"])
def test_who_looks_from_outside_takes_no_log_away(tmp_path: Path, meanwhile: str) -> None:
    """SQLite's locks are the process's: one that is let go of by accident, and the next to look deletes the log."""
    path = tmp_path / "r.db"
    store = SqliteBackend(path)
    store.open()
    more = SqliteBackend(path, worker=False)
    if meanwhile == "check":
        assert store.check() == ""
    elif meanwhile != "nothing":
        more.open()
    if meanwhile == "one that was closed":
        more.close()
    log = path.with_name("r.db-wal")
    before = log.stat().st_ino
    subprocess.run([sys.executable, "-c", LOOK, str(path)], check=True)
    assert log.stat().st_ino == before
    store.write([], [], [EventRow(1, b"k", "hang", "c", 1.0, 0.0, DONE, "", b"{}")], safe=True)
    with contextlib.closing(sqlite3.connect(path)) as fresh:
        assert fresh.execute("SELECT count(*) FROM events").fetchone() == (1,)
    if meanwhile == "another connection":
        more.close()
    store.close()


@pytest.mark.usefixtures("umask")
def test_files_that_are_made(tmp_path: Path) -> None:
    store = SqliteBackend(tmp_path / "r.db")
    store.open()
    try:
        found = modes(tmp_path)
        assert len(found) == 4  # the database, its log, its index, the worker's lock
        assert set(found.values()) == {0o600}
    finally:
        store.close()
    assert set(modes(tmp_path).values()) == {0o600}


@pytest.mark.usefixtures("umask")
def test_files_that_were_open_to_others(tmp_path: Path) -> None:
    first = SqliteBackend(tmp_path / "r.db", worker=False)
    first.open()
    first.close()
    with sqlite3.connect(tmp_path / "r.db") as older:
        older.execute("INSERT INTO present (owner) VALUES (1)")
        older.commit()
        for path in tmp_path.iterdir():
            path.chmod(0o666)
        store = SqliteBackend(tmp_path / "r.db", worker=False)
        store.open()
        assert set(modes(tmp_path).values()) == {0o600}
        store.close()
    older.close()


def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all\n" * 100)
    with sqlite3.connect(tmp_path / "theirs") as theirs:
        theirs.execute("CREATE TABLE x (y)")
    theirs.close()
    for path in tmp_path.iterdir():
        path.chmod(0o644)
        before = path.read_bytes()
        with pytest.raises(VoiceopsError, match=r"not a database|of something else"):
            SqliteBackend(path, worker=False).open()
        assert (path.stat().st_mode & 0o777, path.read_bytes()) == (0o644, before)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "r.db").symlink_to(tmp_path / "elsewhere" / "r.db")
    store = SqliteBackend(tmp_path / "r.db")
    store.open()
    store.close()
    assert set(modes(tmp_path / "elsewhere").values()) == {0o600}
    assert (tmp_path / "r.db").is_symlink()


def _older_copy(path: Path) -> None:
    shutil.copyfile(path.with_name("older"), path)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "gone with its log": lambda path: [other.unlink() for other in path.parent.glob("runtime.db*")],
    "emptied": lambda path: path.write_bytes(b""),
    "overwritten": lambda path: path.write_bytes(b"hello " * 100_000),
    "its head overwritten": lambda path: os.pwrite(os.open(path, os.O_WRONLY), b"\0" * 200, 0),
    "cut": lambda path: os.truncate(path, 16_384),
    "replaced": lambda path: shutil.copy(path, path.with_name("n")) and os.replace(path.with_name("n"), path),
    "replaced by a folder": lambda path: (path.unlink(), path.mkdir()),
    "an older copy": _older_copy,
}


@pytest.mark.parametrize("how", DAMAGE)
def test_damage_while_it_runs_is_said(tmp_path: Path, how: str) -> None:
    place = tmp_path / "runtime.db"
    with serving(tmp_path, spec_of(tool("ok", "h:ok")), "def ok(): return 1") as before:
        assert before.tool("ok")["result"] == "1"
    shutil.copyfile(place, tmp_path / "older")
    with serving(tmp_path, spec_of(tool("ok", "h:ok")), "def ok(): return 1") as server:
        assert server.tool("ok")["result"] == "1"
        assert server.get("/readyz").data == {"status": "ready"}
        _settled(server, place)
        DAMAGE[how](place)
        wait_for(lambda: server.get("/readyz").status == 503, 60)
        assert server.get("/readyz").data == {"status": "not ready"}
        assert "store" in server.get("/readyz", DASHBOARD).data["status"]
        assert "voiceops_ready 0" in server.get("/metrics").text
        entry = server.tool("ok", id="after")
        assert entry.get("result") == "1" or entry["error"]  # there is an answer all the same


def _settled(server: Serving, place: Path) -> None:
    """Wait until what was written stands in the database itself."""

    def moved() -> bool:
        with sqlite3.connect(place) as other:
            _, log, done = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        other.close()
        return bool(log == done)

    wait_for(moved, 60)


def test_a_whole_store_is_not_suspected(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(tool("ok", "h:ok")), "def ok(): return 1") as server:
        for number in range(50):
            server.tool("ok", id=str(number))
            assert server.get("/readyz").status == 200
        with sqlite3.connect(tmp_path / "runtime.db") as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        other.close()
        assert server.parts.inbox.backend.check() == ""


def test_a_page_that_is_no_page_is_noticed_at_its_use(tmp_path: Path) -> None:
    with serving(tmp_path, spec_of(tool("ok", "h:ok")), "def ok(): return 1") as server:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        server.parts.inbox._note(error)
        assert server.get("/readyz", DASHBOARD).data["status"].startswith("the store is damaged")
