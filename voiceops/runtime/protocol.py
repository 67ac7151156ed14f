"""uvicorn's protocol with a short way for Vapi's messages: no ASGI messages, and head and body in one write.

Only a plain `POST` of known length goes the short way; everything else is uvicorn's own. The rules of the connection
(keep-alive, pipelining, shutdown) stay uvicorn's too. Knows HTTP; knows nothing of what a message means.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from voiceops.runtime.app import BODY_SECONDS

if TYPE_CHECKING:
    from voiceops.runtime.app import Fields, RuntimeApp

_FAILED = 500, [(b"content-type", b"text/plain; charset=utf-8")], b"Internal Server Error"

# What is relied on in uvicorn's class, beside the names of asyncio and httptools.
_NEEDED = (
    "_start_asgi_task",
    "_unset_keepalive_if_required",
    "on_response_complete",
    "shutdown",
    "timeout_keep_alive_handler",
)


def protocol() -> Any:
    """For uvicorn's `http`: ours, or its own choice where its class has become another one."""
    return RuntimeProtocol if all(hasattr(HttpToolsProtocol, name) for name in _NEEDED) else "auto"


class _Nobody:
    """uvicorn tells a waiting application that something came; on the short way nobody waits."""

    def set(self) -> None:
        return None


class _Exchange:
    """One request on the short way, with what uvicorn's protocol asks of a request under way."""

    __slots__ = ("body", "disconnected", "headers", "keep_alive", "response_complete", "task")

    task: asyncio.Task[None]

    message_event = _Nobody()

    def __init__(self, headers: Fields, keep_alive: bool) -> None:
        self.headers = headers
        self.keep_alive = keep_alive
        self.body: bytes | bytearray = b""
        self.response_complete = False
        self.disconnected = False


class RuntimeProtocol(HttpToolsProtocol):
    """One connection."""

    _receiving: _Exchange | None = None  # whose body is on its way
    _idle_since: float | None = None  # by the loop's clock; None while a request is under way
    _overdue: asyncio.TimerHandle | None = None
    _defaults: list[tuple[bytes, bytes]] | None = None  # the server's headers, the date among them …
    _default_lines = b""  # … and what they are on the wire

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        app = cast("RuntimeApp", self.app)
        self._runtime = app.runtime
        self._paths = frozenset(path.encode() for path in app.hot)
        self._most = app.runtime.settings.max_body

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._receiving is not None:
            if self._overdue is None:
                self._overdue = self.loop.call_later(BODY_SECONDS, self._too_slow)
        elif self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
        self._receiving = None
        if self.timeout_keep_alive_task is not None:  # it would hold on to the last request's body
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        # What an ASGI application gets to know is put together only where one is asked.
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        parser, before = self.parser, self.cycle
        if (
            self.url in self._paths
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and (before is None or before.response_complete)
            and not self.expect_100_continue
            and not parser.should_upgrade()
            and self._fits()
        ):
            exchange = _Exchange(self.headers, parser.should_keep_alive())
            self.cycle = cast(Any, exchange)
            self._receiving = exchange
            return
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers += headers  # the list that the scope holds
        super().on_headers_complete()

    def _fits(self) -> bool:
        """Is the body's length known, and not too much?"""
        found = None
        for name, value in self.headers:
            if name == b"content-length":
                found = value
            elif name == b"transfer-encoding":
                return False
        return found is not None and found.isdigit() and int(found) <= self._most

    def on_body(self, body: bytes) -> None:
        exchange = self._receiving
        if exchange is None:
            super().on_body(body)
        elif not exchange.body:
            exchange.body = body
        else:
            if not isinstance(exchange.body, bytearray):
                exchange.body = bytearray(exchange.body)
            exchange.body += body

    def on_message_complete(self) -> None:
        exchange = self._receiving
        if exchange is None:
            super().on_message_complete()
            return
        self._receiving = None
        exchange.task = self.loop.create_task(self._answer(exchange))
        self.tasks.add(exchange.task)

    async def _answer(self, exchange: _Exchange) -> None:
        try:
            await self._exchange(exchange)
        finally:
            self.tasks.discard(exchange.task)

    async def _exchange(self, exchange: _Exchange) -> None:
        body = exchange.body if type(exchange.body) is bytes else bytes(exchange.body)
        exchange.body = b""  # the connection keeps the exchange until the next one
        try:
            status, headers, answer = await self._runtime.respond(exchange.headers, body, self.client)
        except Exception:
            logging.getLogger("uvicorn.error").exception("Exception in the runtime")
            status, headers, answer = _FAILED
        except BaseException:
            self.transport.close()  # nobody is left waiting for what will not come
            raise
        if self.flow.write_paused and not exchange.disconnected:
            await self.flow.drain()
        if exchange.disconnected:
            return
        parts = [STATUS_LINE[status], self._server_lines()]
        for name, value in headers:
            parts += (name, b": ", value, b"\r\n")
        if not exchange.keep_alive:
            parts.append(b"connection: close\r\n")
        parts.append(b"content-length: %d\r\n\r\n" % len(answer))
        parts.append(answer)
        self.transport.write(b"".join(parts))
        exchange.response_complete = True
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _server_lines(self) -> bytes:
        """The headers that the server adds; a new list each second, for the date."""
        kind, defaults = type(self), self.server_state.default_headers
        if defaults is not kind._defaults:
            kind._defaults = defaults
            kind._default_lines = b"".join(b"%s: %s\r\n" % pair for pair in defaults)
        return kind._default_lines

    def on_response_complete(self) -> None:
        """As uvicorn's, but that a busy connection keeps one timer instead of making one for each answer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None
        if self.transport.is_closing():
            super()._unset_keepalive_if_required()

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since is None:  # busy; its answer sets the next one
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0.001:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _too_slow(self) -> None:
        self._overdue = None
        if self._receiving is not None and not self.transport.is_closing():
            self.transport.close()
