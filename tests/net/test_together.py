"""Several things at once: what each gives; and where one fails, none of the others is left behind."""

from __future__ import annotations

import asyncio

import pytest

from voiceops.net.together import together


async def test_what_each_gives_in_their_order() -> None:
    async def one(number: int) -> int:
        await asyncio.sleep(0.01 * (3 - number))
        return number

    assert await together(one(n) for n in range(3)) == [0, 1, 2]


async def test_where_one_fails_the_others_have_ended_before_it_is_raised() -> None:
    ended: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)  # as a connection that is closed
            ended.append("slow")

    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await together([slow(), fails(), slow()])
    assert ended == ["slow", "slow"]


async def test_who_ends_it_ends_all_of_it() -> None:
    ended: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("slow")

    task = asyncio.create_task(together([slow(), slow()]))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["slow", "slow"]


async def test_what_ends_is_ended_once() -> None:
    """Each has time to leave nothing behind, though another one was through with it first."""
    left: list[str] = []

    async def ends(name: str, rounds: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(rounds):
                await asyncio.sleep(0)
            left.append(name)

    whole = asyncio.create_task(together([ends("slow", 20), ends("quick", 0)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    whole.cancel()
    with pytest.raises(asyncio.CancelledError):
        await whole
    assert left == ["quick", "slow"]
