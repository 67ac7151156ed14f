"""What a rollback took away: which plans would bring it back, and how long that is held."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.world import World, agent, graph, tool
from voiceops.engine.planning.hold import MOST_HOLDS, MOST_VALUES, bounded, still_held, taken_back, with_holds
from voiceops.model.graph import Graph
from voiceops.model.plan import Plan
from voiceops.model.values import Ref, parse_path, secret

PROMPT = "Tell every caller that the shop is closed for good."
GOOD: dict[str, Any] = {
    "firstMessage": "Hello",
    "model": {
        "provider": "openai",
        "temperature": 0.3,
        "messages": [{"role": "system", "content": "Be kind."}],
        "toolIds": [Ref("Tool/a"), Ref("Tool/b")],
    },
    "voice": {"provider": "vapi", "voiceId": "Elliot"},
    "endCallMessage": "Goodbye",
    "keywords": ["a", "b"],
}
TOOLS = tool("a"), tool("b"), tool("c")


def changed(**values: Any) -> dict[str, Any]:
    """The good body with other values; those of `model` and `voice` merged."""
    body = json.loads(json.dumps({k: v for k, v in GOOD.items() if k != "model"})) | {"model": {**GOOD["model"]}}
    for key, value in values.items():
        if value is None:
            del body[key]
        else:
            body[key] = {**body[key], **value} if isinstance(value, dict) and key in ("model", "voice") else value
    return body


def shop(*bodies: dict[str, Any], **more: dict[str, Any]) -> Graph:
    agents = [agent(**body) for body in bodies] + [agent(name, **body) for name, body in more.items()]
    return graph(*TOOLS, *agents)


def held_plan(bad: Graph, good: Graph, new: Graph, *, released: bool = False) -> Plan:
    """The plan of `new` where `good` is live, after `bad` was rolled back to it."""
    world = World()
    for item in good.resources.values():
        world.manage(item)
    holds = {bad.digest: {"revision": 2, "commit": "", "by": 3, "values": taken_back([bad], good)}}
    return with_holds(world.plan(new), new, holds, released=released)


def told(plan: Plan) -> list[tuple[str, str, str]]:
    return [(d.code, d.address, d.path) for d in plan.refusals if d.code in ("held", "rolled-back")]


SYSTEM = {"role": "system", "content": PROMPT}
BACK: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "a-text": (changed(firstMessage="Bad"), changed(firstMessage="Bad", endCallMessage="Bye"), ["firstMessage"]),
    "nested": (
        changed(model={"temperature": 1.5}),
        changed(model={"temperature": 1.5}, firstMessage="Hi"),
        ["model.temperature"],
    ),
    "the-prompt": (
        changed(model={"messages": [SYSTEM]}),
        changed(model={"messages": [SYSTEM]}, firstMessage="Hi"),
        ["model.messages[0].content"],
    ),
    "the-prompt-at-another-place": (
        changed(model={"messages": [SYSTEM]}),
        changed(model={"messages": [{"role": "system", "content": "Be brief."}, SYSTEM]}),
        ["model.messages"],
    ),
    "an-item-of-a-list": (
        changed(model={"toolIds": [Ref("Tool/a"), Ref("Tool/b"), Ref("Tool/c")]}),
        changed(model={"toolIds": [Ref("Tool/c"), Ref("Tool/a")]}),
        ["model.toolIds"],
    ),
    "an-item-left-out": (
        changed(model={"toolIds": [Ref("Tool/a")]}),
        changed(model={"toolIds": [Ref("Tool/a")]}, firstMessage="Hi"),
        ["model.toolIds"],
    ),
    "another-order": (
        changed(keywords=["b", "a"]),
        changed(keywords=["b", "a"], firstMessage="Hi"),
        ["keywords"],
    ),
    "a-field-left-out": (
        changed(endCallMessage=None),
        changed(endCallMessage=None, firstMessage="Hi"),
        ["endCallMessage"],
    ),
    "a-field-added": (
        changed(maxDurationSeconds=10),
        changed(maxDurationSeconds=10, firstMessage="Hi"),
        ["maxDurationSeconds"],
    ),
    "another-provider": (
        changed(voice={"provider": "11labs", "voiceId": "x"}),
        changed(voice={"provider": "11labs", "voiceId": "x"}, firstMessage="Hi"),
        ["voice.provider", "voice.voiceId"],
    ),
    "a-secret": (
        changed(server={"url": "https://a.example/", "secret": secret("OTHER")}),
        changed(server={"url": "https://b.example/", "secret": secret("OTHER")}),
        ["server"],
    ),
}


@pytest.mark.parametrize("case", BACK)
def test_a_value_that_was_rolled_back_does_not_come_back_whatever_else_changed(case: str) -> None:
    bad, new, paths = BACK[case]

    plan = held_plan(shop(bad), shop(GOOD), shop(new))

    assert {(code, address) for code, address, _ in told(plan)} == {("rolled-back", "Agent/support")}
    assert {parse_path(path)[0] for *_, path in told(plan)} == {parse_path(path)[0] for path in paths}
    assert not plan.applyable
    assert all("rolled back in revision 3" in d.summary for d in plan.refusals)
    released = held_plan(shop(bad), shop(GOOD), shop(new), released=True)
    assert released.applyable
    assert [d.severity for d in released.diagnostics if d.code == "rolled-back"] == ["warning"] * len(paths)


PASSES = {
    "other-values": (changed(firstMessage="Bad"), changed(firstMessage="Better")),
    "other-fields": (changed(firstMessage="Bad"), changed(endCallMessage="Bye")),
    "the-same-value-elsewhere": (changed(firstMessage="Bad"), changed(endCallMessage="Bad")),
    "another-item": (
        changed(model={"toolIds": [Ref("Tool/a"), Ref("Tool/b"), Ref("Tool/c")]}),
        changed(model={"toolIds": [Ref("Tool/b")]}),
    ),
    "another-prompt": (
        changed(model={"messages": [SYSTEM]}),
        changed(model={"messages": [{"role": "system", "content": "Be brief."}]}),
    ),
}


@pytest.mark.parametrize("case", PASSES)
def test_everything_else_applies_as_ever(case: str) -> None:
    bad, new = PASSES[case]

    plan = held_plan(shop(bad), shop(GOOD), shop(new))

    assert told(plan) == []
    assert plan.applyable


def test_the_very_manifests_are_held_and_their_values_named() -> None:
    bad = shop(changed(firstMessage="Bad"))

    plan = held_plan(bad, shop(GOOD), bad)

    assert told(plan) == [("held", "", ""), ("rolled-back", "Agent/support", "firstMessage")]
    assert "held after the rollback of revision 2" in plan.refusals[0].summary


def test_what_is_not_touched_is_not_brought_back() -> None:
    """Live has the rolled-back value already: somebody set it in the dashboard, and the plan leaves it."""
    bad, new = shop(changed(firstMessage="Bad")), shop(changed(firstMessage="Bad", endCallMessage="Bye"))
    world = World()
    for item in shop(GOOD).resources.values():
        world.manage(item)
    world.edit("Agent/support", firstMessage="Bad")
    holds = {bad.digest: {"revision": 2, "commit": "", "by": 3, "values": taken_back([bad], shop(GOOD))}}

    assert told(with_holds(world.plan(new), new, holds)) == []


# whole objects


NIGHT = {"firstMessage": "Night", "model": {"provider": "openai", "messages": [SYSTEM]}}


@pytest.mark.parametrize(
    ("night", "refused"),
    [
        (NIGHT, True),
        (NIGHT | {"maxDurationSeconds": 60}, True),
        (NIGHT | {"firstMessage": "Good night"}, True),
        (NIGHT | {"model": {"provider": "openai", "messages": [{"role": "system", "content": "Be kind."}]}}, False),
    ],
    ids=["as-it-was", "with-another-number", "with-the-same-prompt", "with-another-prompt"],
)
def test_an_object_that_the_rollback_deleted(night: dict[str, Any], refused: bool) -> None:
    bad, new = shop(GOOD, night=NIGHT), shop(changed(firstMessage="Hi"), night=night)

    assert told(held_plan(bad, shop(GOOD), new)) == ([("rolled-back", "Agent/night", "")] if refused else [])


def test_a_removal_that_was_rolled_back() -> None:
    good, bad, new = shop(GOOD, night=NIGHT), shop(GOOD), shop(changed(firstMessage="Hi"))

    assert told(held_plan(bad, good, new)) == [("rolled-back", "Agent/night", "")]


# how long


def holds_of(bad: Graph, good: Graph) -> dict[str, dict[str, Any]]:
    return {bad.digest: {"revision": 2, "commit": "", "by": 3, "values": taken_back([bad], good)}}


@pytest.mark.parametrize(
    ("now", "held"),
    [
        (GOOD, True),
        (changed(endCallMessage="Bye"), True),
        (changed(firstMessage="Better"), False),
        (changed(firstMessage=None), False),
        (None, False),
    ],
    ids=["as-it-was", "something-else-changed", "decided-anew", "taken-out", "object-gone"],
)
def test_a_hold_lasts_until_somebody_decided_anew(now: dict[str, Any] | None, held: bool) -> None:
    bad, after = shop(changed(firstMessage="Bad")), shop(now) if now else shop()
    holds = holds_of(bad, shop(GOOD))

    assert still_held(holds, after) == (holds if held else {})


def test_only_what_was_decided_anew_is_free() -> None:
    bad = shop(changed(firstMessage="Bad", endCallMessage="Worse"))
    rest = still_held(holds_of(bad, shop(GOOD)), shop(changed(firstMessage="Better")))

    assert list(rest[bad.digest]["values"]["Agent/support"]["was"]) == ["endCallMessage"]


def test_manifests_of_one_rollback_are_free_together_and_old_holds_with_the_next_apply() -> None:
    bad = shop(changed(firstMessage="Bad"))
    holds = holds_of(bad, shop(GOOD)) | {"sha256:first": {"revision": 1, "commit": "", "by": 3}}
    old = {"sha256:old": {"revision": 2, "commit": ""}}

    assert set(still_held(holds, shop(GOOD))) == {bad.digest, "sha256:first"}
    assert still_held(holds, shop(changed(firstMessage="Better"))) == {}
    assert still_held(old, shop(GOOD)) == {}


def test_what_is_kept_is_bounded_the_longest_first() -> None:
    many = {f"key{number}": f"value {number}" for number in range(MOST_VALUES + 500)}
    bad = shop(changed(model={"messages": [SYSTEM]}, metadata=many))
    values = taken_back([bad], shop(GOOD))["Agent/support"]["was"]

    assert sum(map(len, values.values())) == MOST_VALUES
    assert any("content" in key for key in values)
    holds = {f"sha256:{n}": {"revision": n, "commit": "", "by": n + 1} for n in range(50)}
    assert len(bounded(holds)) == MOST_HOLDS
    assert "sha256:49" in bounded(holds)


def test_no_value_of_a_secret_is_kept() -> None:
    bad = shop(changed(server={"url": "https://a.example/", "secret": secret("HOOK")}))

    kept = taken_back([bad], shop(GOOD))

    assert "HOOK" not in json.dumps(kept)
    assert json.loads(json.dumps(kept)) == kept


# A null field means the same as none: only in lists it is something.
VALUES = st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", "some longer text of a prompt"])
BODIES = st.dictionaries(
    st.sampled_from(["firstMessage", "endCallMessage", "metadata", "keywords", "plan"]),
    VALUES
    | st.lists(st.none() | VALUES, max_size=3)
    | st.dictionaries(st.sampled_from(["x", "y"]), VALUES, max_size=2),
    max_size=4,
)


@given(good=BODIES, bad=BODIES)
def test_of_any_manifests_the_good_ones_pass_and_the_bad_ones_come_back_only_as_a_warning(
    good: dict[str, Any], bad: dict[str, Any]
) -> None:
    before, wrong = shop(good), shop(bad)
    assume(before.digest != wrong.digest)
    unrelated = shop({**bad, "voicemailMessage": "Please call back."})

    assert told(held_plan(wrong, before, before)) == []
    assert told(held_plan(wrong, before, shop({**good, "voicemailMessage": "Please call back."}))) == []
    plan = held_plan(wrong, before, wrong)
    if any(change.fields for change in plan.changes):
        assert "rolled-back" in {code for code, *_ in told(plan)}
        assert "rolled-back" in {code for code, *_ in told(held_plan(wrong, before, unrelated))}
        assert not held_plan(wrong, before, unrelated, released=True).refusals
