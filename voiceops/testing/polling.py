"""Looking at runs until they end: politely, one list for all of them, less often while nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from voiceops.errors import ProviderError, Unauthorized
from voiceops.testing.vendor_runs import RunState, VendorRuns

FIRST, LONGEST, GROWTH = 1.0, 10.0, 1.5  # seconds between two looks


class Poller:
    """Whoever waits for the runs of one sort. `pace` is a factor on the waits between two looks."""

    def __init__(
        self,
        runs: VendorRuns,
        *,
        pace: float = 1.0,
        told: Callable[[str], None] = lambda _: None,
        beside: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`told` hears that Vapi can't be read, `beside` is awaited with every look."""
        self._runs = runs
        self._pace = pace
        self._told = told
        self._beside = beside
        self._waiting: dict[str, asyncio.Future[RunState]] = {}
        self._interval = FIRST
        self._since = 0.0
        self._woken = asyncio.Event()

    async def ended(self, id_: str, since: float) -> RunState:
        """Wait for a run that began after `since` (Vapi's clock) to end. Raises ProviderError where Vapi refuses."""
        future: asyncio.Future[RunState] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = future
        self._since = min(self._since, since) if len(self._waiting) > 1 else since
        self._interval = FIRST
        self._woken.set()
        try:
            return await future
        finally:
            self._waiting.pop(id_, None)

    async def watch(self) -> None:
        """Look again and again; until it is cancelled."""
        silent = False
        while True:
            await self._woken.wait()
            await asyncio.sleep(self._interval * self._pace)
            if not self._waiting:
                self._woken.clear()
                continue
            try:
                ended = await self._look()
            except Unauthorized as error:
                self._fail(error)
                continue
            except ProviderError as error:
                # The tests go on at Vapi all the same: their own time limits end the waiting.
                if not silent:
                    self._told(f"Vapi can't be asked how the tests stand, and is asked again: {error}")
                silent, self._interval = True, LONGEST
                continue
            silent = False
            self._interval = FIRST if ended else min(LONGEST, self._interval * GROWTH)

    async def _look(self) -> bool:
        if self._beside is not None:
            await self._beside()
        states = await self._runs.states(list(self._waiting), self._since)
        for id_, state in states.items():
            future = self._waiting.get(id_)
            if state.ended and future is not None and not future.done():
                future.set_result(state)
        return any(state.ended for state in states.values())

    def _fail(self, error: ProviderError) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)
