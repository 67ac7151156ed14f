"""Saved plans, history and the way back."""

from __future__ import annotations

import json

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench


@pytest.fixture
def desk(live: Bench) -> Bench:
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    live.apply("-m", "the first")
    return live


def save(made: Bench, *arguments: str) -> str:
    path = str(made.folder / "plan.json")
    made.run("plan", "--out", path, *arguments)
    return path


# saved plans


def test_a_saved_plan_applies_what_was_reviewed_once(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Good day")
    plan = save(desk)
    desk.run("apply", plan)
    assert desk.live("Agent/desk")["firstMessage"] == "Good day"
    again = desk.run("apply", plan, code=5)
    assert "applied already" in again.err


def unrelated_merge(made: Bench) -> None:
    made.write("agents/more.yaml", "kind: Tool\nname: bye\nspec: {type: endCall}\n")


def unrelated_edit(made: Bench) -> None:
    made.control.edit(made.id_of("Tool/lookup"), {"function": {"description": "Edited live"}})


def unrelated_apply(made: Bench) -> None:
    unrelated_merge(made)
    made.apply("--target", "Tool/bye")


def foreign_field(made: Bench) -> None:
    made.control.edit(made.id_of("Agent/desk"), {"endCallMessage": "Bye"})


@pytest.mark.parametrize("meanwhile", [unrelated_merge, unrelated_edit, unrelated_apply, foreign_field])
def test_what_does_not_matter_does_not_hinder_a_saved_plan(desk: Bench, meanwhile: object) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Good day")
    plan = save(desk)
    meanwhile(desk)  # type: ignore[operator]
    before = set(desk.changes())
    desk.control.reset_requests()
    desk.run("apply", plan)
    assert desk.writes() == [("PATCH", f"/assistant/{desk.id_of('Agent/desk')}")]
    assert set(desk.changes()) == before - {"Agent/desk"}


def related_merge(made: Bench) -> None:
    made.edit("agents/agent.yaml", "Good day", "Good morning")


def related_edit(made: Bench) -> None:
    made.control.edit(made.id_of("Agent/desk"), {"firstMessage": "Edited live"})


def related_apply(made: Bench) -> None:
    made.apply()


def deleted(made: Bench) -> None:
    made.control.delete(made.id_of("Agent/desk"))
    made.control.switches(clock_skew=20)


@pytest.mark.parametrize("meanwhile", [related_merge, related_edit, related_apply, deleted])
def test_a_saved_plan_that_would_come_out_otherwise_is_refused_with_the_difference(
    desk: Bench, meanwhile: object
) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Good day")
    plan = save(desk)
    meanwhile(desk)  # type: ignore[operator]
    desk.control.reset_requests()
    refused = desk.run("apply", plan, code=5)
    assert "Agent/desk" in refused.err
    assert desk.writes() == []


def test_a_plan_of_another_environment_is_refused(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Good day")
    plan = save(desk)
    desk.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live, other]\ndefaultEnvironment: live\n")
    assert "environment" in desk.run("-e", "other", "apply", plan, code=5).err


@pytest.mark.parametrize(
    ("text", "code"), [("{", 1), ("{}", 5), ('{"resource_changes": [], "format_version": "2.0"}', 5)]
)
def test_a_file_that_is_no_plan_is_named(desk: Bench, text: str, code: int) -> None:
    desk.write("plan.json", text)
    assert "plan.json" in desk.run("apply", str(desk.folder / "plan.json"), code=code).err


def test_a_saved_destroy_deletes_what_was_reviewed(desk: Bench) -> None:
    plan = save(desk, "--destroy")
    desk.run("apply", "--destroy", "--force", plan)
    assert desk.control.objects("/assistant") == []


# history and rollback

IGNORED = ("id", "createdAt", "updatedAt", "latestVersion")


def content(made: Bench) -> dict[str, object]:
    """What is live, ids and times aside."""
    ids = {e["id"]: a for a, e in made.state()["resources"].items()}

    def plain(value: object) -> object:
        if isinstance(value, dict):
            return {k: plain(v) for k, v in sorted(value.items()) if k not in IGNORED and v is not None}
        if isinstance(value, list):
            return [plain(v) for v in value]
        return ids.get(value, value) if isinstance(value, str) else value

    found = {c: [plain(o) for o in made.control.objects(f"/{c}")] for c in ("assistant", "tool", "phone-number")}
    return {c: sorted(objects, key=lambda o: json.dumps(o, sort_keys=True)) for c, objects in found.items()}


def test_history_tells_who_when_why_and_what(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "Hello", "Good day")
    desk.apply("-m", "politer")
    rows = desk.run("history", "--format", "json").data
    assert [(r["number"], r["message"], r["result"]) for r in rows] == [(1, "the first", "ok"), (2, "politer", "ok")]
    assert rows[0]["origin"]["who"]
    shown = desk.run("show", "2").out
    assert "Agent/desk" in shown
    assert "firstMessage" in shown


def test_rollback_returns_to_what_was_and_holds_the_environment(desk: Bench) -> None:
    first = content(desk)
    desk.edit("agents/agent.yaml", "Hello", "Good day")
    desk.write("agents/more.yaml", "kind: Tool\nname: bye\nspec: {type: endCall}\n")
    desk.edit("agents/agent.yaml", "[lookup]", "[lookup, bye]")
    desk.apply()
    for name in ("agent", "tool", "line", "more"):
        desk.remove(f"agents/{name}.yaml")  # it works without the files
    shown = desk.run("rollback", "--plan-only").out
    assert "Agent/desk" in shown
    desk.run("rollback", "--auto-approve", "--force", "-m", "rude")
    assert content(desk) == first
    assert desk.run("history", "--format", "json").data[-1]["operation"] == "rollback"
    # The same bad manifests again: refused, until they change, or it is said that they are meant.
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        desk.write(f"agents/{name}.yaml", text)
    desk.write("agents/more.yaml", "kind: Tool\nname: bye\nspec: {type: endCall}\n")
    desk.edit("agents/agent.yaml", "Hello", "Good day")
    desk.edit("agents/agent.yaml", "[lookup]", "[lookup, bye]")
    assert "rolled back" in desk.apply(code=5).err
    desk.apply("--release-hold")
    assert desk.live("Agent/desk")["firstMessage"] == "Good day"


def test_rollback_again_goes_one_further_back(desk: Bench) -> None:
    for message in ("Second", "Third"):
        desk.edit("agents/agent.yaml", "firstMessage: ", "firstMessage: X")
        desk.write("agents/agent.yaml", AGENT.replace("Hello", message))
        desk.apply()
    for expected in ("Second", "Hello"):
        desk.run("rollback", "--auto-approve")
        assert desk.live("Agent/desk")["firstMessage"] == expected
    assert "no older" in desk.run("rollback", "--auto-approve", code=1).err
    desk.run("rollback", "3", "--auto-approve")
    assert desk.live("Agent/desk")["firstMessage"] == "Third"


def test_what_was_deleted_comes_back_and_references_follow(desk: Bench) -> None:
    first = content(desk)
    old = desk.id_of("Tool/lookup")
    desk.edit("agents/agent.yaml", "    tools: [lookup]\n", "")
    desk.remove("agents/tool.yaml")
    desk.remove("agents/line.yaml")
    desk.apply("--force")
    desk.run("rollback", "--auto-approve")
    assert content(desk) == first
    assert desk.id_of("Tool/lookup") != old
    assert desk.live("Agent/desk")["model"]["toolIds"] == [desk.id_of("Tool/lookup")]


def test_a_failed_apply_is_no_place_to_return_to(desk: Bench) -> None:
    desk.write("agents/agent.yaml", AGENT.replace("Hello", "Broken"))
    desk.write("agents/more.yaml", "kind: Tool\nname: bye\nspec: {type: endCall}\n")
    rule = desk.control.fault("status", method="PATCH", path="/assistant/", status=400, answer={"message": "no"})
    desk.apply(code=3)
    desk.control.clear_faults(rule)
    desk.write("agents/agent.yaml", AGENT.replace("Hello", "Third"))
    desk.apply()
    desk.run("rollback", "--auto-approve", "--force")
    assert desk.live("Agent/desk")["firstMessage"] == "Hello"
