"""How the store is: asked for by whoever wants to know, and looked at now and then by itself."""

from __future__ import annotations

import asyncio
import logging
import time

from voiceops.runtime.observe.log import log
from voiceops.runtime.store.inbox import Inbox, in_time
from voiceops.runtime.store.records import Stats

_LOOK_SECONDS = 3.0  # for the store to say how it is
_FRESH = 0.2  # seconds for which that is good
_WATCH_SECONDS = 10.0  # between looks that nobody asks for


class Health:
    """Of one worker; `draining` is set when it is about to end, and no store is to blame."""

    def __init__(self, inbox: Inbox) -> None:
        self.draining = False
        self.unwell = ""  # what was wrong with the store when it was looked at last
        self._inbox = inbox
        self._looking: asyncio.Task[tuple[str, Stats | None]] | None = None
        self._looked = 0.0

    async def now(self) -> tuple[str, Stats | None]:
        """What is wrong, empty when nothing is, and how the queue stands. However many ask, one looks."""
        if self._looking is None or (self._looking.done() and time.monotonic() - self._looked > _FRESH):
            self._looking = asyncio.get_running_loop().create_task(self._look())
        wrong, stats = await asyncio.shield(self._looking)
        return "draining" if self.draining else wrong, stats

    async def watch(self) -> None:
        """Notice by itself when the store is damaged, gone or another one; until it is cancelled."""
        try:
            while True:
                await asyncio.sleep(_WATCH_SECONDS)
                await self.now()
        finally:
            if self._looking is not None:
                self._looking.cancel()

    async def _look(self) -> tuple[str, Stats | None]:
        stats = None
        try:
            asked = self._inbox.run(lambda backend: (backend.check(), backend.stats()))
            wrong, stats = await in_time(asked, time.monotonic() + _LOOK_SECONDS)
        except Exception:
            wrong = "the store does not answer"
        wrong = self._inbox.damaged or wrong or ("the store does not answer" if self._inbox.broken else "")
        if wrong != self.unwell:
            log("store", logging.ERROR if wrong else logging.INFO, state=wrong or "well")
        self.unwell = wrong
        self._looked = time.monotonic()
        return wrong, stats
