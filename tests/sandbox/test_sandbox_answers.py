"""What answers hold: defaults, secrets, and everything that an API may do to an answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.sandbox_bench import FUNCTION, MODEL, Bench

HMAC = {
    "provider": "custom-credential",
    "name": "hook",
    "authenticationPlan": {"type": "hmac", "algorithm": "sha256", "secretKey": "hunter2"},
}


def test_few_defaults_are_filled_in(bench: Bench) -> None:
    body: dict[str, Any] = {"server": {"url": "https://a.example"}, "model": {**MODEL, "tools": [FUNCTION]}}
    made = bench.make("/assistant", body)
    assert made["server"]["timeoutSeconds"] == 20
    assert made["firstMessageInterruptionsEnabled"] is False
    assert made["model"]["tools"][0]["function"]["strict"] is False
    bench.control.switches(defaults=False)
    plain = bench.vapi.get(f"/assistant/{made['id']}").json()
    assert {key: plain[key] for key in body} == body


@pytest.mark.parametrize(("secrecy", "expected"), [("omit", None), ("mask", "**********"), ("echo", "hunter2")])
def test_a_credentials_secret(bench: Bench, secrecy: str, expected: str | None) -> None:
    bench.control.switches(credential_secrets=secrecy)
    made = bench.make("/credential", HMAC)
    assert made["authenticationPlan"].get("secretKey") == expected
    assert bench.vapi.get("/credential").json()[0]["authenticationPlan"].get("secretKey") == expected
    assert bench.control.object(made["id"])["authenticationPlan"]["secretKey"] == "hunter2"


@pytest.mark.parametrize(("secrecy", "expected"), [("omit", None), ("mask", "**********"), ("echo", "sandbox")])
def test_an_imported_numbers_secret(bench: Bench, secrecy: str, expected: str | None) -> None:
    bench.control.switches(phone_secrets=secrecy)
    assert bench.import_number().json().get("twilioAuthToken") == expected


def test_adversarial_answers(bench: Bench) -> None:
    tools = [bench.make("/tool", {"type": "function", "function": {"name": f"f{n}"}})["id"] for n in range(2)]
    body = {
        "name": "a",
        "model": {**MODEL, "toolIds": tools, "tools": [FUNCTION]},
        "voice": {"provider": "vapi", "voiceId": "Elliot"},
    }
    bench.control.switches(adversarial=True)
    made = bench.make("/assistant", body)
    assert made["name"] == "a"
    assert made["firstMessage"] is None
    assert made["isDeleted"] is False
    assert "sandboxInternal" in made
    assert made["voice"]["speed"] == 1
    assert made["model"]["toolIds"] == tools[::-1]
    assert {"id", "orgId", "createdAt"} <= set(made["model"]["tools"][0])
    again = bench.vapi.get(f"/assistant/{made['id']}").json()
    assert again.pop("modelDeprecations")[0]["judgedAt"] >= made.pop("modelDeprecations")[0]["judgedAt"]
    assert again == made
    assert list(made) != sorted(made)
    assert next(iter(made)) != "id"


def test_values_are_rewritten_as_documented(bench: Bench) -> None:
    bench.control.switches(normalise=True)
    tool = bench.make("/tool", FUNCTION)["id"]
    hook = {"on": "customer.speech.timeout", "do": [{"type": "say", "exact": "Hello?"}]}
    made = bench.make(
        "/assistant",
        {"model": {**MODEL, "toolIds": [tool], "toolRefs": [{"toolId": tool, "version": "v1"}]}, "hooks": [hook]},
    )
    assert made["model"]["toolIds"] == []
    assert len(made["hooks"][0]["name"]) == 36
    assert bench.vapi.get(f"/assistant/{made['id']}").json()["hooks"] == made["hooks"]
    squad = bench.make(
        "/squad", {"members": [{"assistantId": made["id"], "assistantOverrides": {"firstMessage": None, "name": "x"}}]}
    )
    assert squad["members"][0]["assistantOverrides"] == {"name": "x"}
