"""Several things at once, and none of them left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(work: Iterable[Awaitable[T]]) -> list[T]:
    """What each gives, in their order. The first one that fails ends the others, and is raised when they have ended.

    `asyncio.gather` would let them run on: requests of a command that has already said why it stops.
    """
    tasks: list[asyncio.Future[T]] = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def both(one: Awaitable[Any], other: Awaitable[Any]) -> tuple[Any, Any]:
    """Two of different kinds, as `together`."""
    first, second = await together((one, other))
    return first, second
