"""The folder back end under faults: cut-off writes, kill -9, a dead holder, two processes, damaged files."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from voiceops.errors import Locked, StateError
from voiceops.state.folder import FolderStore
from voiceops.state.ledger import Ledger
from voiceops.state.open import open_store

HOLD = """
import asyncio, sys, time
from pathlib import Path
from voiceops.state.folder import FolderStore
async def main():
    async with FolderStore(Path(sys.argv[1]), "dev").lock("apply", 0):
        print("held", flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""
WRITE = """
import asyncio, sys
from pathlib import Path
from voiceops.state.folder import FolderStore
async def main():
    store = FolderStore(Path(sys.argv[1]), "dev")
    held = await store.read()
    serial = held["serial"] if held else None
    print("started", flush=True)
    while True:
        following = (serial or 0) + 1
        await store.write({"serial": following, "pad": [following] * 20000}, if_serial=serial)
        await store.append([{"n": following, "pad": "x" * 5000}])
        serial = following
asyncio.run(main())
"""
ADD = """
import asyncio, sys
from pathlib import Path
from voiceops.state.folder import FolderStore
async def main():
    store = FolderStore(Path(sys.argv[1]), "dev")
    for _ in range(20):
        async with store.lock("apply", 30):
            held = await store.read()
            serial = held["serial"] if held else None
            await asyncio.sleep(0.001)
            await store.write({"serial": (serial or 0) + 1}, if_serial=serial)
asyncio.run(main())
"""


def _start(script: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True)


def _wait_for_line(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline()


def _kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _journal(folder: Path) -> Path:
    path = folder / "dev" / "journal.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


async def _read(folder: Path) -> list[dict[str, Any]]:
    return await FolderStore(folder, "dev").journal()


# the lock


async def test_another_process_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    process = _start(HOLD, tmp_path)
    try:
        _wait_for_line(process)

        with pytest.raises(Locked) as caught:
            async with FolderStore(tmp_path, "dev").lock("apply", 0.05):
                pass
        assert f"pid {process.pid}" in caught.value.summary
    finally:
        _kill(process)


async def test_the_lock_of_a_dead_holder_is_taken_over_and_said_so(tmp_path: Path) -> None:
    process = _start(HOLD, tmp_path)
    _wait_for_line(process)
    _kill(process)

    async with FolderStore(tmp_path, "dev").lock("apply", 0) as lease:
        assert "took over the lock" in lease.note
        assert f"pid {process.pid}" in lease.note
    async with FolderStore(tmp_path, "dev").lock("apply", 0) as lease:
        assert lease.note == ""


async def test_a_lock_file_with_nonsense_in_it_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "lock").write_bytes(b"\xff{nonsense")

    async with FolderStore(tmp_path, "dev").lock("apply", 0) as lease:
        assert lease.note == ""


async def test_two_processes_count_without_losing_one(tmp_path: Path) -> None:
    processes = [_start(ADD, tmp_path) for _ in range(2)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0

    assert await FolderStore(tmp_path, "dev").read() == {"serial": 40}


# killed in the middle


@pytest.mark.parametrize("delay", [0.01, 0.04, 0.09])
async def test_a_kill_leaves_a_whole_state_and_a_readable_journal(tmp_path: Path, delay: float) -> None:
    for _ in range(2):
        process = _start(WRITE, tmp_path)
        _wait_for_line(process)
        await asyncio.sleep(delay)
        _kill(process)

        state = await FolderStore(tmp_path, "dev").read()
        serial = state["serial"] if state else 0
        assert state is None or state["pad"] == [serial] * 20000
        numbers = [record["n"] for record in await _read(tmp_path)]
        assert numbers == sorted(numbers)
        assert not numbers or numbers[-1] <= serial


WHOLE = [{"record": "intent", "nonce": "a", "text": "ä\n"}, {"record": "intent", "nonce": "b"}]


def _lines(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


async def test_a_journal_cut_off_at_any_byte_keeps_every_whole_record(tmp_path: Path) -> None:
    content = _lines(WHOLE)
    first = len(_lines(WHOLE[:1]))
    for cut in range(len(content) + 1):
        _journal(tmp_path).write_bytes(content[:cut])
        found = await _read(tmp_path)
        # A record is whole with its last brace; the line's end is only how the next one begins.
        assert found == WHOLE[: (cut >= first - 1) + (cut >= len(content) - 1)], cut


async def test_whoever_writes_on_after_a_cut_leaves_a_journal_that_can_be_read(tmp_path: Path) -> None:
    """The next apply appends, and the one after that must still be able to recover."""
    content = _lines(WHOLE)
    for cut in range(len(content) + 1):
        _journal(tmp_path).write_bytes(content[:cut])
        before = await _read(tmp_path)
        await FolderStore(tmp_path, "dev").append([{"n": 1}])
        await FolderStore(tmp_path, "dev").append([{"n": 2}])
        assert await _read(tmp_path) == [*before, {"n": 1}, {"n": 2}], cut


async def test_a_damaged_line_in_the_middle_is_an_error_and_not_skipped(tmp_path: Path) -> None:
    _journal(tmp_path).write_bytes(b'{"n": 1}\n{"n": \n{"n": 3}\n')

    with pytest.raises(StateError, match="line 2"):
        await _read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff"], ids=["empty", "cut", "list", "null", "bytes"])
async def test_a_damaged_state_is_an_error_and_not_an_empty_state(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "state.json").write_bytes(content)

    with pytest.raises(StateError, match=r"state\.json"):
        await FolderStore(tmp_path, "dev").read()


async def test_a_write_that_fails_leaves_the_old_state_and_no_litter(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, "dev")
    await store.write({"serial": 1}, if_serial=None)
    with pytest.raises(TypeError):
        await store.write({"serial": 2, "what": object()}, if_serial=1)
    assert await store.read() == {"serial": 1}
    assert sorted(path.name for path in (tmp_path / "dev").iterdir()) == ["state.json", "states"]
    assert [path.name for path in (tmp_path / "dev" / "states").iterdir()] == ["000001.json"]


async def test_an_append_that_failed_is_not_taken_for_written(tmp_path: Path) -> None:
    """The folder is in the way of the journal: nobody may be told that the record is safe."""

    store = FolderStore(tmp_path, "dev")
    (tmp_path / "dev" / "journal.jsonl").mkdir(parents=True)
    with pytest.raises(StateError, match="be written: Is a directory"):
        await store.append([{"n": 1}])
    (tmp_path / "dev" / "journal.jsonl").rmdir()
    await store.append([{"n": 2}])
    assert {"n": 2} in await store.journal()


async def test_what_the_files_look_like(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, "dev")
    await store.write({"serial": 1, "b": 1, "a": "ä"}, if_serial=None)
    await store.add_revision(7, {"number": 7})
    found = (tmp_path / "dev" / "state.json").read_text()
    assert re.sub(r"sha256:\w{64}", "…", found) == '{\n  "a": "ä",\n  "b": 1,\n  "checksum": "…",\n  "serial": 1\n}\n'
    assert (tmp_path / "dev" / "revisions" / "000007.json").exists()
    assert os.stat(tmp_path / "dev" / "state.json").st_mode & 0o077 == 0, "for nobody else to read"


def test_the_place_comes_from_the_project_file(tmp_path: Path) -> None:
    assert open_store(".voiceops/state", tmp_path, "dev").place == str(tmp_path / ".voiceops" / "state" / "dev")
    with pytest.raises(StateError, match="gopher://"):
        open_store("gopher://bucket/x", tmp_path, "dev")


async def test_a_ledger_survives_a_kill_between_writing_the_state_and_cutting_the_journal(tmp_path: Path) -> None:
    """The journal is then replayed onto the state that holds it already: nothing changes."""
    from tests.state.ledgers import entry_of, intent_of

    class Stopped(Exception):
        """The process ends here."""

    class Store(FolderStore):
        async def cut_journal(self, keep: list[dict[str, Any]]) -> None:
            raise Stopped

    ledger = await Ledger.open(Store(tmp_path, "dev"), "shop", "dev")
    await ledger.begin([intent_of("n1"), intent_of("n2")])
    await ledger.record("n1", "Agent/a", entry_of())
    with pytest.raises(Stopped):
        await ledger.save()
    again = await Ledger.open(FolderStore(tmp_path, "dev"), "shop", "dev")
    assert again.state == ledger.state
    assert set(again.intents) == {"n2"}
