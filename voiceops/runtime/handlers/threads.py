"""Threads for sync handlers and long checks, shared so that one that hangs leaves some to the others.

Whoever asks has a name; each name may hold half of what the others leave. Hanging handlers of one tool so take half of
the threads, those of a second one a quarter. The standard library's pool would also wait at exit for every thread of
it: these end with the process, whatever hangs in them.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable
from typing import Any

_LEAST = 2  # threads that every name may hold, however many others hang
_STALLED = 2.0  # seconds without the end of a single job of the same name, after which waiting is given up

# A function and the future for (value, error); taken out by the thread that runs it, or by who gives it up.
_Job = list[tuple[Callable[[], Any], "asyncio.Future[tuple[Any, BaseException | None]]"]]


class NoThread(TimeoutError):
    """None came free: all that the name may hold are held, and nothing in them ends."""


class Threads:
    """About `most` of them, started when they are needed. Used from one event loop."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._started = 0
        self._busy = 0
        self._held: Counter[Hashable] = Counter()
        self._ended: dict[Hashable, float] = {}  # when a job of that name began to hold, or ended, the last time
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}

    async def run(
        self, function: Callable[[], Any], seconds: float, name: Hashable = ""
    ) -> tuple[Any, BaseException | None]:
        """What it gives or raises, whatever that is. Raises TimeoutError; a thread that is at it stays so.

        NoThread is raised before the time is over where no thread came free, and none is about to.
        """
        until = time.monotonic() + seconds
        if not self._may(name):
            await self._turn(name, until)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
        job: _Job = [(function, future)]
        self._busy += 1
        self._held[name] += 1
        self._ended.setdefault(name, time.monotonic())
        if self._busy > self._started:
            self._started += 1
            threading.Thread(target=self._work, args=(loop,), name=f"{self._name}-{self._started}", daemon=True).start()
        future.add_done_callback(lambda _: self._free(name))
        self._jobs.put(job)
        done, _ = await asyncio.wait([future], timeout=max(0.0, until - time.monotonic()))
        if done:
            return future.result()
        with contextlib.suppress(IndexError):  # begun already
            job.pop()
            future.cancel()
        raise TimeoutError

    def close(self) -> None:
        """Let those end that have nothing to do."""
        for _ in range(self._started):
            self._jobs.put(None)

    def _may(self, name: Hashable) -> bool:
        """May this name hold one more?"""
        held = self._held[name]
        return held < max(_LEAST, (self._most - (self._busy - held)) // 2)

    async def _turn(self, name: Hashable, until: float) -> None:
        """Wait until the name may hold one more. Raises NoThread."""
        waiting = self._waiting.setdefault(name, deque())
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            while not turn.done():
                now = time.monotonic()
                end = min(until, self._ended[name] + _STALLED)
                if now >= end:
                    raise NoThread
                await asyncio.wait([turn], timeout=end - now)
        finally:
            if turn.done():
                self._held[name] -= 1  # it was counted for us when our turn came
                self._busy -= 1
            else:
                waiting.remove(turn)
                if not waiting:
                    self._waiting.pop(name, None)

    def _free(self, name: Hashable) -> None:
        """A job has ended: whoever may go on now does."""
        self._busy -= 1
        self._held[name] -= 1
        self._ended[name] = time.monotonic()
        if not self._held[name]:
            del self._held[name]
            if name not in self._waiting:
                del self._ended[name]
        for other in list(self._waiting):
            waiting = self._waiting[other]
            while waiting and self._may(other):
                self._busy += 1
                self._held[other] += 1
                waiting.popleft().set_result(None)
            if not waiting:
                del self._waiting[other]

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
                loop.call_soon_threadsafe(_done, future, value, error)
            except RuntimeError:
                return  # the loop has ended
            del function, future, value, error


def _done(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if not future.done():
        future.set_result((value, error))
