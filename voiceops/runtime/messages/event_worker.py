"""What happens to stored messages after they were acknowledged: handlers, with retries, backoff and a dead-letter list.

Knows the inbox and the functions; a message whose process died is taken up by another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from voiceops.runtime.handlers.call import Call, Event
from voiceops.runtime.handlers.invoke import Failure, Invoker
from voiceops.runtime.handlers.loading import Handler, handler_of
from voiceops.runtime.handlers.sessions import Sessions
from voiceops.runtime.messages.redaction import redacted
from voiceops.runtime.observe.log import log
from voiceops.runtime.observe.observer import Observer
from voiceops.runtime.store.inbox import Inbox
from voiceops.runtime.store.records import Backend, Stored

_SECONDS = 300.0  # for one handler of one event
_AT_ONCE = 16
_IDLE = 1.0  # between looks for what other workers left, or what has come due


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a message's handlers are tried, and the seconds before the second attempt, the third, …"""

    attempts: int = 8
    pauses: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)

    def pause(self, attempts: int) -> float:
        """The seconds until the next attempt, after so many; no two messages wait equally long."""
        return self.pauses[min(attempts, len(self.pauses)) - 1] * random.uniform(0.8, 1.2)


RETRIES = Retries()


class EventWorker:
    """Works on events until it is closed."""

    def __init__(
        self,
        registered: Iterable[tuple[str, Callable[..., Any]]],
        inbox: Inbox,
        invoker: Invoker,
        observer: Observer,
        *,
        sessions: Sessions | None = None,
        redact: tuple[str, ...] = (),
        retries: Retries = Retries(),
    ) -> None:
        """`registered`: a type of message, or `*`, and a function for it, in order. `redact`: see `redaction`."""
        self._handlers: dict[str, list[Handler]] = {}
        for kind, function in registered:
            self._handlers.setdefault(kind, []).append(handler_of(function))
        self._inbox = inbox
        self._invoker = invoker
        self._observer = observer
        self._sessions = sessions
        self._redact = redact
        self._retries = retries
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._closing = False

    def wants(self, kind: str) -> bool:
        """Does anything work on messages of this type?"""
        return kind in self._handlers or "*" in self._handlers

    def wake(self) -> None:
        """Something was stored."""
        self._wake.set()

    def start(self) -> None:
        """Begin, where there is anything to do it with."""
        if self._handlers:
            self._loop = asyncio.get_running_loop().create_task(self._run())

    async def close(self, seconds: float) -> None:
        """Take no more, and give what is under way so long; the rest is taken up at the next start."""
        self._closing = True
        self._wake.set()
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()

    async def _run(self) -> None:
        types = None if "*" in self._handlers else sorted(self._handlers)
        while not self._closing:
            self._wake.clear()
            room = _AT_ONCE - len(self._tasks)
            taken = await self._taken(types, room) if room > 0 else []
            for event in taken:
                task = asyncio.get_running_loop().create_task(self._work(event))
                self._tasks.add(task)
                task.add_done_callback(self._finished)
            if len(taken) < room or room <= 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _IDLE)

    async def _taken(self, types: list[str] | None, room: int) -> list[Stored]:
        try:
            return await self._inbox.run(lambda backend: backend.take(types, time.time(), room))
        except Exception as error:
            log("store", logging.ERROR, error=type(error).__name__)
            return []

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log("event", logging.ERROR, outcome="failed", error=type(error).__name__)

    async def _work(self, stored: Stored) -> None:
        with self._observer.event(stored.type, stored.call, stored.id, stored.attempts) as watch:
            wrong, said = await self._handled(stored)
            outcome = "done"
            if not wrong:
                await self._kept(lambda backend: backend.finish(stored.id))
                await self._redacted(stored)
            elif stored.attempts >= self._retries.attempts:
                outcome = "dead"
                await self._kept(lambda backend: backend.bury(stored.id, wrong))
            else:
                outcome = "retry"
                due = time.time() + self._retries.pause(stored.attempts)
                await self._kept(lambda backend: backend.put_off(stored.id, due, wrong))
            watch.ended(outcome)
        seconds = max(0.0, time.time() - stored.received)
        self._observer.event_ended(stored.type, outcome, stored.id, seconds, f"{wrong}{said}")

    async def _handled(self, stored: Stored) -> tuple[str, str]:
        """Run the handlers; why not all of them did their work, or nothing, and the error's own words for the log."""
        if stored.attempts > self._retries.attempts:
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

    async def _redacted(self, stored: Stored) -> None:
        """Take out of a stored message what the rules name."""
        if self._redact:
            changed = redacted(stored.type, stored.body, self._redact)
            if changed != stored.body:
                await self._kept(lambda backend: backend.replace_body(stored.id, changed))
