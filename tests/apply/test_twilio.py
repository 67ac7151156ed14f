"""Who answers a number: taking over, one owner, clearing, giving back, buying once."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.apply.manifests import AGENT, TOOL
from tests.support.bench import Bench, bench

NUMBER = "+14155550100"
RUNTIME = "runtime: {url: https://voice.example.com}\n"
INBOUND = "https://api.vapi.ai/twilio/inbound_call"
MINE = "https://mine.example.com/voice"


def line(more: str = "", twilio: str = "{}", number: str = NUMBER) -> str:
    return (
        f"kind: Phone\nname: line\nspec:\n  number: {number}\n  provider: twilio\n  agent: desk\n"
        f"  twilio: {twilio}\n{more}"
    )


@pytest.fixture
def phone(live: Bench) -> Bench:
    live.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\n" + RUNTIME)
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    return live


def test_vapi_answers_and_the_url_that_its_import_wrote_stays(phone: Bench) -> None:
    phone.write("agents/line.yaml", line(twilio="{friendlyName: Support}"))
    phone.apply()
    number = phone.control.number(NUMBER)
    assert (number["voice_url"], number["friendly_name"], number["sms_url"]) == (INBOUND, "Support", "")
    assert phone.live("Phone/line")["assistantId"] == phone.id_of("Agent/desk")
    assert phone.changes() == {}


def test_the_runtime_answers_and_the_vapi_number_is_bound_to_nothing(phone: Bench) -> None:
    phone.write("agents/line.yaml", line("  answer: runtime\n", "{voiceFallbackUrl: 'https://f.example.com/x'}"))
    phone.apply()
    number = phone.control.number(NUMBER)
    assert number["voice_url"] == "https://voice.example.com/twilio/voice/line"
    assert number["status_callback"] == "https://voice.example.com/twilio/status/line"
    assert number["voice_fallback_url"] == "https://f.example.com/x"
    assert phone.live("Phone/line").get("assistantId") is None
    assert phone.changes() == {}
    # And back: Vapi's URL returns without another import.
    phone.write("agents/line.yaml", line())
    phone.apply()
    number = phone.control.number(NUMBER)
    assert (number["voice_url"], number["voice_fallback_url"] or "") == (INBOUND, "")
    assert phone.live("Phone/line")["assistantId"] == phone.id_of("Agent/desk")
    assert phone.changes() == {}


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("voice_url", MINE, MINE),
        ("trunk_sid", "TK" + "a" * 32, "SIP trunk TK"),
        ("voice_application_sid", "AP" + "a" * 32, "TwiML application AP"),
    ],
)
def test_a_number_that_something_else_answers_is_taken_over_only_when_asked(
    phone: Bench, field: str, value: str, named: str
) -> None:
    phone.control.edit_number(NUMBER, **{field: value})
    phone.write("agents/line.yaml", line())
    refused = phone.apply(code=5)
    assert named in refused.err
    assert (phone.control.number(NUMBER)[field] or "") == value
    assert phone.control.objects("/phone-number") == []
    phone.apply("--adopt")
    number = phone.control.number(NUMBER)
    assert (number["voice_url"], number["trunk_sid"] or "", number["voice_application_sid"] or "") == (INBOUND, "", "")
    assert phone.changes() == {}
    # Leaving management writes back what was found.
    phone.remove("agents/line.yaml")
    phone.apply("--force")
    assert (phone.control.number(NUMBER)[field] or "") == value
    assert phone.control.objects("/phone-number") == []


def test_a_number_that_leaves_goes_back_to_who_answered_it(phone: Bench) -> None:
    phone.control.edit_number(NUMBER, voice_url=MINE, status_callback=MINE + "/s", friendly_name="Old")
    phone.write("agents/line.yaml", line("  answer: runtime\nlifecycle: {adopt: true}\n", "{friendlyName: New}"))
    phone.apply()
    phone.run("destroy", "--auto-approve", "--force")
    number = phone.control.number(NUMBER)
    assert [number[key] for key in ("voice_url", "status_callback", "friendly_name")] == [MINE, MINE + "/s", "Old"]
    assert phone.control.counts()["purchases"] == 0


def test_a_console_edit_of_the_voice_url_is_drift_and_reverted(phone: Bench) -> None:
    phone.write("agents/line.yaml", line())
    phone.apply()
    time.sleep(1.1)  # Twilio tells times in seconds: an edit within the second of our write looks like a lagging list
    phone.control.edit_number(NUMBER, voice_url=MINE, voice_caller_id_lookup=True)
    plan = phone.plan()
    assert plan["resource_drift"][0]["address"] == "Phone/line/twilio"
    phone.apply()
    number = phone.control.number(NUMBER)
    assert (number["voice_url"], number["voice_caller_id_lookup"]) == (INBOUND, True)


@pytest.mark.parametrize("path", ["spec.twilio.friendlyName", "twilio.friendlyName", "spec.twilio", "friendly_name"])
def test_what_ignore_changes_names_is_left_to_the_console(phone: Bench, path: str) -> None:
    phone.write("agents/line.yaml", line(f"lifecycle: {{ignoreChanges: [{path}]}}\n", "{friendlyName: Support}"))
    phone.apply()
    assert phone.control.number(NUMBER)["friendly_name"] == "Support"
    time.sleep(1.1)  # as above
    phone.control.edit_number(NUMBER, friendly_name="Desk")
    assert phone.changes() == {}
    assert phone.run("drift").code == 0
    phone.apply()
    assert phone.control.number(NUMBER)["friendly_name"] == "Desk"
    # What is not ignored any more is as the manifest says.
    phone.write("agents/line.yaml", line(twilio="{friendlyName: Support}"))
    phone.apply()
    assert phone.control.number(NUMBER)["friendly_name"] == "Support"
    # What is ignored from now on stays as it is.
    phone.write("agents/line.yaml", line(f"lifecycle: {{ignoreChanges: [{path}]}}\n", "{friendlyName: Other}"))
    phone.apply()
    assert phone.control.number(NUMBER)["friendly_name"] == "Support"
    assert phone.changes() == {}


def test_a_number_that_is_not_there_is_no_purchase(phone: Bench) -> None:
    phone.write("agents/line.yaml", line(number="+14155550177"))
    assert "has no number +14155550177" in phone.apply(code=5).err
    assert phone.control.counts()["purchases"] == 0


def test_a_purchase_is_made_once_and_kept_unless_released(phone: Bench) -> None:
    phone.write("agents/line.yaml", line("  purchase: true\n", number="+14155550177"))
    assert "buys the number" in phone.run("plan").out
    phone.apply()
    assert phone.control.counts()["purchases"] == 1
    assert phone.changes() == {}
    phone.remove("agents/line.yaml")
    phone.apply("--force")
    assert phone.control.number("+14155550177")["phone_number"] == "+14155550177"
    # Again, and this time it may be given back.
    phone.write("agents/line.yaml", line("  purchase: true\n  release: true\n", number="+14155550177"))
    phone.apply()
    assert phone.control.counts()["purchases"] == 1
    phone.remove("agents/line.yaml")
    phone.apply("--force")
    assert "+14155550177" not in [n["phone_number"] for n in phone.control.numbers()]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset", "when": "after"},
        {"kind": "status", "status": 502, "when": "after"},
        {"kind": "text", "when": "after"},
    ],
    ids=["reset", "502", "not json"],
)
def test_a_purchase_without_an_answer_is_looked_up_and_never_repeated(phone: Bench, fault: dict[str, object]) -> None:
    phone.control.fault(**fault, vendor="twilio", method="POST", path="IncomingPhoneNumbers.json$", times=1)
    phone.write("agents/line.yaml", line("  purchase: true\n", number="+14155550177"))
    phone.apply()
    assert phone.control.counts()["purchases"] == 1
    assert phone.changes() == {}


def test_another_number_gives_the_old_one_back(phone: Bench) -> None:
    phone.control.edit_number(NUMBER, voice_url=MINE)
    phone.write("agents/line.yaml", line("lifecycle: {adopt: true}\n"))
    phone.apply()
    phone.write("agents/line.yaml", line("lifecycle: {adopt: true}\n", number="+14155550101"))
    phone.apply("--force")
    assert phone.control.number(NUMBER)["voice_url"] == MINE
    assert phone.control.number("+14155550101")["voice_url"] == INBOUND
    assert [p["number"] for p in phone.control.objects("/phone-number")] == ["+14155550101"]
    assert phone.changes() == {}


def test_the_plan_says_what_becomes_of_the_old_number(phone: Bench) -> None:
    phone.control.edit_number(NUMBER, voice_url=MINE)
    phone.control.add_number("+14155550101")
    phone.write("agents/line.yaml", line("lifecycle: {adopt: true}\n"))
    phone.apply()
    phone.write("agents/line.yaml", line("lifecycle: {adopt: true}\n", number="+14155550101"))
    assert (
        f'{NUMBER} stays in the Twilio account, as it was before it was taken over: voice_url: "{INBOUND}" → "{MINE}"'
        in (phone.run("plan").out)
    )
    phone.apply()
    assert phone.control.number(NUMBER)["voice_url"] == MINE


def test_vapis_own_number_is_unbound_and_stays_unless_released(live: Bench) -> None:
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    live.write("agents/line.yaml", "kind: Phone\nname: free\nspec: {provider: vapi, agent: desk}\n")
    live.apply()
    live.remove("agents/line.yaml")
    live.apply("--force")
    kept = live.control.objects("/phone-number")
    assert [number.get("assistantId") for number in kept] == [None]
    assert live.changes() == {}


@pytest.mark.parametrize(
    "switches",
    [
        {"rebind_rewrites_urls": True},
        {"delete_clears_url": True},
        {"clear_to": "null"},
        {"clear_to": "empty"},
        {"phone_secrets": "mask"},
    ],
    ids=str,
)
def test_whatever_the_import_does_there_is_one_owner_afterwards(tmp_path: Path, switches: dict[str, object]) -> None:
    with bench(tmp_path, **switches) as made:
        made.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\n" + RUNTIME)
        made.write("agents/agent.yaml", AGENT + "---\n" + AGENT.replace("desk", "second"))
        made.write("agents/tool.yaml", TOOL)
        made.write("agents/line.yaml", line("  answer: runtime\n"))
        made.apply()
        assert made.changes() == {}
        made.edit("agents/line.yaml", "agent: desk", "agent: second")
        made.apply()
        assert made.changes() == {}
        assert made.control.number(NUMBER)["voice_url"] == "https://voice.example.com/twilio/voice/line"
        made.write("agents/line.yaml", line())
        made.apply()
        made.apply()
        assert made.changes() == {}
        made.edit("agents/line.yaml", "agent: desk", "agent: second")
        made.apply()
        assert made.changes() == {}
        assert made.control.number(NUMBER)["voice_url"] == INBOUND


def test_an_api_key_is_enough_for_both_vendors(phone: Bench) -> None:
    phone.write("agents/line.yaml", line())
    keys = {"TWILIO_AUTH_TOKEN": "", "TWILIO_API_KEY": "SK" + "1".zfill(32), "TWILIO_API_SECRET": "sandbox"}
    phone.run("apply", "--auto-approve", **keys)
    sent = next(json.loads(r["body"]) for r in phone.control.requests(path="/phone-number", method="POST"))
    assert "twilioAuthToken" not in sent
    assert sent["twilioApiKey"] == keys["TWILIO_API_KEY"]
    assert phone.control.number(NUMBER)["voice_url"] == INBOUND
    assert "Nothing to do" in phone.run("plan", **keys).out
