"""uvicorn's protocol with bounds on what strangers send, and a short way for Vapi's messages.

The bounds (`bounds.py`) hold for every request, before anybody knows who sends it: sizes and times of heads and bodies,
connections that say nothing, answers that nobody reads. The short way has no ASGI messages, and head and body in one
write; only a plain `POST` of known length goes it, everything else is uvicorn's own, and so are pipelining and the end.
Knows HTTP; knows nothing of what a message means.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from voiceops.runtime.http.served import served_in
from voiceops.runtime.http.vapi_events import Fields

_FAILED = 500, [(b"content-type", b"text/plain; charset=utf-8")], b"Internal Server Error"
_CLOSE = (b"connection", b"close")

# Where a connection is: nothing has come yet; within a head; within a body; an answer is being made; between requests.
SILENT, HEAD, BODY, ANSWER, IDLE, NONE = range(6)
_SLOW = {SILENT: "silent", HEAD: "slow-head", BODY: "slow-body", ANSWER: "", IDLE: ""}
_REFUSED = {
    400: (b"Invalid HTTP request", "malformed"),
    405: (b"Method Not Allowed", "connect"),
    413: (b"Too large", "body"),
    414: (b"URI Too Long", "url"),
    431: (b"Request Header Fields Too Large", "head"),
    503: (b"Too many requests on one connection", "pipelined"),
}

# What is relied on in uvicorn's class, beside the names of asyncio and httptools.
_NEEDED = ("_start_asgi_task", "on_response_complete", "shutdown", "pause_writing", "resume_writing")


def protocol() -> Any:
    """For uvicorn's `http`: ours; where its class has become another one, the one that bounds heads by itself."""
    return RuntimeProtocol if all(hasattr(HttpToolsProtocol, name) for name in _NEEDED) else "h11"


class _Refused(Exception):
    """Raised in the parser's callbacks: this request is read no further."""


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

    held = 0  # bytes of a body that is still on its way
    _state = SILENT
    _receiving: _Exchange | None = None  # whose body is on its way
    _upgrading = False  # the head asks for another protocol, which is not spoken here
    _refused = 0  # the status of a request that is read no further
    _trusted = False  # a request on this connection was a vendor's
    _fed = 0  # bytes of a head, or beside a body, since anything came of them
    _size = 0  # bytes of the piece that is being read
    _due = 0.0  # by the loop's clock: when the state has lasted too long
    _timed = NONE  # the state that `_due` is about
    _timer: asyncio.TimerHandle | None = None
    _short = False  # the timer is not that of the time between requests
    _unread: asyncio.TimerHandle | None = None  # the peer does not read its answer
    _defaults: list[tuple[bytes, bytes]] | None = None  # the server's headers, the date among them …
    _default_lines = b""  # … and what they are on the wire

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        served = served_in(self.app_state)  # connections come when the application has started
        self._respond = served.events.respond
        self._observer = served.parts.observer
        self._bounds = served.bounds
        self._open = served.connections
        self._paths = frozenset(path.encode() for path in served.hot)
        self._most = served.parts.settings.max_body

    # What the list of connections asks.

    @property
    def answering(self) -> bool:
        """See `connections.Connection`."""
        return self._state == ANSWER

    @property
    def idle(self) -> bool:
        """See `connections.Connection`."""
        return self._state in (SILENT, IDLE)

    @property
    def peer(self) -> str:
        """See `connections.Connection`."""
        return self.client[0] if self.client else ""

    def drop(self) -> None:
        """See `connections.Connection`."""
        self.transport.abort()

    def trust(self) -> None:
        """A request on this connection was a vendor's."""
        if not self._trusted:
            self._trusted = True
            self._open.known(self)

    # Bytes.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """A peer has connected: from now on it has so many seconds to ask something."""
        super().connection_made(transport)
        # Those that came together do not go together: coming again at once, they would keep the loop from all else.
        self._wait(self._bounds.silent_seconds * random.uniform(0.7, 1.0))
        self._open.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone: its timers end, and it counts no more."""
        for timer in (self._timer, self._unread):
            if timer is not None:
                timer.cancel()
        self._timer = self._unread = None
        self._receiving = None
        self._open.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read a piece of requests. What breaks a bound, or is no HTTP, is refused; it never raises for what a peer
        sent.
        """
        if self._refused:
            return
        self._size = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._stay(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(self._refused or 400)
            return
        if self._state in (HEAD, BODY):
            self._read_on()

    def _read_on(self) -> None:
        """A request has come in part: how much of it may there be, and how long may the rest take?"""
        if self._state != self._timed:
            seconds = self._bounds.head_seconds
            if self._state == BODY:
                seconds = self._bounds.body_seconds
                if self._receiving is None:  # the application says 408 itself, a bit earlier
                    seconds += self._bounds.linger_seconds
            self._wait(seconds)
        exchange = self._receiving
        if exchange is not None and len(exchange.body) > self.held:
            self.held = len(exchange.body)
            self._fed = 0
        elif self._fed < 0:
            self._fed = 0  # the piece that it began in has parts of others, too
        else:
            self._fed += self._size
        if self._fed > self._bounds.head_bytes:  # a head, or a body's trailers, that do not end
            self._refuse(431)
        elif self._state == BODY and self.held:
            self._open.holds(self, self.held)

    def _stay(self, rest: bytes) -> None:
        """Read a request that asks for another protocol as what it is besides: the same one, without that wish."""
        while self._upgrading:
            self._upgrading = False
            lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
            for name, value in self.headers:
                if name == b"connection":
                    value = b",".join(part for part in value.split(b",") if part.strip().lower() != b"upgrade")
                if name != b"upgrade" and (value or name != b"connection"):
                    lines.append(b"%s: %s" % (name, value))
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            data = b"\r\n".join([*lines, b"", b""]) + rest
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                rest = data[upgrade.args[0] :]
            except httptools.HttpParserError:
                self._refuse(self._refused or 400)
                return

    def _refuse(self, status: int) -> None:
        """Say why, and close; what was asked before is answered first."""
        self._refused = status
        text, reason = _REFUSED[status]
        self._observer.connection_ended(reason, peer=self.peer)
        if self.transport.is_closing():
            return
        if self._state == BODY and self.cycle is not None and self.cycle.response_complete:
            self._end()  # it has its answer
            return
        if self.cycle is not None and not self.cycle.response_complete and self._state != BODY:
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            self._state = ANSWER
            return
        fields = b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + self._server_lines() + fields % len(text) + text)
        self._end()

    def _end(self) -> None:
        """Close, and don't wait for ever until the peer has read what there is."""
        self.transport.close()
        self._state = IDLE
        self._wait(self._bounds.linger_seconds)

    # The parser's callbacks.

    def on_message_begin(self) -> None:
        """The parser sees a request begin."""
        # What an ASGI application gets to know is put together only where one is asked.
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._fed = -1
        self._state = HEAD
        self._timed = NONE

    def on_headers_complete(self) -> None:
        """The parser has a request's head: a hot path's is answered here, any other one is the application's.

        Raises _Refused: through the parser, when the head breaks a bound.
        """
        parser, before = self.parser, self.cycle
        bounds = self._bounds
        if self._fed > 0 or self._size > bounds.url_bytes or len(self.headers) > bounds.headers:  # else it can't be
            self._measure()
        self._fed = -1
        if parser.should_upgrade():
            if parser.get_method() == b"CONNECT":
                self._stop(405)
            self._upgrading = True
            return
        self._state = BODY
        if (
            self.url in self._paths
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and (before is None or before.response_complete)
            and not self.expect_100_continue
            and self._fits()
        ):
            exchange = _Exchange(self.headers, parser.should_keep_alive())
            self.cycle = cast(Any, exchange)
            self._receiving = exchange
            return
        if len(self.pipeline) >= self._bounds.pipelined:
            self._state = HEAD
            self._stop(503)
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers += headers  # the list that the scope holds
        self.scope["extensions"] = {"voiceops": {"trust": self.trust}}
        super().on_headers_complete()

    def _measure(self) -> None:
        """Is a head within its bounds?"""
        bounds = self._bounds
        if len(self.url) > bounds.url_bytes:
            self._stop(414)
        sizes = [len(name) + len(value) for name, value in self.headers]
        if len(sizes) > bounds.headers or sum(sizes) > bounds.head_bytes or max(sizes, default=0) > bounds.header_bytes:
            self._stop(431)

    def _stop(self, status: int) -> None:
        self._refused = status
        raise _Refused

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
        """The parser has a piece of a body."""
        exchange = self._receiving
        if exchange is None:
            self.held += len(body)
            self._fed = -1
            if self._upgrading:
                return
            if self.held > self._most + self._bounds.head_bytes:  # nobody reads as much
                self._stop(413)
            super().on_body(body)
        elif not exchange.body:
            exchange.body = body
        else:
            if not isinstance(exchange.body, bytearray):
                exchange.body = bytearray(exchange.body)
            exchange.body += body

    def on_message_complete(self) -> None:
        """The parser has a whole request: it is answered in a task of its own."""
        if self._upgrading:
            return
        if self._timed == BODY:
            self._timed = NONE
            self._open.released(self)
        self.held = 0
        self._state = ANSWER
        exchange = self._receiving
        if exchange is None:
            if self.cycle.response_complete:  # it was answered before it was all there
                self._rest()
            super().on_message_complete()
            return
        self._receiving = None
        exchange.task = self.loop.create_task(self._answer(exchange))
        self.tasks.add(exchange.task)

    # Answers.

    async def _answer(self, exchange: _Exchange) -> None:
        try:
            await self._exchange(exchange)
        finally:
            self.tasks.discard(exchange.task)

    async def _exchange(self, exchange: _Exchange) -> None:
        body = exchange.body if type(exchange.body) is bytes else bytes(exchange.body)
        exchange.body = b""  # the connection keeps the exchange until the next one
        try:
            status, headers, answer = await self._respond(exchange.headers, body, self.client)
        except Exception:
            logging.getLogger("uvicorn.error").exception("Exception in the runtime")
            status, headers, answer = _FAILED
        except BaseException:
            self.transport.close()  # nobody is left waiting for what will not come
            raise
        if status in (401, 500):
            exchange.keep_alive &= _CLOSE not in headers
            headers = [field for field in headers if field != _CLOSE]
        elif not self._trusted:
            self.trust()
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
            self._end()
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
            if self._timed != IDLE:
                self._end()  # uvicorn's own has closed it
            return
        if self._refused and not self.pipeline:
            self._end()
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._state == ANSWER:
            self._rest()
        elif self._state == BODY and self._receiving is None:  # answered before it was all there
            self._wait(self._bounds.linger_seconds)

    def pause_writing(self) -> None:
        """The peer reads too slowly: after so many seconds the connection ends."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self._bounds.send_seconds, self._not_read)

    def resume_writing(self) -> None:
        """The peer reads again."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _not_read(self) -> None:
        self._unread = None
        self._open.end(self, "unread")

    # Times.

    def _rest(self) -> None:
        """Between two requests."""
        self._state = self._timed = IDLE
        self._due = self.loop.time() + self.timeout_keep_alive
        if self._timer is None or self._short:
            if self._timer is not None:
                self._timer.cancel()
            self._timer, self._short = self.loop.call_at(self._due, self._over), False

    def _wait(self, seconds: float) -> None:
        """No longer than this for what the state waits for."""
        self._timed = self._state
        self._due = self.loop.time() + seconds
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._short = self.loop.call_at(self._due, self._over), True

    def _over(self) -> None:
        """The timer's time has come: that of the state as well, unless something has happened meanwhile."""
        self._timer = None
        if self._state != self._timed:  # busy; what follows sets the next one
            return
        if self._due - self.loop.time() > 0.001:
            self._timer = self.loop.call_at(self._due, self._over)
        elif self.flow.read_paused and self._state in (HEAD, BODY):  # it is we who do not read
            self._wait(self._bounds.body_seconds)
        elif self.transport.is_closing():
            self.transport.abort()
        else:
            if _SLOW[self._state]:
                self._observer.connection_ended(_SLOW[self._state])
            self._end()
