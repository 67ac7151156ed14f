"""What happens to stored messages after they were acknowledged: handlers, with retries, backoff and a dead-letter list.

Knows the inbox and the functions; a message whose process died is taken up by another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from voiceops.runtime.handlers.call import Call, Event
from voiceops.runtime.handlers.invoke import Failure, Invoker
from voiceops.runtime.handlers.loading import Handler, handler_of
from voiceops.runtime.handlers.sessions import Sessions
from voiceops.runtime.messages.redaction import redacted
from voiceops.runtime.observe.log import log
from voiceops.runtime.observe.metrics import Metrics
from voiceops.runtime.settings import Settings
from voiceops.runtime.store.inbox import Inbox
from voiceops.runtime.store.records import Backend, Stored

if TYPE_CHECKING:
    from voiceops.runtime.observe.tracing import Tracing

ATTEMPTS = 8
_BACKOFF = (1.0, 5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)  # before the second attempt, the third, …
_SECONDS = 300.0  # for one handler of one event
_AT_ONCE = 16
_IDLE = 1.0  # between looks for what other workers left, or what has come due
_CARE = 30.0  # between looks after the database


class EventWorker:
    """Works on events until it is closed."""

    def __init__(
        self,
        registered: list[tuple[str, Callable[..., Any]]],
        inbox: Inbox,
        invoker: Invoker,
        metrics: Metrics,
        settings: Settings,
        sessions: Sessions | None = None,
        backoff: tuple[float, ...] = _BACKOFF,
    ) -> None:
        self._handlers: dict[str, list[Handler]] = {}
        for kind, function in registered:
            self._handlers.setdefault(kind, []).append(handler_of(function))
        self._inbox = inbox
        self._invoker = invoker
        self._metrics = metrics
        self._settings = settings
        self._sessions = sessions
        self._backoff = backoff
        self.tracing: Tracing | None = None
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._care: asyncio.Task[None] | None = None
        self._closing = False

    def wants(self, kind: str) -> bool:
        """Does anything work on messages of this type?"""
        return kind in self._handlers or "*" in self._handlers

    def wake(self) -> None:
        """Something was stored."""
        self._wake.set()

    def start(self) -> None:
        self._care = asyncio.get_running_loop().create_task(self._look_after())
        if self._handlers:
            self._loop = asyncio.get_running_loop().create_task(self._run())

    async def close(self, seconds: float) -> None:
        """Take no more, and give what is under way so long; the rest is taken up at the next start."""
        self._closing = True
        self._wake.set()
        for task in (self._loop, self._care):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()

    async def _run(self) -> None:
        types = None if "*" in self._handlers else sorted(self._handlers)
        while not self._closing:
            self._wake.clear()
            room = _AT_ONCE - len(self._tasks)
            taken: list[Stored] = []
            if room > 0:
                try:
                    taken = await self._inbox.run(lambda backend, room=room: backend.take(types, time.time(), room))  # type: ignore[misc]
                except Exception as error:
                    log("store", logging.ERROR, error=type(error).__name__)
            for event in taken:
                task = asyncio.get_running_loop().create_task(self._work(event))
                self._tasks.add(task)
                task.add_done_callback(self._finished)
            if len(taken) < room or room <= 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _IDLE)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log("event", logging.ERROR, outcome="failed", error=type(error).__name__)

    async def _work(self, stored: Stored) -> None:
        span = self.tracing.event(stored.type, stored.call, stored.id, stored.attempts) if self.tracing else None
        wrong, said = await self._handled(stored)
        outcome = "done"
        if not wrong:
            await self._kept(lambda backend: backend.finish(stored.id))
            await self.redact(stored.id, stored.type, stored.body)
        elif stored.attempts >= ATTEMPTS:
            outcome = "dead"
            await self._kept(lambda backend: backend.bury(stored.id, wrong))
        else:
            outcome = "retry"
            pause = self._backoff[min(stored.attempts, len(self._backoff)) - 1]
            due = time.time() + pause * random.uniform(0.8, 1.2)
            await self._kept(lambda backend: backend.put_off(stored.id, due, wrong))
        if span is not None:
            span.done(outcome)
        self._metrics.counter("voiceops_events_processed_total", type=stored.type, outcome=outcome).add()
        self._metrics.histogram("voiceops_event_lag_seconds").observe(max(0.0, time.time() - stored.received))
        if wrong:
            log("event", logging.WARNING, id=str(stored.id), type=stored.type, outcome=outcome, detail=f"{wrong}{said}")

    async def _handled(self, stored: Stored) -> tuple[str, str]:
        """Run the handlers; why not all of them did their work, or nothing, and the error's own words for the log."""
        if stored.attempts > ATTEMPTS:
            return "the process ended each time that it was worked on", ""
        event = Event(stored.id, stored.type, stored.call, stored.received, stored.attempts, stored.body)
        try:
            message = event.message
        except ValueError as error:
            return f"the message can't be read: {error}", ""
        for handler in (*self._handlers.get(stored.type, ()), *self._handlers.get("*", ())):
            call = Call(stored.body, type=stored.type, id=stored.call, sessions=self._sessions)
            value = await self._invoker.invoke(handler, call, {"event": event, "message": message}, _SECONDS)
            if isinstance(value, Failure):
                wrong = f"{handler.name}: {value.reason}{f' ({value.detail})' if value.detail else ''}"
                return wrong, f": {value.said}" if value.said else ""
        return "", ""

    async def _kept(self, work: Callable[[Backend], Any]) -> None:
        """Until the store takes it: the handlers have run, and would run again."""
        pause = 0.5
        while True:
            try:
                return await self._inbox.run(work)
            except Exception as error:
                log("store", logging.ERROR, error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 15.0)

    async def redact(self, id_: int, kind: str, body: bytes) -> None:
        """Take out of a stored message what the rules name."""
        if self._settings.redact:
            changed = redacted(kind, body, self._settings.redact)
            if changed != body:
                await self._kept(lambda backend: backend.replace_body(id_, changed))

    async def _look_after(self) -> None:
        """Take up what dead processes left, delete what is old, keep the database in shape."""
        while True:
            try:
                if await self._inbox.run(lambda backend: backend.release_dead()):
                    self._wake.set()
                await self._inbox.run(lambda backend: backend.maintain())
                now = time.time()
                events, claims = self._settings.keep_days * 86_400, self._settings.keep_claims_days * 86_400
                await self._inbox.run(lambda backend: backend.prune(now - events, now - claims))  # noqa: B023
            except Exception as error:
                log("store", logging.ERROR, error=type(error).__name__)
            for _ in range(int(_CARE)):
                await asyncio.sleep(1)
                with contextlib.suppress(Exception):
                    await self._inbox.run(lambda backend: backend.maintain())
