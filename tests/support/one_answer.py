"""A server that has one answer, whoever asks for whatever, on the loop of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def one_answer(content: bytes = b"ok", type_: str = "text/plain") -> AsyncIterator[str]:
    """Its address; connections are kept open until the client closes them."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {type_}\r\ncontent-length: {len(content)}\r\n\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(head.encode() + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
