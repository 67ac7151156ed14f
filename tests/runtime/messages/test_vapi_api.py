"""What the runtime asks Vapi for: a request that is cut off costs nobody else's."""

from __future__ import annotations

import asyncio
import json

from tests.runtime.runtime_bench import AgentSpec, spec_of
from tests.support.one_answer import one_answer
from voiceops.runtime.messages.vapi_api import VapiApi

_SPEC = spec_of(agents=(AgentSpec(address="Agent/sales", name="sales"),))
_LIST = json.dumps([{"id": "a-1", "name": "sales"}]).encode()


async def test_a_request_that_is_cut_off_at_any_step_leaves_room_for_the_next() -> None:
    async with one_answer(_LIST, "application/json") as url:
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
