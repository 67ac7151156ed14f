"""The door in front of a vendor's application: logs, latency, limits, and the faults that were asked for.

An answer is held back until it is complete, so that a fault can spoil it after the request was executed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voiceops.sandbox.account import World
from voiceops.sandbox.faults import Rule
from voiceops.sandbox.sockets import close, reset

CONTROL = "/_sandbox/"


class _Dropped(Exception):
    """The connection is gone: there is nothing to answer."""


@dataclass(slots=True)
class Answer:
    """A complete answer."""

    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    half: bool = False

    @classmethod
    def of(cls, status: int, data: Any, headers: dict[str, str] | None = None) -> Answer:
        """An answer in JSON; text as it is."""
        text = data if isinstance(data, str) else "" if data is None else json.dumps(data)
        kind = "text/html" if text.startswith("<") else "application/json"
        listed = {"content-type": kind, **(headers or {})}
        return cls(status, [(k.lower().encode(), v.encode()) for k, v in listed.items()], text.encode())


class Gate:
    """An ASGI application around one vendor's."""

    def __init__(
        self,
        vendor: str,
        world: World,
        app: ASGIApp,
        throttled: Callable[[World], Answer],
        decorate: Callable[[World, int], dict[str, str]],
        control: ASGIApp | None = None,
    ) -> None:
        self.vendor = vendor
        self.world = world
        self.app = app
        self.throttled = throttled
        self.decorate = decorate  # (world, requests at once) → headers that every answer carries
        self.control = control
        self._active = 0
        self._tokens = 0.0
        self._filled = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if self.control is not None and scope["path"].startswith(CONTROL):
            await self.control(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            return
        self._active += 1
        try:
            answer = await self._answer(scope, body)
        except _Dropped:
            await _gone(receive)
            return
        finally:
            self._active -= 1
        await self._send(answer, scope, receive, send)

    async def _answer(self, scope: Scope, body: bytes) -> Answer:
        world = self.world
        path, method = scope["path"], scope["method"]
        entry = world.log.start(self.vendor, method, path, scope["query_string"].decode(), body, world.now())
        await self._wait(world.switches.latency)
        if self._over_limit():
            entry.status = 429
            return self.throttled(world)
        rule = world.faults.match(self.vendor, method, path, entry.body)
        answer: Answer | None = None
        if rule is not None:
            entry.fault = rule.id
            if rule.when == "before":
                answer = await self._spoil(rule, None, scope)
        if answer is None:
            entry.executed = True
            answer = await self._execute(scope, body)
            if rule is not None and rule.when == "after":
                answer = await self._spoil(rule, answer, scope) or answer
        entry.status = answer.status
        return answer

    def _over_limit(self) -> bool:
        switches, now = self.world.switches, asyncio.get_running_loop().time()
        if switches.concurrency and self._active > switches.concurrency:
            return True
        if not switches.rate:
            return False
        if not self._filled:
            self._tokens, self._filled = max(1.0, switches.rate), now
        self._tokens = min(max(1.0, switches.rate), self._tokens + (now - self._filled) * switches.rate)
        self._filled = now
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False

    async def _spoil(self, rule: Rule, answer: Answer | None, scope: Scope) -> Answer | None:
        """What a fault makes of a request; None: it goes on as if nothing were."""
        match rule.kind:
            case "status":
                return Answer.of(rule.status or 500, rule.answer, rule.headers)
            case "text":
                return Answer.of(rule.status or 200, rule.text, rule.headers)
            case "reset":
                reset(scope)
                raise _Dropped
            case "hang":
                await self._wait(rule.seconds)
            case "pause":
                await self._pause(rule)
            case "half":
                assert answer is not None
                answer.half = True
            case "other":
                assert answer is not None
                return self._another(answer)
        return answer

    async def _pause(self, rule: Rule) -> None:
        rule.waiting += 1
        waiters = [asyncio.ensure_future(event.wait()) for event in (rule.released, self.world.stopping)]
        try:
            await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()
            rule.waiting -= 1
        self._check_running()

    async def _wait(self, seconds: float) -> None:
        await self.world.wait(seconds)
        self._check_running()

    def _check_running(self) -> None:
        """A request that waited until the end is dropped, not executed on the way out."""
        if self.world.stopping.is_set():
            raise _Dropped

    def _another(self, answer: Answer) -> Answer:
        """The answer of another object of the same collection, or of one that never was."""
        try:
            data = json.loads(answer.body)
        except ValueError:
            return answer
        if not isinstance(data, dict):
            return answer
        key = "sid" if "sid" in data else "id"
        row = self.world.store.find(str(data.get(key)))
        others = [] if row is None else [body for body in self.world.store.bodies(row.collection) if body != row.body]
        found = others[-1] if others else {**data, key: str(data.get(key, ""))[::-1]}
        return Answer.of(answer.status, found)

    async def _execute(self, scope: Scope, body: bytes) -> Answer:
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        answer = Answer(500)

        async def receive() -> Message:
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = [(k, v) for k, v in message["headers"] if k != b"content-length"]
            else:
                answer.body += message.get("body", b"")

        await self.app(scope, receive, send)
        return answer

    async def _send(self, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        extra = self.decorate(self.world, self._active + 1)
        given = {name for name, _ in answer.headers}
        headers = answer.headers + [(k.encode(), v.encode()) for k, v in extra.items() if k.encode() not in given]
        if answer.status != 204:
            headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if answer.half:
            await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
            close(scope)
            await _gone(receive)
            return
        await send({"type": "http.response.body", "body": answer.body})


async def _read(receive: Callable[[], Awaitable[Message]]) -> bytes | None:
    """The whole body, or None where the client went away."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _gone(receive: Callable[[], Awaitable[Message]]) -> None:
    """Wait until the server knows that the connection is gone: it answers 500 into a void otherwise."""
    while (await receive())["type"] != "http.disconnect":
        pass
