"""A runtime's parts with what HTTP adds to them: what the routes, and the connections themselves, work with.

It is there while the server runs, as the application's state (`state["served"]`, see `app`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from voiceops.runtime.dashboard.board import Board
from voiceops.runtime.dashboard.figures import Figures, figures, queue_figures
from voiceops.runtime.http.bounds import Bounds
from voiceops.runtime.http.connections import Connections
from voiceops.runtime.http.limits import Attempts, Limiter
from voiceops.runtime.http.vapi_events import EVENTS_PATH, VapiEvents
from voiceops.runtime.parts import Parts
from voiceops.runtime.store.inbox import in_time

_FRESH = 2.0  # seconds for which the dashboard's figures are good, at least
_PAUSES = 30  # times as long as they took to count: who watches a busy runtime takes little of it
_STATE = "served"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Made once, when the parts are."""

    parts: Parts
    bounds: Bounds
    connections: Connections
    limiter: Limiter  # of the vendors' requests
    attempts: Attempts  # to be taken for Vapi or Twilio
    logins: Attempts  # to guess a token
    events: VapiEvents
    hot: frozenset[str]  # the paths of Vapi's messages
    counted: CountedFigures
    board: Board

    @classmethod
    def of(cls, parts: Parts, bounds: Bounds) -> Served:
        """With empty books about strangers."""
        limiter, attempts = Limiter(parts.settings.rate), Attempts()
        return cls(
            parts=parts,
            bounds=bounds,
            connections=Connections(parts.observer, bounds),
            limiter=limiter,
            attempts=attempts,
            logins=Attempts(),
            events=VapiEvents(parts, limiter, attempts),
            hot=hot_paths(parts.spec.url),
            counted=CountedFigures(parts),
            board=Board(parts.settings.database),
        )

    def as_state(self) -> dict[str, Any]:
        """For the application's lifespan to give to the server."""
        return {_STATE: self}


def served_in(state: Mapping[str, Any]) -> Served:
    """What `as_state` has put into a server's state. Raises KeyError before the application has started."""
    found = state[_STATE]
    assert isinstance(found, Served)
    return found


def path_of(url: str) -> str:
    """The path of the public URL, which a proxy may leave on: the routes are there, too."""
    return urlsplit(url).path.rstrip("/") if url else ""


def hot_paths(url: str) -> frozenset[str]:
    """Where Vapi's messages come in."""
    return frozenset({EVENTS_PATH, path_of(url) + EVENTS_PATH})


async def published(parts: Parts, until: float) -> list[str]:
    """The other workers' counters; none where there is one worker. Raises what the database raises."""
    if not parts.boot:
        return []
    return await in_time(parts.inbox.run(lambda backend: backend.published(parts.boot)), until)


class CountedFigures:
    """The dashboard's figures, counted through the store now or a moment ago: however many look, one counts."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._counting = asyncio.Lock()
        self._kept: dict[Callable[..., Figures], tuple[Figures, float]] = {}  # with the seconds for which they are good

    async def whole(self) -> Figures:
        """All of them. Raises what the database raises."""
        return await self._fresh(figures)

    async def queue(self) -> Figures:
        """The queue alone. Raises what the database raises."""
        return await self._fresh(queue_figures)

    async def _fresh(self, count: Callable[..., Figures]) -> Figures:
        async with self._counting:
            now, began = time.time(), time.monotonic()
            found, good_for = self._kept.get(count, (None, 0.0))
            if found is None or not 0 <= now - found.now < good_for:
                found = await asyncio.to_thread(count, self._parts.inbox.backend, self._parts.settings.database, now)
                self._kept[count] = found, max(_FRESH, _PAUSES * (time.monotonic() - began))
            return found
