"""The dashboard's own connection to the calls, and the one thread that uses it: who watches holds up nobody's call.

Sums of hours that changed are made here, too, a few at a time, so that the store is never held for long.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from voiceops.calls.counting import Reports
from voiceops.calls.store import CallStore
from voiceops.runtime.store.backends import backend_of
from voiceops.runtime.store.records import Backend

T = TypeVar("T")

_SECONDS = 10.0  # for a page's figures
_FRESH = 10.0  # seconds for which the sums are good
_HOURS = 2  # summed in one transaction: nobody else writes to SQLite meanwhile
_PATIENCE = 0.1  # seconds of summing that a page waits for


@dataclass(frozen=True, slots=True)
class BoardReading:
    """What a page reads from; `behind` hours are not summed anew yet."""

    backend: Backend
    store: CallStore
    reports: Reports
    behind: int = 0


class Board:
    """Connects when it is asked first; after an error it connects anew."""

    def __init__(self, location: str) -> None:
        """`location` is VOICEOPS_RUNTIME_DB."""
        self._location = location
        self._thread = ThreadPoolExecutor(1, "voiceops-dashboard")
        self._reading: BoardReading | None = None
        self._summed = 0.0
        self._behind = 0
        self._closing = False

    async def ask(self, work: Callable[[BoardReading], T]) -> T:
        """What the work gives, done in the thread. Raises what the database raises, and TimeoutError."""
        asked = asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)
        return await asyncio.wait_for(asked, _SECONDS)

    async def close(self) -> None:
        """End the connection and the thread."""
        self._closing = True
        self._thread.submit(self._drop)
        await asyncio.to_thread(self._thread.shutdown)

    def _do(self, work: Callable[[BoardReading], T]) -> T:
        try:
            reading = self._opened()
            self._sum(reading)
            return work(BoardReading(reading.backend, reading.store, reading.reports, self._behind))
        except Exception:
            self._drop()
            raise

    def _opened(self) -> BoardReading:
        if self._reading is None:
            backend = backend_of(self._location, worker=False)
            backend.open()
            store = CallStore(backend)
            store.prepare()
            self._reading = BoardReading(backend, store, Reports(backend))
        return self._reading

    def _sum(self, reading: BoardReading) -> None:
        started = time.monotonic()
        if self._summed and started - self._summed < _FRESH:
            return
        while reading.reports.refresh(_HOURS) == _HOURS and time.monotonic() - started < _PATIENCE:
            pass
        self._summed, self._behind = time.monotonic(), reading.reports.changed()
        if self._behind > _HOURS:
            self._thread.submit(self._go_on)

    def _go_on(self) -> None:
        """Sum what is left between two pages."""
        if self._reading is None or self._closing:
            return
        with contextlib.suppress(Exception):  # the next page says what is wrong
            if self._reading.reports.refresh(_HOURS) == _HOURS:
                self._behind = max(0, self._behind - _HOURS)
                self._thread.submit(self._go_on)
            else:
                self._behind = 0

    def _drop(self) -> None:
        reading, self._reading, self._summed = self._reading, None, 0.0
        if reading is not None:
            with contextlib.suppress(Exception):
                reading.backend.close()
