"""The application: one Starlette app whose hot route, Vapi's messages, is answered before the router looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from voiceops.runtime.http.body import NO_BODY, read_body, trust
from voiceops.runtime.http.bounds import BOUNDS, Bounds
from voiceops.runtime.http.pages import routes
from voiceops.runtime.http.served import Served, hot_paths, path_of, served_in
from voiceops.runtime.http.vapi_events import TEXT
from voiceops.runtime.parts import Parts, Setup

Opening = Callable[[Setup], AbstractAsyncContextManager[Parts]]


class RuntimeApp(Starlette):
    """A runtime as any ASGI server serves it. Its parts are made when the server starts, and are the server's state."""

    def __init__(self, setup: Setup, bounds: Bounds = BOUNDS, opening: Opening = Parts.open) -> None:
        """`opening` makes the parts: `Parts.open`, or something around it."""
        self.bounds = bounds
        self._hot = hot_paths(setup.spec.url)

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[Mapping[str, Any]]:
            async with opening(setup) as parts:
                served = Served.of(parts, bounds)
                try:
                    yield served.as_state()
                finally:
                    await served.board.close()

        super().__init__(routes=routes(path_of(setup.spec.url)), lifespan=lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self._hot and scope["method"] == "POST":
            await _vapi(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def _vapi(scope: Scope, receive: Receive, send: Send) -> None:
    """One of Vapi's requests, as an ASGI server hands it on; see `protocol` for the short way."""
    served = served_in(scope["state"])
    body = await read_body(scope, receive, served.parts.settings.max_body, served.bounds.body_seconds)
    if isinstance(body, int):
        status, headers, answer = body, TEXT, NO_BODY[body].encode()
    else:
        status, headers, answer = await served.events.respond(scope["headers"], body, scope.get("client"))
        if status != 401:
            trust(scope)
    length = (b"content-length", str(len(answer)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": answer})
