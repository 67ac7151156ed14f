"""A line that our runtime answers, and that another agent gets: nothing live changes, and everything is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.world import World, agent, change_of, changes, graph, phone
from voiceops.engine.review.review_flags import LINE, review_flags
from voiceops.engine.review.saved_check import _difference
from voiceops.model.graph import Resource
from voiceops.model.values import Ref


def by_runtime(target: str, **fields: Any) -> Resource:
    return replace(phone(target=None), routes=(target,), **fields)


@pytest.fixture
def world() -> World:
    world = World()
    for name in ("old", "new"):
        world.manage(agent(name))
    world.manage(by_runtime("Agent/old"))
    return world


def test_another_agent_is_seen_first_and_settles(world: World) -> None:
    desired = graph(agent("old"), agent("new"), by_runtime("Agent/new"))
    plan = world.plan(desired)

    change = change_of(plan, "Phone/line")
    assert (change.actions, change.reason, change.state_only, change.fields) == (("no-op",), "rerouted", True, ())
    flag = next(iter(review_flags(plan)))
    assert (flag.kind, flag.address, flag.before, flag.after) == (LINE, "Phone/line", "Agent/old", "Agent/new")
    assert change.to_data()["answers"] == {"before": "Agent/old", "after": "Agent/new"}

    world.apply(desired)
    assert not world.plan(desired).active


def test_the_same_agent_is_no_news(world: World) -> None:
    assert not world.plan(graph(agent("old"), agent("new"), by_runtime("Agent/old"))).active


def test_an_agent_of_another_address_is_the_same(world: World) -> None:
    renamed = replace(agent("old"), address="Agent/renamed", moved_from="Agent/old")
    plan = world.plan(graph(renamed, agent("new"), by_runtime("Agent/renamed")))
    assert not review_flags(plan)
    assert changes(plan)["Phone/line"] == (("no-op",), "unchanged")

    world.entries["Agent/renamed"] = replace(world.entries.pop("Agent/old"), address="Agent/renamed")
    later = world.plan(graph(renamed, agent("new"), by_runtime("Agent/renamed")))
    assert not review_flags(later), "what an older voiceops left behind in the state is no news, either"


def test_a_line_that_vapi_answered_is_told_by_its_own_field() -> None:
    world = World()
    for name in ("old", "new"):
        world.manage(agent(name))
    world.manage(phone(target="Agent/old"))
    plan = world.plan(graph(agent("old"), agent("new"), by_runtime("Agent/new")))
    assert change_of(plan, "Phone/line").answers is None
    assert [flag.path for flag in review_flags(plan)] == ["assistantId"]


def test_an_agent_in_a_hook_is_not_who_answers(world: World) -> None:
    hooked = by_runtime("Agent/new")
    hooked = replace(hooked, body=hooked.body | {"hooks": [{"do": [{"assistantId": Ref("Agent/old")}]}]})
    plan = world.plan(graph(agent("old"), agent("new"), hooked))
    assert change_of(plan, "Phone/line").answers is None


def test_a_saved_plan_holds_for_the_agent_that_was_reviewed(world: World) -> None:
    world.manage(agent("third"))
    agents = [agent(name) for name in ("old", "new", "third")]
    reviewed = change_of(world.plan(graph(*agents, by_runtime("Agent/new"))), "Phone/line")
    now = change_of(world.plan(graph(*agents, by_runtime("Agent/third"))), "Phone/line")
    assert _difference("Phone/line", reviewed.to_data(), reviewed) is None
    found = _difference("Phone/line", reviewed.to_data(), now)
    assert found is not None
    assert "another would answer" in found.summary
