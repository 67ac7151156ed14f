"""Journal records on their way to a store: one write serves everybody who waits.

Knows when records have to be safe; where they go is the given function's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from voiceops.errors import VoiceopsError

Records = list[dict[str, Any]]

_TURNS = 3  # of the event loop before a write: what is about to begin in them shares it


class Batch:
    """Gathers records. Urgent ones are waited for; the others go along, after `delay` seconds at the latest.

    Records keep their order, and those of a write that failed go first in the next one.
    """

    def __init__(self, write: Callable[[Records], Awaitable[None]], delay: float = 0.5) -> None:
        self._write = write
        self._delay = delay
        self._waiting: Records = []
        self._added = self._written = 0  # records that `add` was given, and that are safe
        self._flushing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def add(self, records: Records, *, urgent: bool) -> None:
        """Take records; when this returns urgent ones are safe, and so is everything added before."""
        self._waiting += records
        self._added += len(records)
        if urgent:
            await self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._delay, self._on_time)

    async def flush(self) -> None:
        """Everything added so far is safe when this returns."""
        mine = self._added
        while self._written < mine:
            await asyncio.shield(self._start())

    @asynccontextmanager
    async def flushed(self) -> AsyncIterator[None]:
        """What is added inside is safe at the end, also when the work fails: that failure is then the one raised."""
        try:
            yield
        except BaseException:
            with suppress(VoiceopsError):
                await self.flush()
            raise
        else:
            await self.flush()
        finally:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _start(self) -> asyncio.Task[None]:
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._write_all())
        return self._flushing

    async def _write_all(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        records, self._waiting = self._waiting, []
        try:
            await self._write(records)
        except BaseException:
            self._waiting = records + self._waiting
            raise
        self._written += len(records)

    def _on_time(self) -> None:
        self._timer = None
        if self._waiting:  # and has not gone along with something urgent
            self._start().add_done_callback(self._after_time)

    def _after_time(self, task: asyncio.Task[None]) -> None:
        """Nobody waits for this write: what it could not do is tried again, and said at the next urgent one."""
        if not task.cancelled():
            task.exception()
        if self._waiting and self._timer is None:
            self._timer = task.get_loop().call_later(self._delay, self._on_time)
