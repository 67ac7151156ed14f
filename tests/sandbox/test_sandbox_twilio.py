"""Twilio's phone numbers: lists, updates, purchases, and the errors with their codes."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.sandbox_bench import OWNED, Bench, http

URL = "https://voice.example/"


def sid(bench: Bench, number: str = OWNED) -> str:
    return str(bench.control.number(number)["sid"])


def post(bench: Bench, **form: str) -> httpx.Response:
    return bench.twilio.post(f"{bench.numbers_path}/{sid(bench)}.json", data=form)


def failed(response: httpx.Response, status: int, code: int) -> None:
    assert response.status_code == status, response.text
    body = response.json()
    assert (body["code"], body["status"]) == (code, status)
    assert body["more_info"].endswith(str(code))
    assert body["message"]


def test_a_number_as_twilio_answers_it(bench: Bench) -> None:
    response = bench.twilio.get(f"{bench.numbers_path}/{sid(bench)}.json")
    number = response.json()
    assert number["phone_number"] == OWNED
    assert number["friendly_name"] == "(415) 555-0100"
    assert number["sid"].startswith("PN")
    assert len(number["sid"]) == 34
    assert number["trunk_sid"] is None
    assert number["voice_application_sid"] == ""
    assert number["date_created"].endswith("+0000")
    assert response.headers["twilio-request-id"].startswith("RQ")
    assert response.headers["twilio-concurrent-requests"] == "1"


@pytest.mark.parametrize(("choice", "expected"), [("mixed", (None, "")), ("null", (None, None)), ("empty", ("", ""))])
def test_empty_fields(bench: Bench, choice: str, expected: tuple[str | None, str | None]) -> None:
    bench.control.switches(clear_to=choice)
    number = bench.twilio.get(f"{bench.numbers_path}/{sid(bench)}.json").json()
    assert (number["trunk_sid"], number["sms_url"]) == expected


def test_an_update_changes_what_it_names(bench: Bench) -> None:
    changed = post(bench, VoiceUrl=URL, VoiceFallbackUrl=f"{URL}fallback", FriendlyName="Support", Unknown="x").json()
    assert (changed["voice_url"], changed["friendly_name"]) == (URL, "Support")
    cleared = post(bench, VoiceFallbackUrl="", FriendlyName="").json()
    assert cleared["voice_fallback_url"] is None
    assert (cleared["voice_url"], cleared["friendly_name"]) == (URL, "Support")


def test_trunk_and_application_drive_each_other_out(bench: Bench) -> None:
    app, trunk = "AP" + "a" * 32, "TK" + "b" * 32
    assert post(bench, VoiceApplicationSid=app).json()["voice_application_sid"] == app
    changed = post(bench, TrunkSid=trunk).json()
    assert (changed["trunk_sid"], changed["voice_application_sid"]) == (trunk, "")
    assert changed["voice_url"] == "https://demo.twilio.com/welcome/voice/"
    changed = post(bench, VoiceApplicationSid=app).json()
    assert (changed["trunk_sid"], changed["voice_application_sid"]) == (None, app)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"VoiceUrl": "", "VoiceFallbackUrl": URL}, 21405),
        ({"SmsFallbackUrl": URL}, 21406),
        ({"VoiceUrl": "voice.example"}, 21402),
        ({"VoiceUrl": "ftp://voice.example/"}, 21402),
        ({"VoiceMethod": "PUT"}, 21403),
        ({"TrunkSid": "TK1"}, 20001),
        ({"FriendlyName": "x" * 65}, 20001),
    ],
)
def test_a_refused_update_changes_nothing(bench: Bench, form: dict[str, str], code: int) -> None:
    before = bench.control.number(OWNED)
    failed(post(bench, **form), 400, code)
    assert bench.control.number(OWNED) == before


def test_credentials(bench: Bench) -> None:
    account, key = bench.server.account_sid, "SK" + "1".zfill(32)
    for auth, path, status in (
        ((account, "wrong"), account, 401),
        (("AC" + "9" * 32, "sandbox"), account, 401),
        ((account, "sandbox"), "AC" + "9" * 32, 401),
        ((key, "sandbox"), account, 200),
        ((key, "wrong"), account, 401),
    ):
        with http(bench.server.twilio_url, auth=auth) as client:
            response = client.get(f"/2010-04-01/Accounts/{path}/IncomingPhoneNumbers.json")
        assert response.status_code == status
        if status == 401:
            failed(response, 401, 20003)
    with http(bench.server.twilio_url) as client:
        failed(client.get(f"{bench.numbers_path}.json"), 401, 20003)


@pytest.mark.parametrize(
    "path", ["/IncomingPhoneNumbers/PN" + "0" * 32 + ".json", "/Nothing.json", "/IncomingPhoneNumbers"]
)
def test_what_is_not_there(bench: Bench, path: str) -> None:
    failed(bench.twilio.get(f"/2010-04-01/Accounts/{bench.server.account_sid}{path}"), 404, 20404)


@pytest.mark.parametrize("total", [1, 49, 50, 51, 120])
def test_pages_are_followed_by_link(bench: Bench, total: int) -> None:
    for n in range(total - 1):
        bench.control.add_number(f"+1415556{n:04}")
    found: list[str] = []
    link: str | None = f"{bench.numbers_path}.json"
    pages = 0
    while link:
        data = bench.twilio.get(link).json()
        found += [item["phone_number"] for item in data["incoming_phone_numbers"]]
        assert data["page"] == pages
        assert data["page_size"] == 50
        link, pages = data["next_page_uri"], pages + 1
        assert link is None or (link.startswith("/2010-04-01/") and "PageToken=PA" in link)
    assert len(found) == len(set(found)) == total
    assert pages == -(-total // 50)


def test_page_sizes_and_tokens(bench: Bench) -> None:
    for size, expected in (("0", 1), ("2000", 1000), ("7", 7)):
        data = bench.twilio.get(f"{bench.numbers_path}.json", params={"PageSize": size}).json()
        assert data["page_size"] == expected
    failed(bench.twilio.get(f"{bench.numbers_path}.json", params={"PageToken": "PA\u00e9"}), 400, 20001)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"PhoneNumber": OWNED}, [OWNED]),
        ({"PhoneNumber": "415555"}, ["+14155550177", OWNED]),
        ({"PhoneNumber": "+1415555017*"}, ["+14155550177"]),
        ({"PhoneNumber": "999"}, []),
        ({"FriendlyName": "Named"}, ["+14155550177"]),
    ],
)
def test_list_filters(bench: Bench, query: dict[str, str], expected: list[str]) -> None:
    bench.control.add_number("+14155550177", friendly_name="Named")
    data = bench.twilio.get(f"{bench.numbers_path}.json", params=query).json()
    assert [item["phone_number"] for item in data["incoming_phone_numbers"]] == expected
    assert all(name in data["first_page_uri"] for name in query)


def test_a_purchase_costs(bench: Bench) -> None:
    response = bench.twilio.post(f"{bench.numbers_path}.json", data={"PhoneNumber": "+14155550142", "VoiceUrl": URL})
    assert response.status_code == 201
    assert (response.json()["phone_number"], response.json()["voice_url"]) == ("+14155550142", URL)
    counts = bench.control.counts()
    assert (counts["purchases"], counts["spent"]) == (1, 1.15)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"PhoneNumber": OWNED}, 21422),
        ({"PhoneNumber": "+15005550000"}, 21422),
        ({"PhoneNumber": "+15005550001"}, 21421),
        ({"PhoneNumber": "415"}, 21421),
        ({}, 21421),
        ({"AreaCode": "533"}, 21452),
        ({"AreaCode": "12"}, 21451),
    ],
)
def test_a_purchase_that_fails_costs_nothing(bench: Bench, form: dict[str, str], code: int) -> None:
    failed(bench.twilio.post(f"{bench.numbers_path}.json", data=form), 400, code)
    assert bench.control.counts()["purchases"] == 0


def test_a_purchase_by_area(bench: Bench) -> None:
    bought = bench.twilio.post(f"{bench.numbers_path}.json", data={"AreaCode": "500"}).json()
    assert bought["phone_number"] == "+15005550006"
    assert bench.twilio.post(f"{bench.numbers_path}/Local.json", data={"AreaCode": "212"}).status_code == 201


def test_a_released_number_is_gone_for_good(bench: Bench) -> None:
    path = f"{bench.numbers_path}/{sid(bench)}.json"
    response = bench.twilio.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    failed(bench.twilio.delete(path), 404, 20404)
    failed(bench.twilio.post(f"{bench.numbers_path}.json", data={"PhoneNumber": OWNED}), 400, 21422)


def test_the_account_and_what_is_on_offer(bench: Bench) -> None:
    account = bench.twilio.get(f"/2010-04-01/Accounts/{bench.server.account_sid}.json").json()
    assert (account["sid"], account["status"]) == (bench.server.account_sid, "active")
    path = f"/2010-04-01/Accounts/{bench.server.account_sid}/AvailablePhoneNumbers/US/Local.json"
    offers = bench.twilio.get(path, params={"AreaCode": "415"}).json()["available_phone_numbers"]
    bought = bench.twilio.post(f"{bench.numbers_path}.json", data={"PhoneNumber": offers[0]["phone_number"]})
    assert bought.status_code == 201


def test_applications(bench: Bench) -> None:
    path = f"/2010-04-01/Accounts/{bench.server.account_sid}/Applications"
    made = bench.twilio.post(f"{path}.json", data={"FriendlyName": "app", "VoiceUrl": URL}).json()
    assert made["voice_url"] == URL
    assert bench.twilio.post(f"{path}/{made['sid']}.json", data={"VoiceUrl": ""}).json()["voice_url"] == ""
    listed = bench.twilio.get(f"{path}.json", params={"FriendlyName": "app"}).json()["applications"]
    assert [item["sid"] for item in listed] == [made["sid"]]
    assert bench.twilio.delete(f"{path}/{made['sid']}.json").status_code == 204
    failed(bench.twilio.get(f"{path}/{made['sid']}.json"), 404, 20404)


def test_no_demo_url(bench: Bench) -> None:
    bench.control.switches(demo_url="")
    assert bench.control.add_number("+14155550166")["voice_url"] == ""
