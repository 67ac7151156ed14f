"""Lines that the runtime answers, against the sandbox's Vapi: one call, its TwiML as it is, and a way out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.runtime.runtime_bench import AgentSpec, LineSpec, RuntimeSpec, serving, spec_of
from voiceops.sandbox.client import SandboxClient
from voiceops.sandbox.server import SandboxServer

NUMBER = "+14155550100"
FIELDS = {"CallSid": "CA1", "From": "+14155550123", "To": NUMBER, "CallStatus": "ringing", "FromCity": ""}
FALLBACK = {"type": "number", "number": "+14155550199", "message": "One moment & more."}


@pytest.fixture
def vapi() -> Iterator[tuple[SandboxServer, SandboxClient]]:
    with SandboxServer(numbers=[NUMBER]) as server, server.control() as control:
        yield server, control


def made(server: SandboxServer) -> dict[str, str]:
    """An agent and an imported number, by the addresses of their manifests."""
    headers = {"authorization": f"Bearer {server.api_key}"}
    with httpx.Client(base_url=server.vapi_url, headers=headers) as client:
        agent = client.post("/assistant", json={"name": "sales (dev)"}).json()["id"]
        account = {"twilioAccountSid": server.account_sid, "twilioAuthToken": server.auth_token}
        number = client.post(
            "/phone-number", json={"provider": "twilio", "number": NUMBER, "smsEnabled": False, **account}
        ).json()["id"]
    return {"Agent/sales": agent, "Phone/main": number}


def line(**given: Any) -> RuntimeSpec:
    found = LineSpec(
        **{"address": "Phone/main", "path": "main", "number": NUMBER, "answer": "runtime", "target": "Agent/sales"}
        | given
    )
    return spec_of(lines=(found,), agents=(AgentSpec(address="Agent/sales", name="sales (dev)"),))


def calls(control: SandboxClient) -> list[dict[str, Any]]:
    return control.objects("/call")


def test_a_call_is_created_and_its_twiml_handed_through(tmp_path: Path, vapi: Any) -> None:
    sandbox, control = vapi
    ids = made(sandbox)
    with serving(tmp_path, line(), known=ids, vapi_url=sandbox.vapi_url, vapi_key=sandbox.api_key) as server:
        got = server.twilio("/twilio/voice/main", FIELDS)
        (call,) = calls(control)
        assert got.status == 200
        assert got.headers["content-type"].startswith("text/xml")
        assert got.text == call["phoneCallProviderDetails"]["twiml"]
        assert call["assistantId"] == ids["Agent/sales"]
        assert call["phoneNumberId"] == ids["Phone/main"]
        assert call["customer"] == {"number": "+14155550123"}
        assert sandbox.api_key not in got.text.replace("sandbox.invalid", "")


def test_ids_come_from_vapis_lists_without_a_state_and_after_a_404(tmp_path: Path, vapi: Any) -> None:
    sandbox, control = vapi
    ids = made(sandbox)
    gone = {**ids, "Agent/sales": "00000000-0000-4000-8000-00000000dead"}
    for known in ({}, gone):
        with serving(tmp_path, line(), known=known, vapi_url=sandbox.vapi_url, vapi_key=sandbox.api_key) as server:
            got = server.twilio("/twilio/voice/main", {**FIELDS, "CallSid": f"CA{len(known)}"})
            assert "<Connect>" in got.text
    assert {call["assistantId"] for call in calls(control)} == {ids["Agent/sales"]}


def test_a_repetition_creates_no_second_call(tmp_path: Path, vapi: Any) -> None:
    sandbox, control = vapi
    ids = made(sandbox)
    control.switches(latency=0.2)
    with serving(tmp_path, line(), known=ids, vapi_url=sandbox.vapi_url, vapi_key=sandbox.api_key) as server:
        found: list[str] = []

        def ask() -> None:
            found.append(server.twilio("/twilio/voice/main", FIELDS, i_twilio_idempotency_token="token-1").text)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ask()
        assert len(set(found)) == 1
        assert len(calls(control)) == 1
        server.twilio("/twilio/voice/main", FIELDS, i_twilio_idempotency_token="token-2")
        assert len(calls(control)) == 2


@pytest.mark.parametrize("fallback", [None, FALLBACK])
def test_a_vapi_that_does_not_answer_is_not_waited_for(tmp_path: Path, vapi: Any, fallback: Any) -> None:
    sandbox, control = vapi
    ids = made(sandbox)
    control.switches(latency=9.0)
    spec = line(fallback=fallback)
    with serving(
        tmp_path, spec, known=ids, vapi_url=sandbox.vapi_url, vapi_key=sandbox.api_key, answer_seconds=0.5
    ) as server:
        began = time.monotonic()
        got = server.twilio("/twilio/voice/main", FIELDS)
        assert time.monotonic() - began < 8
        assert got.status == 200
        if fallback is None:
            assert "<Say>I am sorry" in got.text
            assert "<Hangup/>" in got.text
        else:
            assert "<Say>One moment &amp; more.</Say><Dial><Number>+14155550199</Number></Dial>" in got.text


@pytest.mark.parametrize(
    ("caller", "customer"),
    [
        ("anonymous", {"number": "anonymous", "numberE164CheckEnabled": False}),
        ("sip:ann@example.com", {"sipUri": "sip:ann@example.com"}),
        ("", {"number": "anonymous", "numberE164CheckEnabled": False}),
    ],
)
def test_callers_without_a_number(tmp_path: Path, vapi: Any, caller: str, customer: Any) -> None:
    sandbox, control = vapi
    with serving(tmp_path, line(), known=made(sandbox), vapi_url=sandbox.vapi_url, vapi_key=sandbox.api_key) as server:
        assert "<Connect>" in server.twilio("/twilio/voice/main", {**FIELDS, "From": caller}).text
        assert calls(control)[0]["customer"] == customer


def test_a_handler_chooses_who_answers(tmp_path: Path, vapi: Any) -> None:
    sandbox, control = vapi
    handlers = """
def route(call):
    if call.customer.endswith("1"): return {"destination": {"type": "number", "number": "+14155550199"}}
    if call.customer.endswith("2"): return {"error": "We are closed."}
    if call.customer.endswith("3"): raise ValueError
    return {"agent": "sales", "variables": {"from": call.message["From"]}}
"""
    spec = line(target=None, handler="h:route")
    with serving(
        tmp_path, spec, handlers, known=made(sandbox), vapi_url=sandbox.vapi_url, vapi_key=sandbox.api_key
    ) as server:

        def answer(caller: str) -> str:
            return server.twilio("/twilio/voice/main", {**FIELDS, "CallSid": caller, "From": caller}).text

        assert "<Number>+14155550199</Number>" in answer("+14155550121")
        assert "We are closed." in answer("+14155550122")
        assert "I am sorry" in answer("+14155550123")
        assert "<Connect>" in answer("+14155550124")
        assert calls(control)[0]["assistantOverrides"] == {"variableValues": {"from": "+14155550124"}}
