"""After a rollback: what is held, what passes, and what the plan says, over the real command line."""

from __future__ import annotations

import json

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench


@pytest.fixture
def rolled(live: Bench) -> Bench:
    """Revision 1 good, revision 2 with a bad greeting, 3 the rollback; the manifests say the bad one."""
    for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
        live.write(f"agents/{name}.yaml", text)
    live.apply()
    live.edit("agents/agent.yaml", "Hello", "We are closed")
    live.apply()
    live.run("rollback", "--auto-approve")
    live.control.reset_requests()
    return live


def test_the_plan_of_the_very_manifests_says_that_they_are_held(rolled: Bench) -> None:
    plan = rolled.plan()

    codes = {d["code"]: d for d in plan["diagnostics"]}
    assert plan["applyable"] is False
    assert "held after the rollback of revision 2" in codes["held"]["summary"]
    assert codes["rolled-back"]["path"] == "firstMessage"
    assert "rolled back in revision 3" in codes["rolled-back"]["summary"]
    assert (codes["rolled-back"]["file"], codes["rolled-back"]["line"]) == ("agents/agent.yaml", 4)
    rolled.run("plan", "--detailed-exitcode", code=5)
    assert "rolled back in revision 3" in rolled.run("plan", "--format", "markdown", code=5).out
    assert "held after" in rolled.apply(code=5).err
    assert rolled.writes() == []


UNRELATED = {
    "a-comment": ("agents/agent.yaml", "kind: Agent", "# looked at again\nkind: Agent"),
    "another-field": ("agents/agent.yaml", "endpointing: 200", "endpointing: 250"),
    "another-object": ("agents/tool.yaml", "Finds an order.", "Finds an order by its number."),
    "a-label": ("agents/agent.yaml", "name: desk", "name: desk\nlabels: {team: care}"),
}


@pytest.mark.parametrize("case", UNRELATED)
def test_the_bad_value_is_refused_whatever_else_changed(rolled: Bench, case: str) -> None:
    rolled.edit(*UNRELATED[case])

    refused = rolled.apply(code=5)

    assert "firstMessage" in refused.err
    assert "rolled back in revision 3" in refused.err
    assert rolled.writes() == []
    assert rolled.live("Agent/desk")["firstMessage"] == "Hello"


def test_another_new_object_waits_with_it_but_a_target_does_not(rolled: Bench) -> None:
    rolled.write("agents/other.yaml", AGENT.replace("name: desk", "name: night").replace("    tools: [lookup]\n", ""))

    rolled.apply(code=5)
    rolled.apply("--target", "Agent/night")

    assert "Agent/night" in rolled.state()["resources"]
    assert "rolled back in revision 3" in rolled.apply(code=5).err, "and the rest is still held"


def test_released_it_is_applied_and_said(rolled: Bench) -> None:
    rolled.edit("agents/agent.yaml", "endpointing: 200", "endpointing: 250")
    shown = rolled.run("plan", "--release-hold")
    assert "warning[rolled-back]" in shown.out

    rolled.apply("--release-hold")

    assert rolled.live("Agent/desk")["firstMessage"] == "We are closed"
    assert rolled.state()["holds"] == {}
    rolled.edit("agents/agent.yaml", "We are closed", "Hi")
    rolled.apply()
    rolled.edit("agents/agent.yaml", "Hi", "We are closed")
    rolled.apply()


def test_a_better_value_applies_and_ends_the_hold(rolled: Bench) -> None:
    rolled.edit("agents/agent.yaml", "We are closed", "Hello there")

    rolled.apply()

    assert rolled.state()["holds"] == {}


def test_an_unrelated_apply_does_not_end_it(rolled: Bench) -> None:
    """The fix of something else first, then a pipeline of the bad commit that somebody starts again."""
    rolled.edit("agents/agent.yaml", "We are closed", "Hello")
    rolled.edit("agents/tool.yaml", "Finds an order.", "Finds an order by its number.")
    rolled.apply()
    rolled.edit("agents/agent.yaml", "Hello", "We are closed")

    assert "rolled back in revision 3" in rolled.apply(code=5).err
    rolled.edit("agents/tool.yaml", "Finds an order by its number.", "Finds an order.")
    assert "held after the rollback of revision 2" in rolled.apply(code=5).err


def test_a_saved_plan_brings_nothing_back_either(rolled: Bench) -> None:
    rolled.edit("agents/agent.yaml", "endpointing: 200", "endpointing: 250")
    kept = str(rolled.folder / "kept.json")
    rolled.run("plan", "--release-hold", "--out", kept)

    assert "rolled back in revision 3" in rolled.run("apply", kept, code=5).err
    rolled.run("apply", kept, "--release-hold")

    assert rolled.live("Agent/desk")["firstMessage"] == "We are closed"


def test_a_rollback_over_several_revisions_holds_them_all(rolled: Bench) -> None:
    rolled.edit("agents/agent.yaml", "We are closed", "One")
    rolled.apply()
    rolled.edit("agents/agent.yaml", "One", "Two")
    rolled.apply()
    rolled.run("rollback", "1", "--auto-approve")

    for text in ("Two", "One"):
        assert "held after the rollback" in rolled.apply(code=5).err
        rolled.edit("agents/tool.yaml", "Finds", f"{text}. Finds")
        assert "rolled back in revision 6" in rolled.apply(code=5).err
        rolled.edit("agents/tool.yaml", f"{text}. Finds", "Finds")
        rolled.edit("agents/agent.yaml", "Two", "One") if text == "Two" else None


def test_removals_and_new_objects_of_the_bad_revision(live: Bench) -> None:
    live.write("agents/agent.yaml", AGENT.replace("    tools: [lookup]\n", ""))
    live.write("agents/tool.yaml", TOOL)
    live.apply()
    live.remove("agents/tool.yaml")
    live.write("agents/night.yaml", AGENT.replace("    tools: [lookup]\n", "").replace("name: desk", "name: night"))
    live.apply()
    live.run("rollback", "--auto-approve")
    live.edit("agents/agent.yaml", "Hello", "Hi")

    refused = live.apply(code=5)

    assert "Tool/lookup: its removal was rolled back in revision 3" in refused.err
    assert "Agent/night: would bring back values that were rolled back in revision 3: " in refused.err


def test_destroy_and_another_rollback_are_not_held(rolled: Bench) -> None:
    rolled.run("rollback", "2", "--auto-approve")
    assert rolled.live("Agent/desk")["firstMessage"] == "We are closed"
    rolled.run("plan")
    rolled.run("destroy", "--auto-approve", "--force")
    rolled.run("rollback", "2", "--auto-approve")
    rolled.run("destroy", "--auto-approve", "--force")


def test_a_partial_rollback_holds_what_it_took_back(live: Bench) -> None:
    for name in ("one", "two"):
        live.write(f"agents/{name}.yaml", AGENT.replace("    tools: [lookup]\n", "").replace("desk", name))
    live.apply()
    for name in ("one", "two"):
        live.edit(f"agents/{name}.yaml", "Hello", "We are closed")
    live.apply()
    live.run("rollback", "--auto-approve", "--target", "Agent/one")
    live.edit("agents/two.yaml", "We are closed", "We are still closed")

    refused = live.apply(code=5)

    assert "Agent/one" in refused.err
    assert "error[rolled-back]: Agent/two" not in refused.err


def test_what_is_returned_to_is_free_again_also_where_it_had_bought_a_number(live: Bench) -> None:
    """A rollback buys nothing: its manifests are not quite the revision's."""
    live.write("agents/agent.yaml", AGENT.replace("    tools: [lookup]\n", ""))
    live.write("agents/line.yaml", LINE.replace("0100", "0199").replace("agent: desk", "agent: desk, purchase: true"))
    live.apply()
    live.edit("agents/agent.yaml", "Hello", "We are closed")
    live.apply()
    live.run("rollback", "--auto-approve")
    live.run("rollback", "2", "--auto-approve")

    live.apply()
    assert live.live("Agent/desk")["firstMessage"] == "We are closed"


DAMAGED = [
    5,
    {"x": 5},
    {"x": {"revision": "2"}},
    {"x": {"revision": 2, "values": []}},
    {"x": {"revision": 2, "by": 3, "values": {"Agent/desk": 1}}},
    {"x": {"revision": 2, "by": 3, "values": {"Agent/desk": {"was": {"firstMessage": "x"}}}}},
    {"x": {"revision": 2, "by": 3, "values": {"Agent/desk": {"was": {"a..[": ["x"]}}}}},
    {"x": {"revision": 2, "by": 3, "values": {"Agent/desk": {"is": {"firstMessage": ["x"]}}}}},
    {"x": {"revision": 2, "values": {"Agent/desk": {"was": {"firstMessage": ["x"]}}}}},
]


def test_a_damaged_hold_is_a_sentence(rolled: Bench) -> None:
    path = rolled.folder / ".voiceops/state/live/state.json"
    whole = json.loads(path.read_text())
    whole.pop("checksum", None)
    for holds in DAMAGED:
        path.write_text(json.dumps(whole | {"holds": holds}))
        assert "holds" in rolled.run("plan", code=1).err
