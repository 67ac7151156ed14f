"""Sends the requests of call scripts, many at once, over kept connections.

Knows bytes and times; knows nothing of signatures or messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from voiceops import __version__
from voiceops.errors import VoiceopsError
from voiceops.net.trust import trust

_LARGEST = 10_000_000  # bytes of an answer


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. Status 0: there was none, or it was too large."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Sender:
    """One server. `close` ends its connections. Raises VoiceopsError on what is no http(s) address."""

    def __init__(self, url: str) -> None:
        checked_url(url)
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            verify=trust(url),
            headers={"user-agent": f"voiceops/{__version__} simulate", "accept-encoding": "identity"},
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=30),
            trust_env=not is_loopback(url),  # a proxy has no way to this machine
        )

    async def post(self, path: str, headers: Mapping[str, str], body: bytes, timeout: float = 25.0) -> Answer:
        """Send one request; a server that does not answer, or not within `timeout` seconds, gives status 0."""
        try:
            async with (
                asyncio.timeout(timeout),
                self._http.stream("POST", path, headers=headers, content=body, timeout=None) as response,
            ):
                parts: list[bytes] = []
                size = 0
                async for part in response.aiter_raw():
                    size += len(part)
                    if size > _LARGEST:
                        return Answer(0, b"")
                    parts.append(part)
                return Answer(response.status_code, b"".join(parts), dict(response.headers))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError):
            return Answer(0, b"")

    async def close(self) -> None:
        """End the connections."""
        await self._http.aclose()


def checked_url(url: str) -> str:
    """The address's host. Raises VoiceopsError where it is none of http(s)."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        parts, host = None, None
    if parts is None or parts.scheme not in ("http", "https") or not host:
        raise VoiceopsError(f"{url} is no http(s) address", hint="Write it like http://127.0.0.1:8080.")
    return host


def is_loopback(url: str) -> bool:
    """Does the address name this machine, and nothing else? A name is not looked up."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
