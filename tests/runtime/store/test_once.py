"""What happens once: whose turn it is, over both databases, whatever became of whoever began."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.runtime.places import place_of
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.inbox import Inbox
from voiceops.runtime.store.once import Claimed, Once, WhoseTurn


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return place_of(request.param, tmp_path)


@asynccontextmanager
async def opened(place: str) -> AsyncIterator[Once]:
    inbox = Inbox(backend_of(place))
    await inbox.start()
    try:
        yield Once(inbox)
    finally:
        await inbox.close()


async def ask(once: Once, key: str = "k", *, seconds: float = 5.0, again: bool = False) -> Claimed:
    until = time.monotonic() + seconds
    return await once.claim(key, "tool", "call", by=until, until=until, again=again)


async def keep(once: Once, result: str, key: str = "k") -> None:
    await once.keep(key, result, "", time.monotonic(), time.monotonic() + 5, "tool")


async def test_the_first_one_does_it_and_the_others_get_what_came_of_it(place: str) -> None:
    async with opened(place) as one, opened(place) as two:
        assert await ask(one) == Claimed(WhoseTurn.MINE)
        waiting = asyncio.create_task(ask(two))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await keep(one, "answer")
        assert await waiting == Claimed(WhoseTurn.DONE, "answer")
        assert await ask(one) == Claimed(WhoseTurn.DONE, "answer")


async def test_who_is_alive_and_not_ready_is_waited_for_no_longer_than_said(place: str) -> None:
    async with opened(place) as one, opened(place) as two:
        assert (await ask(one)).turn is WhoseTurn.MINE
        started = time.monotonic()
        assert await ask(two, seconds=0.3, again=True) == Claimed(WhoseTurn.LATE)
        assert 0.2 < time.monotonic() - started < 3


@pytest.mark.parametrize(("again", "turn"), [(False, WhoseTurn.LOST), (True, WhoseTurn.AGAIN)])
async def test_what_a_dead_worker_began(place: str, again: bool, turn: WhoseTurn) -> None:
    async with opened(place) as one:
        assert (await ask(one)).turn is WhoseTurn.MINE
    async with opened(place) as two, opened(place) as three:
        assert (await ask(two, again=again)).turn is turn
        if again:  # it is two's now, and nobody else's
            assert (await ask(three, seconds=0.3, again=True)).turn is WhoseTurn.LATE
            await keep(two, "answer")
            assert await ask(three, again=True) == Claimed(WhoseTurn.DONE, "answer")


@pytest.mark.parametrize(("again", "turn"), [(False, WhoseTurn.LOST), (True, WhoseTurn.AGAIN)])
async def test_our_own_whose_result_was_never_stored_is_not_waited_for(
    place: str, again: bool, turn: WhoseTurn
) -> None:
    async with opened(place) as one:
        assert (await ask(one)).turn is WhoseTurn.MINE
        started = time.monotonic()
        assert (await ask(one, again=again)).turn is turn
        assert time.monotonic() - started < 3


async def test_many_at_once_take_turns(place: str) -> None:
    async with opened(place) as one, opened(place) as two:

        async def work(once: Once, key: str) -> str:
            turn, result = await ask(once, key)
            if turn is WhoseTurn.MINE:
                result = f"{key} by {id(once)}"
                await keep(once, result, key)
            return result

        for number in range(20):
            pair = await asyncio.gather(work(one, f"k{number}"), work(two, f"k{number}"))
            assert pair[0] == pair[1] != ""
