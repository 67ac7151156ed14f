"""One that hangs leaves threads to the others, and what can't start is told so soon."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from voiceops.runtime.handlers.threads import NoThread, Threads


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


async def test_names_that_hang_leave_some_to_others(gate: threading.Event) -> None:
    threads = Threads(16, "t")
    hanging = [
        asyncio.ensure_future(threads.run(lambda: gate.wait(20), 0.3, name)) for name in "abcdefgh" for _ in range(30)
    ]
    await asyncio.sleep(0.1)
    started = time.monotonic()
    assert await threads.run(lambda: 7, 20, "good") == (7, None)
    assert time.monotonic() - started < 10
    done = await asyncio.gather(*hanging, return_exceptions=True)
    assert all(isinstance(error, TimeoutError) for error in done)
    assert threading.active_count() < 16 + 2 * 9 + 10
    gate.set()
    await asyncio.sleep(0.1)
    assert await threads.run(lambda: 8, 5, "a") == (8, None)
    threads.close()


async def test_what_cannot_start_is_told_before_its_time(gate: threading.Event) -> None:
    threads = Threads(4, "t")
    hanging = [asyncio.ensure_future(threads.run(lambda: gate.wait(20), 30, "a")) for _ in range(2)]
    await asyncio.sleep(0.05)
    started = time.monotonic()
    with pytest.raises(NoThread):
        await threads.run(lambda: 1, 30, "a")
    assert time.monotonic() - started < 20
    started = time.monotonic()
    with pytest.raises(NoThread):  # nothing has ended meanwhile: not even waited for
        await threads.run(lambda: 1, 30, "a")
    assert time.monotonic() - started < 1.5  # the first one waited for two
    gate.set()
    assert [value for value, _ in await asyncio.gather(*hanging)] == [True, True]
    assert await threads.run(lambda: 1, 30, "a") == (1, None)
    threads.close()


async def test_what_is_slow_but_ends_is_waited_for() -> None:
    threads = Threads(4, "t")
    work = [threads.run(lambda: time.sleep(0.1) or 1, 20, "a") for _ in range(30)]
    assert await asyncio.gather(*work) == [(1, None)] * 30
    threads.close()


async def test_whoever_gives_up_waiting_takes_no_turn(gate: threading.Event) -> None:
    threads = Threads(4, "t")
    hanging = [asyncio.ensure_future(threads.run(lambda: gate.wait(20), 30, "a")) for _ in range(2)]
    await asyncio.sleep(0.05)
    waiting = [asyncio.ensure_future(threads.run(lambda: 1, 30, "a")) for _ in range(5)]
    await asyncio.sleep(0.05)
    for one in waiting[:4]:
        one.cancel()
    await asyncio.sleep(0.05)
    gate.set()
    assert await waiting[4] == (1, None)
    await asyncio.gather(*hanging)
    assert await asyncio.gather(*(threads.run(lambda: 2, 30, "b") for _ in range(4))) == [(2, None)] * 4
    threads.close()


async def test_errors_come_back_as_values() -> None:
    def leaves() -> None:
        raise SystemExit(3)

    threads = Threads(2, "t")
    value, error = await threads.run(leaves, 5)
    assert value is None
    assert isinstance(error, SystemExit)
    threads.close()
