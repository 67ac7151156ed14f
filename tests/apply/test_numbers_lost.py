"""A line whose number is gone at either vendor, or whose calls something else takes: a plain plan puts it back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apply.manifests import AGENT, TOOL
from tests.support.bench import Bench

NUMBER = "+14155550100"
INBOUND = "https://api.vapi.ai/twilio/inbound_call"
OURS = "https://voice.example.com/twilio/voice/line"


def line(more: str = "", number: str = NUMBER) -> str:
    return f"kind: Phone\nname: line\nspec:\n  number: {number}\n  provider: twilio\n  agent: desk\n{more}"


@pytest.fixture
def phone(live: Bench) -> Bench:
    live.write(
        "voiceops.yaml",
        "version: 1\nproject: shop\nenvironments: [live]\nruntime: {url: https://voice.example.com}\n"
        "safety: {maxDestroyPercent: 100}\n",
    )
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    return live


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is gone, and not only too new to be seen."""
    monkeypatch.setattr("voiceops.model.live.SETTLE", 0.0)
    monkeypatch.setattr("voiceops.engine.options.SETTLE", 0.0)


def lose_at_vapi(bench: Bench) -> None:
    bench.control.delete(bench.id_of("Phone/line"))


def lose_at_twilio(bench: Bench) -> None:
    bench.control.delete(bench.id_of("Phone/line/twilio"))


ANSWERS = {"vapi": ("", INBOUND), "runtime": ("  answer: runtime\n", OURS)}


def later(bench: Bench) -> None:
    """The vendors' clock goes on by two minutes: what is missing is gone, and not only too new to be seen."""
    bench.control.switches(clock_skew=120)


@pytest.mark.parametrize("answer", list(ANSWERS))
@pytest.mark.parametrize("lost", ["vapi", "twilio", "both"])
@pytest.mark.parametrize("clears", [False, True], ids=["url-stays", "url-cleared"])
def test_a_number_that_is_gone_comes_back_to_the_end(phone: Bench, answer: str, lost: str, clears: bool) -> None:
    more, url = ANSWERS[answer]
    if lost != "vapi":
        more += "  purchase: true\n"
    phone.write("agents/line.yaml", line(more))
    phone.apply()
    later(phone)
    if lost in ("vapi", "both"):
        lose_at_vapi(phone)
    if lost in ("twilio", "both"):
        lose_at_twilio(phone)
    elif clears:
        phone.control.edit_number(NUMBER, voice_url="")

    assert phone.changes() != {}
    ran = phone.apply()

    assert "Applied" in ran.out
    assert phone.control.number(NUMBER)["voice_url"] == url
    (vapi,) = phone.control.objects("/phone-number")
    wanted = phone.id_of("Agent/desk") if answer == "vapi" else None
    assert (vapi["id"], vapi.get("assistantId")) == (phone.id_of("Phone/line"), wanted)
    assert phone.control.counts()["purchases"] == (0 if lost == "vapi" else 1)
    assert phone.changes() == {}
    phone.control.reset_requests()
    phone.apply()
    assert phone.writes() == []


@pytest.mark.parametrize("answer", list(ANSWERS))
def test_a_number_that_may_not_be_bought_is_said_plainly(phone: Bench, answer: str) -> None:
    phone.write("agents/line.yaml", line(ANSWERS[answer][0]))
    phone.apply()
    later(phone)
    lose_at_twilio(phone)
    phone.control.reset_requests()
    ran = phone.apply(code=5)
    assert f"the Twilio account has no number {NUMBER} any more" in ran.err
    assert "purchase: true" in ran.err
    assert phone.writes() == []


def test_from_the_runtime_to_vapi_while_the_vapi_number_is_gone(phone: Bench) -> None:
    phone.write("agents/line.yaml", line("  answer: runtime\n"))
    phone.apply()
    later(phone)
    lose_at_vapi(phone)
    phone.write("agents/line.yaml", line())
    phone.apply()
    assert phone.control.number(NUMBER)["voice_url"] == INBOUND
    assert phone.changes() == {}


SHADOWS: dict[str, tuple[dict[str, Any], str]] = {
    "fax": ({"voice_receive_mode": "fax"}, "VoiceReceiveMode=voice"),
    "trunk": ({"trunk_sid": "TK" + "a" * 32}, "TrunkSid="),
    "application": ({"voice_application_sid": "AP" + "a" * 32}, "VoiceApplicationSid="),
    "fax and trunk": (
        {"voice_receive_mode": "fax", "trunk_sid": "TK" + "a" * 32},
        "TrunkSid= and VoiceReceiveMode=voice",
    ),
}


@pytest.mark.parametrize("shadow", list(SHADOWS))
@pytest.mark.parametrize("answer", list(ANSWERS))
def test_what_shadows_a_managed_number_is_named_and_cleared(phone: Bench, shadow: str, answer: str) -> None:
    edit, clearing = SHADOWS[shadow]
    phone.write("agents/line.yaml", line(ANSWERS[answer][0]))
    phone.apply()
    later(phone)
    phone.control.edit_number(NUMBER, **edit)
    plan = phone.plan()
    (named,) = [d for d in plan["diagnostics"] if d["code"] == "shadowed"]
    assert clearing in named["hint"]
    assert plan["resource_drift"][0]["address"] == "Phone/line/twilio"
    phone.apply()
    number = phone.control.number(NUMBER)
    assert [number[key] or "" for key in ("voice_receive_mode", "trunk_sid", "voice_application_sid")] == [
        "voice",
        "",
        "",
    ]
    assert number["voice_url"] == ANSWERS[answer][1]
    assert phone.changes() == {}


def test_a_number_that_takes_faxes_is_taken_over_only_when_asked_and_given_back_so(phone: Bench) -> None:
    phone.control.edit_number(NUMBER, voice_receive_mode="fax")
    phone.write("agents/line.yaml", line())
    refused = phone.apply(code=5)
    assert "receive fax" in refused.err
    assert "VoiceReceiveMode=voice" in refused.err
    phone.apply("--adopt")
    assert phone.control.number(NUMBER)["voice_receive_mode"] == "voice"
    assert phone.changes() == {}
    phone.remove("agents/line.yaml")
    phone.apply("--force")
    assert phone.control.number(NUMBER)["voice_receive_mode"] == "fax"


@pytest.mark.parametrize("url", [INBOUND, "https://aws-us-west-2.api.vapi.ai/twilio/inbound_call?x=1"])
def test_a_number_that_points_at_vapi_without_a_vapi_number_is_nobodys(phone: Bench, url: str) -> None:
    phone.control.edit_number(NUMBER, voice_url=url)
    phone.write("agents/line.yaml", line())
    phone.apply()
    assert phone.control.number(NUMBER)["voice_url"] == INBOUND
    assert phone.changes() == {}


def test_a_vapi_number_that_was_imported_elsewhere_is_taken_over_with_its_url(phone: Bench) -> None:
    phone.write("agents/line.yaml", line())
    phone.apply()
    id_ = phone.id_of("Phone/line")
    phone.run("state", "rm", "Phone/line")
    assert {d["code"] for d in phone.plan()["diagnostics"]} == {"exists_unmanaged"}
    phone.run("import", "Phone/line", id_)
    assert phone.plan()["diagnostics"] == []
    phone.apply()
    assert phone.control.number(NUMBER)["voice_url"] == INBOUND
    assert phone.changes() == {}


@pytest.mark.parametrize("url", ["https://vapi.ai.evil.example/x", "https://notvapi.ai/x", "http://["])
def test_a_strangers_address_that_looks_like_vapis_stays_a_strangers(phone: Bench, url: str) -> None:
    phone.control.edit_number(NUMBER, voice_url=url)
    phone.write("agents/line.yaml", line())
    assert "is answered by the voice URL" in phone.apply(code=5).err


@pytest.mark.parametrize("answer", list(ANSWERS))
def test_an_import_between_plan_and_settings_is_nobodys_edit_however_slow_it_is(phone: Bench, answer: str) -> None:
    """Settings are looked at again once the plan is two seconds old; by then the import has rewritten the URL."""
    phone.control.fault(
        "hang", vendor="vapi", method="POST", path="^/phone-number$", seconds=2.3, when="after", times=1
    )
    phone.write("agents/line.yaml", line(ANSWERS[answer][0]))
    phone.apply()
    assert phone.control.number(NUMBER)["voice_url"] == ANSWERS[answer][1]
    assert phone.changes() == {}
