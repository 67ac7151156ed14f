"""What a caller gets, told from what both vendors show: precedence, and nothing found where all is well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceops.engine.lines.line_route import Meant, Seen, live_route
from voiceops.engine.lines.traffic_split import pins, retirements, shares_in_words
from voiceops.kinds.twilio import is_vapis
from voiceops.model.live import Allocation, Snapshot

NUMBER, ACCOUNT = "+14155550100", "AC1"
AGENT, OTHER, PHONE = "agent-1", "agent-2", "phone-1"
IMPORTED = "https://api.vapi.ai/twilio/inbound_call"
OURS = "https://voice.example/twilio/voice/line"
MEANT = Meant(
    address="Phone/line",
    number=NUMBER,
    target="Agent/desk",
    target_id=AGENT,
    imported_url=IMPORTED,
    phone_id=PHONE,
    account=ACCOUNT,
)
AT_RUNTIME = replace(MEANT, answer="runtime", voice_url=OURS)


def seen(number: dict[str, Any] | None = None, phone: dict[str, Any] | None = None, **more: Any) -> Seen:
    twilio = {"sid": "PN1", "phone_number": NUMBER, "voice_url": IMPORTED, "capabilities": {"voice": True}}
    vapi = {"id": PHONE, "number": NUMBER, "provider": "twilio", "assistantId": AGENT, "twilioAccountSid": ACCOUNT}
    objects = {
        "twilio_phone_number": {"PN1": {**twilio, **(number or {})}},
        "vapi_phone_number": {PHONE: {**vapi, "status": "active", **(phone or {})}},
        "vapi_assistant": {AGENT: {"id": AGENT, "name": "desk"}, OTHER: {"id": OTHER, "name": "other"}},
        "vapi_squad": {},
        "vapi_tool": {},
    }
    snapshot = Snapshot({**objects, **more.pop("objects", {})}, 0.0, 0.0, allocations=more.pop("allocations", None))
    return Seen(snapshot=snapshot, addresses={AGENT: "Agent/desk"}, today="2026-06-01", **more)


def codes(meant: Meant, found: Seen) -> list[str]:
    return [reason.code for reason in live_route(meant, found).reasons]


def test_a_line_as_it_is_meant() -> None:
    route = live_route(MEANT, seen())
    assert (route.answers, route.who, route.reasons, route.notes) == ("vapi", "Agent/desk", (), ())
    route = live_route(AT_RUNTIME, seen({"voice_url": OURS}, {"assistantId": None}, runtime="ready"))
    assert (route.answers, route.who, route.reasons) == ("runtime", "Agent/desk", ())


@pytest.mark.parametrize(
    ("hooks", "answers", "who"),
    [
        (
            [
                {
                    "on": "call.ringing",
                    "do": [{"type": "transfer", "destination": {"type": "number", "number": "+1555"}}],
                }
            ],
            "other",
            "forwarded to +1555 by a hook",
        ),
        (
            [{"on": "call.ringing", "do": [{"type": "transfer", "destination": {"type": "sip", "sipUri": "sip:a@b"}}]}],
            "other",
            "forwarded to sip:a@b by a hook",
        ),
        ([{"on": "call.ringing", "do": [{"type": "say", "exact": "Closed"}]}], "vapi", "a text that a hook says"),
        ([{"on": "call.ringing", "filters": [{}], "do": [{"type": "say", "exact": "Closed"}]}], "nobody", "nobody"),
        ([{"on": "call.ending", "do": [{"type": "say", "exact": "Bye"}]}], "nobody", "nobody"),
        ([{"on": "call.ringing"}, {"on": "call.ringing", "do": [None]}, None, {}], "nobody", "nobody"),
        ("odd", "nobody", "nobody"),
    ],
)
def test_a_hook_may_answer_where_nobody_is_bound(hooks: Any, answers: str, who: str) -> None:
    route = live_route(replace(MEANT, target="", target_id=""), seen(phone={"assistantId": None, "hooks": hooks}))
    assert (route.answers, route.who) == (answers, who)
    bound = live_route(MEANT, seen(phone={"hooks": hooks}))
    assert (bound.answers, bound.who) == ("vapi", "Agent/desk")


TRUNK, APPLICATION, FAX = {"trunk_sid": "TK1"}, {"voice_application_sid": "AP1"}, {"voice_receive_mode": "fax"}


@pytest.mark.parametrize(
    ("edit", "answers", "who"),
    [
        ({}, "vapi", "Agent/desk"),
        (TRUNK, "other", "the SIP trunk TK1"),
        (APPLICATION, "other", "the TwiML application AP1"),
        ({**TRUNK, **APPLICATION}, "other", "the SIP trunk TK1"),
        ({**TRUNK, **FAX, "voice_url": "https://other.example"}, "other", "the SIP trunk TK1"),
        ({**APPLICATION, "voice_url": "https://other.example"}, "other", "the TwiML application AP1"),
        (FAX, "nobody", "nobody"),
        ({"voice_url": "https://other.example/a?k=1"}, "other", "the voice URL https://other.example/a"),
        ({"voice_url": "https://demo.twilio.com/welcome/voice/"}, "other", "Twilio's demo"),
        ({"voice_url": ""}, "nobody", "nobody"),
        ({"voice_url": None}, "nobody", "nobody"),
    ],
)
def test_a_trunk_goes_before_an_application_before_the_url(edit: dict[str, Any], answers: str, who: str) -> None:
    route = live_route(MEANT, seen(edit))
    assert (route.answers, route.who) == (answers, who)
    assert bool(route.reasons) is bool(edit)


@pytest.mark.parametrize(
    ("url", "api", "own"),
    [
        (IMPORTED, "", True),
        ("https://vapi.ai/x", "", True),
        ("https://aws-us-west-2.api.vapi.ai/x", "", True),
        ("http://127.0.0.1:8401/x", "http://127.0.0.1:8401", True),
        ("http://127.0.0.1:8402/x", "http://127.0.0.1:8401", False),
        ("https://vapi.ai.other.example/x", "", False),
        ("https://notvapi.ai/x", "", False),
        ("https://x/vapi.ai", "", False),
        ("", "", False),
        ("http://[", "", False),
    ],
)
def test_vapis_own_addresses(url: str, api: str, own: bool) -> None:
    assert is_vapis(url, api) is own


def test_the_newest_version_without_a_share_is_off_and_with_one_a_note() -> None:
    agents = {"vapi_assistant": {AGENT: {"id": AGENT, "name": "desk", "latestVersion": "v9"}}}
    split = Allocation("a", AGENT, True, (("v8", 100.0),))
    assert codes(MEANT, seen(objects=agents, allocations={AGENT: split})) == ["old-version"]
    split = replace(split, shares=(("v8", 90.0), ("v9", 10.0)))
    route = live_route(MEANT, seen(objects=agents, allocations={AGENT: split}))
    assert route.reasons == ()
    assert "v8 (90 %) and v9 (10 %)" in route.notes[0]
    following = Allocation("a", AGENT, False)
    assert live_route(MEANT, seen(objects=agents, allocations={AGENT: following})).notes == ()


def test_shares_are_told_without_what_has_none() -> None:
    allocation = Allocation("a", AGENT, True, (("v1", 33.333), ("v2", 0.0), ("v3", 33.333), ("v4", 33.334)))
    assert shares_in_words(allocation) == "v1 (33.333 %), v3 (33.333 %) and v4 (33.334 %)"


# Whatever a vendor or a proxy sends, an answer is found, and it is always one of the four.

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.none() | st.text(max_size=12)
NUMBERS = st.fixed_dictionaries(
    {},
    optional={
        "voice_url": TEXTS | st.just(IMPORTED) | st.just(OURS),
        "trunk_sid": TEXTS,
        "voice_application_sid": TEXTS,
        "voice_receive_mode": st.sampled_from(["voice", "fax", "", None]),
        "voice_fallback_url": TEXTS,
        "capabilities": JUNK,
        "status": JUNK,
    },
)
PHONES = st.fixed_dictionaries(
    {},
    optional={
        key: JUNK | st.sampled_from([AGENT, OTHER, PHONE])
        for key in ("assistantId", "squadId", "workflowId", "server", "fallbackDestination", "status", "number")
    },
)
AGENTS = st.dictionaries(
    st.sampled_from(["name", "model", "modelDeprecations", "latestVersion", "members", "voice"]), JUNK, max_size=6
)


@given(number=NUMBERS, phone=PHONES, agent=AGENTS, squad=AGENTS, answer=st.sampled_from(["vapi", "runtime", "none"]))
def test_anything_that_is_shown_has_an_answer(
    number: dict[str, Any], phone: dict[str, Any], agent: dict[str, Any], squad: dict[str, Any], answer: str
) -> None:
    objects = {"vapi_assistant": {AGENT: {**agent, "id": AGENT}}, "vapi_squad": {OTHER: {**squad, "id": OTHER}}}
    meant = replace(AT_RUNTIME if answer == "runtime" else MEANT, answer=answer)
    route = live_route(meant, seen(number, phone, objects=objects, runtime="not ready"))
    assert route.answers in ("vapi", "runtime", "other", "nobody")
    assert route.who
    assert all(reason.code and reason.text for reason in route.reasons)


@given(number=NUMBERS)
def test_whoever_else_picks_up_is_a_reason(number: dict[str, Any]) -> None:
    route = live_route(MEANT, seen(number))
    if route.answers != "vapi":
        assert route.reasons


@given(body=JUNK)
def test_pins_and_notices_are_found_in_anything(body: Any) -> None:
    assert isinstance(pins("Squad/team", body), list)
    assert isinstance(retirements({"modelDeprecations": body}), list)


def test_pins_are_found_wherever_they_stand() -> None:
    body = {
        "members": [
            {"assistantId": "a", "assistantVersion": "v1"},
            {"assistantId": "b"},
            {"assistantOverrides": {"model": {"toolRefs": [{"toolId": "t", "version": 3}]}}},
        ]
    }
    assert [(pin.target, pin.version) for pin in pins("Squad/team", body)] == [("a", "v1"), ("t", "3")]
