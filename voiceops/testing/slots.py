"""Places for what may run at once: each takes as many as it needs, in the order of asking as far as they fit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """`most` places, which may grow and shrink meanwhile. What needs more than there are gets them all."""

    def __init__(self, most: int) -> None:
        self._most = max(1, most)
        self._used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def used(self) -> int:
        """How many are taken."""
        return self._used

    @property
    def waited_for(self) -> bool:
        """Does anything wait for a place?"""
        return any(not turn.done() for _, turn in self._waiting)

    def resize(self, most: int) -> None:
        """From now on there are so many; what runs goes on."""
        self._most = max(1, most)
        self._let_in()

    @asynccontextmanager
    async def taken(self, wanted: int) -> AsyncIterator[None]:
        """So many places, for as long as it lasts."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, turn))
        self._let_in()
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._leave(wanted)  # it was let in, and does not come
            else:
                turn.cancel()
                self._let_in()
            raise
        try:
            yield
        finally:
            self._leave(wanted)

    def _leave(self, wanted: int) -> None:
        self._used -= wanted
        self._let_in()

    def _let_in(self) -> None:
        """Whoever fits goes in; one that asks for more than there are waits until it is alone."""
        rest: deque[tuple[int, asyncio.Future[None]]] = deque()
        for wanted, turn in self._waiting:
            if turn.done():
                continue
            if self._used + wanted <= self._most or not self._used:
                self._used += wanted
                turn.set_result(None)
            else:
                rest.append((wanted, turn))
        self._waiting = rest
