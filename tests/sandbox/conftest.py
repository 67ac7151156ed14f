"""A sandbox for one test: started anew, and closed with every socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.sandbox_bench import OWNED, Bench, http
from voiceops.sandbox.server import SandboxServer


@pytest.fixture
def bench() -> Iterator[Bench]:
    with (
        SandboxServer(numbers=[OWNED]) as server,
        http(server.vapi_url, headers={"authorization": f"Bearer {server.api_key}"}) as vapi,
        http(server.twilio_url, auth=(server.account_sid, server.auth_token)) as twilio,
        server.control() as control,
    ):
        yield Bench(server, vapi, twilio, control)
