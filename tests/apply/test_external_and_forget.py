"""Objects that somebody else manages are named and never written; objects that are let go stay live."""

from __future__ import annotations

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench

DESK = "Agent/desk"
SQUAD = """kind: Squad
name: team
spec:
  members:
    - {assistant: desk, assistantDestinations: [{type: assistant, assistantName: theirs}]}
    - {assistant: theirs}
"""


@pytest.fixture
def desk(live: Bench) -> Bench:
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    return live


def test_an_external_agent_stands_where_an_id_or_a_live_name_is_wanted(desk: Bench) -> None:
    theirs = desk.control.create("/assistant", {"name": "Their Desk"})
    desk.write("agents/theirs.yaml", "kind: Agent\nname: theirs\nexternal: {name: Their Desk}\n")
    desk.write("agents/team.yaml", SQUAD)

    desk.apply()

    members = desk.live("Squad/team")["members"]
    assert members[1]["assistantId"] == theirs["id"]
    assert members[0]["assistantDestinations"][0]["assistantName"] == "Their Desk"
    assert desk.changes() == {}
    assert "Agent/theirs" not in desk.state()["resources"]
    touched = [path for method, path in desk.writes() if theirs["id"] in path]
    assert touched == []


@pytest.mark.parametrize("by", ["id", "number"])
def test_by_what_an_external_object_is_known(desk: Bench, by: str) -> None:
    desk.apply()
    theirs = desk.control.create("/phone-number", {"provider": "vapi", "number": "+14155550177"})
    value = theirs["id"] if by == "id" else '"+14155550177"'
    desk.write("agents/theirs.yaml", f"kind: Phone\nname: theirs\nexternal: {{{by}: {value}}}\n")
    desk.edit("agents/agent.yaml", "firstMessage: Hello", "firstMessage: Line ${ref:Phone/theirs.id}")

    desk.apply()

    assert desk.live(DESK)["firstMessage"] == f"Line {theirs['id']}"
    assert desk.changes() == {}


@pytest.mark.parametrize(("count", "code"), [(0, "external-missing"), (2, "external-ambiguous")])
def test_none_or_several_is_an_error_of_the_plan_that_lists_them(desk: Bench, count: int, code: str) -> None:
    made = [desk.control.create("/assistant", {"name": "Their Desk"})["id"] for _ in range(count)]
    desk.write("agents/theirs.yaml", "kind: Agent\nname: theirs\nexternal: {name: Their Desk}\n")
    desk.edit("agents/line.yaml", "agent: desk", "agent: theirs")

    ran = desk.run("plan", "--format", "json", code=5)

    assert [d["code"] for d in ran.data["diagnostics"]] == [code]
    assert all(id_ in ran.out for id_ in made)
    assert not ran.data["applyable"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: Agent\nname: x\nexternal: {name: a}\nspec: {}\n", "spec can't stand beside external"),
        ("kind: Agent\nname: x\nexternal: {name: a}\nlifecycle: {adopt: true}\n", "lifecycle can't stand beside"),
        ("kind: Agent\nname: x\nexternal: {}\n", "external takes one of name, id"),
        ("kind: Agent\nname: x\nexternal: {name: a, id: b}\n", "external takes one of name, id"),
        ("kind: Agent\nname: x\nexternal: {number: '+1'}\n", "external takes one of name, id"),
        ("kind: Agent\nname: x\nexternal: yes\n", "must be a map"),
        ("kind: Voice\nname: x\nexternal: {name: a}\n", "has no live object"),
    ],
)
def test_what_external_takes(desk: Bench, text: str, told: str) -> None:
    desk.write("agents/x.yaml", text)
    ran = desk.run("validate", code=1)
    assert told in ran.out + ran.err
    assert "agents/x.yaml:" in ran.out + ran.err


def test_what_is_let_go_leaves_the_state_and_stays_live(desk: Bench) -> None:
    desk.apply()
    desk.control.reset_requests()
    line, number = desk.id_of("Phone/line"), desk.live("Phone/line")["number"]
    desk.write("agents/line.yaml", "kind: Phone\nname: line\nlifecycle: {forget: true}\n")

    plan = desk.plan()
    told = {c["address"]: (c["change"]["actions"], c["action_reason"]) for c in plan["resource_changes"]}
    assert told["Phone/line"] == (["no-op"], "forgotten")
    assert told["Phone/line/twilio"] == (["no-op"], "forgotten")
    assert "stays live" in desk.run("plan").out
    assert desk.run("plan", "--detailed-exitcode", code=None).code == 2

    desk.apply()

    assert desk.writes() == []
    assert desk.control.object(line)["number"] == number
    assert not [a for a in desk.state()["resources"] if a.startswith("Phone/line")]
    assert desk.changes() == {}
    desk.remove("agents/line.yaml")
    assert desk.changes() == {}


def test_a_manifest_that_becomes_external_lets_its_object_go(desk: Bench) -> None:
    desk.apply()
    id_ = desk.id_of(DESK)
    desk.control.reset_requests()
    desk.write("agents/agent.yaml", "kind: Agent\nname: desk\nexternal: {name: desk}\n")

    assert desk.changes() == {DESK: ["no-op"]}
    desk.apply()

    assert desk.writes() == []
    assert desk.control.object(id_)["name"] == "desk"
    assert desk.changes() == {}


def test_what_is_let_go_and_still_named_is_an_error(desk: Bench) -> None:
    desk.apply()
    desk.write("agents/agent.yaml", "kind: Agent\nname: desk\nlifecycle: {forget: true}\n")
    assert "let go here" in desk.run("validate", code=1).out


def test_a_rollback_knows_external_objects(desk: Bench) -> None:
    theirs = desk.control.create("/assistant", {"name": "Their Desk"})
    desk.write("agents/theirs.yaml", "kind: Agent\nname: theirs\nexternal: {name: Their Desk}\n")
    desk.edit("agents/line.yaml", "agent: desk", "agent: theirs")
    desk.apply()
    desk.edit("agents/line.yaml", "agent: theirs", "agent: desk")
    desk.apply()

    desk.run("rollback", "--auto-approve")

    assert desk.live("Phone/line")["assistantId"] == theirs["id"]


def test_the_status_of_a_line_that_an_external_agent_answers(desk: Bench) -> None:
    desk.control.create("/assistant", {"name": "Their Desk"})
    desk.write("agents/theirs.yaml", "kind: Agent\nname: theirs\nexternal: {name: Their Desk}\n")
    desk.edit("agents/line.yaml", "agent: desk", "agent: theirs")
    desk.apply()
    assert desk.run("status", code=None).code == 0
    assert desk.run("graph", code=None).code == 0
