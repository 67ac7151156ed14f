"""A small HTTP/1.1 client for many calls at once: kept connections, one request each at a time, nothing else.

Knows bytes; knows nothing of signatures or messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from voiceops.errors import VoiceopsError

_LARGEST = 10_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. Status 0: there was none."""

    status: int
    body: bytes


class Wire:
    """One server. `close` ends its connections."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise VoiceopsError(f"{url} is no http(s) address", hint="Write it like http://127.0.0.1:8080.")
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._name = parts.netloc.rpartition("@")[2].encode()
        self.prefix = parts.path.rstrip("/")
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, headers: Mapping[str, str], body: bytes, timeout: float = 25.0) -> Answer:
        """Send one request; a server that does not answer, or not in time, gives status 0."""
        return await self.request("POST", path, headers, body, timeout)

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", timeout: float = 25.0
    ) -> Answer:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
        head = b"%s %s HTTP/1.1\r\nhost: %s\r\ncontent-length: %d\r\n%s\r\n" % (
            method.encode(),
            (self.prefix + path).encode(),
            self._name,
            len(body),
            lines,
        )
        try:
            async with asyncio.timeout(timeout):
                for kept in (True, False):
                    reader, writer = self._idle.pop() if kept and self._idle else await self._connect()
                    try:
                        writer.write(head + body)
                        answer, reusable = await _read(reader)
                    except (OSError, EOFError, asyncio.IncompleteReadError):
                        writer.close()
                        if not kept:
                            raise
                        continue  # an idle connection that the server had closed
                    except BaseException:
                        writer.close()
                        raise
                    if reusable:
                        self._idle.append((reader, writer))
                    else:
                        writer.close()
                    return answer
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError):
            pass
        return Answer(0, b"")

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=2**20)

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        self._idle.clear()


async def _read(reader: asyncio.StreamReader) -> tuple[Answer, bool]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = head.split("\r\n")
    status = int(first.split(" ", 2)[1])
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
    if fields.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            if len(body) + size > _LARGEST:
                raise ValueError("too large")
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
    else:
        length = int(fields.get("content-length", 0))
        if length > _LARGEST:
            raise ValueError("too large")
        body = await reader.readexactly(length) if length else b""
    return Answer(status, body), fields.get("connection", "").lower() != "close"
