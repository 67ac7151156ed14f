"""Whose objects they are: other accounts, adopted ones, renamed ones, and those of another kind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench, bench

OTHER_ORG = "99999999-0000-4000-8000-000000000009"


def test_an_empty_organization_that_is_another_one_is_refused(live: Bench) -> None:
    live.write("agents/tool.yaml", TOOL)
    live.apply()
    live.control.delete(live.id_of("Tool/lookup"))
    assert live.server._world is not None
    live.server._world.account = replace(live.server.account, org_id=OTHER_ORG)
    live.control.reset_requests()
    for command in (("plan",), ("apply", "--auto-approve")):
        ran = live.run(*command, code=5)
        assert OTHER_ORG in ran.err
        assert live.server.account.org_id in ran.err
    assert live.writes() == []


@pytest.mark.parametrize("how", ["flag", "lifecycle"])
def test_adopted_objects_that_refer_to_each_other_take_one_apply(live: Bench, how: str) -> None:
    adopt = "lifecycle: {adopt: true}\n" if how == "lifecycle" else ""
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text + adopt)
    live.apply()
    (live.folder / ".voiceops").rename(live.folder / "lost")
    live.apply(*(["--adopt"] if how == "flag" else []))
    assert live.changes() == {}
    assert len(live.control.objects("/assistant")) == len(live.control.objects("/tool")) == 1


def test_the_twilio_side_of_a_line_is_imported_too(live: Bench) -> None:
    live.write("agents/agent.yaml", AGENT.replace("    tools: [lookup]\n", ""))
    live.write("agents/line.yaml", LINE)
    live.apply()
    sid, id_ = live.id_of("Phone/line/twilio"), live.id_of("Phone/line")
    (live.folder / ".voiceops").rename(live.folder / "lost")
    live.run("import", "Phone/line", id_)
    assert "Traceback" not in live.run("import", "Phone/line/twilio", sid).err


def test_every_instance_moves_along(live: Bench) -> None:
    agent = "kind: Agent\nname: {}\nforEach: [x, y]\n{}spec: {{name: 'a-${{each:key}}', firstMessage: Hi}}\n"
    live.write("agents/a.yaml", agent.format("old", ""))
    live.apply()
    before = {live.id_of("Agent/old[x]"), live.id_of("Agent/old[y]")}
    live.write("agents/a.yaml", agent.format("new", "moved: {from: Agent/old}\n"))
    live.apply()
    assert {live.id_of("Agent/new[x]"), live.id_of("Agent/new[y]")} == before
    assert len(live.control.objects("/assistant")) == 2


def test_nothing_moves_to_another_kind(live: Bench) -> None:
    live.write("agents/tool.yaml", TOOL)
    live.apply()
    assert "stays of kind Tool" in live.run("state", "mv", "Tool/lookup", "Agent/lookup", code=1).err
    live.write("agents/tool.yaml", "kind: Agent\nname: lookup\nmoved: {from: Tool/lookup}\nspec: {firstMessage: Hi}\n")
    assert "agents/tool.yaml:3" in live.run("validate", code=1).out


def test_names_that_vapi_gives_to_items_of_lists_are_no_change(live: Bench) -> None:
    hook = "  hooks: [{on: customer.speech.timeout, do: [{type: say, exact: Hello}]}]\n"
    live.write("agents/agent.yaml", "kind: Agent\nname: desk\nspec:\n  firstMessage: Hi\n" + hook)
    live.apply()
    made = live.live("Agent/desk")
    live.control.edit(made["id"], {"hooks": [{**made["hooks"][0], "name": "5f0d"}]})
    assert live.changes() == {}


def test_sections_without_a_value_mean_what_their_absence_means(tmp_path: Path) -> None:
    with bench(tmp_path) as made:
        made.write("agents/tool.yaml", TOOL)
        empty = "".join(f"{key}:\n" for key in ("runtime", "safety", "manifests", "drift", "variables", "defaults"))
        made.write("voiceops.yaml", f"version: 1\nproject: shop\nenvironments: [live]\n{empty}")
        assert json.loads(made.run("plan", "--format", "json").out)["summary"]["create"] == 1
