"""Previews as a pipeline uses them: made, renewed, called, listed, taken down, swept; and what is refused."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.state.backends import terraform_server
from tests.support.bench import Bench, bench, shop
from tests.support.waiting import wait_until
from tests.use.preview_children import account

POOL = ("+14155550191", "+14155550192")


def pool(made: Bench) -> list[str]:
    """Two numbers that somebody has put into the account: one bound to nobody, one to an agent. Their ids."""
    agent = made.control.create("/assistant", {"name": "Out of hours", "model": {"provider": "openai", "model": "x"}})
    routes: list[dict[str, Any]] = [{}, {"assistantId": agent["id"]}]
    bodies = [{"provider": "vapi", "number": number, **route} for number, route in zip(POOL, routes, strict=True)]
    return [str(made.control.create("/phone-number", body)["id"]) for body in bodies]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Bench]:
    """The example shop, applied, with `previews:`."""
    with bench(tmp_path) as one:
        shop(one)
        text = (one.folder / "voiceops.yaml").read_text()
        one.write("voiceops.yaml", f'{text}\npreviews: {{max: 3, lines: ["{POOL[0]}", "{POOL[1]}"]}}\n')
        one.apply("-q")
        one.control.requests()
        yield one


def test_up_again_and_down(made: Bench) -> None:
    before = account(made)
    up = made.run("preview", "up", "pr-12", "--format", "json").data
    assert (up["environment"], up["from"], up["number"], up["complete"]) == ("preview-pr-12", "live", None, True)
    names = {agent["address"]: agent["name"] for agent in up["agents"]}
    assert len(names) >= 3
    assert all(name.endswith(" (pr-12)") and len(name) <= 40 for name in names.values())
    assert all(made.control.object(agent["id"])["name"] == agent["name"] for agent in up["agents"])
    assert not [o for o in account(made) if o not in before and "number" in o], "no phone line"
    assert made.changes("-e", "preview-pr-12") == {}

    made.control.requests()
    again = made.run("preview", "up", "pr-12", "--format", "json").data
    assert [a["id"] for a in again["agents"]] == [a["id"] for a in up["agents"]]
    made.edit("agents/prompts/front-desk.md", "nine to six", "ten to six")
    assert made.run("preview", "up", "pr-12", "--format", "json").data["changes"]["update"] == 1
    made.edit("agents/prompts/front-desk.md", "ten to six", "nine to six")
    assert made.changes() == {}, "what it is made of stays as it is"

    assert "Preview pr-12 is gone" in made.run("preview", "down", "pr-12").out
    assert account(made) == before
    assert not (made.folder / ".voiceops/state/preview-pr-12").exists()
    assert "nothing to do" in made.run("preview", "down", "pr-12").out
    assert made.run("preview", "list", "--format", "json").data == []


def test_its_number_goes_back_as_it_was(made: Bench) -> None:
    ids = pool(made)
    before = account(made)
    first = made.run("preview", "up", "a", "--line", "main-line", "--format", "json").data
    second = made.run("preview", "up", "b", "--line", "main-line", "--format", "json").data
    third = made.run("preview", "up", "c", "--line", "main-line", "--format", "json").data
    assert [one["number"] for one in (first, second, third)] == [*POOL, None]
    assert "no number is free: +14155550191 is the preview a's; +14155550192 is the preview b's" in third["notes"]
    agents = {agent["address"]: agent["id"] for agent in first["agents"]}
    reached = made.control.object(ids[0])
    assert reached["assistantId"] in agents.values() or reached["squadId"] in agents.values()
    assert made.run("preview", "up", "a", "--format", "json").data["number"] == POOL[0], "it keeps its number"
    for name in "cab":
        made.run("preview", "down", name)
    assert account(made) == before


def test_what_somebody_else_bound_meanwhile_is_left(made: Bench) -> None:
    ids = pool(made)
    made.run("preview", "up", "a", "--line", "main-line")
    other = made.control.create("/assistant", {"name": "Mine"})["id"]
    made.control.edit(ids[0], {"assistantId": other, "squadId": None})
    ran = made.run("preview", "down", "a")
    assert "was bound to something else meanwhile" in ran.out
    assert made.control.object(ids[0])["assistantId"] == other


def test_what_it_was_bound_to_may_be_gone(made: Bench) -> None:
    ids = pool(made)
    made.run("preview", "up", "a", "--line", "main-line")
    made.run("preview", "up", "b", "--line", "main-line")
    made.control.delete(next(o["id"] for o in made.control.objects("/assistant") if o["name"] == "Out of hours"))
    assert "which is gone: now nobody answers it" in made.run("preview", "down", "b").out
    route = made.control.object(ids[1])
    assert (route.get("assistantId"), route.get("squadId")) == (None, None)
    made.run("preview", "down", "a")


def test_sweep(made: Bench) -> None:
    before = account(made)
    for name in ("a", "b"):
        made.run("preview", "up", name)
    assert made.run("preview", "sweep").out == "Nothing to sweep.\n"
    registry = made.folder / ".voiceops/state/_previews"
    past(registry, "a")
    assert "past its time" in made.run("preview", "list").out
    assert [one["name"] for one in made.run("preview", "sweep", "--format", "json").data] == ["a"]
    assert [one["name"] for one in made.run("preview", "list", "--format", "json").data] == ["b"]
    assert [one["name"] for one in made.run("preview", "sweep", "--all", "--format", "json").data] == ["b"]
    assert account(made) == before


def past(registry: Path, name: str) -> None:
    """Its time is over."""
    from voiceops.state import sealed

    path = registry / "state.json"
    data = sealed.opened(json.loads(path.read_text()))
    assert data is not None
    data["previews"][name]["expiresAt"] = 1.0
    path.write_text(json.dumps(sealed.sealed(data)))


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("up", "PR_1"), "'PR_1' is no preview's name: it takes a-z"),
    (("up", "x" * 21), "it has 21 characters, 20 at most"),
    (("up", "a", "--from", "prod"), "the project has no environment 'prod'"),
    (("up", "a", "--ttl", "soon"), "'soon' is no length of time"),
    (("up", "a", "--ttl", "9999w"), "a preview stays for a year at most"),
    (("up", "a", "--line", "main"), "there is no line 'main' in live"),
    (("up", "a", "--runtime", "voice.example"), "--runtime is no address"),
]


def test_what_is_no_preview_is_one_line(made: Bench) -> None:
    for arguments, said in WRONG:
        ran = made.run("preview", *arguments, code=1)
        assert said in ran.err
        assert len(re.findall("error", ran.err)) <= 2
    assert made.run("preview", "list").out == "There are no previews.\n"


def test_an_environment_that_is_no_preview(made: Bench) -> None:
    ran = made.run("-e", "preview-x", "plan", code=1)
    assert "there is no preview 'x'" in ran.err
    assert "voiceops preview up x" in ran.err


def test_no_more_than_the_setting_says(made: Bench) -> None:
    for name in "abc":
        made.run("preview", "up", name)
    ran = made.run("preview", "up", "d", code=5)
    assert "there are 3 previews, and previews.max is 3: a, b, c" in ran.err
    made.run("preview", "up", "c")
    made.run("preview", "down", "a")
    made.run("preview", "up", "d")


def test_a_line_of_an_environment_is_never_lent(made: Bench) -> None:
    made.edit("voiceops.yaml", POOL[0], "+14155550100")
    made.control.reset_requests()
    ran = made.run("preview", "up", "a", "--line", "main-line", code=5)
    assert made.writes() == []
    assert made.run("preview", "list", "--format", "json").data == []
    assert "previews.lines names a number that is in use: +14155550100 is Phone/" in ran.err
    assert "of live" in ran.err


def test_it_is_made_of_one_environment(made: Bench) -> None:
    made.edit("voiceops.yaml", "environments: [live]", "environments: [live, other]")
    made.run("preview", "up", "a")
    ran = made.run("preview", "up", "a", "--from", "other", code=1)
    assert "the preview a is made of live, not of other" in ran.err
    assert made.run("-e", "other", "preview", "up", "b", "--format", "json").data["from"] == "other"
    assert "preview-a is a preview" in made.run("-e", "preview-a", "preview", "up", "c", code=1).err
    assert made.run("-e", "preview-a", "preview", "list", "--format", "json").data[1]["name"] == "b"
    assert (
        "left out here: a preview has no phone lines" in made.run("-e", "preview-a", "explain", "Phone/main-line").out
    )


def test_over_http_the_states_of_previews_are_known_by_their_list(made: Bench) -> None:
    """A new tool of the environment is no stranger's, though a preview has one of its name already."""
    server = terraform_server()
    place = server.url(f"{made.folder.name}-{id(made)}") + "/{environment}"
    before = account(made)
    assert (
        "the same for every environment"
        in made.run("preview", "up", "a", VOICEOPS_STATE=place.replace("/{environment}", "/one"), code=1).err
    )
    made.write("agents/new.yaml", "kind: Tool\nname: new\nspec: {type: function, function: {name: newOne}}\n")
    state = {"VOICEOPS_STATE": place}
    made.run("preview", "up", "a", **state)
    assert made.run("-e", "preview-a", "plan", "--detailed-exitcode", **state).code == 0
    ran = made.run("plan", "--target", "Tool/new", "--format", "json", **state)
    assert [c["action_reason"] for c in ran.data["resource_changes"]] == ["manifest_changed"]
    made.run("preview", "up", "b", **state)
    made.run("preview", "sweep", "--all", **state)
    assert account(made) == before
    assert made.run("preview", "list", **state).out == "There are no previews.\n"


def begun(made: Bench, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "voiceops", "-C", str(made.folder), "preview", *command],
        env=made.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_taken_down_while_it_comes_up(made: Bench) -> None:
    """The one that began last goes on: the other one ends, says so, and nothing is left."""
    before = account(made)
    rule = made.control.fault("pause", when="after", method="POST", path="^/assistant$", times=1)
    up = begun(made, "up", "a")
    made.control.wait_for_pause(rule)
    down = begun(made, "down", "a")
    wait_until(lambda: '"going": true' in (made.folder / ".voiceops/state/_previews/state.json").read_text())
    made.control.release()
    _, said = up.communicate(timeout=60)
    out, _ = down.communicate(timeout=60)
    assert (up.returncode, down.returncode) == (5, 0), said + out
    assert "another command began to work on the preview a meanwhile" in said
    assert "Preview a is gone" in out
    assert account(made) == before


@pytest.mark.parametrize("command", ["up", "down"])
def test_stopped_in_the_middle(made: Bench, command: str) -> None:
    """What is under way is finished, and the next run finishes the rest."""
    before = account(made)
    if command == "down":
        made.run("preview", "up", "a")
    method = "POST" if command == "up" else "DELETE"
    rule = made.control.fault("pause", when="after", method=method, path="^/(tool|assistant)", times=1)
    running = begun(made, command, "a")
    made.control.wait_for_pause(rule)
    running.send_signal(signal.SIGINT)
    assert running.stderr is not None
    line = ""
    while "Stopping" not in line:
        line = running.stderr.readline()
        assert line, "it ended without a word"
    made.control.release()
    printed, said = running.communicate(timeout=60)
    assert running.returncode == 3, said
    assert f"voiceops preview {command} a" in printed + said
    made.run("preview", command, "a")
    if command == "up":
        assert made.changes("-e", "preview-a") == {}
        made.run("preview", "down", "a")
    assert account(made) == before


def test_stopped_before_anything_was_changed(made: Bench) -> None:
    before = account(made)
    rule = made.control.fault("pause", when="before", method="GET", path="^/assistant$", times=1)
    running = begun(made, "up", "a")
    made.control.wait_for_pause(rule)
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=60)
    made.control.release()
    assert running.returncode == 1
    assert "stopped before anything was changed at Vapi" in said
    made.run("preview", "down", "a")
    assert account(made) == before


def test_a_runtime_of_its_own(made: Bench) -> None:
    up = made.run("preview", "up", "a", "--runtime", "https://pr-12.example/", "--format", "json").data
    assert (up["runtime"], up["notes"]) == ("https://pr-12.example", [])
    agent = made.control.object(up["agents"][0]["id"])
    assert agent["server"]["url"] == "https://pr-12.example/vapi/events"
    again = made.run("preview", "up", "a", "--format", "json").data
    assert (again["runtime"], again["changes"]["update"]) == ("https://pr-12.example", 0)
    none = made.run("preview", "up", "a", "--runtime", "", "--format", "json").data
    assert none["runtime"] is None
    assert "no runtime" in none["notes"][0]
    assert made.control.object(up["agents"][0]["id"])["server"]["url"] == "https://no-runtime.invalid/vapi/events"


def test_broken_manifests_make_no_preview_and_keep_none_up(made: Bench) -> None:
    before = account(made)
    made.run("preview", "up", "a")
    made.write("agents/broken.yaml", "kind: Agent\nname: broken\nspec: {model: 7}\n")
    assert "agents/broken.yaml:3" in made.run("preview", "up", "b", code=1).err
    assert [one["name"] for one in made.run("preview", "list", "--format", "json").data] == ["a"]
    made.run("preview", "down", "a")
    assert account(made) == before


def test_in_a_pipeline_its_state_has_to_stay(made: Bench) -> None:
    ran = made.run("preview", "up", "a", CI="true", code=5)
    assert "the state of preview-a would be written into this pipeline's checkout" in ran.err
    assert made.run("preview", "list").out == "There are no previews.\n"


def test_a_preview_takes_nothing_over(made: Bench) -> None:
    made.run("preview", "up", "a")
    for command in (("import", "--by-name"), ("pull",), ("pull", "--dry-run")):
        ran = made.run("-e", "preview-a", *command, code=5)
        assert "the preview a takes nothing over: it would be deleted with it" in ran.err


def test_what_a_preview_made_is_nobody_elses(made: Bench) -> None:
    """Neither for who looks for what is unmanaged, nor for the plan of a tool that it has already."""
    made.write("agents/new.yaml", "kind: Tool\nname: new\nspec: {type: function, function: {name: newOne}}\n")
    made.run("preview", "up", "a")
    assert made.run("pull", "--dry-run", "--format", "json").data["objects"] == {}
    assert made.changes() == {"Tool/new": ["create"]}
    made.apply("-q")
    made.run("preview", "down", "a")
    assert made.changes() == {}


def test_a_damaged_list_comes_back(made: Bench) -> None:
    made.run("preview", "up", "a")
    path = made.folder / ".voiceops/state/_previews/state.json"
    path.write_text(path.read_text().replace('"a"', '"b"'))
    ran = made.run("preview", "list", code=1)
    found = re.search(r"`voiceops (-e _previews state restore \d+)`", ran.err)
    assert found, ran.err
    made.run(*found[1].split())
    made.run("preview", "down", "a")
    assert made.run("preview", "list", "--format", "json").data == []


def test_its_pool_and_its_objects_are_nobodys_finding(made: Bench) -> None:
    pool(made)
    made.control.delete(next(o["id"] for o in made.control.objects("/assistant") if o["name"] == "Out of hours"))
    audited = made.run("audit", "--format", "json", code=None).data
    assert [one for one in audited["findings"] if one["kind"] == "Phone"] == []
    made.run("preview", "up", "a", "--line", "main-line")
    assert made.run("audit", "--format", "json", code=None).data["notes"] == audited["notes"]
    pulled = made.run("pull", "--kind", "Phone", "--format", "json").data
    assert {(one["name"], one["why"]) for one in pulled["leftOut"]} == {
        (number, "previews.lines keeps it for previews: take it out there first") for number in POOL
    }
    assert made.changes() == {}
    made.run("preview", "up", "b", "--line", "main-line")


def test_what_could_not_be_made_is_said(made: Bench) -> None:
    made.control.fault("status", vendor="vapi", method="POST", path="^/assistant$", nth=[2, 3], status=402)
    ran = made.run("preview", "up", "a", "-q", code=3)
    assert "✗ Agent/" in ran.out
    assert "Run `voiceops preview up a` again." in ran.out
    assert "Test it" not in ran.out
    made.control.clear_faults()
    made.run("preview", "up", "a")
    assert made.changes("-e", "preview-a") == {}
