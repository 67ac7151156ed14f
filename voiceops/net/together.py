"""Several things at once, and none of them left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(work: Iterable[Awaitable[T]]) -> list[T]:
    """What each gives, in their order. The first one that fails ends the others, and is raised when they have ended.

    `asyncio.gather` would let them run on: requests of a command that has already said why it stops. Raises what the
    first one that failed raises.
    """
    tasks: list[asyncio.Future[T]] = [asyncio.ensure_future(one) for one in work]
    try:
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        # Each is cancelled once: a second time would end what it does to leave nothing behind.
        for task in tasks:
            if not task.done():
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
    return [task.result() for task in tasks]


async def both(one: Awaitable[Any], other: Awaitable[Any]) -> tuple[Any, Any]:
    """Two of different kinds, as `together`."""
    first, second = await together((one, other))
    return first, second
