"""What the runtime asks Vapi for: a request that is cut off costs nobody else's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.runtime.runtime_bench import AgentSpec, spec_of
from voiceops.runtime.messages.vapi_api import VapiApi

_SPEC = spec_of(agents=(AgentSpec(address="Agent/sales", name="sales"),))
_LIST = json.dumps([{"id": "a-1", "name": "sales"}]).encode()
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(_LIST), _LIST)


@asynccontextmanager
async def vapi() -> AsyncIterator[str]:
    """A list of one assistant, whoever asks for whatever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(_ANSWER)
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


async def test_a_request_that_is_cut_off_at_any_step_leaves_room_for_the_next() -> None:
    async with vapi() as url:
        api = VapiApi(_SPEC, url, "key", connections=1)
        steps, ended = 0, False
        while not ended:
            task = asyncio.ensure_future(api.id_of("Agent/sales"))
            for _ in range(steps):
                await asyncio.sleep(0)
            ended = task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            api.forget()
            assert await api.id_of("Agent/sales") == "a-1", f"cut off after {steps} steps"
            api.forget()
            steps += 1
        assert steps > 5
        await api.close()
