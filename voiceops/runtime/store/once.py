"""Something that happens once, however often and wherever it is asked for: whose turn it is, and what came of it.

Knows claims and results; knows neither tools nor lines.
"""

from __future__ import annotations

import asyncio
import logging
import time
from enum import Enum
from typing import NamedTuple

from voiceops.runtime.observe.log import log
from voiceops.runtime.store.inbox import Inbox, in_time
from voiceops.runtime.store.records import Claim

_POLL = 0.05  # seconds between looks at a claim that another worker holds


class WhoseTurn(Enum):
    """Whose turn it is to do it."""

    MINE = "mine"  # yours: do it, and `keep` what comes of it
    AGAIN = "again"  # yours, too: who had begun is gone
    DONE = "done"  # nobody's: the result is there
    LATE = "late"  # another one's, who was not ready in time
    LOST = "lost"  # another one's, who is gone; it may have happened, or not


class Claimed(NamedTuple):
    """The answer to one who asks to do something; `result` is not empty where it is done."""

    turn: WhoseTurn
    result: str = ""


class Once:
    """Claims and results in one store, shared by every worker that uses it."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def claim(self, key: str, what: str, call: str, *, by: float, until: float, again: bool) -> Claimed:
        """Ask to do what has this key, durably. `what` and `call` only say what it is, to whoever looks at the store.

        The store has until `by` to answer, another worker until `until` to be ready, by the monotonic clock. `again`:
        what may have happened half may happen once more. Raises TimeoutError where the store does not say whose turn it
        is, and what a database raises.
        """
        claim = await in_time(self._inbox.claim(key, what, call), by)
        if claim.mine:
            return _MINE
        try:
            return await self._of_another(key, claim, until, again)
        except TimeoutError:
            return _LATE

    async def keep(self, key: str, result: str, outcome: str, started: float, until: float, what: str) -> None:
        """Keep what came of it, for whoever asks from now on. A slow store gets it all the same, and isn't waited for.

        Raises nothing: what goes wrong is logged, with `what` it is.
        """
        try:
            await in_time(self._inbox.settle(key, result, outcome, (time.monotonic() - started) * 1000), until)
        except Exception as error:
            log("store", logging.ERROR, error=type(error).__name__, what=what, key=key)

    async def _of_another(self, key: str, claim: Claim, until: float, again: bool) -> Claimed:
        while not claim.result:
            # Ours, and not running here: its result could not be stored.
            gone = claim.owner == self._inbox.owner or not await self._alive(claim.owner, until)
            if not gone:
                if until - time.monotonic() <= _POLL:
                    return _LATE
                await asyncio.sleep(_POLL)
            found = await self._found(key, until)
            if found is None:
                return _LATE
            if gone and not found.result:
                if not again:
                    return Claimed(WhoseTurn.LOST)
                if await self._taken_over(key, claim.owner, until):
                    return Claimed(WhoseTurn.AGAIN)
                found = await self._found(key, until)
                if found is None:
                    return _LATE
            claim = found
        return Claimed(WhoseTurn.DONE, claim.result)

    async def _alive(self, owner: int, until: float) -> bool:
        return await in_time(self._inbox.run(lambda backend: backend.alive(owner)), until)

    async def _found(self, key: str, until: float) -> Claim | None:
        return await in_time(self._inbox.run(lambda backend: backend.lookup(key)), until)

    async def _taken_over(self, key: str, dead: int, until: float) -> bool:
        return await in_time(self._inbox.run(lambda backend: backend.take_over(key, dead)), until)


_MINE = Claimed(WhoseTurn.MINE)
_LATE = Claimed(WhoseTurn.LATE)
