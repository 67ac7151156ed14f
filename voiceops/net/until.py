"""Asking again until there is an answer: the one way to wait for something that somebody else does.

What is asked, for how long, and what is said meanwhile, stands with each use of it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

_BACK_OFF = (0.1, 0.2, 0.4, 0.8, 1.0)  # seconds between two looks, the last again and again


async def until(
    ask: Callable[[], Awaitable[T | None]],
    *,
    limit: float = math.inf,
    every: Sequence[float] = _BACK_OFF,
    at_once: bool = True,
) -> T | None:
    """Ask until there is an answer. None when there was none for `limit` seconds.

    `every` are the seconds between two questions, of which the last stays; the first is asked at once, or after the
    first of them. What `ask` raises ends the waiting.
    """
    deadline, asked = time.monotonic() + limit, 0
    if not at_once:
        await asyncio.sleep(every[0])
        asked = 1
    while True:
        if (found := await ask()) is not None:
            return found
        if time.monotonic() > deadline:
            return None
        await asyncio.sleep(every[min(asked, len(every) - 1)])
        asked += 1
