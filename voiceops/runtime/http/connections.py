"""Which connections there are, and which of them goes when there are too many, or when they hold too much.

A connection is a stranger's until a request on it was authenticated. Strangers go first, the oldest before the others:
however many connect, those that the vendors keep, and a vendor's new one, find room. Knows nothing of HTTP.
"""

from __future__ import annotations

from typing import Protocol

from voiceops.runtime.http.bounds import Bounds, most_connections
from voiceops.runtime.observe.observer import Observer


class Connection(Protocol):
    """What is asked of one."""

    @property
    def answering(self) -> bool:
        """A whole request has come, and its answer is being made."""

    @property
    def idle(self) -> bool:
        """Nothing is under way."""

    @property
    def peer(self) -> str:
        """The other side's address."""

    def drop(self) -> None:
        """End it at once."""


class Connections:
    """All of one process."""

    def __init__(self, observer: Observer, bounds: Bounds) -> None:
        self._observer = observer
        self._most = most_connections(bounds.connections)
        self._most_held = bounds.held_bytes
        self._strangers: dict[Connection, None] = {}  # the oldest first
        self._known: dict[Connection, None] = {}
        self._holding: dict[Connection, int] = {}
        self._held = 0

    def __len__(self) -> int:
        return len(self._strangers) + len(self._known)

    def opened(self, connection: Connection) -> None:
        """There is one more, a stranger's; another one may have to go for it."""
        self._strangers[connection] = None
        if len(self) > self._most:
            self.end(self._victim(connection), "full")

    def closed(self, connection: Connection) -> None:
        """It is gone."""
        self._strangers.pop(connection, None)
        self._known.pop(connection, None)
        self.released(connection)

    @property
    def held(self) -> int:
        """Bytes of bodies that are not all there yet."""
        return self._held

    def known(self, connection: Connection) -> None:
        """A request on it was a vendor's."""
        if self._strangers.pop(connection, connection) is None:
            self._known[connection] = None

    def holds(self, connection: Connection, size: int) -> None:
        """So many bytes of a body that is not all there yet."""
        self._held += size - self._holding.get(connection, 0)
        self._holding[connection] = size
        while self._held > self._most_held:
            strangers = [one for one in self._holding if one in self._strangers]
            self.end(max(strangers or self._holding, key=lambda one: self._holding[one]), "held")

    def released(self, connection: Connection) -> None:
        """It holds no body any more."""
        self._held -= self._holding.pop(connection, 0)

    def end(self, connection: Connection, reason: str) -> None:
        """End one at once, for this reason."""
        self._observer.connection_ended(reason, peer=connection.peer, open=len(self))
        self.closed(connection)
        connection.drop()

    def _victim(self, new: Connection) -> Connection:
        """The oldest stranger that nothing is being answered to; else a vendor's that is idle; else the new one."""
        for stranger in self._strangers:
            if not stranger.answering and stranger is not new:
                return stranger
        return next((one for one in self._known if one.idle), new)
