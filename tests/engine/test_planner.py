"""Whole objects: created, adopted, moved, protected, replaced, deleted; secrets, targets and safety."""

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
    codes,
    entry,
    graph,
    live,
    paths_of,
    phone,
    resource,
    tool,
    uid,
)
from voiceops.engine.guards import Safety
from voiceops.model.plan import Plan
from voiceops.model.values import Fingerprint, Ref, Secret, Template, secret

CREATE, UPDATE, DELETE, NO_OP = ("create",), ("update",), ("delete",), ("no-op",)
ASSISTANT = "vapi_assistant"


def test_a_new_object_is_created_with_every_field_but_nulls() -> None:
    plan = World().plan(graph(agent(firstMessage="Hi", voice=None)))

    assert changes(plan) == {"Agent/support": (CREATE, "manifest_changed")}
    assert paths_of(plan, "Agent/support") == {"name": (None, "support"), "firstMessage": (None, "Hi")}


# a live object of the same name


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
    assert plan.applyable is not reported or not plan.applyable
    assert plan.applyable == (not reported)


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
        ("Tool/t", {"type": "endCall"}, {"type": "endCall"}, False),
        ("Phone/p", {"number": "+1415", "name": "x"}, {"number": "+1415", "name": "y"}, True),
        ("Phone/p", {"number": "+1415", "name": "x"}, {"number": "+1416", "name": "x"}, False),
        ("Agent/a", {"name": "Front"}, {"name": "Front", "orgId": None}, False),
    ],
    ids=["name", "case", "function", "tool-name", "nameless", "number", "other-number", "vapi's-own"],
)
def test_by_what_a_twin_is_recognised(address: str, body: dict[str, Any], twin: dict[str, Any], matches: bool) -> None:
    world = World()
    desired = resource(address, body)
    world.put(desired.type, uid(1), live(uid(1), twin, **({"orgId": None} if "orgId" in twin else {})))

    assert ("exists_unmanaged" in codes(world.plan(graph(desired)))) is matches


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
        (agent(firstMessage="a"), agent(firstMessage="b"), UPDATE),
    ],
    ids=["tool-type", "credential-provider", "phone-number", "phone-provider", "agents-never"],
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


# secrets


KEY = secret("API_KEY")
CREDENTIAL = resource("Credential/c", {"provider": "openai", "name": "c", "apiKey": KEY})


@pytest.mark.parametrize(
    ("applied", "at_hand", "expected", "shown"),
    [
        ("d1", "d1", (NO_OP, "unchanged"), None),
        ("d1", "d2", (UPDATE, "manifest_changed"), "(sensitive)"),
        ("d1", "", (NO_OP, "unchanged"), None),
        ("", "d1", (NO_OP, "unchanged"), None),
    ],
    ids=["unchanged", "changed", "not-at-hand", "was-not-at-hand"],
)
def test_a_secret_is_compared_by_its_fingerprint(
    applied: str, at_hand: str, expected: tuple[tuple[str, ...], str], shown: str | None
) -> None:
    world = World()
    world.manage(CREDENTIAL, owned={"provider": "openai", "name": "c", "apiKey": Fingerprint(("API_KEY",), applied)})

    plan = world.plan(graph(CREDENTIAL), fingerprints={KEY: Fingerprint(("API_KEY",), at_hand)} if at_hand else {})

    assert changes(plan) == {"Credential/c": expected}
    if shown:
        assert paths_of(plan, "Credential/c") == {"apiKey": (None, shown)}


def test_another_name_of_a_secret_that_is_not_at_hand_is_a_change() -> None:
    world = World()
    world.manage(CREDENTIAL, owned={"provider": "openai", "name": "c", "apiKey": Fingerprint(("OLD",), "d1")})

    plan = world.plan(graph(CREDENTIAL))

    assert paths_of(plan, "Credential/c") == {"apiKey": (None, "(sensitive, not checked)")}


def test_a_secret_that_the_api_echoes_is_neither_compared_nor_shown() -> None:
    world = World()
    world.manage(CREDENTIAL, owned={"provider": "openai", "name": "c", "apiKey": Fingerprint(("API_KEY",), "d1")})
    world.of("Credential/c")["apiKey"] = "sk-echoed"

    same = world.plan(graph(CREDENTIAL), fingerprints={KEY: Fingerprint(("API_KEY",), "d1")})
    other = world.plan(graph(CREDENTIAL), fingerprints={KEY: Fingerprint(("API_KEY",), "d2")})

    assert changes(same) == {"Credential/c": (NO_OP, "unchanged")}
    assert paths_of(other, "Credential/c") == {"apiKey": ("(sensitive)", "(sensitive)")}
    assert "sk-echoed" not in str(other.to_data(version="", timestamp=""))


def test_a_map_that_is_never_shown_because_it_holds_a_secret() -> None:
    """stored: ABSENT on the map, since the API answers without it; what was applied stands for what is live."""
    from voiceops.model.values import ABSENT

    def body(key: Any, kind: str = "hmac") -> dict[str, Any]:
        return {"provider": "custom-credential", "name": "c", "authenticationPlan": {"type": kind, "secretKey": key}}

    world = World()
    world.manage(
        resource("Credential/c", body(KEY)),
        owned=body(Fingerprint(("API_KEY",), "d1")),
        live_body={"provider": "custom-credential", "name": "c"},
        stored={("authenticationPlan",): ABSENT},
    )
    known = {KEY: Fingerprint(("API_KEY",), "d1")}

    assert changes(world.plan(graph(resource("Credential/c", body(KEY))), fingerprints=known)) == {
        "Credential/c": (NO_OP, "unchanged")
    }
    changed = world.plan(graph(resource("Credential/c", body(KEY, "bearer"))), fingerprints=known)
    assert paths_of(changed, "Credential/c") == {"authenticationPlan.type": ("hmac", "bearer")}


@pytest.mark.parametrize(
    "change",
    [
        {"tools": [{"name": "a", "server": {"headers": {"Authorization": Secret(("T",), ("Bearer ", ""))}}}]},
        {"tools": []},
        {},
        {"credentials": [{"provider": "openai", "apiKey": KEY}]},
        {"credentials": []},
    ],
    ids=["shorter-list", "emptied-list", "removed", "credentials-shorter", "credentials-emptied"],
)
def test_no_secret_of_a_live_list_shows_when_the_list_changes(change: dict[str, Any]) -> None:
    headers = {"headers": {"Authorization": "Bearer sk-live", "X-Trace": "on"}}
    items = [{"name": "a", "server": headers}, {"name": "b", "server": headers}]
    secrets = [{"provider": "openai", "apiKey": "sk-live"}, {"provider": "11labs", "apiKey": "sk-live"}]
    hidden = Fingerprint(("T",), "d")
    owned = {
        "name": "support",
        "model": {
            "provider": "openai",
            "model": "m",
            "tools": [{"type": "function", **i, "server": {"headers": {"Authorization": hidden}}} for i in items],
        },
        "credentials": [{**item, "apiKey": hidden} for item in secrets],
    }
    world = World()
    world.manage(
        agent(),
        owned=owned,
        live_body={
            "name": "support",
            "model": {"provider": "openai", "model": "m", "tools": [{"type": "function", **i} for i in items]},
            "credentials": secrets,
        },
    )
    wanted = {
        "model": {
            "provider": "openai",
            "model": "m",
            **({"tools": [{"type": "function", **i} for i in change["tools"]]} if "tools" in change else {}),
        },
        **({"credentials": change["credentials"]} if "credentials" in change else {}),
    }

    plan = world.plan(graph(agent(**wanted)))

    assert plan.active
    assert "sk-live" not in str(plan.to_data(version="", timestamp=""))


def test_a_live_list_that_drifted_shows_no_secret() -> None:
    world = World()
    world.manage(
        agent(),
        owned={"name": "support", "credentials": [{"provider": "openai", "apiKey": Fingerprint(("K",), "d")}]},
        live_body={
            "name": "support",
            "credentials": [
                {"provider": "openai", "apiKey": "sk-live"},
                {"provider": "11labs", "apiKey": "sk-live"},
            ],
        },
    )

    plan = world.plan(graph(agent(credentials=[{"provider": "openai", "apiKey": secret("K")}])))

    assert plan.drift
    assert "sk-live" not in str(plan.to_data(version="", timestamp=""))


# targets and labels


def _project() -> tuple[World, Any]:
    world = World()
    return world, graph(
        tool("lookup"),
        replace(agent("support", model={"toolIds": [Ref("Tool/lookup")]}), labels={"team": "a"}),
        replace(agent("sales"), labels={"team": "b"}),
        phone(),
        agent("each[x]"),
        agent("each[y]"),
    )


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
        ({"labels": {"team": "none"}}, set()),
    ],
    ids=["one", "with-what-it-needs", "deeper", "a-family", "an-instance", "label", "label-and-target", "nobody"],
)
def test_what_a_target_selects(options: dict[str, Any], expected: set[str]) -> None:
    world, desired = _project()

    assert {change.address for change in world.plan(desired, **options).changes} == expected


def test_a_target_does_not_drag_along_what_is_there_already() -> None:
    world, desired = _project()
    world.manage(desired.resources["Tool/lookup"])

    assert set(changes(world.plan(desired, targets=("Agent/support",)))) == {"Agent/support"}


def test_what_is_wrong_elsewhere_does_not_stop_a_target() -> None:
    world, desired = _project()
    world.put(ASSISTANT, uid(50), live(uid(50), {"name": "sales"}))
    drifting = agent("drifting", firstMessage="Hi")
    world.manage(drifting)
    world.edit("Agent/drifting", firstMessage="Ho")
    everything = graph(*desired.resources.values(), drifting)

    assert not world.plan(everything, drift="refuse").applyable
    plan = world.plan(everything, drift="refuse", targets=("Agent/each[x]",))
    assert plan.applyable
    assert not plan.drift


# safety


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
    assert plan.applyable is not refused


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
    world, desired = _project()

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
    world, desired = _project()
    world.manage(agent("zombie"))
    world.edit("Agent/zombie", updatedAt=EDITED)

    addresses = [change.address for change in world.plan(desired).changes]

    assert addresses == sorted({*desired.resources, "Agent/zombie"})
