"""Threads for sync handlers, which end with the process whatever hangs in them.

The standard library's pool waits at exit for every thread of it, so that one handler that hangs would keep a server
from ending after it has said that it stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

# A function and the future for (value, error); taken out by the thread that runs it, or by who gives it up.
_Job = list[tuple[Callable[[], Any], "asyncio.Future[tuple[Any, BaseException | None]]"]]


class Threads:
    """At most `most` of them, started when they are needed. Used from one event loop."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._started = 0
        self._busy = 0

    async def run(self, function: Callable[[], Any], seconds: float) -> tuple[Any, BaseException | None]:
        """What it gives or raises, whatever that is. Raises TimeoutError; a thread that is at it stays so."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
        job: _Job = [(function, future)]
        self._busy += 1
        if self._busy > self._started and self._started < self._most:
            self._started += 1
            threading.Thread(target=self._work, args=(loop,), name=f"{self._name}-{self._started}", daemon=True).start()
        self._jobs.put(job)
        done, _ = await asyncio.wait([future], timeout=seconds)
        if done:
            return future.result()
        with contextlib.suppress(IndexError):  # begun already
            job.pop()
            self._busy -= 1
        raise TimeoutError

    def close(self) -> None:
        """Let those end that have nothing to do."""
        for _ in range(self._started):
            self._jobs.put(None)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                function, future = job.pop()
            except IndexError:
                continue  # given up before its turn
            value, error = None, None
            try:
                value = function()
            except BaseException as raised:
                error = raised
            try:
                loop.call_soon_threadsafe(self._done, future, value, error)
            except RuntimeError:
                return  # the loop has ended
            del function, future, value, error

    def _done(self, future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
        self._busy -= 1
        if not future.done():
            future.set_result((value, error))
