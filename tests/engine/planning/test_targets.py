"""Targets and labels: what they choose, and what they leave alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import (
    agent,
    changes,
    graph,
    live,
    shop_world,
    uid,
)

CREATE, UPDATE, DELETE, NO_OP = ("create",), ("update",), ("delete",), ("no-op",)
ASSISTANT = "vapi_assistant"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"targets": ("Agent/sales",)}, {"Agent/sales"}),
        ({"targets": ("Agent/support",)}, {"Agent/support", "Tool/lookup"}),
        ({"targets": ("Phone/line",)}, {"Phone/line", "Agent/support", "Tool/lookup"}),
        ({"targets": ("Agent/each",)}, {"Agent/each[x]", "Agent/each[y]"}),
        ({"targets": ("Agent/each[x]",)}, {"Agent/each[x]"}),
        ({"labels": {"team": "b"}}, {"Agent/sales"}),
        ({"labels": {"team": "a"}, "targets": ("Agent/sales",)}, {"Agent/support", "Tool/lookup", "Agent/sales"}),
    ],
    ids=["one", "with-what-it-needs", "deeper", "a-family", "an-instance", "label", "label-and-target"],
)
def test_what_a_target_selects(options: dict[str, Any], expected: set[str]) -> None:
    world, desired = shop_world()

    assert {change.address for change in world.plan(desired, **options).changes} == expected


def test_a_target_does_not_drag_along_what_is_there_already() -> None:
    world, desired = shop_world()
    world.manage(desired.resources["Tool/lookup"])

    assert set(changes(world.plan(desired, targets=("Agent/support",)))) == {"Agent/support"}


def test_what_is_wrong_elsewhere_does_not_stop_a_target() -> None:
    world, desired = shop_world()
    world.put(ASSISTANT, uid(50), live(uid(50), {"name": "sales"}))
    drifting = agent("drifting", firstMessage="Hi")
    world.manage(drifting)
    world.edit("Agent/drifting", firstMessage="Ho")
    everything = graph(*desired.resources.values(), drifting)

    assert not world.plan(everything, drift="refuse").applyable
    plan = world.plan(everything, drift="refuse", targets=("Agent/each[x]",))
    assert plan.applyable
    assert not plan.drift
