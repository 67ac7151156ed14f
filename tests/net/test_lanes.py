"""A lane is used again after a request that ended well, and never after one that did not."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.support.one_answer import one_answer
from voiceops.net.lanes import ONE, Lanes
from voiceops.net.trust import trust


def _lanes(url: str) -> tuple[Lanes, list[httpx.AsyncClient]]:
    made: list[httpx.AsyncClient] = []

    def make() -> httpx.AsyncClient:
        made.append(httpx.AsyncClient(base_url=url, limits=ONE, verify=trust(url), timeout=httpx.Timeout(5, pool=0.05)))
        return made[-1]

    return Lanes(make), made


async def _get(lanes: Lanes) -> int:
    async with lanes.one() as client:
        return (await client.get("/")).status_code


async def _fails_after_its_answer(lanes: Lanes) -> None:
    async with lanes.one() as client:
        assert (await client.get("/")).status_code == 200
        raise ZeroDivisionError


@pytest.mark.parametrize("warm", [False, True])
async def test_a_request_cancelled_at_any_step_leaves_no_lane_that_is_stuck(warm: bool) -> None:
    async with one_answer() as url:
        steps, ended = 0, False
        while not ended:
            lanes, made = _lanes(url)
            if warm:
                assert await _get(lanes) == 200
            task = asyncio.ensure_future(_get(lanes))
            for _ in range(steps):
                await asyncio.sleep(0)
            ended = task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert [await _get(lanes) for _ in range(2)] == [200, 200], f"cancelled after {steps} steps"
            assert sum(not client.is_closed for client in made) == 1
            await lanes.aclose()
            assert all(client.is_closed for client in made)
            steps += 1
        assert steps > 5


async def test_requests_that_end_well_share_a_lane() -> None:
    async with one_answer() as url:
        lanes, made = _lanes(url)
        assert [await _get(lanes) for _ in range(3)] == [200] * 3
        assert len(made) == 1
        assert await asyncio.gather(*(_get(lanes) for _ in range(4))) == [200] * 4
        assert len(made) == 4
        await lanes.aclose()


async def test_a_lane_whose_request_failed_is_closed() -> None:
    async with one_answer() as url:
        lanes, made = _lanes(url)
        with pytest.raises(ZeroDivisionError):
            await _fails_after_its_answer(lanes)
        assert made[0].is_closed
        assert await _get(lanes) == 200
        await lanes.aclose()
