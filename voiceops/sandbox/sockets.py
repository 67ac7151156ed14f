"""Sockets: two listeners in one event loop, and connections that can be cut off as a network would."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

_TRANSPORT = "voiceops.sandbox.transport"


class _Protocol(H11Protocol):
    """HTTP as uvicorn speaks it; each request's scope holds its transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app: Any = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope[_TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = with_transport


def reset(scope: Scope) -> None:
    """Cut the connection off with a TCP reset: the client sees no answer at all."""
    transport: asyncio.Transport = scope[_TRANSPORT]
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def close(scope: Scope) -> None:
    """Close the connection after what was written."""
    transport: asyncio.Transport = scope[_TRANSPORT]
    transport.close()


@dataclass(slots=True)
class Listener:
    """One port with its connections."""

    server: asyncio.Server
    state: ServerState

    async def stop(self) -> None:
        """Take no more requests and end the connections at once, those with a request under way included."""
        self.server.close()
        for connection in list(self.state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        if tasks := list(self.state.tasks):
            _, late = await asyncio.wait(tasks, timeout=0.1)
            for task in late:
                task.cancel()
        await asyncio.sleep(0)


def bind(port: int) -> socket.socket:
    """A listening socket on the loopback interface. Raises OSError, which names the port, where that is taken."""
    # With the protocol named, asyncio switches Nagle's delay off: an answer goes out in two writes.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        bound.listen(512)
    except OSError as error:
        bound.close()
        raise OSError(error.errno, error.strerror, f"port {port}") from None
    bound.setblocking(False)
    return bound


async def listen(app: ASGIApp, bound: socket.socket) -> Listener:
    """Serve an application on a bound socket, until the listener is closed."""
    config = Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=60,
    )
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: _Protocol(config, state, {}), sock=bound)
    return Listener(server, state)
