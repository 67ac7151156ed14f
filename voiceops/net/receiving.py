"""One answer, read within bounds: so many bytes, also once they are unpacked, and so much time as a whole.

A timeout for each read is none for a server that sends a byte a second, and a megabyte of gzip can hold a gigabyte.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

MOST = 64 * 1024 * 1024  # bytes of one answer; a page of 1,000 agents has a few
MOST_OF_ERROR = 1024 * 1024
PATIENCE = 60.0  # seconds for one request with its whole answer
PACE = 50_000  # bytes a second that a longer one has to bring


class OutOfBounds(httpx.TransportError):
    """An answer that is too large, too slow, or packed in a way that nobody asked for; the text says which."""


async def ask(
    client: httpx.AsyncClient, method: str, url: str, *, most: int = MOST, patience: float = PATIENCE, **given: Any
) -> httpx.Response:
    """One request with its whole answer. Raises httpx.HTTPError, of which OutOfBounds is one, and InvalidURL."""
    return await receive(client, client.build_request(method, url, **given), most=most, patience=patience)


async def receive(
    client: httpx.AsyncClient, request: httpx.Request, *, most: int = MOST, patience: float = PATIENCE
) -> httpx.Response:
    """Send, and read the answer to its end. Raises OutOfBounds, and httpx's errors."""
    loop = asyncio.get_running_loop()
    upload = int(request.headers.get("content-length", 0))
    ends = loop.time() + patience + upload / PACE
    got = 0
    try:
        async with asyncio.timeout_at(ends) as deadline:
            response = await client.send(request, stream=True)
            try:
                limit = most if response.is_success else min(most, MOST_OF_ERROR)
                if response.is_stream_consumed:  # a transport that had it all at once
                    content = response.content
                    _check_size(len(content), limit)
                    return _whole(response, request, content)
                chunks = []
                async for chunk in _unpacked(response, limit):
                    chunks.append(chunk)
                    got += len(chunk)
                    _check_size(got, limit)
                    deadline.reschedule(ends + got / PACE)
            finally:
                await response.aclose()
    except TimeoutError:
        raise OutOfBounds(f"it did not end within {patience:.0f} s ({got} bytes came)") from None
    return _whole(response, request, b"".join(chunks))


def _whole(response: httpx.Response, request: httpx.Request, content: bytes) -> httpx.Response:
    packed = ("content-encoding", "content-length", "transfer-encoding")
    headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in packed]
    return httpx.Response(response.status_code, headers=headers, content=content, request=request)


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise OutOfBounds(f"it is larger than {most // 1024 // 1024} MiB")


async def _unpacked(response: httpx.Response, most: int) -> AsyncIterator[bytes]:
    """The content in pieces, none larger than what is still allowed."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        async for chunk in response.aiter_raw():
            yield chunk
        return
    if encoding not in ("gzip", "x-gzip"):
        raise OutOfBounds(f"it is packed in a way that was not asked for ({encoding[:40]})")
    decoder, got = zlib.decompressobj(zlib.MAX_WBITS | 16), 0
    try:
        async for packed in response.aiter_raw():
            data = packed
            while data:
                chunk = decoder.decompress(data, most + 1 - got)
                got += len(chunk)
                yield chunk
                data = decoder.unconsumed_tail or decoder.unused_data
                if decoder.eof and data:
                    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    except zlib.error as error:
        raise httpx.DecodingError(str(error)) from None
    if not decoder.eof and got:
        raise httpx.DecodingError("it was cut off")
