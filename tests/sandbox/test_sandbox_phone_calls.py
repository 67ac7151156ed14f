"""Calls to people in the sandbox: checked as `CreateCallDTO`, and over after a while; nobody's phone rings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from vapi import Vapi
from vapi.types import CreateCustomerDto, SchedulePlan

from voiceops.sandbox.server import SandboxServer

NOBODY = "00000000-0000-4000-8000-000000000000"
LATER = "2099-01-01T09:00:00.000Z"


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(numbers=()) as found:
        yield found


@pytest.fixture
def client(server: SandboxServer) -> Iterator[Vapi]:
    import httpx

    with httpx.Client(trust_env=False) as http:
        yield Vapi(token=server.api_key, base_url=server.vapi_url, httpx_client=http)


@pytest.fixture
def given(server: SandboxServer) -> dict[str, Any]:
    """An assistant and a number, as the smallest body of a call."""
    agent = post(server, "/assistant", {"name": "desk", "model": {"provider": "openai", "model": "gpt-4o"}})[1]
    phone = post(server, "/phone-number", {"provider": "vapi"})[1]
    return {"assistantId": agent["id"], "phoneNumberId": phone["id"], "customer": {"number": "+14155550101"}}


def post(server: SandboxServer, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    import httpx

    headers = {"authorization": f"Bearer {server.api_key}"}
    with httpx.Client(base_url=server.vapi_url, headers=headers, trust_env=False) as http:
        answer = http.post(path, json=body)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metadata": {}}, "property metadata should not exist"),
        ({"name": "x" * 41}, "name must be shorter than or equal to 40 characters"),
        ({"customer": {"number": "4155550101"}}, "customer.number must be a valid phone number in the E.164 format"),
        ({"customer": {"number": "+14155550101", "vip": True}}, "customer.property vip should not exist"),
        ({"customer": {"number": "+14155550101", "name": "x" * 41}}, "customer.name must be shorter than"),
        ({"customer": "+14155550101"}, "nested property customer must be either object or array"),
        ({"customer": {}}, "Need a customer with a number or a sipUri"),
        ({"customers": [{"number": "1"}]}, "customers.0.number must be a valid phone number"),
        ({"schedulePlan": {}}, "schedulePlan.earliestAt must be a valid ISO 8601 date string"),
        ({"schedulePlan": {"earliestAt": "soon"}}, "schedulePlan.earliestAt must be a valid ISO 8601 date string"),
        ({"schedulePlan": {"earliestAt": LATER, "until": LATER}}, "schedulePlan.property until should not exist"),
        ({"schedulePlan": {"earliestAt": LATER, "latestAt": "2098-01-01"}}, "latestAt must be after"),
        ({"assistantOverrides": {"variables": {}}}, "assistantOverrides.property variables should not exist"),
        ({"assistantOverrides": {"variableValues": "x"}}, "assistantOverrides.variableValues must be an object"),
        ({"squadId": NOBODY}, "not found"),
        ({"phoneNumberId": NOBODY}, "Phone number with ID"),
        ({"assistantId": None, "assistantVersion": "v1"}, "Need one of assistantId, assistant, squadId"),
    ],
)
def test_a_body_that_vapi_would_refuse(
    server: SandboxServer, given: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    status, answer = post(server, "/call", {**given, **change})
    assert status == 400
    assert said in str(answer["message"])


def test_a_call_goes_its_way_by_the_clock(server: SandboxServer, given: dict[str, Any], client: Vapi) -> None:
    with server.control() as control:
        control.switches(calls_last=1.0, calls_end="customer-did-not-answer")
        made = client.calls.create(
            assistant_id=given["assistantId"],
            phone_number_id=given["phoneNumberId"],
            customer=CreateCustomerDto(number="+14155550101", name="Ann"),
            name="a call",
        )
        seen = [made.status]
        until = time.monotonic() + 20
        while seen[-1] != "ended" and time.monotonic() < until:
            found = client.calls.get(id=made.id)
            seen += [found.status] if found.status != seen[-1] else []
            time.sleep(0.02)
    order = ["queued", "ringing", "in-progress", "ended"]
    assert seen == [status for status in order if status in seen]
    assert seen[-1] == "ended"
    assert (found.ended_reason, found.name) == ("customer-did-not-answer", "a call")
    assert found.cost is not None
    assert found.cost > 0


def test_a_call_for_later_is_scheduled(given: dict[str, Any], client: Vapi) -> None:
    import datetime as dt

    made = client.calls.create(
        assistant_id=given["assistantId"],
        phone_number_id=given["phoneNumberId"],
        customer=CreateCustomerDto(number="+14155550101"),
        schedule_plan=SchedulePlan(earliest_at=dt.datetime.fromisoformat(LATER)),
    )
    assert client.calls.get(id=made.id).status == "scheduled"


def test_customers_are_called_together(server: SandboxServer, given: dict[str, Any]) -> None:
    rest = {key: value for key, value in given.items() if key != "customer"}
    people = [{"number": "+14155550101"}, {"number": "+14155550102", "name": "Bob"}]
    status, answer = post(server, "/call", {**rest, "customers": people})
    assert status == 201
    assert [call["customer"] for call in answer["results"]] == people
    assert answer["errors"] == []


def test_an_account_has_so_many_slots(server: SandboxServer, given: dict[str, Any]) -> None:
    with server.control() as control:
        control.switches(phone_slots=1, calls_last=60.0)
        first, second = post(server, "/call", given)[1], post(server, "/call", given)[1]
        limits = {"concurrencyBlocked": False, "concurrencyLimit": 1, "remainingConcurrentCalls": 0}
        assert first["subscriptionLimits"] == limits
        assert second["status"] == "ended"
        assert second["endedReason"] == "call.start.error-subscription-concurrency-limit-reached"
        assert second["subscriptionLimits"]["concurrencyBlocked"] is True


def test_a_test_may_decide_how_a_call_goes(server: SandboxServer, given: dict[str, Any]) -> None:
    with server.control() as control:
        control.switches(calls_last=0.0)
        made = post(server, "/call", given)[1]
        control.edit(made["id"], {"status": "in-progress"})
        control.switches(calls_last=0.1)
        time.sleep(0.3)
        assert control.object(made["id"])["status"] == "in-progress"
