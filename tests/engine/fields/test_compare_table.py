"""manifest + applied + live → changes, and the reason for each no-op: one agent, one field at a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.support.world import EDITED, NOW, STAMP, World, agent, change_of, changes, codes, graph, paths_of, uid
from voiceops.model.values import ABSENT

NO_OP, UPDATE = ("no-op",), ("update",)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What the three sides hold beside the name. `paths`: changed path → (before, after)."""

    desired: dict[str, Any]
    applied: dict[str, Any]
    live: dict[str, Any]
    actions: tuple[str, ...] = NO_OP
    reason: str = "unchanged"
    paths: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    drift: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    stored: dict[tuple[Any, ...], Any] = field(default_factory=dict)


GPT = {"provider": "openai", "model": "gpt-4o"}
TOOLS = [uid(71), uid(72)]

CASES = {
    # nothing to do
    "as-applied": Case(desired={"model": GPT}, applied={"model": GPT}, live={"model": GPT}),
    "server-adds-a-top-level-field": Case(
        desired={"model": GPT}, applied={"model": GPT}, live={"model": GPT, "silenceTimeoutSeconds": 30}
    ),
    "server-adds-a-nested-default": Case(
        desired={"model": GPT}, applied={"model": GPT}, live={"model": GPT | {"temperature": 0, "toolIds": []}}
    ),
    "server-adds-a-null": Case(desired={"model": GPT}, applied={"model": GPT}, live={"model": GPT, "squad": None}),
    "null-for-absent": Case(desired={"voice": None}, applied={"voice": None}, live={}),
    "null-for-null": Case(desired={"voice": None}, applied={}, live={"voice": None}),
    "null-nested": Case(
        desired={"model": GPT | {"seed": None}}, applied={"model": GPT | {"seed": None}}, live={"model": GPT}
    ),
    "empty-map-for-absent": Case(desired={"metadata": {}}, applied={"metadata": {}}, live={}),
    "map-of-nulls-for-absent": Case(desired={"plan": {"a": None}}, applied={"plan": {"a": None}}, live={}),
    "other-key-order": Case(
        desired={"model": {"a": 1, "b": 2}}, applied={"model": {"a": 1, "b": 2}}, live={"model": {"b": 2, "a": 1}}
    ),
    "whole-float": Case(desired={"speed": 1}, applied={"speed": 1}, live={"speed": 1.0}),
    "unknown-field": Case(desired={}, applied={}, live={"betaFeature": {"x": [1]}}),
    "time-varying-field": Case(
        desired={"model": GPT}, applied={"model": GPT}, live={"model": GPT, "modelDeprecations": [{"days": 3}]}
    ),
    "ids-in-another-order": Case(
        desired={"model": {"toolIds": TOOLS}},
        applied={"model": {"toolIds": TOOLS}},
        live={"model": {"toolIds": TOOLS[::-1]}},
    ),
    "normalised-by-the-server": Case(
        desired={"firstMessage": "Hi "},
        applied={"firstMessage": "Hi "},
        live={"firstMessage": "Hi"},
        stored={("firstMessage",): "Hi"},
    ),
    "dropped-by-the-server": Case(
        desired={"model": {"toolIds": TOOLS, "model": "m"}},
        applied={"model": {"toolIds": TOOLS, "model": "m"}},
        live={"model": {"model": "m"}},
        stored={("model", "toolIds"): ABSENT},
    ),
    "manifest-says-now-what-is-live": Case(
        desired={"firstMessage": "New"},
        applied={"firstMessage": "Old"},
        live={"firstMessage": "New"},
        reason="recorded",
    ),
    "foreign-field-edited": Case(
        desired={"firstMessage": "Hi"}, applied={"firstMessage": "Hi"}, live={"firstMessage": "Hi", "voice": {"x": 1}}
    ),
    "removed-from-both-sides": Case(
        desired={},
        applied={"firstMessage": "Hi"},
        live={},
        reason="recorded",
    ),
    "removed-null-was-nothing": Case(
        desired={},
        applied={"voice": None},
        live={"voice": {"x": 1}},
    ),
    # the manifest changed
    "changed": Case(
        desired={"firstMessage": "New"},
        applied={"firstMessage": "Old"},
        live={"firstMessage": "Old"},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"firstMessage": ("Old", "New")},
    ),
    "added": Case(
        desired={"firstMessage": "New"},
        applied={},
        live={},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"firstMessage": (None, "New")},
    ),
    "added-over-a-server-default": Case(
        desired={"speed": 2},
        applied={},
        live={"speed": 1},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"speed": (1, 2)},
    ),
    "nested": Case(
        desired={"model": GPT | {"temperature": 1}},
        applied={"model": GPT | {"temperature": 0}},
        live={"model": GPT | {"temperature": 0, "maxTokens": 9}},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"model.temperature": (0, 1)},
    ),
    "in-a-list-of-one-length": Case(
        desired={"model": {"messages": [{"role": "system", "content": "New"}]}},
        applied={"model": {"messages": [{"role": "system", "content": "Old"}]}},
        live={"model": {"messages": [{"role": "system", "content": "Old"}]}},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"model.messages[0].content": ("Old", "New")},
    ),
    "list-grew": Case(
        desired={"hooks": [1, 2]},
        applied={"hooks": [1]},
        live={"hooks": [1]},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"hooks": ([1], [1, 2])},
    ),
    "ids-changed": Case(
        desired={"model": {"toolIds": TOOLS}},
        applied={"model": {"toolIds": TOOLS[:1]}},
        live={"model": {"toolIds": TOOLS[:1]}},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"model.toolIds": (TOOLS[:1], TOOLS)},
    ),
    "named-items-in-another-order": Case(
        desired={"tools": [{"name": "b"}, {"name": "a"}]},
        applied={"tools": [{"name": "a"}, {"name": "b"}]},
        live={"tools": [{"name": "a"}, {"name": "b"}]},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"tools": ([{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}])},
    ),
    "true-is-not-one": Case(
        desired={"flag": True},
        applied={"flag": 1},
        live={"flag": 1},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"flag": (1, True)},
    ),
    "value-to-null": Case(
        desired={"voice": None},
        applied={"voice": {"x": 1}},
        live={"voice": {"x": 1}},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"voice": ({"x": 1}, None)},
    ),
    "normalised-then-changed": Case(
        desired={"firstMessage": "Bye"},
        applied={"firstMessage": "Hi "},
        live={"firstMessage": "Hi"},
        stored={("firstMessage",): "Hi"},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"firstMessage": ("Hi", "Bye")},
    ),
    # a field left the manifest
    "removed-at-the-top": Case(
        desired={},
        applied={"firstMessage": "Hi"},
        live={"firstMessage": "Hi"},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"firstMessage": ("Hi", None)},
    ),
    "removed-nested": Case(
        desired={"model": GPT},
        applied={"model": GPT | {"temperature": 1}},
        live={"model": GPT | {"temperature": 1}},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"model.temperature": (1, None)},
    ),
    "removed-map-with-foreign-additions": Case(
        desired={},
        applied={"artifactPlan": {"a": 1, "b": 2}},
        live={"artifactPlan": {"a": 1, "b": 2, "c": 3}},
        actions=UPDATE,
        reason="manifest_changed",
        paths={"artifactPlan.a": (1, None), "artifactPlan.b": (2, None)},
    ),
    "removed-and-edited-live": Case(
        desired={},
        applied={"firstMessage": "Hi"},
        live={"firstMessage": "Ho"},
        actions=UPDATE,
        reason="conflict",
        paths={"firstMessage": ("Ho", None)},
        drift={"firstMessage": ("Hi", "Ho")},
    ),
    # live changed
    "drift": Case(
        desired={"firstMessage": "Hi"},
        applied={"firstMessage": "Hi"},
        live={"firstMessage": "Edited"},
        actions=UPDATE,
        reason="drift",
        paths={"firstMessage": ("Edited", "Hi")},
        drift={"firstMessage": ("Hi", "Edited")},
    ),
    "drift-nested": Case(
        desired={"model": GPT},
        applied={"model": GPT},
        live={"model": GPT | {"model": "gpt-5"}},
        actions=UPDATE,
        reason="drift",
        paths={"model.model": ("gpt-5", "gpt-4o")},
        drift={"model.model": ("gpt-4o", "gpt-5")},
    ),
    "drift-removed-live": Case(
        desired={"firstMessage": "Hi"},
        applied={"firstMessage": "Hi"},
        live={},
        actions=UPDATE,
        reason="drift",
        paths={"firstMessage": (None, "Hi")},
        drift={"firstMessage": ("Hi", None)},
    ),
    "drift-appended-to-an-owned-list": Case(
        desired={"hooks": [1]},
        applied={"hooks": [1]},
        live={"hooks": [1, 2]},
        actions=UPDATE,
        reason="drift",
        paths={"hooks": ([1, 2], [1])},
        drift={"hooks": ([1], [1, 2])},
    ),
    "drift-of-ids": Case(
        desired={"toolIds": TOOLS},
        applied={"toolIds": TOOLS},
        live={"toolIds": TOOLS[:1]},
        actions=UPDATE,
        reason="drift",
        paths={"toolIds": (TOOLS[:1], TOOLS)},
        drift={"toolIds": (TOOLS, TOOLS[:1])},
    ),
    "drift-of-a-normalised-value": Case(
        desired={"firstMessage": "Hi "},
        applied={"firstMessage": "Hi "},
        live={"firstMessage": "Edited"},
        stored={("firstMessage",): "Hi"},
        actions=UPDATE,
        reason="drift",
        paths={"firstMessage": ("Edited", "Hi ")},
        drift={"firstMessage": ("Hi ", "Edited")},
    ),
    "conflict": Case(
        desired={"firstMessage": "New"},
        applied={"firstMessage": "Old"},
        live={"firstMessage": "Edited"},
        actions=UPDATE,
        reason="conflict",
        paths={"firstMessage": ("Edited", "New")},
        drift={"firstMessage": ("Old", "Edited")},
    ),
    "change-here-drift-there": Case(
        desired={"a": 2, "b": 1},
        applied={"a": 1, "b": 1},
        live={"a": 1, "b": 9},
        actions=UPDATE,
        reason="conflict",
        paths={"a": (1, 2), "b": (9, 1)},
        drift={"b": (1, 9)},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_agent(case: Case) -> None:
    world = World()
    world.manage(
        agent(**case.desired),
        owned={"name": "support", **case.applied},
        live_body={"name": "support", **case.live},
        stored=case.stored,
    )

    plan = world.plan(graph(agent(**case.desired)))

    assert changes(plan) == {"Agent/support": (case.actions, case.reason)}
    assert paths_of(plan, "Agent/support") == case.paths
    drift = {p["path"]: (p["before"], p["after"]) for d in plan.drift for p in d.to_data()["change"]["paths"]}
    assert drift == case.drift
    assert not plan.refused


@pytest.mark.parametrize(
    ("policy", "fields", "actions", "reason", "applyable"),
    [
        ("revert", {}, UPDATE, "drift", True),
        ("keep", {}, NO_OP, "drift_kept", True),
        ("refuse", {}, UPDATE, "drift", False),
        ("revert", {"Agent/*:spec.firstMessage": "keep"}, NO_OP, "drift_kept", True),
        ("revert", {"Agent/other:spec.firstMessage": "keep"}, UPDATE, "drift", True),
        ("revert", {"Agent/*:spec.voice": "keep"}, UPDATE, "drift", True),
        ("keep", {"Agent/support": "revert"}, UPDATE, "drift", True),
        ("keep", {"*": "refuse"}, UPDATE, "drift", False),
        ("refuse", {"Agent/support:spec.firstMessage": "revert"}, UPDATE, "drift", True),
        ("revert", {"Agent/*": "refuse", "Agent/*:spec.firstMessage": "keep"}, NO_OP, "drift_kept", True),
        ("revert", {"Agent/*:spec.firstMessage": "keep", "Agent/support": "refuse"}, UPDATE, "drift", False),
    ],
)
def test_what_drift_policy_does(
    policy: str, fields: dict[str, str], actions: tuple[str, ...], reason: str, applyable: bool
) -> None:
    world = World()
    desired = agent(firstMessage="Hi")
    world.manage(desired)
    world.edit("Agent/support", firstMessage="Edited")

    plan = world.plan(graph(desired), drift=policy, drift_fields=fields)

    assert changes(plan) == {"Agent/support": (actions, reason)}
    assert [d.address for d in plan.drift] == ["Agent/support"], "drift is listed, whatever becomes of it"
    assert plan.drift[0].updated_at == EDITED
    assert plan.refused is not applyable
    assert codes(plan) == ([] if applyable else ["drift"])


def test_an_edit_that_was_taken_over_into_the_manifest_is_refused_no_longer() -> None:
    world = World()
    world.manage(agent(firstMessage="Hi"))
    world.edit("Agent/support", firstMessage="Edited")

    assert world.plan(graph(agent(firstMessage="Hi")), drift="refuse").refused
    assert not world.plan(graph(agent(firstMessage="Edited")), drift="refuse").refused


def test_a_drift_pattern_reaches_the_fields_below_it_and_no_others() -> None:
    world = World()
    desired = agent(model={"provider": "openai", "model": "m"}, modelX="Hi")
    world.manage(desired)
    world.edit("Agent/support", model={"provider": "openai", "model": "other"}, modelX="Ho")

    plan = world.plan(graph(desired), drift_fields={"Agent/*:spec.model": "keep"})

    assert set(paths_of(plan, "Agent/support")) == {"modelX"}


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ("Agent/each[x]", True),
        ("Agent/each*", True),
        ("Agent/each[y]", False),
        ("Agent/each[x]:spec.model.messages", True),
        ("Agent/each[x]:spec.model.message", False),
    ],
)
def test_a_drift_pattern_names_an_instance_and_reaches_into_lists(pattern: str, kept: bool) -> None:
    world = World()
    desired = agent("each[x]", name="x", model={"messages": [{"role": "system", "content": "Hi"}]})
    world.manage(desired)
    world.edit("Agent/each[x]", model={"messages": [{"role": "system", "content": "Ho"}]})

    plan = world.plan(graph(desired), drift_fields={pattern: "keep"})

    assert changes(plan)["Agent/each[x]"][1] == ("drift_kept" if kept else "drift")


def test_drift_that_is_kept_stays_when_something_else_changes() -> None:
    world = World()
    old, new = agent(firstMessage="Hi", a=1), agent(firstMessage="Hi", a=2)
    world.manage(old)
    world.edit("Agent/support", firstMessage="Edited")

    plan = world.plan(graph(new), drift="keep")

    assert changes(plan)["Agent/support"] == (UPDATE, "manifest_changed")
    assert world.body(graph(new), change_of(plan, "Agent/support"), (("firstMessage",),)) == {"a": 2}


@pytest.mark.parametrize(
    ("ignore", "live", "actions"),
    [
        ((("voice", "speed"),), {"voice": {"provider": "p", "speed": 2}}, NO_OP),
        ((("voice",),), {"voice": {"provider": "q"}}, NO_OP),
        ((("voice", "speed"),), {"voice": {"provider": "q", "speed": 2}}, UPDATE),
        ((("voice", "speed"),), {"voice": {"provider": "p"}}, UPDATE),  # not there at all: it is set once
        ((), {"voice": {"provider": "p", "speed": 2}}, UPDATE),
    ],
    ids=["that-field", "a-field-above", "another-field", "absent-live", "nothing-ignored"],
)
def test_ignored_fields_are_left_to_the_dashboard(
    ignore: tuple[tuple[str, ...], ...], live: dict[str, Any], actions: tuple[str, ...]
) -> None:
    world = World()
    desired = replace(agent(voice={"provider": "p", "speed": 1}), ignore=ignore)
    world.manage(desired, live_body={"name": "support", **live})

    plan = world.plan(graph(desired))

    assert changes(plan)["Agent/support"][0] == actions
    drifted = {f.path for d in plan.drift for f in d.fields}
    assert not {path for path in drifted for out in ignore if path[: len(out)] == out and live["voice"].get("speed")}


@pytest.mark.parametrize(
    ("recorded", "visible", "updated", "expected"),
    [
        (NOW - 2, False, "", (NO_OP, "settling")),
        (NOW - 2, True, "2025-12-31T23:59:59.000Z", (NO_OP, "settling")),
        (NOW - 2, True, EDITED, (UPDATE, "drift")),
        (NOW - 11, False, "", (("create",), "deleted_outside")),
        (NOW - 11, True, "2025-12-31T23:59:59.000Z", (UPDATE, "drift")),
    ],
    ids=["young-invisible", "young-stale", "young-edited-since", "old-missing", "old-and-other"],
)
def test_lists_that_lag_behind_are_believed_after_ten_seconds(
    recorded: float, visible: bool, updated: str, expected: tuple[tuple[str, ...], str]
) -> None:
    world = World()
    desired = agent(firstMessage="New")
    world.manage(desired, recorded_at=recorded, updated_at=STAMP)
    if visible:
        world.of("Agent/support").update(firstMessage="Old", updatedAt=updated)
    else:
        world.gone("Agent/support")

    plan = world.plan(graph(desired))

    assert changes(plan)["Agent/support"] == expected


def test_a_settling_object_is_changed_against_what_was_written_last() -> None:
    world = World()
    world.manage(agent(firstMessage="Second"), recorded_at=NOW - 1)
    world.of("Agent/support").update(firstMessage="First", updatedAt="2025-01-01T00:00:00.000Z")

    plan = world.plan(graph(agent(firstMessage="Third")))

    assert paths_of(plan, "Agent/support") == {"firstMessage": ("Second", "Third")}
    assert not plan.drift
