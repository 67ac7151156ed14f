"""Several processes at one state: one at a time, a dead one is recognised, and nobody's write is lost."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.state import rival
from tests.state.backends import KEYS, key_of, location_of
from tests.state.stores import BACKENDS
from voiceops.errors import Locked
from voiceops.state.store import Store


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def holder(backend: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of the place that `open_` opens."""
    process = rival.start("hold", location_of(backend, tmp_path), key_of(tmp_path), "dev", **KEYS)
    yield process
    process.kill()
    process.communicate()


def open_(backend: str, tmp_path: Path) -> Store:
    return BACKENDS[backend](tmp_path, "dev")


async def _lock(store: Store, timeout: float = 0.0) -> str:
    async with store.lock("apply", timeout) as lease:
        await lease.check()
        return lease.note


async def test_the_second_one_leaves_and_says_who_holds_it(
    backend: str, holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    with pytest.raises(Locked, match=rf"pid {holder.pid}\) since .*apply, lock \w+") as caught:
        await _lock(open_(backend, tmp_path))
    assert caught.value.exit_code == 4
    assert rival.end(holder) == "held"


async def test_the_second_one_waits_when_told_to(backend: str, holder: subprocess.Popen[str], tmp_path: Path) -> None:
    async def check() -> str:
        waiting = asyncio.create_task(_lock(open_(backend, tmp_path), 30))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        assert await asyncio.to_thread(rival.end, holder) == "held"
        return await waiting

    assert await check() == ""


@pytest.mark.parametrize("backend", ["folder", "postgres"])
async def test_the_lock_of_a_killed_process_is_taken_over_at_once(backend: str, tmp_path: Path) -> None:
    holder = rival.start("hold", location_of(backend, tmp_path), key_of(tmp_path), "dev", **KEYS)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    note = await _lock(open_(backend, tmp_path), 2)
    assert f"pid {holder.pid}" in note
    assert "no longer running" in note
    assert await _lock(open_(backend, tmp_path)) == ""


@pytest.mark.parametrize("backend", ["s3"])
async def test_a_lease_that_is_not_renewed_is_void_in_time_and_not_before(backend: str, tmp_path: Path) -> None:
    holder = rival.start("hold", location_of(backend, tmp_path), key_of(tmp_path), "dev", **KEYS)
    await asyncio.sleep(7)  # longer than a lease: it is renewed
    with pytest.raises(Locked):
        await _lock(open_(backend, tmp_path))
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    died = time.monotonic()
    with pytest.raises(Locked):
        await _lock(open_(backend, tmp_path), 1.0)
    assert f"pid {holder.pid}" in await _lock(open_(backend, tmp_path), 20)
    assert 4 <= time.monotonic() - died < 15  # void after 6 s, by a clock of whole seconds


@pytest.mark.parametrize("backend", ["http"])
async def test_over_http_a_lock_is_never_taken_over_but_given_away(backend: str, tmp_path: Path) -> None:
    holder = rival.start("hold", location_of(backend, tmp_path), key_of(tmp_path), "dev", **KEYS)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with pytest.raises(Locked) as caught:
        await _lock(open_(backend, tmp_path), 1.5)
    found = re.search(r"lock (\w+)\)", caught.value.summary)
    assert found
    await open_(backend, tmp_path).unlock(found[1])
    assert await _lock(open_(backend, tmp_path)) == ""


@pytest.mark.parametrize("backend", ["s3"])
async def test_a_holder_that_slept_through_its_lease_stops(backend: str, tmp_path: Path) -> None:
    holder = rival.start("hold", location_of(backend, tmp_path), key_of(tmp_path), "dev", **KEYS)
    os.kill(holder.pid, signal.SIGSTOP)
    assert f"pid {holder.pid}" in await _lock(open_(backend, tmp_path), 20)
    os.kill(holder.pid, signal.SIGCONT)
    assert rival.end(holder).startswith("lost: ")


async def test_a_holder_whose_lock_was_taken_away_stops(
    backend: str, holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    with pytest.raises(Locked) as caught:
        await _lock(open_(backend, tmp_path))
    found = re.search(r"lock (\w+)\)", caught.value.summary)
    assert found
    await open_(backend, tmp_path).unlock(found[1])

    async with open_(backend, tmp_path).lock("apply", 5) as lease:
        assert (await asyncio.to_thread(rival.end, holder)).startswith("lost: ")
        await lease.check()  # it did not give our lock back in place of its own


async def test_nobodys_write_is_lost(backend: str, tmp_path: Path) -> None:
    """Three processes count to thirty together."""
    arguments = ("add", location_of(backend, tmp_path), key_of(tmp_path), "dev", "10")
    for process in [rival.start(*arguments, **KEYS) for _ in range(3)]:
        process.communicate(timeout=120)
        assert process.returncode == 0

    store = open_(backend, tmp_path)
    assert (await store.read() or {})["serial"] == 30
    assert [record["n"] for record in await store.journal()] == list(range(1, 31))
