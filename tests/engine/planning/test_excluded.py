"""`--exclude`, and what a selection must not tear away from others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, agent, changes, codes, graph, phone, resource, tool
from voiceops.errors import VoiceopsError
from voiceops.model.graph import Graph, Resource
from voiceops.model.plan import Plan
from voiceops.model.values import Ref

LOOKUP, OTHER = tool("lookup"), tool("other")


def desk(*tools: str, **body: Any) -> Resource:
    return agent("desk", model={"provider": "openai", "toolIds": [Ref(f"Tool/{name}") for name in tools]}, **body)


LINE = phone("line", target="Agent/desk")


def managed(*items: Resource) -> World:
    world = World()
    for item in items:
        world.manage(item)
    return world


def active(plan: Plan) -> set[str]:
    return {change.address for change in plan.changes if change.matters}


NEW = graph(desk("lookup"), LOOKUP, OTHER, LINE)
OLD = (LOOKUP, OTHER, desk("lookup"), LINE)

CASES: dict[str, tuple[World, Graph, tuple[str, ...], set[str], set[str]]] = {
    # what is there, what is wanted, excluded, what remains, what waits
    "one": (World(), NEW, ("Tool/other",), {"Tool/lookup", "Agent/desk", "Phone/line"}, set()),
    "what-a-new-one-needs": (World(), NEW, ("Tool/lookup",), {"Tool/other"}, {"Agent/desk", "Phone/line"}),
    "in-the-middle": (World(), NEW, ("Agent/desk",), {"Tool/lookup", "Tool/other"}, {"Phone/line"}),
    "a-pattern": (World(), NEW, ("Tool/*",), set(), {"Agent/desk", "Phone/line"}),
    "several": (World(), NEW, ("Tool/other", "Phone/line"), {"Tool/lookup", "Agent/desk"}, set()),
    "a-family": (
        World(),
        graph(agent("a[x]"), agent("a[y]"), agent("b")),
        ("Agent/a",),
        {"Agent/b"},
        set(),
    ),
    "an-instance": (
        World(),
        graph(agent("a[x]"), agent("a[y]")),
        ("Agent/a[x]",),
        {"Agent/a[y]"},
        set(),
    ),
    "instances-by-pattern": (
        World(),
        graph(agent("a[x1]"), agent("a[x2]"), agent("a[y]")),
        ("Agent/a[x*]",),
        {"Agent/a[y]"},
        set(),
    ),
    "an-unchanged-one-holds-nothing-up": (
        managed(*OLD),
        graph(desk("lookup", firstMessage="Hi"), LOOKUP, OTHER, LINE),
        ("Tool/lookup",),
        {"Agent/desk"},
        set(),
    ),
    "an-update-holds-up-the-update-that-depends-on-it": (
        managed(*OLD),
        graph(
            desk("lookup", firstMessage="Hi"),
            tool("lookup", async_=True),
            OTHER,
            LINE,
        ),
        ("Tool/lookup",),
        set(),
        {"Agent/desk"},
    ),
    "a-deletion-waits-for-its-user": (
        managed(LOOKUP, OTHER, desk("lookup", "other")),
        graph(desk("other"), OTHER),
        ("Agent/desk",),
        set(),
        {"Tool/lookup"},
    ),
    "a-user-does-not-wait-for-a-deletion": (
        managed(LOOKUP, OTHER, desk("lookup", "other")),
        graph(desk("other"), OTHER),
        ("Tool/lookup",),
        {"Agent/desk"},
        set(),
    ),
    "a-replacement-waits-for-its-user": (
        managed(LOOKUP, desk("lookup")),
        graph(desk("lookup"), resource("Tool/lookup", {"type": "endCall"})),
        ("Agent/desk",),
        set(),
        {"Tool/lookup"},
    ),
    "destroy-but-one": (managed(*OLD), graph(), ("Phone/line",), {"Tool/other"}, {"Agent/desk", "Tool/lookup"}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_excluded_and_what_waits_for_it(case: str) -> None:
    world, wanted, excluded, remains, waits = CASES[case]

    plan = world.plan(wanted, excluded=excluded, force=True)

    assert active(plan) == remains
    assert {d.address for d in plan.diagnostics if d.code == "waits"} == waits
    assert not plan.refused
    assert not set(changes(plan)) & set(excluded)


def test_target_and_exclude_together() -> None:
    plan = World().plan(NEW, targets=("Phone/line",), excluded=("Tool/lookup",))

    assert active(plan) == set()
    assert {d.address for d in plan.diagnostics if d.code == "waits"} == {"Agent/desk", "Phone/line"}


@pytest.mark.parametrize("pattern", ["Tool/none", "Tool/looku", "Squad/*", "Agent/desk?"])
def test_what_is_not_there_can_t_be_excluded(pattern: str) -> None:
    with pytest.raises(VoiceopsError, match="there is no"):
        World().plan(NEW, excluded=(pattern,))


def test_what_is_wrong_with_an_excluded_object_does_not_stop_the_rest() -> None:
    world = managed(*OLD)
    world.edit("Agent/desk", firstMessage="by hand")
    wanted = graph(desk("lookup", firstMessage="Hi"), LOOKUP, tool("other", async_=True), LINE)
    world.entries["Agent/desk"].owned["firstMessage"] = "Hi"

    assert world.plan(wanted, drift="refuse").refused
    plan = world.plan(wanted, drift="refuse", excluded=("Agent/desk",))
    assert active(plan) == {"Tool/other"}
    assert not plan.refused
    assert not plan.drift


# what others still use

USED: dict[str, tuple[World, Graph, dict[str, Any], str]] = {
    "an-agent-s-tool": (managed(*OLD), graph(), {"targets": ("Tool/lookup",), "destroy": True}, "Agent/desk"),
    "a-line-s-agent": (managed(*OLD), graph(), {"targets": ("Agent/desk",), "destroy": True}, "Phone/line"),
    "by-label": (
        managed(*OLD),
        graph(),
        {"labels": {"team": "a"}, "carried": {"Tool/lookup": {"team": "a"}}, "destroy": True},
        "Agent/desk",
    ),
    "by-the-manifests-alone": (
        managed(LOOKUP, OTHER, desk("other")),
        graph(),
        {"targets": ("Tool/lookup",), "destroy": True, "uses": {"Agent/desk": ("Tool/lookup",)}},
        "Agent/desk",
    ),
    "deleted-by-its-manifest": (
        managed(LOOKUP, OTHER, desk("lookup", "other")),
        graph(desk("other"), OTHER),
        {"targets": ("Tool/lookup",)},
        "Agent/desk",
    ),
    "replaced": (
        managed(LOOKUP, desk("lookup")),
        graph(desk("lookup"), resource("Tool/lookup", {"type": "endCall"})),
        {"targets": ("Tool/lookup",)},
        "Agent/desk",
    ),
}


@pytest.mark.parametrize("case", USED)
def test_a_selection_tears_nothing_away_from_others(case: str) -> None:
    world, wanted, options, user = USED[case]

    plan = world.plan(wanted, force=True, **options)

    (found,) = [d for d in plan.diagnostics if d.code == "still-used"]
    assert user in found.summary
    assert f"--target {user}" in found.hint
    assert not plan.applyable


@pytest.mark.parametrize(
    ("targets", "refused"),
    [
        (("Tool/lookup", "Agent/desk"), True),
        (("Tool/lookup", "Agent/desk", "Phone/line"), False),
        (("Tool/other",), False),
        (("Phone/line",), False),
    ],
    ids=["but-for-the-last-user", "with-all-its-users", "used-by-nobody", "the-last-user"],
)
def test_with_all_that_use_it_an_object_may_go(targets: tuple[str, ...], refused: bool) -> None:
    plan = managed(*OLD).plan(graph(), targets=targets, destroy=True, force=True)

    assert ("still-used" in codes(plan)) is refused


def test_without_a_selection_nothing_is_said() -> None:
    assert codes(managed(*OLD).plan(graph(), destroy=True, force=True)) == []
