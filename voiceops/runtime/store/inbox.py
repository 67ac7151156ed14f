"""The store as the event loop sees it: claims, results and messages, each durable when its await returns.

One writer thread commits whatever has come together at once (group commit), so that the loop never waits for a disk
and a busy second costs few commits; it gets the next batch when it is done with the last. Knows no SQL: that is the
backend's.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from voiceops.errors import VoiceopsError
from voiceops.runtime.store.records import Backend, Claim, ClaimRow, EventRow, ResultRow

T = TypeVar("T")

MAX_PENDING = 20_000  # messages that wait to be stored; more are refused, and their sender tries again
_BATCH = 256
_DOUBT = 10.0  # on a full disk all that is read is well
_LAST = (1 << 41) - (1 << 33)  # milliseconds: what is larger leaves no numbers for those who follow


class Busy(Exception):
    """More is waiting to be stored than may."""


class _Batch:
    """What is written together: rows and, beside them, who waits for each."""

    __slots__ = (
        "claiming",
        "claims",
        "error",
        "events",
        "new",
        "owned",
        "putting",
        "results",
        "settling",
        "size",
        "values",
        "work",
    )

    def __init__(self) -> None:
        self.size = 0
        self.claims: list[ClaimRow] = []
        self.claiming: list[asyncio.Future[Claim]] = []
        self.results: list[ResultRow] = []
        self.settling: list[asyncio.Future[None]] = []
        self.events: list[EventRow] = []
        self.putting: list[asyncio.Future[bool]] = []
        self.work: list[tuple[Callable[[Backend], Any], asyncio.Future[Any]]] = []
        self.owned: list[Claim] = []  # the writer's answers
        self.new: list[bool] = []
        self.values: list[Any] = []
        self.error: Exception | None = None


class Inbox:
    """Create it, `await start()`, and `await close()` at the end, which stores what is still waiting."""

    def __init__(self, backend: Backend, *, power_safe: bool = True, doubt: float = _DOUBT) -> None:
        """`doubt`: the seconds after a write that failed in which only one that succeeds says that all is well."""
        self.backend = backend
        self.pending = 0
        self.damaged = ""  # the database has said that it is; that stays so
        self.broken = ""  # why the last write failed, until one succeeds, or nobody writes any more and it answers
        self._power_safe = power_safe
        self._doubt = doubt
        self._broke = float("-inf")  # when the last write failed, monotonic
        self._waiting: deque[_Batch] = deque()
        self._busy = False  # the writer has a batch
        self._scheduled = False  # the loop will hand over what is waiting
        self._queue: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._millisecond = 0
        self._counter = 0

    @property
    def owner(self) -> int:
        """The number under which this worker owns claims and leases."""
        return self.backend.owner

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that it works for; None before `start` and after `close`."""
        return self._loop if self._thread is not None else None

    async def start(self) -> None:
        """Open the database. Raises VoiceopsError."""
        self._loop = asyncio.get_running_loop()
        self._create_future = self._loop.create_future
        opened: asyncio.Future[int] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="voiceops-writer", daemon=True)
        self._thread.start()
        self.follow(await opened)

    async def close(self) -> None:
        """Store what is still waiting, and end the writer."""
        if self._thread is not None:
            if self.pending:
                await self.run(lambda _: None)  # everything before it is stored when this is done
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def next_id(self, now: float) -> int:
        """An event's number: later ones are larger, and no two workers choose the same. See `follow`."""
        millisecond = int(now * 1000)
        if millisecond > self._millisecond:
            self._millisecond, self._counter = millisecond, 0
        elif self._counter == 1023:
            self._millisecond, self._counter = self._millisecond + 1, 0
        else:
            self._counter += 1
        return (self._millisecond << 22) | ((self.owner >> 1 & 0xFFF) << 10) | self._counter

    def follow(self, newest: int) -> None:
        """Give larger numbers than this one from now on, whatever the clock says.

        Whoever reads events in order goes on from the largest number that was seen: what comes from a machine whose
        clock is behind, or after a clock was put back, would never be found.
        """
        if self._millisecond < newest >> 22 < _LAST:
            self._millisecond, self._counter = newest >> 22, 1023

    def claim(self, key: str, tool: str, call: str) -> asyncio.Future[Claim]:
        """Ask to run something; durable before the answer comes."""
        batch = self._batch()
        future: asyncio.Future[Claim] = self._create_future()
        batch.claims.append(ClaimRow(key, self.backend.owner, tool, call, time.time()))
        batch.claiming.append(future)
        return future

    def settle(self, key: str, result: str, outcome: str, ms: float) -> asyncio.Future[None]:
        """Keep what came of a claim."""
        batch = self._batch()
        future: asyncio.Future[None] = self._create_future()
        batch.results.append(ResultRow(result, outcome, ms, key))
        batch.settling.append(future)
        return future

    def put(self, event: EventRow) -> asyncio.Future[bool]:
        """Keep a message; False when it was there already. Raises Busy."""
        if self.pending > MAX_PENDING:
            raise Busy
        batch = self._batch()
        future: asyncio.Future[bool] = self._create_future()
        batch.events.append(event)
        batch.putting.append(future)
        return future

    def run(self, work: Callable[[Backend], T]) -> asyncio.Future[T]:
        """Anything else that the backend can do."""
        batch = self._batch()
        future: asyncio.Future[T] = self._create_future()
        batch.work.append((work, future))
        return future

    def _batch(self) -> _Batch:
        """Where the next entry goes. What is added in one turn of the loop goes to the writer together."""
        assert self._loop is not None, "the inbox was not started"
        self.pending += 1
        if not self._busy and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._hand_over)
        if not self._waiting or self._waiting[-1].size >= _BATCH:
            self._waiting.append(_Batch())
        batch = self._waiting[-1]
        batch.size += 1
        return batch

    def _hand_over(self) -> None:
        """Give the writer what came together, unless it is at work: then it gets it when it is done."""
        self._scheduled = False
        if self._waiting and not self._busy:
            self._busy = True
            self._queue.put(self._waiting.popleft())

    def _run(self, opened: asyncio.Future[int]) -> None:
        """The writer thread."""
        assert self._loop is not None
        try:
            self.backend.open()
            newest = self.backend.newest()
        except Exception as error:
            shown = error if isinstance(error, VoiceopsError) else VoiceopsError(f"the store can't be opened: {error}")
            self._loop.call_soon_threadsafe(_fail, opened, shown)
            return
        self._loop.call_soon_threadsafe(_succeed, opened, newest)
        while (batch := self._queue.get()) is not None:
            self._write(batch)
            with contextlib.suppress(RuntimeError):  # the loop has ended; what was asked for is stored all the same
                self._loop.call_soon_threadsafe(self._resolve, batch)
        self.backend.close()

    def _write(self, batch: _Batch) -> None:
        if batch.claims or batch.results or batch.events:
            try:
                self._store(batch)
                self.broken = ""
            except Exception as error:
                self.broken, self._broke = f"{type(error).__name__}: {error}", time.monotonic()
                self._note(error)
                batch.error = error
        for work, _ in batch.work:
            try:
                batch.values.append(work(self.backend))
                if time.monotonic() - self._broke >= self._doubt:
                    self.broken = ""  # it answers again
            except Exception as error:
                self._note(error)
                batch.values.append(error)

    def _note(self, error: Exception) -> None:
        """Some errors say that nothing will be well again."""
        if self.backend.damaged(error):
            self.damaged = f"the store is damaged: {error}"

    def _store(self, batch: _Batch) -> None:
        safe = self._power_safe and bool(batch.events)
        try:
            batch.owned, batch.new = self.backend.write(batch.claims, batch.results, batch.events, safe=safe)
        except Exception as error:
            if not batch.events or all(kind.__name__ != "IntegrityError" for kind in type(error).__mro__):
                raise
            # Another worker chose the same number in the same millisecond: other ones, at random.
            batch.events = [row._replace(id=row.id >> 22 << 22 | secrets.randbits(22)) for row in batch.events]
            batch.owned, batch.new = self.backend.write(batch.claims, batch.results, batch.events, safe=safe)

    def _resolve(self, batch: _Batch) -> None:
        assert self._loop is not None
        self.pending -= batch.size
        self._busy = False
        if batch.error is not None:
            waiting: list[asyncio.Future[Any]] = [*batch.claiming, *batch.settling, *batch.putting]
            for one in waiting:
                _fail(one, batch.error)
        else:
            for claiming, claim in zip(batch.claiming, batch.owned, strict=True):
                _succeed(claiming, claim)
            for settling in batch.settling:
                _succeed(settling, None)
            for putting, is_new in zip(batch.putting, batch.new, strict=True):
                _succeed(putting, is_new)
        for (_, future), value in zip(batch.work, batch.values, strict=True):
            if isinstance(value, Exception):
                _fail(future, value)
            else:
                _succeed(future, value)
        if self._waiting and not self._scheduled:
            # After those who were just told: what they ask for next goes along, and half as many batches are enough.
            self._scheduled = True
            self._loop.call_soon(self._hand_over)


async def in_time(asked: asyncio.Future[T], until: float) -> T:
    """Wait until then, by the monotonic clock, for something that is done all the same. Raises TimeoutError."""
    if asked.done():
        return asked.result()
    left = max(0.0, until - time.monotonic())
    timer = asked.get_loop().call_later(left, _late, asked)
    try:
        return await asked
    finally:
        timer.cancel()


def _late(future: asyncio.Future[Any]) -> None:
    _fail(future, TimeoutError("the store is slow"))


def _succeed(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
