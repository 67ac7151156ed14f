"""The plan as data, as the contract's fourth section fixes it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voiceops.model.plan import Change, FieldChange, Plan, sensitive_mask, shown, split_unknown
from voiceops.model.values import ABSENT, Fingerprint, Ref, Template, secret

HIDDEN, UNCHECKED = Fingerprint(("K",), "scrypt:1"), Fingerprint(("K",), "")


def change(**fields: Any) -> Change:
    values: dict[str, Any] = {
        "address": "Agent/support",
        "kind": "Agent",
        "type": "vapi_assistant",
        "name": "Support",
        "id": None,
        "actions": ("create",),
        "reason": "manifest_changed",
    }
    return Change(**(values | fields))


def test_a_change() -> None:
    data = change(
        id="id-1",
        actions=("update",),
        file="agents/support.yaml",
        line=1,
        before={"firstMessage": "Hi", "key": HIDDEN},
        after={"firstMessage": "Ho", "key": HIDDEN, "toolIds": [Ref("Tool/t"), "x"]},
        fields=(
            FieldChange(
                path=("firstMessage",),
                source="spec.firstMessage",
                before="Hi",
                after="Ho",
                file="agents/support.yaml",
                line=4,
            ),
        ),
        affects=("Phone/line",),
    ).to_data()

    assert data == {
        "address": "Agent/support",
        "mode": "managed",
        "type": "vapi_assistant",
        "name": "support",
        "live_name": "Support",
        "id": "id-1",
        "file": "agents/support.yaml",
        "line": 1,
        "change": {
            "actions": ["update"],
            "before": {"firstMessage": "Hi", "key": "(sensitive)"},
            "after": {"firstMessage": "Ho", "key": "(sensitive)", "toolIds": ["x"]},
            "after_unknown": {"toolIds": [True, False]},
            "before_sensitive": {"key": True},
            "after_sensitive": {"key": True},
            "paths": [
                {
                    "path": "firstMessage",
                    "source": "spec.firstMessage",
                    "before": "Hi",
                    "after": "Ho",
                    "reason": "manifest_changed",
                    "file": "agents/support.yaml",
                    "line": 4,
                }
            ],
        },
        "action_reason": "manifest_changed",
        "affects": ["Phone/line"],
    }


@pytest.mark.parametrize(
    ("fields", "key"),
    [({"actions": ("create",), "after": {}}, "before"), ({"actions": ("delete",), "before": {}}, "after")],
)
def test_what_is_not_there_is_null(fields: dict[str, Any], key: str) -> None:
    assert change(**fields).to_data()["change"][key] is None


@pytest.mark.parametrize(
    ("address", "name"), [("Agent/a[k]", "a[k]"), ("Phone/line/twilio", "line/twilio"), ("Agent/a", "a")]
)
def test_the_name_is_the_address_without_its_kind(address: str, name: str) -> None:
    assert change(address=address).to_data()["name"] == name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (HIDDEN, "(sensitive)"),
        (UNCHECKED, "(sensitive, not checked)"),
        (secret("K"), "(sensitive)"),
        (Ref("Agent/a"), "(known after apply)"),
        (Template(("x", Ref("Agent/a"))), "(known after apply)"),
        (ABSENT, None),
        ({"a": [HIDDEN, 1]}, {"a": ["(sensitive)", 1]}),
        ("plain", "plain"),
    ],
)
def test_what_is_shown(value: Any, text: Any) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("value", "known", "unknown"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": Ref("Agent/a"), "b": 1}, {"b": 1}, {"a": True}),
        ({"a": {"b": Ref("Agent/a")}}, {"a": {}}, {"a": {"b": True}}),
        ({"a": ["x", Ref("Agent/a")]}, {"a": ["x"]}, {"a": [False, True]}),
        ({"a": [{"b": Ref("Agent/a"), "c": 1}]}, {"a": [{"c": 1}]}, {"a": [{"b": True}]}),
        ({"a": []}, {"a": []}, {}),
    ],
)
def test_what_is_not_known_yet(value: Any, known: Any, unknown: Any) -> None:
    assert split_unknown(value) == (known, unknown)


@pytest.mark.parametrize(
    ("value", "mask"),
    [
        (None, {}),
        ({"a": 1}, {}),
        ({"a": HIDDEN, "b": 1}, {"a": True}),
        ({"a": [1, HIDDEN]}, {"a": [False, True]}),
        ({"a": {"b": UNCHECKED}}, {"a": {"b": True}}),
    ],
)
def test_what_is_sensitive(value: Any, mask: Any) -> None:
    assert sensitive_mask(value) == mask


def test_the_whole_plan() -> None:
    changes = (
        change(),
        change(address="Agent/u", actions=("update",)),
        change(address="Agent/r", actions=("create", "delete")),
        change(address="Agent/d", actions=("delete",)),
        change(address="Agent/n", actions=("no-op",), reason="unchanged"),
        change(address="Agent/m", actions=("no-op",), reason="moved", state_only=True),
        change(address="Agent/a", actions=("update",), reason="adopt", adopts=True),
    )
    plan = Plan(project="shop", environment="dev", org="org-1", account="AC1", changes=changes)

    data = json.loads(json.dumps(plan.to_data(version="1.0", timestamp="2026-01-01T00:00:00+00:00")))

    assert data["format_version"] == "1.2"
    assert data["summary"] == {
        "create": 1, "update": 2, "replace": 1, "delete": 1, "adopt": 1, "no_op": 2, "drift": 0
    }  # fmt: skip
    assert data["applyable"] is True
    assert (data["project"], data["environment"]) == ("shop", "dev")
    assert (data["resource_drift"], data["diagnostics"]) == ([], [])
    assert [c.address for c in plan.active] == ["Agent/support", "Agent/u", "Agent/r", "Agent/d", "Agent/m", "Agent/a"]
