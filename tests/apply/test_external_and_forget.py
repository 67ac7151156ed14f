"""Objects that somebody else manages are named and never written; objects that are let go stay live."""

from __future__ import annotations

from typing import Any

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


# objects of others, wherever a name may stand

THEIRS: dict[str, tuple[str, dict[str, Any]]] = {
    "Tool": ("/tool", {"type": "function", "function": {"name": "Theirs"}}),
    "Credential": ("/credential", {"provider": "custom-credential", "name": "Theirs"}),
    "StructuredOutput": ("/structured-output", {"name": "Theirs", "schema": {"type": "object"}}),
    "Scorecard": ("/observability/scorecard", {"name": "Theirs", "metrics": []}),
    "Dictionary": (
        "/provider/11labs/pronunciation-dictionary",
        {"name": "Theirs", "provider": "11labs", "resourceId": "their-own", "versionId": "v7", "rules": []},
    ),
}
USER = """\
kind: Agent
name: user
spec:
  model: {provider: openai, model: gpt-4.1-mini, tools: [theirs]}
  voice:
    provider: 11labs
    voiceId: sarah
    pronunciationDictionaryLocators: [{pronunciationDictionaryId: theirs}]
  server: {url: https://x.example/hook, credentialId: theirs}
  artifactPlan: {structuredOutputIds: [theirs], scorecardIds: [theirs]}
  hooks: [{on: call.ending, do: [{type: tool, toolId: theirs}]}]
---
kind: Squad
name: users
spec:
  members:
    - agent: user
      assistantOverrides: {"tools:append": [{type: mcp, server: {url: https://x.example, credentialId: theirs}}]}
  membersOverrides: {model: {provider: openai, model: gpt-4.1-mini, toolIds: [theirs]}}
"""


def test_in_parts_hooks_and_overrides(live: Bench) -> None:
    ids = {kind: live.control.create(*made) for kind, made in THEIRS.items()}
    for kind in THEIRS:
        live.write(f"agents/{kind}.yaml", f"kind: {kind}\nname: theirs\nexternal: {{name: Theirs}}\n")
    live.write("agents/user.yaml", USER)
    live.apply()

    agent, squad = live.live("Agent/user"), live.live("Squad/users")
    tool, credential = ids["Tool"]["id"], ids["Credential"]["id"]
    assert agent["model"]["toolIds"] == [tool]
    assert agent["hooks"][0]["do"][0]["toolId"] == tool
    assert agent["server"]["credentialId"] == credential
    assert agent["artifactPlan"]["structuredOutputIds"] == [ids["StructuredOutput"]["id"]]
    assert agent["artifactPlan"]["scorecardIds"] == [ids["Scorecard"]["id"]]
    locator = {"pronunciationDictionaryId": "their-own", "versionId": "v7"}
    assert agent["voice"]["pronunciationDictionaryLocators"] == [locator]
    assert squad["membersOverrides"]["model"]["toolIds"] == [tool]
    appended = squad["members"][0]["assistantOverrides"]["tools:append"][0]
    assert appended["server"]["credentialId"] == credential
    assert live.changes() == {}
    assert not [a for a in live.state()["resources"] if a.endswith("/theirs")]


def _theirs_in_use(bench: Bench) -> str:
    """A line of ours that an external squad answers, which reaches our agent through an agent of theirs."""
    bench.apply()
    body = {
        "name": "Theirs",
        "model": {"provider": "openai", "model": "gpt-4.1-mini", "toolIds": [bench.id_of("Tool/lookup")]},
    }
    between = bench.control.create("/assistant", body)
    squad = bench.control.create("/squad", {"name": "Their Squad", "members": [{"assistantId": between["id"]}]})
    bench.write("agents/theirs.yaml", "kind: Squad\nname: theirs\nexternal: {name: Their Squad}\n")
    bench.write("agents/second.yaml", AGENT.replace("name: desk", "name: second"))
    bench.edit("agents/line.yaml", "agent: desk", "squad: theirs")
    bench.apply()
    return str(squad["id"])


def test_a_line_reaches_through_an_external_object(desk: Bench) -> None:
    _theirs_in_use(desk)
    desk.edit("agents/tool.yaml", "Finds an order.", "Finds any order.")
    desk.edit("agents/second.yaml", "Hello", "Hi")

    affects = {c["address"]: c["affects"] for c in desk.plan()["resource_changes"]}

    assert affects["Tool/lookup"] == ["Phone/line"]
    assert affects["Agent/second"] == []


def test_an_external_line_reaches_an_agent_of_ours(desk: Bench) -> None:
    desk.apply()
    body = {"provider": "vapi", "number": "+14155550177", "assistantId": desk.id_of(DESK)}
    desk.control.create("/phone-number", body)
    desk.write("agents/theirs.yaml", 'kind: Phone\nname: theirs\nexternal: {number: "+14155550177"}\n')
    desk.edit("agents/agent.yaml", "Hello", "Hi")

    plan = desk.plan()

    assert next(c for c in plan["resource_changes"] if c["address"] == DESK)["affects"] == [
        "Phone/line",
        "Phone/theirs",
    ]
    assert "+14155550177 Phone/theirs" in desk.run("plan").out


@pytest.mark.parametrize("format_", ["mermaid", "dot", "svg"])
def test_a_drawing_has_external_objects(desk: Bench, format_: str) -> None:
    _theirs_in_use(desk)
    for arguments in ((), ("--target", "Phone/line")):
        out = desk.run("graph", "--format", format_, *arguments).out
        assert "external" in out
        assert "theirs" in out
    assert "theirs" not in desk.run("graph", "--format", format_, "--target", DESK).out


def test_a_destroy_leaves_what_is_external_or_let_go(desk: Bench) -> None:
    theirs = _theirs_in_use(desk)
    kept = desk.id_of("Agent/second")
    became = desk.id_of(DESK)
    desk.write("agents/second.yaml", "kind: Agent\nname: second\nlifecycle: {forget: true}\n")
    desk.write("agents/agent.yaml", f"kind: Agent\nname: desk\nexternal: {{id: {became}}}\n")

    desk.run("destroy", "--auto-approve", "--force")

    assert desk.control.object(theirs)["name"] == "Their Squad"
    assert desk.control.object(kept)["name"] == "second"
    assert desk.control.object(became)["name"] == "desk"
    assert desk.state()["resources"] == {}


def test_a_target_that_is_external(desk: Bench) -> None:
    _theirs_in_use(desk)
    assert "Squad/theirs is external" in desk.run("plan", "--target", "Squad/theirs", code=1).err


def test_a_chosen_object_needs_the_external_ones_that_it_names(desk: Bench) -> None:
    desk.write("agents/theirs.yaml", "kind: Agent\nname: theirs\nexternal: {name: Their Desk}\n")
    desk.edit("agents/line.yaml", "agent: desk", "agent: theirs")
    for code, target in ((5, "Phone/line"), (0, DESK)):
        ran = desk.run("plan", "--format", "json", "--target", target, code=code)
        assert [d["code"] for d in ran.data["diagnostics"]] == ["external-missing"] * (code == 5)


def test_an_external_object_has_nothing_to_patch(desk: Bench) -> None:
    desk.write("agents/theirs.yaml", "kind: Agent\nname: theirs\nexternal: {name: Their Desk}\n")
    desk.write("environments/live.yaml", "patches: [{target: Agent/theirs, merge: {firstMessage: Hi}}]\n")
    ran = desk.run("validate", code=1)
    assert "Agent/theirs is external" in ran.out
    assert "environments/live.yaml:1" in ran.out
    desk.write("environments/live.yaml", "patches: [{target: Agent/*, merge: {firstMessage: Hi}}]\n")
    desk.run("validate")


def test_an_output_is_linked_to_an_external_agent(desk: Bench) -> None:
    theirs = desk.control.create("/assistant", {"name": "Their Desk"})
    desk.write("agents/theirs.yaml", "kind: Agent\nname: theirs\nexternal: {name: Their Desk}\n")
    desk.write(
        "agents/output.yaml",
        "kind: StructuredOutput\nname: mood\nspec: {assistantIds: [theirs], schema: {type: string}}\n",
    )
    desk.apply()
    assert desk.live("StructuredOutput/mood")["assistantIds"] == [theirs["id"]]
    assert desk.changes() == {}


# letting go


def _let_go(bench: Bench, address: str, more: str = "") -> None:
    kind, name = address.split("/")
    file = {"Agent/desk": "agent", "Tool/lookup": "tool", "Phone/line": "line"}.get(address, name)
    bench.write(f"agents/{file}.yaml", f"kind: {kind}\nname: {name}\nlifecycle: {{forget: true{more}}}\n")


def test_it_is_counted_and_told_in_the_history(desk: Bench) -> None:
    desk.apply()
    _let_go(desk, "Phone/line")
    plan = desk.plan()
    assert plan["summary"]["forget"] == 2
    assert plan["summary"]["no_op"] == 4
    assert "Plan: 2 let go; 2 unchanged." in desk.run("plan").out
    desk.apply()
    assert "2 forget" in desk.run("history").out.splitlines()[-1]
    assert "let go" in desk.run("show", "2").out
    assert "forget" not in desk.plan()["summary"]


def test_the_settings_at_twilio_stay(desk: Bench) -> None:
    desk.apply()
    before = desk.control.number("+14155550100")
    _let_go(desk, "Phone/line")
    desk.apply()
    assert desk.control.number("+14155550100") == before


def test_what_is_protected_may_be_let_go(desk: Bench) -> None:
    desk.edit("agents/agent.yaml", "kind: Agent\n", "kind: Agent\nlifecycle: {preventDestroy: true}\n")
    desk.apply()
    id_ = desk.id_of(DESK)
    desk.edit("agents/line.yaml", "agent: desk", f"assistantId: {id_}")
    _let_go(desk, DESK, ", preventDestroy: true")
    desk.apply()
    assert desk.control.object(id_)["name"] == "desk"
    assert DESK not in desk.state()["resources"]


def test_what_used_it_is_changed_by_the_same_plan(desk: Bench) -> None:
    desk.apply()
    tool = desk.id_of("Tool/lookup")
    _let_go(desk, "Tool/lookup")
    assert "external:" in desk.run("validate", code=1).out
    desk.edit("agents/agent.yaml", "    tools: [lookup]\n", "")
    desk.apply()
    assert "toolIds" not in desk.live(DESK)["model"]
    assert desk.control.object(tool)["function"]["name"] == "lookup"
    assert desk.changes() == {}


def test_a_rollback_takes_back_what_was_let_go(desk: Bench) -> None:
    desk.apply()
    before = {a: e["id"] for a, e in desk.state()["resources"].items()}
    _let_go(desk, "Phone/line")
    desk.apply()
    desk.control.reset_requests()
    desk.run("rollback", "--auto-approve")
    assert {a: e["id"] for a, e in desk.state()["resources"].items()} == before
    assert desk.writes() == []


def test_a_rollback_to_where_it_was_let_go_deletes_nothing(desk: Bench) -> None:
    desk.edit("agents/line.yaml", ", agent: desk", ", answer: none")
    desk.apply()
    id_ = desk.id_of(DESK)
    _let_go(desk, DESK)
    desk.apply()
    desk.write("agents/agent.yaml", AGENT.replace("Hello", "Good morning"))
    desk.run("import", DESK, id_)
    desk.apply()
    desk.run("rollback", "2", "--auto-approve")
    assert desk.control.object(id_)["name"] == "desk"
    assert DESK not in desk.state()["resources"]


def test_a_renamed_manifest_that_lets_go(desk: Bench) -> None:
    desk.edit("agents/line.yaml", ", agent: desk", ", answer: none")
    desk.apply()
    id_ = desk.id_of(DESK)
    desk.write("agents/agent.yaml", "kind: Agent\nname: front\nmoved: {from: Agent/desk}\nlifecycle: {forget: true}\n")
    desk.apply()
    assert desk.control.object(id_)["name"] == "desk"
    assert [a for a in desk.state()["resources"] if a.startswith("Agent/")] == []


def test_one_instance_is_let_go_by_a_patch(desk: Bench) -> None:
    desk.write("agents/agent.yaml", AGENT.replace("kind: Agent\n", "kind: Agent\nforEach: [acme, bolt]\n"))
    desk.edit("agents/line.yaml", ", agent: desk", ", answer: none")
    desk.apply()
    id_ = desk.id_of("Agent/desk[acme]")
    desk.write("environments/live.yaml", "patches: [{target: 'Agent/desk[acme]', lifecycle: {forget: true}}]\n")
    assert desk.changes() == {"Agent/desk[acme]": ["no-op"]}
    desk.apply()
    assert desk.control.object(id_)["name"] == "desk-acme"
    assert "Agent/desk[bolt]" in desk.state()["resources"]


def test_a_saved_plan_lets_go(desk: Bench) -> None:
    desk.apply()
    id_ = desk.id_of("Phone/line")
    _let_go(desk, "Phone/line")
    desk.run("plan", "--out", str(desk.folder / "plan.json"))
    desk.run("apply", str(desk.folder / "plan.json"))
    assert desk.control.object(id_)["number"] == "+14155550100"
    assert "Phone/line" not in desk.state()["resources"]


def test_a_part_has_nothing_to_let_go(desk: Bench) -> None:
    desk.write("agents/voice.yaml", "kind: Voice\nname: warm\nlifecycle: {forget: true}\n")
    ran = desk.run("validate", code=1)
    assert "agents/voice.yaml:3" in ran.out
    assert "there is nothing to let go" in ran.out


def test_what_is_gone_already_is_only_taken_out_of_the_state(desk: Bench) -> None:
    desk.edit("agents/line.yaml", ", agent: desk", ", answer: none")
    desk.control.switches(clock_skew=-120)
    desk.apply()
    desk.control.switches(clock_skew=0)
    desk.control.delete(desk.id_of(DESK))
    _let_go(desk, DESK)
    assert "forget" not in desk.plan()["summary"]
    desk.apply()
    assert DESK not in desk.state()["resources"]


def test_a_line_that_comes_back_is_taken_as_it_is(desk: Bench) -> None:
    """Vapi answers its number all the time: nothing is written but whose it is, and the plan shows no update."""
    desk.apply()
    held = set(desk.state()["resources"])
    desk.write("agents/line.yaml", LINE + "lifecycle: {forget: true}\n")
    desk.apply()
    desk.control.reset_requests()
    changes = desk.run("rollback", "1", "--plan-only", "--format", "json").data["resource_changes"]
    assert {c["address"]: (c["change"]["actions"], c["action_reason"]) for c in changes if c.get("state_only")} == {
        "Phone/line": (["no-op"], "adopt"),
        "Phone/line/twilio": (["no-op"], "take_over"),
    }
    assert "Phone/line/twilio recorded" in desk.run("rollback", "1", "--auto-approve").out
    assert desk.writes() == []
    assert set(desk.state()["resources"]) == held
