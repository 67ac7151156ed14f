"""What is done for a store beside its work: what dead processes left is freed, what is old is deleted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from voiceops.runtime.observe.log import log
from voiceops.runtime.store.inbox import Inbox

_CARE = 30  # seconds between looks after the database


async def keep_house(inbox: Inbox, events: float, claims: float, released: Callable[[], None]) -> None:
    """Until it is cancelled. Events and claims are kept so many seconds; `released` hears of messages that are free."""
    while True:
        try:
            if await inbox.run(lambda backend: backend.release_dead()):
                released()
            await inbox.run(lambda backend: backend.maintain())
            await _prune(inbox, time.time(), events, claims)
        except Exception as error:
            log("store", logging.ERROR, error=type(error).__name__)
        for _ in range(_CARE):
            await asyncio.sleep(1)
            with contextlib.suppress(Exception):
                await inbox.run(lambda backend: backend.maintain())
                inbox.follow(await inbox.run(lambda backend: backend.newest()))


async def _prune(inbox: Inbox, now: float, events: float, claims: float) -> None:
    await inbox.run(lambda backend: backend.prune(now - events, now - claims))
