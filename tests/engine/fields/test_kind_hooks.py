"""What few kinds have, in plans: fields never shown, fields for good, second steps, values that the server gives."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, agent, change_of, changes, graph, in_order, resource, uid
from voiceops.engine.options import Safety
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Resource
from voiceops.model.values import Ref

FREE = Safety(100, 99)
UNCHANGED = (("no-op",), "unchanged")
REPLACED = (("create", "delete"), "manifest_changed")


def menu(**body: Any) -> Resource:
    given = {"name": "menu.md", "originalName": "menu.md", "sha256": "aa", "bytes": 5, **body}
    return resource("File/menu", {key: value for key, value in given.items() if value is not None})


def names(provider: str = "11labs", **body: Any) -> Resource:
    content = {"rules": [{"type": "alias", "stringToReplace": "a", "alias": "b"}]} if provider == "11labs" else {}
    return resource("Dictionary/names", {"provider": provider, "name": "names", **content, **body})


def voiced() -> Resource:
    locator = {
        "pronunciationDictionaryId": Ref("Dictionary/names", "resourceId"),
        "versionId": Ref("Dictionary/names", "versionId"),
    }
    return agent(voice={"provider": "11labs", "voiceId": "a", "pronunciationDictionaryLocators": [locator]})


def sent(resource_id: str = "r1", version: str = "v1") -> dict[str, Any]:
    locator = {"pronunciationDictionaryId": resource_id, "versionId": version}
    return {
        "name": "support",
        "voice": {"provider": "11labs", "voiceId": "a", "pronunciationDictionaryLocators": [locator]},
    }


@pytest.fixture
def world() -> World:
    """A file and a dictionary that a voice uses, applied long ago and live as they were."""
    made = World()
    file = menu().body
    made.manage(menu(), live_body={key: value for key, value in file.items() if key != "sha256"})
    made.manage(
        names(),
        live_body={**names().body, "resourceId": "r1", "versionId": "v1"},
        attributes={"resourceId": "r1", "versionId": "v1"},
    )
    made.manage(voiced(), owned=sent(), live_body=sent())
    return made


def plan_of(world: World, *resources: Resource, **options: Any) -> dict[str, tuple[tuple[str, ...], str]]:
    return changes(world.plan(graph(*resources), safety=FREE, **options))


def test_what_the_api_never_shows_is_as_it_was_applied(world: World) -> None:
    assert set(plan_of(world, menu(), names(), voiced()).values()) == {UNCHANGED}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"sha256": "bb"}, REPLACED),
        ({"bytes": 6}, REPLACED),
        ({"purpose": "assistant"}, REPLACED),
        ({"metadata": {"a": 1}}, REPLACED),
        ({"name": "Menu"}, (("update",), "manifest_changed")),
        ({"originalName": "card.md"}, UNCHANGED),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_an_update_can_not_bring_about_is_a_replacement(
    world: World, body: dict[str, Any], expected: tuple[tuple[str, ...], str]
) -> None:
    assert plan_of(world, menu(**body), names(), voiced())["File/menu"] == expected


def test_which_fields_are_for_good_depends_on_the_provider(world: World) -> None:
    assert plan_of(world, menu(), names(name="other"), voiced())["Dictionary/names"] == REPLACED
    other = World()
    other.manage(names("cartesia", items=[]))
    assert plan_of(other, names("cartesia", name="other", items=[]))["Dictionary/names"][0] == ("update",)


def test_a_field_that_the_server_keeps_otherwise_is_no_reason_to_replace() -> None:
    world = World()
    owned = menu().body
    live_body = {key: value for key, value in owned.items() if key != "sha256"} | {"bytes": 7}
    world.manage(menu(), live_body=live_body, stored={("bytes",): 7})
    assert plan_of(world, menu())["File/menu"] == UNCHANGED


def test_what_others_refer_to_is_unknown_while_it_is_about_to_change(world: World) -> None:
    changed = names(rules=[{"type": "alias", "stringToReplace": "a", "alias": "c"}])
    plan = world.plan(graph(menu(), changed, voiced()), safety=FREE)
    assert changes(plan)["Agent/support"] == (("update",), "manifest_changed")
    [field] = change_of(plan, "Agent/support").fields
    assert field.path == ("voice", "pronunciationDictionaryLocators", 0, "versionId")
    assert field.after == Ref("Dictionary/names", "versionId")
    operations = world.schedule(graph(menu(), changed, voiced()), plan)
    assert "Dictionary/names#update" in operations["Agent/support#update"].needs


def test_a_version_that_moved_elsewhere_is_followed(world: World) -> None:
    world.edit("Dictionary/names", versionId="v2")
    [field] = change_of(world.plan(graph(menu(), names(), voiced()), safety=FREE), "Agent/support").fields
    assert (field.before, field.after) == ("v1", "v2")


def test_a_new_object_s_values_are_remembered_while_the_lists_lag(world: World) -> None:
    entry = world.entries["Dictionary/names"]
    world.manage(names(), entry.id, attributes=entry.attributes, recorded_at=world.date)
    del world.objects[entry.type][entry.id]
    assert plan_of(world, menu(), names(), voiced())["Agent/support"] == UNCHANGED


def test_a_second_step_says_what_a_create_can_not() -> None:
    base = resource("KnowledgeBase/house", {"name": "house", "files": [Ref("File/menu")]})
    renamed = menu(name="Menu")
    desired = graph(base, renamed)
    world = World()
    operations = world.schedule(desired, world.plan(desired, safety=FREE))
    assert [o.key for o in in_order(operations)] == [
        "File/menu#create",
        "File/menu#link",
        "KnowledgeBase/house#create",
        "KnowledgeBase/house#link",
    ]
    assert operations["KnowledgeBase/house#create"].leaving_out == (("files",),)
    assert operations["File/menu#create"].leaving_out == (("name",),)


def test_without_anything_to_add_there_is_no_second_step() -> None:
    desired = graph(resource("KnowledgeBase/house", {"name": "house", "files": []}), menu())
    world = World()
    assert set(world.schedule(desired, world.plan(desired, safety=FREE))) == {
        "KnowledgeBase/house#create",
        "File/menu#create",
    }


@pytest.mark.parametrize(
    ("live_body", "adopted"),
    [({"name": "menu.md", "bytes": 5}, True), ({"name": "menu.md", "bytes": 6}, False)],
    ids=["same size", "another size"],
)
def test_an_object_is_adopted_only_if_it_can_become_what_is_asked_for(live_body: dict[str, Any], adopted: bool) -> None:
    world = World()
    world.put("vapi_file", uid(7), {"id": uid(7), "orgId": "org-1", **live_body})
    plan = world.plan(graph(menu()), adopt=True)
    assert changes(plan)["File/menu"][1] == ("adopt" if adopted else "exists_unmanaged")


def test_every_collection_of_a_kind_has_an_address_of_its_own() -> None:
    kind = KINDS["Dictionary"]
    assert [place.path for place in kind.collections()] == [
        "/provider/11labs/pronunciation-dictionary",
        "/provider/cartesia/pronunciation-dictionary",
    ]
    assert kind.at({"provider": "cartesia"}).path == "/provider/cartesia/pronunciation-dictionary"
    assert [place.path for place in KINDS["Agent"].collections()] == ["/assistant"]


@pytest.mark.parametrize(
    "answer",
    [
        {"resourceId": "r", "resource": {"id": "r", "version_id": "v", "name": "n", "rules": [], "created_by": "x"}},
        {"resourceId": "r", "resource": {"id": "r", "latest_version_id": "v", "name": "n", "rules": []}},
        {"resource": {"id": "r", "versionId": "v", "name": "n", "rules": []}},
        {"resourceId": "r", "versionId": "v", "resource": {"name": "n", "rules": []}},
    ],
)
def test_a_dictionary_is_read_whatever_its_provider_calls_the_version(answer: dict[str, Any]) -> None:
    found = KINDS["Dictionary"].read({"id": "1", "provider": "11labs", **answer})
    assert {key: found[key] for key in ("id", "name", "rules", "resourceId", "versionId")} == {
        "id": "1",
        "name": "n",
        "rules": [],
        "resourceId": "r",
        "versionId": "v",
    }
    assert "resource" not in found
