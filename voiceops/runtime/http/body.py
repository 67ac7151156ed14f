"""Reading a request's body within the bounds, as any ASGI server hands it on. Knows nothing of what is in it."""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope

# The statuses of a request without a body, and what is said then.
NO_BODY = {400: "No body", 408: "The body did not arrive in time", 413: "Too large"}


def trust(scope: Scope) -> None:
    """The request was a vendor's: its connection is no stranger's any more."""
    if (ours := (scope.get("extensions") or {}).get("voiceops")) is not None:
        ours["trust"]()


async def read_body(scope: Scope, receive: Receive, limit: int, seconds: float) -> bytes | int:
    """The request's body of at most `limit` bytes, or the status that says why there is none."""
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value) > limit):
            return 413
    parts: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(seconds):
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    return 400
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    return 413
                more = message.get("more_body", False)
    except TimeoutError:
        return 408
    return b"".join(parts)
