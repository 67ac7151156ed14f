"""The store as the event loop sees it: claims, results and messages, each durable when its await returns.

One writer thread commits whatever has come together at once (group commit), so that the loop never waits for a disk
and a busy second costs few commits; it gets the next batch when it is done with the last. Knows no SQL: that is the
backend's.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from voiceops.errors import VoiceopsError
from voiceops.runtime.records import Backend, Claim, ClaimRow, EventRow, ResultRow

T = TypeVar("T")
_Entry = tuple[str, Any, "asyncio.Future[Any]"]

MAX_PENDING = 20_000  # messages that wait to be stored; more are refused, and their sender tries again
_BATCH = 256


class Busy(Exception):
    """More is waiting to be stored than may."""


class Inbox:
    """Create it, `await start()`, and `await close()` at the end, which stores what is still waiting."""

    def __init__(self, backend: Backend, *, power_safe: bool = True) -> None:
        self.backend = backend
        self.pending = 0
        self.broken = ""  # why the last write failed, until one succeeds
        self._power_safe = power_safe
        self._waiting: list[_Entry] = []
        self._busy = False  # the writer has a batch
        self._scheduled = False  # the loop will hand over what is waiting
        self._queue: queue.SimpleQueue[list[_Entry] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._millisecond = 0
        self._counter = 0

    @property
    def owner(self) -> int:
        return self.backend.owner

    async def start(self) -> None:
        """Open the database. Raises VoiceopsError."""
        self._loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="voiceops-writer", daemon=True)
        self._thread.start()
        await opened

    async def close(self) -> None:
        if self._thread is not None:
            if self.pending:
                await self.run(lambda _: None)  # everything before it is stored when this is done
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def next_id(self, now: float) -> int:
        """An event's number: later ones are larger, and no two workers choose the same."""
        millisecond = int(now * 1000)
        if millisecond > self._millisecond:
            self._millisecond, self._counter = millisecond, 0
        elif self._counter == 1023:
            self._millisecond, self._counter = self._millisecond + 1, 0
        else:
            self._counter += 1
        return (self._millisecond << 22) | ((self.owner & 0xFFF) << 10) | self._counter

    def claim(self, key: str, tool: str, call: str) -> asyncio.Future[Claim]:
        """Ask to run something; durable before the answer comes."""
        return self._submit("claim", ClaimRow(key, self.owner, tool, call, time.time()))

    def settle(self, key: str, result: str, outcome: str, ms: float) -> asyncio.Future[None]:
        """Keep what came of a claim."""
        return self._submit("result", ResultRow(result, outcome, ms, key))

    def put(self, event: EventRow) -> asyncio.Future[bool]:
        """Keep a message; False when it was there already. Raises Busy."""
        if self.pending > MAX_PENDING:
            raise Busy
        return self._submit("event", event)

    def run(self, work: Callable[[Backend], T]) -> asyncio.Future[T]:
        """Anything else that the backend can do."""
        return self._submit("run", work)

    def _submit(self, kind: str, payload: Any) -> asyncio.Future[Any]:
        assert self._loop is not None, "the inbox was not started"
        future: asyncio.Future[Any] = self._loop.create_future()
        self.pending += 1
        self._waiting.append((kind, payload, future))
        if not self._busy and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._hand_over)
        return future

    def _hand_over(self) -> None:
        """Give the writer what came together, unless it is at work: then it gets it when it is done."""
        self._scheduled = False
        if self._waiting and not self._busy:
            self._busy = True
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            self._queue.put(batch)

    def _run(self, opened: asyncio.Future[None]) -> None:
        """The writer thread."""
        assert self._loop is not None
        try:
            self.backend.open()
        except Exception as error:
            shown = error if isinstance(error, VoiceopsError) else VoiceopsError(f"the store can't be opened: {error}")
            self._loop.call_soon_threadsafe(_fail, opened, shown)
            return
        self._loop.call_soon_threadsafe(_succeed, opened, None)
        while (batch := self._queue.get()) is not None:
            answers = self._work(batch)
            with contextlib.suppress(RuntimeError):  # the loop has ended; what was asked for is stored all the same
                self._loop.call_soon_threadsafe(self._resolve, answers)
        self.backend.close()

    def _work(self, batch: list[_Entry]) -> list[tuple[asyncio.Future[Any], Any]]:
        claims = [entry for entry in batch if entry[0] == "claim"]
        results = [entry for entry in batch if entry[0] == "result"]
        events = [entry for entry in batch if entry[0] == "event"]
        answers: list[tuple[asyncio.Future[Any], Any]] = []
        if claims or results or events:
            try:
                owned, new = self.backend.write(
                    [entry[1] for entry in claims],
                    [entry[1] for entry in results],
                    [entry[1] for entry in events],
                    safe=self._power_safe and bool(events),
                )
                answers += [(entry[2], claim) for entry, claim in zip(claims, owned, strict=True)]
                answers += [(entry[2], None) for entry in results]
                answers += [(entry[2], fresh) for entry, fresh in zip(events, new, strict=True)]
                self.broken = ""
            except Exception as error:
                self.broken = f"{type(error).__name__}: {error}"
                answers += [(entry[2], error) for entry in (*claims, *results, *events)]
        for kind, work, future in batch:
            if kind == "run":
                try:
                    answers.append((future, work(self.backend)))
                except Exception as error:
                    answers.append((future, error))
        return answers

    def _resolve(self, answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
        self.pending -= len(answers)
        self._busy = False
        self._hand_over()
        for future, answer in answers:
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)


def _succeed(future: asyncio.Future[None], value: None) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
