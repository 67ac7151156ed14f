"""Places for what runs at once."""

from __future__ import annotations

import asyncio

import pytest

from voiceops.testing.slots import Slots


async def _run(slots: Slots, wants: list[int], most: list[int]) -> None:
    async def one(wanted: int) -> None:
        async with slots.taken(wanted):
            most.append(slots.used)
            await asyncio.sleep(0.001)

    await asyncio.gather(*(one(wanted) for wanted in wants), return_exceptions=False)


async def test_no_more_run_than_there_are_places() -> None:
    used: list[int] = []
    slots = Slots(4)
    await _run(slots, [3, 2, 2, 1, 1, 4, 1] * 5, used)
    assert len(used) == 35
    assert max(used) == 4
    assert slots.used == 0


async def test_what_needs_more_than_there_are_runs_alone() -> None:
    used: list[int] = []
    await _run(Slots(2), [1, 5, 1], used)
    assert sorted(used) == [1, 2, 5]


async def test_whoever_gives_up_takes_no_place() -> None:
    slots = Slots(1)
    async with slots.taken(1):
        waiting = asyncio.create_task(_run(slots, [1], []))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert slots.waited_for
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert slots.used == 0
    assert not slots.waited_for


async def test_places_can_be_added() -> None:
    slots, used = Slots(1), [0]
    async with slots.taken(1):
        running = asyncio.create_task(_run(slots, [1], used))
        await asyncio.sleep(0.01)
        assert used == [0]
        slots.resize(2)
        await running
    assert used == [0, 2]
