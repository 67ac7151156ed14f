"""The journal's batches: few writes, nothing late, nothing lost, nothing out of order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from voiceops.errors import StateError
from voiceops.state.batch import Batch


@dataclass
class Slow:
    """A journal that takes its time, and fails as often as told to."""

    writes: list[list[int]] = field(default_factory=list)
    failures: int = 0

    async def write(self, records: list[dict[str, Any]]) -> None:
        await asyncio.sleep(0.01)
        if self.failures:
            self.failures -= 1
            raise StateError("no")
        self.writes.append([record["n"] for record in records])


def _record(n: int) -> list[dict[str, Any]]:
    return [{"n": n}]


async def test_whoever_waits_meanwhile_shares_the_next_write() -> None:
    slow = Slow()
    batch = Batch(slow.write)
    await asyncio.gather(*(batch.add(_record(n), urgent=True) for n in range(20)))
    assert len(slow.writes) <= 2
    assert [n for write in slow.writes for n in write] == list(range(20))


async def test_what_is_not_urgent_goes_along_and_is_not_written_again() -> None:
    slow = Slow()
    batch = Batch(slow.write, delay=0.02)
    await batch.add(_record(1), urgent=False)
    assert slow.writes == []
    await batch.add(_record(2), urgent=True)
    await asyncio.sleep(0.1)
    assert slow.writes == [[1, 2]], "and no empty write when its time comes"


async def test_what_is_not_urgent_is_written_in_time() -> None:
    slow = Slow()
    batch = Batch(slow.write, delay=0.02)
    await batch.add(_record(1), urgent=False)
    await batch.add(_record(2), urgent=False)
    await asyncio.sleep(0.1)
    assert slow.writes == [[1, 2]]


async def test_what_came_during_a_write_that_nobody_waits_for_is_written_too() -> None:
    slow = Slow()
    batch = Batch(slow.write, delay=0.005)
    urgent = asyncio.create_task(batch.add(_record(1), urgent=True))
    await asyncio.sleep(0.002)
    await batch.add(_record(2), urgent=False)
    await urgent
    await asyncio.sleep(0.1)
    assert slow.writes == [[1], [2]]


async def test_a_write_that_failed_is_said_and_its_records_go_first_in_the_next() -> None:
    slow = Slow(failures=1)
    batch = Batch(slow.write)
    with pytest.raises(StateError):
        await batch.add(_record(1), urgent=True)
    await batch.add(_record(2), urgent=True)
    assert slow.writes == [[1, 2]]


async def test_a_write_that_nobody_waits_for_is_tried_until_it_works() -> None:
    slow = Slow(failures=3)
    batch = Batch(slow.write, delay=0.01)
    await batch.add(_record(1), urgent=False)
    await asyncio.sleep(0.2)
    assert slow.writes == [[1]]


async def test_at_the_end_everything_is_written_or_said() -> None:
    async def work(batch: Batch, error: Exception | None = None) -> None:
        async with batch.flushed():
            await batch.add(_record(1), urgent=False)
            if error is not None:
                raise error

    slow = Slow()
    await work(Batch(slow.write))
    with pytest.raises(RuntimeError):
        await work(Batch(slow.write), RuntimeError("boom"))
    assert slow.writes == [[1], [1]]
    with pytest.raises(StateError):
        await work(Batch(Slow(failures=1).write))
    with pytest.raises(RuntimeError):
        await work(Batch(Slow(failures=1).write), RuntimeError("boom"))
