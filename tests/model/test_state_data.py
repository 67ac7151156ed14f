"""The state as data: what is written comes back; its form is pinned by a golden file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from voiceops.model.state import Binding, Entry, Intent, State
from voiceops.model.values import ABSENT, Fingerprint

ENTRY = Entry(
    address="Agent/support",
    kind="Agent",
    type="vapi_assistant",
    id="00000000-0000-4000-8000-000000000001",
    name="support",
    owned={"name": "support", "server": {"headers": {"Authorization": Fingerprint(("TOKEN",), "scrypt:00")}}},
    stored={("firstMessage",): "Hi", ("model", "toolRefs", 0, "odd.key"): ABSENT},
    digest="sha256:00",
    updated_at="2026-01-01T00:00:00.000Z",
    recorded_at=1767225600.25,
    depends=("Tool/lookup", "Credential/runtime"),
    protected=True,
)
PHONE = Entry(
    address="Phone/line/twilio",
    kind="Phone",
    type="twilio_phone_number",
    id="PN0123456789abcdef0123456789abcdef",
    name="+14155550100",
    owned={"voice_url": "https://api.vapi.ai/twilio/inbound_call", "trunk_sid": ""},
    prior={"voice_url": "https://before.example", "trunk_sid": ""},
    release=True,
    deposed=("PN1",),
)
STATE = State(
    lineage="0" * 32,
    project="shop",
    environment="prod",
    salt="1" * 32,
    serial=7,
    binding=Binding(
        vapi_org="org-1",
        vapi_url="https://api.vapi.ai",
        twilio_account="AC1",
        twilio_url="https://api.twilio.com",
    ),
    entries={entry.address: entry for entry in (PHONE, ENTRY)},
    revision=3,
    applied_digest="sha256:11",
)


def test_a_state_comes_back() -> None:
    assert State.from_data(json.loads(json.dumps(STATE.to_data()))) == STATE


def test_a_state_written_by_an_older_version_is_read() -> None:
    data = STATE.to_data()
    for key in ("revision", "appliedDigest", "inForce", "holds", "usedPlans"):
        data.pop(key, None)

    assert State.from_data(data).entries == STATE.entries


def test_the_states_form(golden: Callable[[str, str], None]) -> None:
    golden("state.json", json.dumps(STATE.to_data(), indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def test_an_intent_comes_back_with_what_was_listed_before() -> None:
    intent = Intent(
        nonce="n",
        address="Agent/a",
        kind="Agent",
        type="vapi_assistant",
        action="create",
        name="a",
        body={"k": Fingerprint(("K",), "d"), "x": None},
        before=("1", "2"),
        sent_at=1.5,
        entry=ENTRY.to_data(),
    )
    data: dict[str, Any] = json.loads(json.dumps(intent.to_data()))

    assert Intent.from_data(data, ("1", "2")) == intent
    assert "before" not in data, "a long list is kept once, not in every intent"


def test_what_stays_when_an_object_is_gone() -> None:
    assert STATE.after_delete("Phone/line/twilio", PHONE.id) is None
    kept = STATE.after_delete("Phone/line/twilio", "PN1")
    assert kept is not None
    assert (kept.id, kept.deposed) == (PHONE.id, ())
    assert STATE.after_delete("Agent/nobody", "x") is None
