"""Calls out of the stored messages: what the reports count. It reads what was acknowledged, and slows nobody down.

It has a connection and a thread of its own, takes little at a time, and rests while the server is busy. Where several
workers share a store one of them records; another one goes on where it stopped. A message that is read twice changes
nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.calls.call_names import Names, named
from voiceops.calls.from_vapi import TOLD_BY, call_told_by
from voiceops.calls.record import CallRecord, ToolUse
from voiceops.calls.store import CallStore
from voiceops.errors import VoiceopsError
from voiceops.model.privacy import Privacy
from voiceops.outbound.batches_over import drop_old_batches
from voiceops.runtime.json_text import loads
from voiceops.runtime.messages.background_pace import BackgroundPace
from voiceops.runtime.messages.call_naming import CallNaming
from voiceops.runtime.observe.log import log
from voiceops.runtime.store.records import Backend, Stored

_AGAIN = 10.0  # seconds between tries to open the store
_PAUSE = 1.0  # seconds between looks for new messages
_AT_ONCE = 5  # messages a transaction: nobody else writes to SQLite meanwhile
_LATE = 15 * 1000 << 22  # of events' numbers: a worker may commit so much after another one with a larger number
_MOST = 20_000
_LEASE = 20.0  # seconds for which one worker records
_TIDY = 3600.0  # seconds between looks for what may no longer be kept
_AHEAD = 600.0  # seconds by which Vapi's clock may be ahead of ours
_NOBODIES = 1000  # live ids that are asked for, at most
_MARK, _HOLDER = "recorded", "recorder"


class CallRecorder:
    """`database` opens a connection of its own; `naming` tells whose a call is."""

    def __init__(
        self,
        database: Callable[[], Backend],
        naming: CallNaming,
        *,
        privacy: Privacy | None = None,
        most: int = _MOST,
        again: float = _AGAIN,
    ) -> None:
        """`privacy`: what is kept of a call; without it everything. `most`: messages that are looked for at once.
        `again`: seconds between tries to open the database."""
        self._database = database
        self._naming = naming
        self._privacy = privacy
        self._most = most
        self._again = again
        self._thread = ThreadPoolExecutor(1, "voiceops-calls")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to record."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """End; what is not recorded yet is recorded after the next start, or by another worker."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await asyncio.to_thread(self._thread.shutdown)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        backend = await loop.run_in_executor(self._thread, self._opened)
        while backend is None:  # it may be away for a moment, or locked
            await asyncio.sleep(self._again)
            backend = await loop.run_in_executor(self._thread, self._opened)
        store = CallStore(backend, self._privacy)
        # Made by the thread that uses it: its pace counts that thread's time.
        recording = await loop.run_in_executor(self._thread, _Recording, backend, store, self._most)
        try:
            while True:
                try:
                    names = await self._naming.names(recording.nobody, recording.latest)
                    more = await loop.run_in_executor(self._thread, recording.step, names)
                except Exception as error:  # the next look tries again; the messages are still there
                    log("calls", logging.ERROR, error=type(error).__name__)
                    more = False
                if not more:
                    await asyncio.sleep(_PAUSE)
        finally:
            self._thread.submit(recording.close)  # after a step that is under way

    def _opened(self) -> Backend | None:
        backend = self._database()
        try:
            backend.open()
            CallStore(backend).prepare()
        except Exception as error:
            said = error.summary if isinstance(error, VoiceopsError) else type(error).__name__
            log("calls", logging.ERROR, error=said, detail="calls are not recorded until it can be opened")
            with contextlib.suppress(Exception):
                backend.close()
            return None
        return backend


@dataclass(slots=True)
class _Recording:
    """One connection, used by one thread."""

    backend: Backend
    store: CallStore
    most: int  # numbers of messages looked at together
    waiting: deque[int] = field(default_factory=deque)  # numbers of messages that were found and not read yet
    mark: int = 0  # the largest number that was recorded
    seen: set[int] = field(default_factory=set)  # the newest messages that were read
    pace: BackgroundPace = field(default_factory=BackgroundPace)
    tidied: float = 0.0  # when what is kept was brought to what is wanted
    named: Names | None = None  # by which the calls that are there were named last
    nobody: set[tuple[str, str]] = field(default_factory=set)  # (kind, live id) of which nobody knows whose it is
    latest: float = 0.0  # when the last call began of which nobody knew the revision in force

    @property
    def owner(self) -> str:
        """Under which it holds the lease."""
        return str(self.backend.owner)

    def step(self, names: Names) -> bool:
        """Record some messages; whether there may be more at once."""
        if not self._mine():
            self.waiting.clear()  # whoever records goes on from the mark
            return False
        if names is not self.named:
            self.nobody = self.store.name_again(names)
            self.named = names
        if not self.waiting:
            self._look()
        some = [self.waiting.popleft() for _ in range(min(_AT_ONCE, len(self.waiting)))]
        calls: list[CallRecord] = []
        for id_ in some:
            event = self.backend.get(id_)
            call = self._call(event) if event is not None else None
            if call is not None:
                calls.append(self._named(self._with_tools(call), names))
            self.pace.rest()
        self._keep(calls)
        if some:
            self.mark = max(self.mark, *some)
            self.store.note(_MARK, str(self.mark))
            self.seen.update(some)
            self.pace.rest()
        elif time.time() - self.tidied > _TIDY:
            now = time.time()
            self.store.apply_privacy(now)
            drop_old_batches(self.backend, self.store.privacy, now)
            self.tidied = now
        return bool(self.waiting)

    def _named(self, call: CallRecord, names: Names) -> CallRecord:
        """The call with its names; what is not known of it yet is to be asked for."""
        found = named(call, names)
        for kind, id_, known in (
            ("Agent", call.assistant_id, found.agent),
            ("Phone", call.phone_id, found.phone),
        ):
            if id_ and not known and len(self.nobody) < _NOBODIES:
                self.nobody.add((kind, id_))
        if found.revision is None and (began := found.began or 0.0) > names.until:
            self.latest = max(self.latest, min(began, time.time() + _AHEAD))
        return found

    def _look(self) -> None:
        """Find the messages that are new: once for many of them, since it reads what came lately, recorded or not."""
        self.mark = int(self.store.fact(_MARK) or 0)
        self.seen = {id_ for id_ in self.seen if id_ > self.mark - 2 * _LATE}
        types = ", ".join("?" * len(TOLD_BY))
        events = f"{self.backend.prefix}events WHERE id > ? AND type IN ({types})"
        new = f"SELECT id FROM {events} ORDER BY id LIMIT {self.most:d}"
        start, more = max(0, self.mark - _LATE), True
        while more and not self.waiting:  # so many may have come within the time that all of them are recorded
            ids = [id_ for (id_,) in self.backend.rows(new, (start, *TOLD_BY))]
            self.waiting.extend(id_ for id_ in ids if id_ not in self.seen)
            start, more = ids[-1] if ids else start, len(ids) == self.most

    def _keep(self, calls: list[CallRecord]) -> None:
        """One that the database does not take must not keep the others out, again and again."""
        try:
            self.store.keep(calls)
            return
        except Exception:
            self.backend.rows("SELECT 1")  # raises where it is the database, and not the calls
        for call in calls:
            try:
                self.store.keep([call])
            except Exception as error:
                log("calls", logging.ERROR, error=type(error).__name__, call=call.id, detail="it is not recorded")

    def close(self) -> None:
        """Let another worker go on at once."""
        try:
            if self.store.fact(_HOLDER).startswith(f"{self.owner} "):
                self.store.note(_HOLDER, "")
        finally:
            self.backend.close()

    def _mine(self) -> bool:
        """Is it this worker that records? Said anew each time, so that a dead one holds it for seconds only."""
        with self.backend.transaction():
            holder, _, until = self.store.fact(_HOLDER).partition(" ")
            now = time.time()
            if holder not in ("", self.owner) and now < float(until or 0) <= now + _LEASE:
                return False  # a time that is further away was written by a clock that was wrong
            self.store.note(_HOLDER, f"{self.owner} {now + _LEASE}")
        return True

    def _call(self, event: Stored) -> CallRecord | None:
        try:
            message: Any = loads(event.body)["message"]
        except (ValueError, KeyError, TypeError):
            return None
        call = call_told_by(message) if isinstance(message, dict) else None
        if call is None:
            return None
        if call.began is None:
            call = replace(call, created_at=event.received)
        return call

    def _with_tools(self, call: CallRecord) -> CallRecord:
        """The runtime knows of its own tools how they ended and how long they took."""
        ran = {id_: (name, outcome, ms) for id_, name, outcome, ms in self.backend.ran(call.id)}
        if not ran:
            return call
        told = tuple(
            replace(tool, outcome=ran[tool.id][1] or tool.outcome, ms=round(ran[tool.id][2], 1))
            if tool.id in ran
            else tool
            for tool in call.tools
        )
        there = {tool.id for tool in told}
        more = tuple(
            ToolUse(id=id_, name=name, ms=round(ms, 1), outcome=outcome)
            for id_, (name, outcome, ms) in ran.items()
            if id_ not in there
        )
        return replace(call, tools=told + more)
