"""Whole objects: created, replaced, whom a change reaches, and what is not known before apply."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.world import (
    EDITED,
    LONG_AGO,
    NOW,
    World,
    agent,
    change_of,
    changes,
    entry,
    graph,
    live,
    paths_of,
    phone,
    resource,
    shop_world,
    tool,
    uid,
)
from voiceops.engine.options import Safety
from voiceops.model.plan import Plan
from voiceops.model.values import Ref, Template

CREATE, UPDATE, DELETE, NO_OP = ("create",), ("update",), ("delete",), ("no-op",)
ASSISTANT = "vapi_assistant"


def test_a_new_object_is_created_with_every_field_but_nulls() -> None:
    plan = World().plan(graph(agent(firstMessage="Hi", voice=None)))

    assert changes(plan) == {"Agent/support": (CREATE, "manifest_changed")}
    assert paths_of(plan, "Agent/support") == {"name": (None, "support"), "firstMessage": (None, "Hi")}


# replaced


@pytest.mark.parametrize(
    ("old", "new", "actions"),
    [
        (
            resource("Tool/t", {"type": "function", "function": {"name": "f"}}),
            resource("Tool/t", {"type": "endCall"}),
            ("create", "delete"),
        ),
        (
            resource("Credential/c", {"provider": "openai", "name": "c"}),
            resource("Credential/c", {"provider": "11labs", "name": "c"}),
            ("create", "delete"),
        ),
        (phone(target=None, number="+1"), phone(target=None, number="+2"), ("delete", "create")),
        (
            phone(target=None),
            phone(target=None, provider="telnyx"),
            ("delete", "create"),
        ),
        (
            phone(target=None, provider="byo-phone-number", number="+1"),
            phone(target=None, provider="byo-phone-number", number="+2"),
            UPDATE,
        ),
        (agent(firstMessage="a"), agent(firstMessage="b"), UPDATE),
    ],
    ids=["tool-type", "credential-provider", "phone-number", "phone-provider", "own-number", "agents-never"],
)
def test_what_can_not_change_is_replaced(old: Any, new: Any, actions: tuple[str, ...]) -> None:
    world = World()
    world.manage(old)

    plan = world.plan(graph(new))

    assert change_of(plan, old.address).actions == actions
    assert plan.summary["replace"] == (len(actions) == 2)


def test_users_of_a_replaced_object_are_repointed() -> None:
    world = World()
    world.manage(tool("t"))
    world.manage(agent(model={"toolIds": [Ref("Tool/t")]}))

    plan = world.plan(graph(resource("Tool/t", {"type": "endCall"}), agent(model={"toolIds": [Ref("Tool/t")]})))

    assert changes(plan)["Tool/t"][0] == ("create", "delete")
    assert paths_of(plan, "Agent/support") == {"model.toolIds": ([uid(1)], ["(known after apply)"])}


def test_a_create_only_field_is_never_compared() -> None:
    world = World()
    line = resource("Phone/v", {"provider": "vapi", "name": "v", "numberDesiredAreaCode": "415"})
    world.manage(line, live_body={"provider": "vapi", "name": "v", "number": "+14155550199"})

    plan = world.plan(graph(resource("Phone/v", line.body | {"numberDesiredAreaCode": "212"})))

    assert changes(plan) == {"Phone/v": (NO_OP, "unchanged")}


# whom a change reaches


def test_a_change_reaches_lines_through_the_whole_reference_graph() -> None:
    parts = [
        resource("Credential/crm", {"provider": "openai", "name": "crm"}),
        tool("deep", server={"credentialId": Ref("Credential/crm")}),
        agent("inner", model={"toolIds": [Ref("Tool/deep")]}),
        tool("handoff", type="handoff", destinations=[{"assistantId": Ref("Agent/inner")}]),
        agent("front", model={"toolIds": [Ref("Tool/handoff")]}),
        resource("Squad/team", {"name": "team", "members": [{"assistantId": Ref("Agent/front")}]}),
        phone("by-squad", target=None, number="+1", squadId=Ref("Squad/team")),
        replace(phone("by-runtime", target=None, number="+2"), routes=("Agent/inner",)),
        phone("elsewhere", target="Agent/alone", number="+3"),
        agent("alone"),
    ]

    plan = World().plan(graph(*parts))

    affects = {change.address: change.affects for change in plan.changes}
    both = ("Phone/by-runtime", "Phone/by-squad")
    assert affects["Credential/crm"] == both
    assert affects["Tool/deep"] == both
    assert affects["Agent/inner"] == both
    assert affects["Tool/handoff"] == affects["Agent/front"] == affects["Squad/team"] == ("Phone/by-squad",)
    assert affects["Agent/alone"] == affects["Phone/elsewhere"] == ("Phone/elsewhere",)


def test_what_used_to_be_reached_counts_too() -> None:
    world = World()
    world.manage(agent("old"))
    world.manage(agent("new"))
    world.manage(phone(target="Agent/old"), depends=("Agent/old",))

    plan = world.plan(graph(agent("new"), phone(target="Agent/new")), safety=Safety(100, 3))

    assert change_of(plan, "Agent/old").affects == ("Phone/line",)


# what is not known before apply


def test_texts_with_ids_inside_are_resolved_as_soon_as_the_id_is_there() -> None:
    text = Template(("https://x/", Ref("Agent/a"), "/y"))
    world = World()
    new = world.plan(graph(agent("a"), tool("t", server={"url": text})))
    assert paths_of(new, "Tool/t")["server"][1] == {"url": "(known after apply)"}

    world.manage(agent("a"))
    known = world.plan(graph(agent("a"), tool("t", server={"url": text})))
    assert paths_of(known, "Tool/t")["server"][1] == {"url": f"https://x/{uid(1)}/y"}


def test_a_live_name_is_known_before_its_object_is() -> None:
    plan = World().plan(
        graph(agent("a", name="Anna"), tool("t", destinations=[{"assistantName": Ref("Agent/a", "name")}]))
    )

    assert paths_of(plan, "Tool/t")["destinations"][1] == [{"assistantName": "Anna"}]


def test_an_id_of_an_adopted_object_is_known() -> None:
    world = World()
    world.put(ASSISTANT, uid(5), live(uid(5), {"name": "support"}))

    plan = world.plan(graph(agent(), phone()), adopt=True)

    assert paths_of(plan, "Phone/line")["assistantId"] == (None, uid(5))


def test_a_plan_does_not_change_what_it_is_made_from() -> None:
    world = World()
    world.manage(agent(firstMessage="Hi", model={"toolIds": []}), recorded_at=NOW - 1)
    world.edit("Agent/support", firstMessage="Ho")
    before = (str(world.entries), str(world.objects))

    world.plan(graph(agent(firstMessage="New")))

    assert (str(world.entries), str(world.objects)) == before


def test_an_applied_world_plans_to_nothing() -> None:
    world, desired = shop_world()

    world.apply(desired)
    again = world.plan(desired)

    assert set(changes(again).values()) == {(NO_OP, "unchanged")}
    assert not again.drift


def test_an_adopted_object_that_owns_nothing_yet_shows_what_the_manifest_would_change() -> None:
    """`voiceops import` writes such an entry."""
    world = World()
    world.entries["Agent/support"] = entry("Agent/support", uid(1), {}, name="support", recorded_at=LONG_AGO)
    world.put(ASSISTANT, uid(1), live(uid(1), {"name": "support", "firstMessage": "Old", "foreign": 1}))

    plan: Plan = world.plan(graph(agent(firstMessage="New")))

    assert paths_of(plan, "Agent/support") == {"firstMessage": ("Old", "New")}
    assert change_of(plan, "Agent/support").reason == "manifest_changed"


def test_every_object_has_one_row_in_the_order_of_addresses() -> None:
    world, desired = shop_world()
    world.manage(agent("zombie"))
    world.edit("Agent/zombie", updatedAt=EDITED)

    addresses = [change.address for change in world.plan(desired).changes]

    assert addresses == sorted({*desired.resources, "Agent/zombie"})
