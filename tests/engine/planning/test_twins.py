"""A live object of the same name: noticed, named, adopted where that was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.world import (
    World,
    agent,
    change_of,
    changes,
    codes,
    graph,
    live,
    phone,
    resource,
    uid,
)

_NAMELESS = ("nameless", "nameless-and-filled", "nameless-with-more", "nameless-of-another-type")
_VAPIS_NUMBERS = ("vapi-number-by-name", "another-providers-number-by-name", "sip-in-other-letters")
CREATE, UPDATE, DELETE, NO_OP = ("create",), ("update",), ("delete",), ("no-op",)
ASSISTANT = "vapi_assistant"


@pytest.mark.parametrize(
    ("twins", "by_manifest", "by_flag", "expected", "reported"),
    [
        (0, False, False, (CREATE, "manifest_changed"), []),
        (1, False, False, (CREATE, "exists_unmanaged"), ["exists_unmanaged"]),
        (1, True, False, (UPDATE, "adopt"), []),
        (1, False, True, (UPDATE, "adopt"), []),
        (2, True, True, (CREATE, "exists_unmanaged"), ["exists_unmanaged"]),
    ],
    ids=["none", "one", "one-adopted-by-lifecycle", "one-adopted-by-flag", "two-are-never-adopted"],
)
def test_an_unmanaged_object_of_the_same_name(
    twins: int, by_manifest: bool, by_flag: bool, expected: tuple[tuple[str, ...], str], reported: list[str]
) -> None:
    world = World()
    for number in range(twins):
        world.put(ASSISTANT, uid(number), live(uid(number), {"name": "support", "firstMessage": "Old"}))
    desired = replace(agent(firstMessage="Hi"), adopt=by_manifest)

    plan = world.plan(graph(desired), adopt=by_flag)

    assert changes(plan) == {"Agent/support": expected}
    assert codes(plan) == reported
    assert plan.refused == bool(reported)


def test_the_import_command_is_there_to_be_typed() -> None:
    world = World()
    world.put(ASSISTANT, uid(1), live(uid(1), {"name": "support"}))

    (found,) = world.plan(graph(agent())).diagnostics

    assert f"voiceops import Agent/support {uid(1)}" in found.hint
    assert "--adopt" in found.hint


def test_two_candidates_are_named_both() -> None:
    world = World()
    for number in (1, 2):
        world.put(ASSISTANT, uid(number), live(uid(number), {"name": "support"}))

    (found,) = world.plan(graph(agent())).diagnostics

    assert uid(1) in found.summary
    assert uid(2) in found.summary
    assert "--adopt" not in found.hint


def test_adopting_what_is_already_as_desired_changes_the_state_alone() -> None:
    world = World()
    world.put(ASSISTANT, uid(1), live(uid(1), {"name": "support", "firstMessage": "Hi", "extra": 1}))

    plan = world.plan(graph(agent(firstMessage="Hi")), adopt=True)

    assert changes(plan) == {"Agent/support": (NO_OP, "adopt")}
    change = change_of(plan, "Agent/support")
    assert (change.state_only, change.adopts, change.id) == (True, True, uid(1))
    assert plan.summary["adopt"] == 1
    assert plan.active


@pytest.mark.parametrize(
    ("address", "body", "twin", "matches"),
    [
        ("Agent/a", {"name": "Front"}, {"name": "Front"}, True),
        ("Agent/a", {"name": "Front"}, {"name": "front"}, False),
        ("Tool/t", {"type": "function", "function": {"name": "f"}}, {"function": {"name": "f"}}, True),
        ("Tool/t", {"type": "function", "function": {"name": "f"}}, {"name": "f"}, True),
        ("Tool/t", {"type": "endCall"}, {"type": "endCall"}, True),
        ("Tool/t", {"type": "endCall"}, {"type": "endCall", "messages": [], "async": False}, True),
        ("Tool/t", {"type": "endCall"}, {"type": "endCall", "messages": [{"type": "request-start"}]}, False),
        ("Tool/t", {"type": "endCall"}, {"type": "dtmf"}, False),
        ("Phone/p", {"number": "+1415", "name": "x"}, {"number": "+1415", "name": "y"}, True),
        ("Phone/p", {"number": "+1415", "name": "x"}, {"number": "+1416", "name": "x"}, False),
        ("Phone/p", {"provider": "vapi", "name": "x"}, {"provider": "vapi", "number": "+1416", "name": "x"}, True),
        ("Phone/p", {"provider": "vapi", "name": "x"}, {"provider": "twilio", "number": "+1416", "name": "x"}, False),
        (
            "Phone/p",
            {"provider": "vapi", "sipUri": "sip:Desk@sip.vapi.ai", "name": "x"},
            {"provider": "vapi", "sipUri": "sip:desk@sip.vapi.ai", "name": "y"},
            True,
        ),
        ("Agent/a", {"name": "Front"}, {"name": "Front", "orgId": None}, False),
    ],
    ids=["name", "case", "function", "tool-name", *_NAMELESS, "number", "other-number", *_VAPIS_NUMBERS, "vapi's-own"],
)
def test_by_what_a_twin_is_recognised(address: str, body: dict[str, Any], twin: dict[str, Any], matches: bool) -> None:
    world = World()
    desired = resource(address, body)
    world.put(desired.type, uid(1), live(uid(1), twin, **({"orgId": None} if "orgId" in twin else {})))

    assert ("exists_unmanaged" in codes(world.plan(graph(desired)))) is matches


def test_two_nameless_resources_never_share_one_live_object() -> None:
    world = World()
    one, other = resource("Tool/a", {"type": "endCall"}), resource("Tool/b", {"type": "endCall"})
    world.put(one.type, uid(1), live(uid(1), {"type": "endCall"}))

    plan = world.plan(graph(one, other), adopt=True)

    assert codes(plan) == ["exists_unmanaged", "exists_unmanaged"]
    assert "Tool/b could be it, too" in plan.diagnostics[0].summary


@pytest.mark.parametrize(("count", "adopted"), [(1, True), (2, False)])
def test_a_nameless_object_is_adopted_where_exactly_one_equals_it(count: int, adopted: bool) -> None:
    world = World()
    desired = resource("Tool/a", {"type": "endCall"})
    for number in range(count):
        world.put(desired.type, uid(number), live(uid(number), {"type": "endCall"}))
    world.put(desired.type, uid(9), live(uid(9), {"type": "endCall", "messages": [{"type": "request-start"}]}))

    plan = world.plan(graph(desired), adopt=True)

    assert plan.applyable is adopted
    assert changes(plan)["Tool/a"] == ((NO_OP, "adopt") if adopted else (CREATE, "exists_unmanaged"))


def test_each_candidate_is_told_with_what_sets_it_apart_and_its_own_command() -> None:
    world = World()
    for number in (1, 2):
        world.put(ASSISTANT, uid(number), live(uid(number), {"name": "support"}))
    world.put("vapi_phone_number", uid(5), live(uid(5), {"number": "+14155550100", "assistantId": uid(2)}))

    (found,) = world.plan(graph(agent())).diagnostics

    lines = found.hint.splitlines()
    assert f"voiceops import Agent/support {uid(1)}" in lines[1]
    assert "used by nothing" in lines[1]
    assert f"voiceops import Agent/support {uid(2)}" in lines[2]
    assert "+14155550100" in lines[2]
    assert "2026-01-01" in lines[2]


def test_another_environments_object_is_no_twin_but_its_number_is() -> None:
    world = World()
    world.put(ASSISTANT, uid(1), live(uid(1), {"name": "support"}))
    world.put("vapi_phone_number", uid(2), live(uid(2), {"number": "+14155550100"}))

    plan = world.plan(graph(agent(), phone()), siblings=frozenset({uid(1), uid(2)}))

    assert changes(plan)["Agent/support"] == (CREATE, "manifest_changed")
    assert changes(plan)["Phone/line"] == (CREATE, "exists_unmanaged")


def test_a_managed_object_of_the_same_name_is_no_twin() -> None:
    world = World()
    world.manage(agent("one", name="same"))

    plan = world.plan(graph(agent("one", name="same"), agent("two", name="same")))

    assert changes(plan) == {"Agent/one": (NO_OP, "unchanged"), "Agent/two": (CREATE, "manifest_changed")}


def test_an_object_that_was_replaced_and_is_not_deleted_yet_is_no_twin() -> None:
    world = World()
    world.manage(agent(), deposed=(uid(50),))
    world.put(ASSISTANT, uid(50), live(uid(50), {"name": "support"}))

    plan = world.plan(graph(agent()))

    assert changes(plan) == {
        "Agent/support": (NO_OP, "unchanged"),
        f"Agent/support/deposed/{uid(50)}": (DELETE, "replaced"),
    }


def test_a_leftover_that_is_gone_is_forgotten() -> None:
    world = World()
    world.manage(agent(), deposed=(uid(50),))

    assert changes(world.plan(graph(agent())))[f"Agent/support/deposed/{uid(50)}"] == (NO_OP, "forgotten")
