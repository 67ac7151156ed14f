"""What a saved plan's file may hold: every key, every type, every count."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.world import World, agent, graph, phone, resource, tool, twilio_line, twilio_live
from voiceops.engine.review.saved_check import SavedPlan
from voiceops.engine.review.saved_form import checked_form


def kept(**asked: Any) -> dict[str, Any]:
    """A plan with every sort of change, as `plan --out` keeps it."""
    world = World()
    for item in (agent(firstMessage="Hi"), tool("gone"), tool("changed"), agent("edited", firstMessage="Hi")):
        world.manage(item)
    world.edit("Agent/edited", firstMessage="Ho")
    world.put("twilio_phone_number", "PN1", twilio_live())
    wanted = graph(
        agent(firstMessage="Hello"),
        resource("Tool/changed", {"type": "endCall"}),
        agent("edited", firstMessage="Hi"),
        agent("fresh", firstMessage="Hi", server={"url": "https://a.example/"}),
        phone("other"),
        *twilio_line(),
    )
    plan = world.plan(wanted, **asked)
    data = plan.to_data(version="0.1.0", timestamp="2026-01-01T00:00:00+00:00")
    return data | {"plan_id": "0" * 32, "planned_with": {"adopt": False, "rollback_to": None}}


PLAN = kept()
assert {tuple(c["change"]["actions"]) for c in PLAN["resource_changes"]} >= {("create",), ("update",), ("delete",)}


@pytest.mark.parametrize("asked", [{}, {"destroy": True}, {"adopt": True}, {"targets": ("Agent/fresh",)}])
def test_what_plan_writes_is_read(asked: dict[str, Any]) -> None:
    data = kept(**asked)

    assert set(SavedPlan.from_data(data).changes) == {
        c["address"] for c in data["resource_changes"] if c["change"]["actions"] != ["no-op"] or c.get("state_only")
    }


def first(data: dict[str, Any], actions: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in data["resource_changes"] if c["change"]["actions"] == actions)
    return found


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        here: Any = data
        for step in path[:-1]:
            here = here[step]
        here[path[-1]] = value

    return change


FORGED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no-plan": (lambda data: data.clear(), "holds no plan"),
    "another-format": (put("format_version", value="2.0"), "format_version is 2.0"),
    "no-format": (put("format_version", value=None), "format_version is missing"),
    "format-of-another-type": (put("format_version", value=1.2), "format_version"),
    "unknown-key": (put("approved", value=True), "unknown field `approved`"),
    "unknown-key-of-a-change": (put("resource_changes", 0, "force", value=True), "unknown field `force`"),
    "unknown-key-of-planned-with": (put("planned_with", "force", value=True), "unknown field `force`"),
    "missing-key": (lambda data: data.pop("org"), "missing required field `org`"),
    "destroy-as-text": (put("destroy", value="yes"), "$.destroy"),
    "destroy-as-number": (put("destroy", value=1), "$.destroy"),
    "adopt-as-text": (put("planned_with", "adopt", value="true"), "adopt"),
    "rollback-as-text": (put("planned_with", "rollback_to", value="1"), "rollback_to"),
    "rollback-to-nothing": (put("planned_with", "rollback_to", value=0), "no revision"),
    "no-project": (put("project", value=""), "names no project"),
    "no-environment": (put("environment", value=""), "or no environment"),
    "plan-id-short": (put("plan_id", value="ab"), "plan_id"),
    "plan-id-upper": (put("plan_id", value="A" * 32), "plan_id"),
    "plan-id-with-a-line": (put("plan_id", value="0" * 32 + "\n"), "plan_id"),
    "plan-id-as-number": (put("plan_id", value=7), "plan_id"),
    "changes-as-map": (put("resource_changes", value={}), "resource_changes"),
    "address": (put("resource_changes", 0, "address", value="../Agent"), "no address"),
    "address-of-no-kind": (put("resource_changes", 0, "address", value="Thing/x"), "of type"),
    "previous-address": (put("resource_changes", 0, "previous_address", value="x"), "no address"),
    "type": (put("resource_changes", 0, "type", value="vapi_phone_number"), "of type"),
    "actions": (put("resource_changes", 0, "change", "actions", value=["explode"]), "has the actions"),
    "no-actions": (put("resource_changes", 0, "change", "actions", value=[]), "has the actions"),
    "twice": (lambda data: data["resource_changes"].append(copy.deepcopy(data["resource_changes"][0])), "twice"),
    "path": (lambda data: first(data, ["update"])["change"]["paths"][0].update(path="a..[b"), "is no path"),
    "path-twice": (
        lambda data: first(data, ["update"])["change"]["paths"].append(first(data, ["update"])["change"]["paths"][0]),
        "stands in it twice",
    ),
    "line-as-text": (put("resource_changes", 0, "line", value="1"), "line"),
    "a-count": (put("summary", "delete", value=0), "its summary counts 0 to delete"),
    "a-change-left-out": (
        lambda data: data["resource_changes"].remove(first(data, ["delete"])),
        "its summary counts 1 to delete",
    ),
    "errored": (lambda data: data.update(errored=not data["errored"]), "errored"),
}


@pytest.mark.parametrize("case", FORGED)
def test_what_plan_does_not_write_is_refused_in_words(case: str) -> None:
    change, said = FORGED[case]
    data = copy.deepcopy(PLAN)
    change(data)

    with pytest.raises(ValueError, match=r"\w") as refused:
        SavedPlan.from_data(data)

    assert said in str(refused.value)
    assert len(str(refused.value)) < 400


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for step, item in inside for found in places(item, (*path, step)))]


@given(place=st.sampled_from(places(PLAN)[1:]), value=ANY)
def test_anything_anywhere_is_a_plan_or_a_sentence(place: tuple[Any, ...], value: Any) -> None:
    data = copy.deepcopy(PLAN)
    put(*place, value=value)(data)

    with suppress(ValueError):
        checked_form(data)
