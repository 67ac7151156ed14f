"""Lists are read to proof of completeness, however long, in whatever order, with equal times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from voiceops.errors import ProviderError
from voiceops.kinds.registry import KINDS
from voiceops.providers.http import Api, Limiter
from voiceops.providers.twilio import Twilio
from voiceops.providers.vapi import Vapi
from voiceops.sandbox.client import SandboxClient
from voiceops.sandbox.server import SandboxServer

BODIES = {"Tool": {"type": "dtmf"}, "StructuredOutput": {"name": "o{n}", "schema": {"type": "object"}}}
PATHS = {"Tool": "/tool", "StructuredOutput": "/structured-output"}


async def read(server: SandboxServer, what: Callable[[Vapi], Any]) -> Any:
    headers = {"authorization": f"Bearer {server.api_key}"}
    async with Api("Vapi", server.vapi_url, Limiter(10), str, headers=headers) as api:
        return await what(Vapi(api))


async def read_all(server: SandboxServer, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await read(server, lambda vapi: vapi.all(KINDS[kind]))
    return found


def seed(control: SandboxClient, kind: str, count: int, *, same_time: int) -> set[str]:
    """`count` objects, `same_time` of them sharing each creation time."""
    ids: set[str] = set()
    for start in range(0, count, same_time):
        at = f"2026-01-01T{start // 3600 % 24:02}:{start // 60 % 60:02}:{start % 60:02}.000Z"
        ids |= set(control.seed(PATHS[kind], min(same_time, count - start), BODIES[kind], created_at=at))
    return ids


@pytest.mark.parametrize("order", ["desc", "asc", "random"])
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 999, 1000, 1001, 2500])
@pytest.mark.parametrize("kind", BODIES)
async def test_every_object_is_found(kind: str, count: int, order: str) -> None:
    with SandboxServer(list_order=order) as server, server.control() as control:
        ids = seed(control, kind, count, same_time=50)
        control.reset_requests()
        found = await read_all(server, kind)
        assert {item["id"] for item in found} == ids
        assert len(found) == len(ids)
        assert control.counts()["requests"] <= (4 if order != "random" else 20)


@pytest.mark.parametrize("count", [99, 100, 101, 900])
async def test_equal_times_all_through(count: int) -> None:
    with SandboxServer() as server, server.control() as control:
        ids = seed(control, "Tool", count, same_time=count)
        assert {item["id"] for item in await read_all(server, "Tool")} == ids


async def test_a_list_that_cannot_be_proven_complete_is_an_error_not_a_guess() -> None:
    with SandboxServer() as server, server.control() as control:
        seed(control, "Tool", 1200, same_time=1200)
        with pytest.raises(ProviderError, match="can't be read to its end"):
            await read_all(server, "Tool")


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 1000, 1001])
async def test_twilios_pages_are_followed_to_the_end(count: int) -> None:
    with SandboxServer() as server, server.control() as control:
        numbers = [f"+1415{5_000_000 + n}" for n in range(count)]
        for number in numbers:
            control.add_number(number)

        auth = (server.account_sid, server.auth_token)
        async with Api("Twilio", server.twilio_url, Limiter(4), str, auth=auth) as api:
            found = await Twilio(api, server.account_sid).all()

        assert sorted(item["phone_number"] for item in found) == numbers
