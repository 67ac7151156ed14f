"""The one event loop of a command."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def completed(work: Coroutine[Any, Any, T]) -> T:
    """Run a use case to its end. Raises whatever it raises."""
    results: list[T] = []

    async def keep() -> None:
        results.append(await work)

    # The task itself gives None: when asyncio puts the signal handler back it asks for the task's text, result and all,
    # and the text of a plan of 10,000 objects costs seconds and a hundred megabytes.
    asyncio.run(keep())
    return results[0]
