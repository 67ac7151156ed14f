"""What a PATCH sends: each touched top-level key complete, with what the dashboard added to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.world import World, agent, graph, resource, uid
from voiceops.engine.fields.body import Kept, additions, create_body, set_values, stored_otherwise, update_body
from voiceops.engine.fields.diff import Applied, differences
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import root
from voiceops.model.values import ABSENT, Fingerprint, secret


def _patch(
    desired: dict[str, Any],
    applied: dict[str, Any],
    live: dict[str, Any],
    keep: tuple[Any, ...] = (),
    kind: str = "Agent",
) -> dict[str, Any]:
    found, node = KINDS[kind], root(kind, "update")
    was, desired = Applied(applied, {}), set_values(found, desired)
    return update_body(found, desired, was, live, differences(desired, was, live, keep, node), Kept(keep))


@dataclass(frozen=True, kw_only=True)
class Case:
    desired: dict[str, Any]
    applied: dict[str, Any]
    live: dict[str, Any]
    sent: dict[str, Any]
    keep: tuple[Any, ...] = ()


GPT = {"provider": "openai", "model": "gpt-4o"}
SYSTEM = {"role": "system", "content": "Old"}

CASES = {
    "untouched-keys-are-not-sent": Case(
        desired={"firstMessage": "New", "model": GPT},
        applied={"firstMessage": "Old", "model": GPT},
        live={"firstMessage": "Old", "model": GPT | {"temperature": 1}},
        sent={"firstMessage": "New"},
    ),
    "a-touched-key-is-sent-complete": Case(
        desired={"model": GPT | {"temperature": 1}},
        applied={"model": GPT | {"temperature": 0}},
        live={"model": GPT | {"temperature": 0, "maxTokens": 9, "toolIds": [uid(1)]}},
        sent={"model": GPT | {"temperature": 1, "maxTokens": 9, "toolIds": [uid(1)]}},
    ),
    "nulls-of-the-server-are-not-sent-back": Case(
        desired={"model": GPT | {"temperature": 1}},
        applied={"model": GPT},
        live={"model": GPT | {"maxTokens": None}},
        sent={"model": GPT | {"temperature": 1}},
    ),
    "a-field-that-left-is-left-out": Case(
        desired={"model": GPT},
        applied={"model": GPT | {"temperature": 0}},
        live={"model": GPT | {"temperature": 0, "maxTokens": 9}},
        sent={"model": GPT | {"maxTokens": 9}},
    ),
    "a-key-that-left-is-null": Case(
        desired={},
        applied={"firstMessage": "Old"},
        live={"firstMessage": "Old"},
        sent={"firstMessage": None},
    ),
    "a-map-that-left-is-null": Case(
        desired={},
        applied={"voice": {"provider": "vapi"}},
        live={"voice": {"provider": "vapi"}},
        sent={"voice": None},
    ),
    "a-map-that-left-keeps-what-is-not-ours": Case(
        desired={},
        applied={"metadata": {"a": 1}},
        live={"metadata": {"a": 1, "b": 2}},
        sent={"metadata": {"b": 2}},
    ),
    "a-nested-map-that-left-keeps-what-is-not-ours": Case(
        desired={"artifactPlan": {"x": 1}},
        applied={"artifactPlan": {"x": 1, "y": {"a": 1}}},
        live={"artifactPlan": {"x": 1, "y": {"a": 1, "b": 2}}},
        sent={"artifactPlan": {"x": 1, "y": {"b": 2}}},
    ),
    "another-provider-keeps-what-it-has-too": Case(
        desired={"voice": {"provider": "11labs", "voiceId": "sarah"}},
        applied={"voice": {"provider": "azure", "voiceId": "andrew"}},
        live={"voice": {"provider": "azure", "voiceId": "andrew", "speed": 1.2}},
        sent={"voice": {"provider": "11labs", "voiceId": "sarah", "speed": 1.2}},
    ),
    "another-provider-loses-what-it-does-not-take": Case(
        desired={"voice": {"provider": "11labs", "voiceId": "sarah"}},
        applied={"voice": {"provider": "azure", "voiceId": "andrew"}},
        live={"voice": {"provider": "azure", "voiceId": "andrew", "speed": 1.9, "azureOnly": 1}},
        sent={"voice": {"provider": "11labs", "voiceId": "sarah"}},
    ),
    "the-same-provider-keeps": Case(
        desired={"voice": {"provider": "11labs", "voiceId": "sarah"}},
        applied={"voice": {"provider": "11labs", "voiceId": "andrew"}},
        live={"voice": {"provider": "11labs", "voiceId": "andrew", "speed": 1.2}},
        sent={"voice": {"provider": "11labs", "voiceId": "sarah", "speed": 1.2}},
    ),
    "items-by-name": Case(
        desired={
            "model": GPT
            | {
                "tools": [
                    {"type": "function", "function": {"name": "b"}},
                    {"type": "function", "function": {"name": "a"}},
                ]
            }
        },
        applied={"model": GPT | {"tools": [{"type": "function", "function": {"name": "a"}}]}},
        live={"model": GPT | {"tools": [{"type": "function", "function": {"name": "a", "strict": True}}]}},
        sent={
            "model": GPT
            | {
                "tools": [
                    {"type": "function", "function": {"name": "b"}},
                    {"type": "function", "function": {"name": "a", "strict": True}},
                ]
            }
        },
    ),
    "nameless-items-by-place": Case(
        desired={"model": GPT | {"messages": [SYSTEM | {"content": "New"}]}},
        applied={"model": GPT | {"messages": [SYSTEM]}},
        live={"model": GPT | {"messages": [SYSTEM | {"added": 1}]}},
        sent={"model": GPT | {"messages": [SYSTEM | {"content": "New", "added": 1}]}},
    ),
    "an-item-that-left-is-gone": Case(
        desired={"model": GPT | {"messages": [SYSTEM]}},
        applied={"model": GPT | {"messages": [SYSTEM, {"role": "user", "content": "x"}]}},
        live={"model": GPT | {"messages": [SYSTEM, {"role": "user", "content": "x"}]}},
        sent={"model": GPT | {"messages": [SYSTEM]}},
    ),
    "an-ignored-field-stays-as-it-is-live": Case(
        desired={"voice": {"provider": "11labs", "voiceId": "b", "speed": 1}},
        applied={"voice": {"provider": "11labs", "voiceId": "a", "speed": 1}},
        live={"voice": {"provider": "11labs", "voiceId": "a", "speed": 2}},
        keep=(("voice", "speed"),),
        sent={"voice": {"provider": "11labs", "voiceId": "b", "speed": 2}},
    ),
    "an-ignored-field-that-is-not-live-is-set": Case(
        desired={"voice": {"provider": "11labs", "voiceId": "b", "speed": 1}},
        applied={"voice": {"provider": "11labs", "voiceId": "a"}},
        live={"voice": {"provider": "11labs", "voiceId": "a"}},
        keep=(("voice", "speed"),),
        sent={"voice": {"provider": "11labs", "voiceId": "b", "speed": 1}},
    ),
    "an-ignored-field-that-left-stays": Case(
        desired={"voice": {"provider": "11labs", "voiceId": "b"}},
        applied={"voice": {"provider": "11labs", "voiceId": "a", "speed": 1}},
        live={"voice": {"provider": "11labs", "voiceId": "a", "speed": 2}},
        keep=(("voice", "speed"),),
        sent={"voice": {"provider": "11labs", "voiceId": "b", "speed": 2}},
    ),
    "server-keys-inside-a-known-type-are-not-sent-back": Case(
        desired={"server": {"url": "https://b"}},
        applied={"server": {"url": "https://a"}},
        live={"server": {"url": "https://a", "createdAt": "x", "timeoutSeconds": 5}},
        sent={"server": {"url": "https://b", "timeoutSeconds": 5}},
    ),
    "free-maps-keep-every-key": Case(
        desired={"metadata": {"team": "b"}},
        applied={"metadata": {"team": "a"}},
        live={"metadata": {"team": "a", "status": "vip", "id": "7"}},
        sent={"metadata": {"team": "b", "status": "vip", "id": "7"}},
    ),
    "headers-keep-every-key": Case(
        desired={"server": {"url": "https://b", "headers": {"x": "1"}}},
        applied={"server": {"url": "https://a", "headers": {"x": "1"}}},
        live={"server": {"url": "https://a", "headers": {"x": "1", "status": "on"}}},
        sent={"server": {"url": "https://b", "headers": {"x": "1", "status": "on"}}},
    ),
    "a-null-is-not-set-here-and-what-is-live-stays": Case(
        desired={"startSpeakingPlan": {"smartEndpointingPlan": None, "waitSeconds": 1}},
        applied={},
        live={"startSpeakingPlan": {"smartEndpointingPlan": {"provider": "vapi"}}},
        sent={"startSpeakingPlan": {"smartEndpointingPlan": {"provider": "vapi"}, "waitSeconds": 1}},
    ),
    "a-null-resets-what-was-set-before": Case(
        desired={"startSpeakingPlan": {"smartEndpointingPlan": None, "waitSeconds": 1}, "voice": None},
        applied={
            "startSpeakingPlan": {"smartEndpointingPlan": {"provider": "vapi"}, "waitSeconds": 1},
            "voice": {"provider": "11labs", "voiceId": "a"},
        },
        live={
            "startSpeakingPlan": {"smartEndpointingPlan": {"provider": "vapi"}, "waitSeconds": 1},
            "voice": {"provider": "11labs", "voiceId": "a"},
        },
        sent={"startSpeakingPlan": {"waitSeconds": 1}, "voice": None},
    ),
    "a-null-in-a-free-map-is-a-value": Case(
        desired={"metadata": {"a": None, "b": 1}},
        applied={},
        live={"metadata": {"b": 2}},
        sent={"metadata": {"a": None, "b": 1}},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_update(case: Case) -> None:
    assert _patch(case.desired, case.applied, case.live, case.keep) == case.sent


def test_what_the_api_refuses_in_a_patch_is_left_out() -> None:
    desired = {"type": "function", "function": {"name": "b"}}
    assert _patch(desired, {}, {"type": "endCall", "function": {"name": "a"}}, kind="Tool") == {
        "function": {"name": "b"}
    }


def test_a_tools_own_type_is_known_although_the_patch_omits_it() -> None:
    """The variant of an update's body is chosen by the live type."""
    sent = _patch(
        {"type": "function", "function": {"name": "f", "description": "b"}},
        {"type": "function", "function": {"name": "f", "description": "a"}},
        {"type": "function", "function": {"name": "f", "description": "a", "strict": True}},
        kind="Tool",
    )
    assert sent == {"function": {"name": "f", "description": "b", "strict": True}}


def test_a_secret_stays_a_marker_until_it_is_sent() -> None:
    key = secret("K")
    sent = update_body(
        KINDS["Credential"],
        {"provider": "openai", "name": "c", "apiKey": key},
        Applied({"provider": "openai", "name": "c", "apiKey": Fingerprint(("K",), "d1")}, {}),
        {"provider": "openai", "name": "c", "apiKey": "sk-echo"},
        differences({"apiKey": Fingerprint(("K",), "d2")}, Applied({"apiKey": Fingerprint(("K",), "d1")}, {}), {}),
    )
    assert sent == {"apiKey": key}


@pytest.mark.parametrize(
    ("desired", "out", "sent"),
    [
        ({"name": "a", "voice": None}, (), {"name": "a"}),
        ({"name": "a", "model": {"x": None}}, (), {"name": "a", "model": {"x": None}}),
        ({"name": "a", "model": {"toolIds": [1], "m": 2}}, (("model", "toolIds"),), {"name": "a", "model": {"m": 2}}),
        ({"type": "handoff", "destinations": [1]}, (("destinations",),), {"type": "handoff"}),
    ],
    ids=["null-at-the-top", "null-nested", "deferred-nested", "deferred-at-the-top"],
)
def test_a_create(desired: dict[str, Any], out: tuple[Any, ...], sent: dict[str, Any]) -> None:
    before = str(desired)
    assert create_body(KINDS["Agent"], desired, out) == sent
    assert str(desired) == before


@pytest.mark.parametrize(
    ("sent", "answer", "found"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, {}),
        ({"a": "x "}, {"a": "x"}, {("a",): "x"}),
        ({"a": {"b": [1, 2]}}, {"a": {}}, {("a", "b"): ABSENT}),
        ({"a": {"b": 1}}, {}, {("a",): ABSENT}),
        ({"a": None, "b": {"c": None}}, {}, {}),
        ({"a": [{"x": 1}, {"x": 2}]}, {"a": [{"x": 1}, {"x": 3}]}, {("a", 1, "x"): 3}),
        ({"a": [1, 2]}, {"a": [1]}, {("a",): [1]}),
        ({"ids": ["00000000-0000-4000-8000-000000000001"]}, {"ids": []}, {("ids",): []}),
        ({"key": Fingerprint(("K",), "d")}, {"key": "echo"}, {}),
        ({"a": 1}, {"a": 1.0}, {}),
        ({"a": True}, {"a": 1}, {("a",): 1}),
    ],
)
def test_where_the_server_stored_something_else(
    sent: dict[str, Any], answer: dict[str, Any], found: dict[Any, Any]
) -> None:
    assert dict(stored_otherwise(sent, answer, None)) == found


def test_what_of_a_body_is_not_ours() -> None:
    body = {"model": {"a": 1, "b": 2, "list": [{"x": 1, "y": 2}]}, "other": 1}
    desired = {"model": {"a": 1, "list": [{"x": 1}]}}

    assert list(additions(body, desired)) == [("model", "b"), ("model", "list", 0, "y"), ("other",)]


def test_a_second_plan_after_any_of_these_updates_finds_nothing() -> None:
    for name, case in CASES.items():
        world = World()
        desired = resource("Agent/support", {"name": "support", **case.desired}, ignore=case.keep)
        world.manage(
            agent(),
            owned={"name": "support", **case.applied},
            live_body={"name": "support", **case.live},
        )
        world.apply(graph(desired))

        assert [c.reason for c in world.plan(graph(desired)).changes] == ["unchanged"], name
