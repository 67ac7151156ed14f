"""A webhook secret as people paste it: what the credential gets and what the runtime checks by are the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.runtime_bench import served
from tests.runtime.start.test_commands import AGENTS, ORDERS, PROJECT
from tests.support.bench import Bench
from voiceops.errors import VoiceopsError
from voiceops.runtime.settings import Settings
from voiceops.sandbox.server import SandboxServer

SECRET = "a-webhook-secret-of-some-length"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    with SandboxServer(numbers=["+14155550100"]) as server, server.control() as control:
        bench = Bench(tmp_path / "shop", server, control)
        bench.write("voiceops.yaml", PROJECT)
        bench.write("agents/agents.yaml", AGENTS)
        bench.write("agents/handlers/orders.py", ORDERS)
        yield bench


def sent_secret(shop: Bench) -> str:
    (credential,) = shop.control.objects("/credential")
    found: str = credential["authenticationPlan"]["secretKey"]
    return found


@pytest.mark.parametrize("pasted", [f"{SECRET}\n", f"{SECRET}\r\n", f" {SECRET}\t", f"\n{SECRET} \n"])
def test_ends_are_taken_off_on_both_sides(shop: Bench, pasted: str) -> None:
    shop.run("apply", "--auto-approve", VAPI_WEBHOOK_SECRET=pasted)
    environ = {**shop.environ, "VAPI_WEBHOOK_SECRET": pasted}
    with served(shop.folder, environ) as client:
        client.secret, client.url = SECRET, "https://voice.example.com/hooks"
        assert client.tool("findOrder", {"orderNumber": "7"})["result"] == "Order 7 is on its way."
        url = f"http://127.0.0.1:{client.port}"
        assert "ok: 1 call" in shop.run("simulate", "--url", url, VAPI_WEBHOOK_SECRET=pasted).out
    # The same secret without the blanks is no change.
    assert shop.run("plan", "--detailed-exitcode", VAPI_WEBHOOK_SECRET=SECRET).code == 0
    assert SECRET in json.dumps(sent_secret(shop))


@pytest.mark.parametrize(
    "pasted", [f"{SECRET}\u200b", f"“{SECRET}”", f'"{SECRET}"', "two words", "umläut-secret-x", "a\x00b"]
)
def test_anything_else_is_refused_on_both_sides(shop: Bench, pasted: str) -> None:
    with pytest.raises(VoiceopsError, match="VAPI_WEBHOOK_SECRET holds"):
        Settings.from_environ({"VAPI_WEBHOOK_SECRET": pasted}, database="x", answers_lines=False)
    if "\x00" in pasted:
        return  # no process can be given it
    ran = shop.run("apply", "--auto-approve", code=1, VAPI_WEBHOOK_SECRET=pasted)
    assert "VAPI_WEBHOOK_SECRET holds" in ran.err
    assert "Traceback" not in ran.err
    assert pasted not in ran.err + ran.out
    assert shop.control.objects("/credential") == []


def test_both_secrets_of_a_rotation() -> None:
    environ = {"VAPI_WEBHOOK_SECRET": "new-one \n", "VAPI_WEBHOOK_SECRET_PREVIOUS": "old-one\n"}
    settings = Settings.from_environ(environ, database="x", answers_lines=False)
    assert settings.vapi_secrets == (b"new-one", b"old-one")
    with pytest.raises(VoiceopsError, match="VAPI_WEBHOOK_SECRET is not set"):
        Settings.from_environ({"VAPI_WEBHOOK_SECRET": " \n"}, database="x", answers_lines=False)
