"""Whose a recorded call is, and which revision was in force: asked again in good time, beside the calls.

By live names and numbers out of the spec; by live ids out of a state where there is one, else out of Vapi's lists.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from voiceops.calls.call_names import Names
from voiceops.runtime.messages.vapi_api import Known
from voiceops.runtime.observe.log import log
from voiceops.runtime.spec import RuntimeSpec

RevisionsInForce = Callable[[], Awaitable[Sequence[tuple[float, int]]]]  # (epoch seconds from which on, number)
AddressOf = Callable[[str, str], Awaitable[str]]  # (live id, kind) → the address; empty where nothing tells

_ASKED = 60.0  # seconds for which ids are taken as they were, and after which one is asked for again
_LOOK = 1.0  # seconds between looks whether there is a newer revision, at least; and …
_SHARE = 50  # … so many times as long as the look took
_AT_ONCE = 20  # ids that are asked for together
_MOST = 10_000  # ids that are remembered


class CallNaming:
    """`known` and `revisions` ask the state, `address_of` for a single id."""

    def __init__(
        self, spec: RuntimeSpec, known: Known | None, revisions: RevisionsInForce | None, address_of: AddressOf | None
    ) -> None:
        self._known = known
        self._revisions = revisions
        self._address_of = address_of
        self._spelled: list[tuple[str, str | None]] = [(agent.address, agent.name) for agent in spec.agents]
        self._spelled += [(line.address, line.number) for line in spec.lines]
        self._ids: list[tuple[str, str | None]] = []
        self._found: dict[str, str] = {}  # live id → address, of those that were asked for by themselves
        self._tried: dict[str, float] = {}  # live id → when it was asked for last, and nothing told
        self._in_force: Sequence[tuple[float, int]] = ()
        self._until = time.time()
        self._next_ids = self._next_look = 0.0  # monotonic
        self._names = self._made()

    async def names(self, nobody: set[tuple[str, str]], latest: float) -> Names:
        """The names as they are known now; the same object as before where nothing is new.

        `nobody`: (kind, live id) of which nothing was known. `latest`: when the last call began that has no revision.
        """
        now = time.monotonic()
        new = False
        if now >= self._next_look and (now >= self._next_ids or latest > self._until):
            new = await self._look()
        if new or now >= self._next_ids:
            new = await self._ask() or new
        new = await self._ask_for(nobody) or new
        if new or self._until > self._names.until < latest:
            self._names = self._made()
        return self._names

    async def _look(self) -> bool:
        """Is another revision in force?"""
        if self._revisions is None:
            return False
        before, started, until = self._in_force, time.monotonic(), time.time()
        try:
            self._in_force = await self._revisions()
            self._until = until
        except Exception as error:
            log("calls", logging.WARNING, error=type(error).__name__, detail="the state can't be read")
        self._next_look = time.monotonic() + max(_LOOK, _SHARE * (time.monotonic() - started))
        return self._in_force != before

    async def _ask(self) -> bool:
        """For the ids of all that was applied; are they others?"""
        self._next_ids = time.monotonic() + _ASKED
        before = self._ids
        try:
            if self._known is not None:
                self._ids = list((await self._known()).items())
        except Exception as error:
            log("calls", logging.WARNING, error=type(error).__name__, detail="the state can't be read")
        return self._ids != before

    async def _ask_for(self, nobody: set[tuple[str, str]]) -> bool:
        """For ids that no state told; was one found?"""
        if self._address_of is None:
            return False
        now = time.monotonic()
        due = [(kind, id_) for kind, id_ in nobody if id_ not in self._found and now >= self._tried.get(id_, 0.0)]
        before = len(self._found)
        for kind, id_ in due[:_AT_ONCE]:
            if len(self._found) + len(self._tried) > _MOST:
                self._found.clear()
                self._tried.clear()
                before = -1
            if address := await self._address_of(id_, kind):
                self._found[id_] = address
            else:
                self._tried[id_] = now + _ASKED
        return len(self._found) != before

    def _made(self) -> Names:
        keys = [*self._spelled, *self._ids, *((address, id_) for id_, address in self._found.items())]
        return Names.of(keys, self._in_force, self._until)
