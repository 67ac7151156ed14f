"""A runtime's parts with what HTTP adds to them: what the routes, and the connections themselves, work with.

It is there while the server runs, as the application's state (`state["served"]`, see `app`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from voiceops.runtime.dashboard.board import Board
from voiceops.runtime.dashboard.figures import Figures
from voiceops.runtime.dashboard.figures import figures as count_figures
from voiceops.runtime.http.bounds import Bounds
from voiceops.runtime.http.connections import Connections
from voiceops.runtime.http.limits import Attempts, Limiter
from voiceops.runtime.http.vapi_events import EVENTS_PATH, VapiEvents
from voiceops.runtime.parts import Parts
from voiceops.runtime.store.inbox import in_time

_FRESH = 2.0  # seconds for which the dashboard's figures are good
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
        self._figures: Figures | None = None

    async def now(self) -> Figures:
        """Raises what the database raises."""
        async with self._counting:
            now = time.time()
            if self._figures is None or not 0 <= now - self._figures.now < _FRESH:
                backend, location = self._parts.inbox.backend, self._parts.settings.database
                self._figures = await asyncio.to_thread(count_figures, backend, location, now)
            return self._figures
