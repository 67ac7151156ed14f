"""How much a plan may delete, and plans that only delete or only look."""

from __future__ import annotations

import pytest

from tests.support.world import (
    World,
    agent,
    codes,
    graph,
    resource,
    tool,
)
from voiceops.engine.options import Safety

CREATE, UPDATE, DELETE, NO_OP = ("create",), ("update",), ("delete",), ("no-op",)
ASSISTANT = "vapi_assistant"


def _managed(count: int) -> World:
    world = World()
    for number in range(count):
        world.manage(agent(f"a{number}"))
    return world


@pytest.mark.parametrize(
    ("managed", "kept", "safety", "force", "refused"),
    [
        (20, 16, Safety(20, 3), False, False),
        (20, 15, Safety(20, 3), False, True),
        (20, 15, Safety(20, 3), True, False),
        (4, 2, Safety(20, 3), False, False),
        (4, 1, Safety(20, 3), False, True),
        (4, 0, Safety(100, 3), False, False),
        (1, 0, Safety(0, 1), False, True),
        (0, 0, Safety(0, 0), False, False),
    ],
    ids=["at-the-limit", "over", "forced", "under-the-minimum", "at-the-minimum", "100%", "one", "empty"],
)
def test_the_share_of_deletes(managed: int, kept: int, safety: Safety, force: bool, refused: bool) -> None:
    world = _managed(managed)

    plan = world.plan(graph(*(agent(f"a{n}") for n in range(kept))), safety=safety, force=force)

    assert codes(plan) == (["destroy-limit"] if refused else [])
    assert plan.refused is refused


def test_replacements_count_as_deletes() -> None:
    world = World()
    for number in range(4):
        world.manage(tool(f"t{number}"))

    plan = world.plan(graph(*(resource(f"Tool/t{n}", {"type": "endCall"}) for n in range(4))))

    assert codes(plan) == ["destroy-limit"]
    assert "4 of 4" in plan.refusals[0].summary


def test_destroying_everything_is_the_same_plan_with_an_empty_graph() -> None:
    world = _managed(3)

    plan = world.plan(graph(), destroy=True)

    assert {change.actions for change in plan.changes} == {DELETE}
    assert codes(plan) == ["destroy-limit"]
    assert plan.destroy


def test_refresh_only_shows_drift_and_changes_nothing() -> None:
    world = World()
    world.manage(agent(firstMessage="Hi"))
    world.edit("Agent/support", firstMessage="Ho")

    plan = world.plan(graph(agent(firstMessage="Hi")), refresh_only=True)

    assert plan.changes == ()
    assert [d.address for d in plan.drift] == ["Agent/support"]
