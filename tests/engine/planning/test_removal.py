"""What is gone, moved, protected, or leaves management."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.world import (
    World,
    agent,
    change_of,
    changes,
    codes,
    graph,
    paths_of,
    phone,
    resource,
    tool,
    uid,
)
from voiceops.engine.options import Safety

CREATE, UPDATE, DELETE, NO_OP = ("create",), ("update",), ("delete",), ("no-op",)
ASSISTANT = "vapi_assistant"


# gone, moved, protected


def test_deleted_outside_is_created_again_and_is_drift() -> None:
    world = World()
    world.manage(agent(firstMessage="Hi"))
    world.gone("Agent/support")

    plan = world.plan(graph(agent(firstMessage="Hi")))

    assert changes(plan) == {"Agent/support": (CREATE, "deleted_outside")}
    assert plan.drift[0].to_data()["change"]["actions"] == ["delete"]


def test_users_of_an_object_deleted_outside_are_pointed_to_the_new_one() -> None:
    world = World()
    world.manage(agent())
    world.manage(phone())
    world.gone("Agent/support")

    plan = world.plan(graph(agent(), phone()))

    assert paths_of(plan, "Phone/line") == {"assistantId": (uid(1), "(known after apply)")}


def test_what_no_manifest_asks_for_is_deleted_and_what_is_gone_anyway_forgotten() -> None:
    world = World()
    world.manage(agent("old"))
    world.manage(agent("gone"))
    world.gone("Agent/gone")

    plan = world.plan(graph(), safety=Safety(100, 3))

    assert changes(plan) == {"Agent/old": (DELETE, "manifest_removed"), "Agent/gone": (NO_OP, "forgotten")}
    assert change_of(plan, "Agent/gone").state_only


def test_moved_is_a_change_of_the_state_alone() -> None:
    world = World()
    id_ = world.manage(agent("old", name="Live"))

    plan = world.plan(graph(replace(agent("new", name="Live"), moved_from="Agent/old")))

    assert changes(plan) == {"Agent/new": (NO_OP, "moved")}
    change = change_of(plan, "Agent/new")
    assert (change.id, change.state_only, change.to_data()["previous_address"]) == (id_, True, "Agent/old")


def test_moved_with_a_change_is_an_update_of_the_same_object() -> None:
    world = World()
    id_ = world.manage(agent("old", name="Live", firstMessage="Hi"))

    plan = world.plan(graph(replace(agent("new", name="Live", firstMessage="Ho"), moved_from="Agent/old")))

    assert changes(plan) == {"Agent/new": (UPDATE, "manifest_changed")}
    assert (change_of(plan, "Agent/new").id, change_of(plan, "Agent/new").previous_address) == (id_, "Agent/old")


def test_moved_from_something_that_was_never_there_says_nothing() -> None:
    plan = World().plan(graph(replace(agent("new"), moved_from="Agent/old")))

    assert changes(plan) == {"Agent/new": (CREATE, "manifest_changed")}


def test_moved_onto_an_address_that_is_taken_does_not_move() -> None:
    world = World()
    world.manage(agent("old"))
    world.manage(agent("new"))

    plan = world.plan(graph(replace(agent("new"), moved_from="Agent/old")))

    assert changes(plan) == {"Agent/new": (NO_OP, "unchanged"), "Agent/old": (DELETE, "manifest_removed")}


@pytest.mark.parametrize(
    ("was", "wants", "reason"), [(False, True, "protected"), (True, False, "unprotected"), (True, True, "unchanged")]
)
def test_protection_is_a_change_of_the_state(was: bool, wants: bool, reason: str) -> None:
    world = World()
    world.manage(agent(), protected=was)

    plan = world.plan(graph(replace(agent(), prevent_destroy=wants)))

    assert changes(plan) == {"Agent/support": (NO_OP, reason)}
    assert bool(plan.active) == (reason != "unchanged")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("how", ["removed", "replaced", "moved-and-replaced"])
def test_a_protected_object_is_not_destroyed_by_force_either(how: str, force: bool) -> None:
    world = World()
    old = tool("old", type="function")
    world.manage(old, protected=True)
    desired = {
        "removed": graph(),
        "replaced": graph(resource("Tool/old", {"type": "endCall"})),
        "moved-and-replaced": graph(replace(resource("Tool/new", {"type": "endCall"}), moved_from="Tool/old")),
    }[how]

    plan = world.plan(desired, force=force)

    assert codes(plan) == ["protected"]
    assert not plan.applyable


# a Vapi number that leaves management


@pytest.mark.parametrize(
    ("release", "bound", "expected"),
    [
        (False, True, (UPDATE, "unbound")),
        (False, False, (NO_OP, "unbound")),
        (True, True, (DELETE, "manifest_removed")),
    ],
    ids=["unbound-and-stays", "stays", "given-back"],
)
def test_vapis_own_number_leaving_management(release: bool, bound: bool, expected: tuple[tuple[str, ...], str]) -> None:
    world = World()
    line = resource("Phone/v", {"provider": "vapi", "name": "v", "assistantId": uid(9) if bound else None})
    world.manage(line, release=release)

    plan = world.plan(graph(), safety=Safety(100, 3))

    assert changes(plan) == {"Phone/v": expected}
    assert change_of(plan, "Phone/v").matters
    if expected == (UPDATE, "unbound"):
        assert paths_of(plan, "Phone/v") == {"assistantId": (uid(9), None)}


@pytest.mark.parametrize(("was", "wants"), [(False, True), (True, False)])
def test_release_alone_is_a_change_of_the_state(was: bool, wants: bool) -> None:
    world = World()
    line = resource("Phone/v", {"provider": "vapi", "name": "v"}, release=was)
    world.manage(line)

    plan = world.plan(graph(replace(line, release=wants)))

    assert changes(plan) == {"Phone/v": (NO_OP, "release_changed")}
