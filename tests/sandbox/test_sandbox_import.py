"""The import of a Twilio number into Vapi, and what it does to the number."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.sandbox_bench import OWNED, Bench

INBOUND = "https://api.vapi.ai/twilio/inbound_call"
DEMO = "https://demo.twilio.com/welcome/voice/"


def test_an_import_points_the_number_at_vapi(bench: Bench) -> None:
    assert bench.control.number(OWNED)["voice_url"] == DEMO
    response = bench.import_number()
    assert response.status_code == 201
    assert response.json()["status"] == "active"
    number = bench.control.number(OWNED)
    assert (number["voice_url"], number["voice_method"]) == (INBOUND, "POST")
    assert number["sms_url"] == "https://api.vapi.ai/twilio/sms"


def test_without_sms_the_messages_stay_where_they_are(bench: Bench) -> None:
    bench.control.edit_number(OWNED, sms_url="https://sms.example/")
    bench.import_number(smsEnabled=False)
    assert bench.control.number(OWNED)["sms_url"] == "https://sms.example/"
    assert bench.control.number(OWNED)["voice_url"] == INBOUND


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"twilioAuthToken": "wrong"}, "did not accept"),
        ({"twilioAccountSid": "AC" + "2" * 32}, "did not accept"),
        ({"twilioAuthToken": None}, "needs twilioAuthToken"),
        ({"number": "+14155550999"}, "was not found"),
        ({"twilioAuthToken": None, "twilioApiKey": "SK" + "1".zfill(32), "twilioApiSecret": "wrong"}, "did not accept"),
    ],
)
def test_an_import_that_twilio_would_not_let_in(bench: Bench, fields: dict[str, Any], text: str) -> None:
    response = bench.import_number(**fields)
    assert response.status_code == 400
    assert text in response.json()["message"]
    assert bench.control.number(OWNED)["voice_url"] == DEMO
    assert bench.vapi.get("/phone-number").json() == []


def test_an_import_by_api_key(bench: Bench) -> None:
    response = bench.import_number(twilioAuthToken=None, twilioApiKey="SK" + "1".zfill(32), twilioApiSecret="sandbox")
    assert response.status_code == 201


def test_the_same_number_twice(bench: Bench) -> None:
    bench.import_number()
    assert "already" in bench.import_number().json()["message"]
    bench.control.switches(unique_numbers=False)
    assert bench.import_number().status_code == 201


@pytest.mark.parametrize(("rewrites", "expected"), [(False, "https://mine.example/"), (True, INBOUND)])
def test_a_new_binding(bench: Bench, rewrites: bool, expected: str) -> None:
    phone = bench.import_number().json()
    bench.control.edit_number(OWNED, voice_url="https://mine.example/")
    bench.control.switches(rebind_rewrites_urls=rewrites)
    assistant = bench.make("/assistant", {"name": "a"})
    path = f"/phone-number/{phone['id']}"
    assert bench.vapi.patch(path, json={"assistantId": assistant["id"]}).json()["assistantId"] == assistant["id"]
    assert bench.control.number(OWNED)["voice_url"] == expected
    assert bench.vapi.patch(path, json={"assistantId": None}).json()["assistantId"] is None


def test_other_keys_are_tried(bench: Bench) -> None:
    phone = bench.import_number().json()
    path = f"/phone-number/{phone['id']}"
    assert "did not accept" in bench.refused("PATCH", path, {"twilioAuthToken": "wrong"})
    assert bench.vapi.patch(path, json={"name": "n", "twilioAuthToken": "sandbox"}).status_code == 200


@pytest.mark.parametrize(("clears", "expected"), [(False, INBOUND), (True, "")])
def test_a_deleted_import(bench: Bench, clears: bool, expected: str) -> None:
    phone = bench.import_number().json()
    bench.control.switches(delete_clears_url=clears)
    assert bench.vapi.delete(f"/phone-number/{phone['id']}").status_code == 200
    assert bench.control.number(OWNED)["voice_url"] == expected


def test_vapi_gives_at_most_five_numbers(bench: Bench) -> None:
    made = [bench.make("/phone-number", {"provider": "vapi", "numberDesiredAreaCode": "415"}) for _ in range(5)]
    assert len({phone["number"] for phone in made}) == 5
    assert all(phone["number"].startswith("+1415") for phone in made)
    assert "numberDesiredAreaCode" not in made[0]
    assert "at most 5" in bench.refused("POST", "/phone-number", {"provider": "vapi"})
    bench.make("/phone-number", {"provider": "vapi", "sipUri": "sip:one@sip.vapi.ai"})
    bench.vapi.delete(f"/phone-number/{made[0]['id']}")
    bench.make("/phone-number", {"provider": "vapi"})


def test_an_import_is_no_request_of_the_customer(bench: Bench) -> None:
    bench.import_number()
    assert bench.control.counts()["twilio"]["writes"] == 0


def test_a_refused_import_may_repeat_the_token(bench: Bench) -> None:
    assert "hunter2" not in bench.import_number(twilioAuthToken="hunter2").text
    bench.control.switches(echo_in_errors=True)
    assert "hunter2" in bench.import_number(twilioAuthToken="hunter2").text
