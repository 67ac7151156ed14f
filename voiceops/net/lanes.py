"""Connections to one server, each with a client of its own: whoever asks takes one that nobody uses.

A pool that several requests share looks at each of its connections when a request comes and when it goes, and asks the
kernel about the idle ones: with ten of them that costs more than the request itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)  # what a lane's client is to be made with


class Lanes:
    """Clients made as they are needed, as many as there were requests at once; the one used last is taken first."""

    def __init__(self, make: Callable[[], httpx.AsyncClient]) -> None:
        self._make = make
        self._all: list[httpx.AsyncClient] = []
        self._idle: list[httpx.AsyncClient] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client for one request at a time. Raises whatever making one does.

        One whose request did not end well is closed and not used again: a request that is cancelled between the
        connection and its first byte leaves httpcore's pool with a connection that it neither uses nor gives up.
        """
        if self._idle:
            client = self._idle.pop()
        else:
            client = self._make()
            self._all.append(client)
        try:
            yield client
        except BaseException:
            if client in self._all:  # else all are closed already
                self._all.remove(client)
                await client.aclose()
            raise
        if client in self._all:
            self._idle.append(client)

    async def aclose(self) -> None:
        """Close every connection; no request may be under way."""
        clients, self._all = self._all, []
        self._idle.clear()
        for client in clients:
            await client.aclose()
