"""What a write changes is what it lists: the live object as it is and as it will be, field by field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.world import uid
from voiceops.engine.fields.body import set_values
from voiceops.engine.fields.diff import Applied, Outcome
from voiceops.engine.fields.write import Sides, replacement, update
from voiceops.kinds.registry import KINDS
from voiceops.model.values import ABSENT, Fingerprint, format_path

GPT = {"provider": "openai", "model": "gpt-4o"}
DROPPED = None


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}, **more}


@dataclass(frozen=True, kw_only=True)
class Case:
    """`paths`: path → (before, after, reason); `sent`: what the PATCH holds, where that is said."""

    desired: dict[str, Any]
    live: dict[str, Any]
    paths: dict[str, tuple[Any, Any, str]]
    applied: dict[str, Any] = field(default_factory=dict)
    stored: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    refused: tuple[tuple[Any, ...], ...] = ()
    ignore: tuple[tuple[Any, ...], ...] = ()
    sent: dict[str, Any] | None = None
    kind: str = "Agent"


CASES = {
    "only-what-differs": Case(
        desired={"model": GPT | {"temperature": 0.4}},
        live={"model": GPT | {"temperature": 0.7, "maxTokens": 250}},
        paths={"model.temperature": (0.7, 0.4, "manifest_changed")},
    ),
    "a-switch-of-provider-keeps-what-both-have": Case(
        desired={"voice": {"provider": "11labs", "voiceId": "sarah"}},
        live={"voice": {"provider": "azure", "voiceId": "andrew", "cachingEnabled": False, "speed": 1.1}},
        paths={
            "voice.provider": ("azure", "11labs", "manifest_changed"),
            "voice.voiceId": ("andrew", "sarah", "manifest_changed"),
        },
        sent={"voice": {"provider": "11labs", "voiceId": "sarah", "cachingEnabled": False, "speed": 1.1}},
    ),
    "what-the-new-provider-lacks-leaves": Case(
        desired={"voice": {"provider": "azure", "voiceId": "andrew"}},
        live={"voice": {"provider": "11labs", "voiceId": "sarah", "stability": 0.4, "model": "eleven_turbo_v2"}},
        paths={
            "voice.provider": ("11labs", "azure", "manifest_changed"),
            "voice.voiceId": ("sarah", "andrew", "manifest_changed"),
            "voice.stability": (0.4, DROPPED, "not_in_variant"),
            "voice.model": ("eleven_turbo_v2", DROPPED, "not_in_variant"),
        },
    ),
    "a-kept-value-out-of-the-new-range-leaves": Case(
        desired={"voice": {"provider": "11labs", "voiceId": "sarah"}},
        live={"voice": {"provider": "azure", "voiceId": "sarah", "speed": 1.9}},
        paths={
            "voice.provider": ("azure", "11labs", "manifest_changed"),
            "voice.speed": (1.9, DROPPED, "not_in_variant"),
        },
    ),
    "a-switch-deep-inside": Case(
        desired={"startSpeakingPlan": {"smartEndpointingPlan": {"provider": "vapi"}}},
        live={"startSpeakingPlan": {"smartEndpointingPlan": {"provider": "livekit", "waitFunction": "x"}}},
        paths={
            "startSpeakingPlan.smartEndpointingPlan.provider": ("livekit", "vapi", "manifest_changed"),
            "startSpeakingPlan.smartEndpointingPlan.waitFunction": ("x", DROPPED, "not_in_variant"),
        },
    ),
    "extras-of-list-items-stay-with-their-item": Case(
        desired={"model": GPT | {"tools": [tool("b"), tool("a")]}},
        live={"model": GPT | {"tools": [tool("a", async_=True), tool("b")]}},
        paths={
            "model.tools": (
                [tool("a", async_=True), tool("b")],
                [tool("b"), tool("a", async_=True)],
                "manifest_changed",
            )
        },
    ),
    "two-items-of-one-key-are-told-apart": Case(
        desired={
            "model": GPT | {"tools": [tool("a", server={"url": "https://2"}), tool("a", server={"url": "https://3"})]}
        },
        live={
            "model": GPT
            | {
                "tools": [
                    tool("a", server={"url": "https://1"}, async_=True),
                    tool("a", server={"url": "https://2"}),
                ]
            }
        },
        paths={
            "model.tools": (
                [tool("a", server={"url": "https://1"}, async_=True), tool("a", server={"url": "https://2"})],
                [tool("a", server={"url": "https://2"}), tool("a", server={"url": "https://3"}, async_=True)],
                "manifest_changed",
            )
        },
    ),
    "an-item-that-somebody-added-live-leaves-and-is-shown": Case(
        desired={"model": GPT | {"tools": [tool("a")]}},
        applied={"model": GPT | {"tools": [tool("a")]}},
        live={"model": GPT | {"tools": [tool("a"), tool("theirs", async_=True)]}},
        paths={
            "model.tools": ([tool("a"), tool("theirs", async_=True)], [tool("a")], "drift"),
        },
    ),
    "an-item-of-another-type": Case(
        desired={"model": GPT | {"tools": [{"type": "endCall"}]}},
        live={"model": GPT | {"tools": [{"type": "dtmf", "sipInfoDtmfEnabled": True}]}},
        paths={
            "model.tools[0].type": ("dtmf", "endCall", "manifest_changed"),
            "model.tools[0].sipInfoDtmfEnabled": (True, DROPPED, "not_in_variant"),
        },
    ),
    "ids-in-another-order-are-not-touched-by-their-neighbour": Case(
        desired={"model": GPT | {"toolIds": [uid(1), uid(2)], "temperature": 1}},
        live={"model": GPT | {"toolIds": [uid(2), uid(1)], "temperature": 0}},
        paths={"model.temperature": (0, 1, "manifest_changed")},
        sent={"model": GPT | {"toolIds": [uid(2), uid(1)], "temperature": 1}},
    ),
    "a-list-of-uuids-in-a-free-map-is-a-list": Case(
        desired={"metadata": {"order": [uid(1), uid(2)]}},
        applied={"metadata": {"order": [uid(2), uid(1)]}},
        live={"metadata": {"order": [uid(2), uid(1)]}},
        paths={
            "metadata.order[0]": (uid(2), uid(1), "manifest_changed"),
            "metadata.order[1]": (uid(1), uid(2), "manifest_changed"),
        },
    ),
    "what-the-server-stores-otherwise-is-no-change-beside-another": Case(
        desired={"voice": {"provider": "11labs", "voiceId": "sarah", "model": "X ", "speed": 1.1}},
        applied={"voice": {"provider": "11labs", "voiceId": "sarah", "model": "X ", "speed": 1}},
        live={"voice": {"provider": "11labs", "voiceId": "sarah", "model": "x", "speed": 1}},
        stored={("voice", "model"): "x"},
        paths={"voice.speed": (1, 1.1, "manifest_changed")},
    ),
    "the-servers-own-keys-of-items": Case(
        desired={"model": GPT | {"tools": [tool("a", async_=False)]}},
        live={"model": GPT | {"tools": [tool("a", id=uid(9), createdAt="x", orgId="o", async_=True)]}},
        paths={"model.tools[0].async_": (True, False, "manifest_changed")},
        sent={"model": GPT | {"tools": [tool("a", async_=False)]}},
    ),
    "what-the-api-does-not-take-back": Case(
        desired={"voice": {"provider": "11labs", "voiceId": "b"}},
        applied={"voice": {"provider": "11labs", "voiceId": "a"}},
        live={"voice": {"provider": "11labs", "voiceId": "a", "inputPunctuationBoundaries": ["."]}},
        refused=(("voice", "inputPunctuationBoundaries"),),
        paths={
            "voice.voiceId": ("a", "b", "manifest_changed"),
            "voice.inputPunctuationBoundaries": (["."], DROPPED, "not_writable"),
        },
        sent={"voice": {"provider": "11labs", "voiceId": "b"}},
    ),
    "what-the-dashboard-holds-back": Case(
        desired={"voice": {"provider": "11labs", "voiceId": "b", "speed": 1}},
        applied={"voice": {"provider": "11labs", "voiceId": "a", "speed": 1}},
        live={"voice": {"provider": "11labs", "voiceId": "a", "speed": 0.8}},
        ignore=(("voice", "speed"),),
        paths={"voice.voiceId": ("a", "b", "manifest_changed")},
        sent={"voice": {"provider": "11labs", "voiceId": "b", "speed": 0.8}},
    ),
    "a-new-fingerprint-though-nothing-shows": Case(
        kind="Credential",
        desired={"provider": "openai", "apiKey": Fingerprint(("K",), "k:2")},
        applied={"provider": "openai", "apiKey": Fingerprint(("K",), "k:1")},
        live={"provider": "openai"},
        paths={"apiKey": (ABSENT, Fingerprint(("K",), "k:2"), "manifest_changed")},
    ),
    "a-map-that-loses-what-tells-its-type-goes-as-a-whole": Case(
        desired={},
        applied={"voice": {"provider": "11labs", "voiceId": "sarah"}},
        live={"voice": {"provider": "11labs", "voiceId": "sarah", "speed": 1.1}},
        paths={
            "voice": ({"provider": "11labs", "voiceId": "sarah", "speed": 1.1}, DROPPED, "manifest_removed"),
        },
        sent={"voice": None},
    ),
    "a-null-that-was-set-before-goes-once": Case(
        desired={"firstMessage": None, "model": GPT},
        applied={"firstMessage": "Hi", "model": GPT},
        live={"firstMessage": "Hi", "model": GPT},
        paths={"firstMessage": ("Hi", DROPPED, "manifest_removed")},
        sent={"firstMessage": None},
    ),
    "a-null-that-never-was-ours-is-nothing": Case(
        desired={"firstMessage": None, "model": GPT},
        applied={"model": GPT},
        live={"firstMessage": "Theirs", "model": GPT},
        paths={},
        sent={},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_write(name: str) -> None:
    case = CASES[name]
    kind = KINDS[case.kind]
    sides = Sides(
        desired=set_values(kind, case.desired),
        applied=Applied(case.applied or ABSENT, case.stored),
        live=case.live,
        ignore=case.ignore,
        refused=case.refused,
    )

    found = update(kind, sides, lambda path: False)

    listed = {
        format_path(d.path): (d.before, None if d.after is ABSENT else d.after, d.outcome.value) for d in found.fields
    }
    assert listed == case.paths
    if case.sent is not None:
        assert found.body == case.sent


def test_a_replacement_takes_along_what_the_new_object_can_hold() -> None:
    kind = KINDS["Tool"]
    live = {
        "id": uid(1),
        "type": "function",
        "function": {"name": "f"},
        "async": True,
        "server": {"url": "https://theirs"},
        "messages": [{"type": "request-start", "content": "Wait."}],
    }
    desired = {"type": "dtmf"}

    found = replacement(kind, Sides(desired=desired, applied=Applied({"type": "function"}, {}), live=live), desired)

    assert found.body["type"] == "dtmf"
    assert found.body["messages"] == live["messages"]
    assert {format_path(d.path) for d in found.fields} >= {"type"}
    gone = {str(d.path[0]) for d in found.fields if d.outcome is Outcome.LEAVES}
    assert gone == {key for key in live if key not in found.body and key != "id"}
