"""How many requests are under way: never more than allowed, in the order of coming, and no place is ever lost."""

from __future__ import annotations

import asyncio

import pytest

from voiceops.providers.http import Limiter


async def test_no_more_than_allowed_and_in_order() -> None:
    limiter, running, most, order = Limiter(3), 0, 0, []

    async def work(number: int) -> None:
        nonlocal running, most
        async with limiter:
            order.append(number)
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*(work(number) for number in range(30)))
    assert most == 3
    assert order == list(range(30))


async def test_who_gives_up_while_waiting_takes_no_place() -> None:
    limiter = Limiter(1)
    entered = asyncio.Event()

    async def work() -> None:
        async with limiter:
            entered.set()

    async with limiter:
        waiting = [asyncio.create_task(work()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
    waiting[1].cancel()  # its turn has come this moment, and it does not take it
    await asyncio.wait_for(waiting[2], 5)
    assert entered.is_set()
    async with limiter:
        pass
    with pytest.raises(asyncio.CancelledError):
        await waiting[1]


async def test_who_gives_up_while_it_rests_takes_no_place() -> None:
    limiter = Limiter(1)
    limiter.throttled(60.0)

    async def work() -> None:
        async with limiter:
            raise AssertionError("it rests for a minute")

    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(work(), 0.01)


async def test_a_smaller_limit_lets_fewer_in_and_a_larger_one_more() -> None:
    limiter = Limiter(4)
    limiter.throttled(0.0)
    assert limiter.limit == 2
    async with limiter, limiter:
        third = asyncio.create_task(limiter.__aenter__())
        await asyncio.sleep(0.01)
        assert not third.done()
    await asyncio.wait_for(third, 5)
    for _ in range(20):
        limiter.succeeded()
    assert limiter.limit == 4
