"""Where the state of a live environment may be: not where it goes away with the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.apply.manifests import AGENT
from tests.state.backends import s3_bucket
from tests.support.bench import Bench

PLAIN = AGENT.replace("    tools: [lookup]\n", "")
PIPELINES = [
    {"CI": "true"},
    {"GITHUB_ACTIONS": "true"},
    {"GITLAB_CI": "true", "CI": "true"},
    {"JENKINS_URL": "http://j/"},
]


@pytest.fixture
def desk(live: Bench) -> Bench:
    live.write("agents/agent.yaml", PLAIN)
    return live


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda given: "+".join(given))
def test_a_state_in_a_pipeline_s_checkout_is_refused(desk: Bench, pipeline: dict[str, str]) -> None:
    for command in (("apply",), ("destroy",), ("rollback", "1")):
        refused = desk.run(*command, "--auto-approve", code=5 if command[0] != "rollback" else None, **pipeline)
        if command[0] != "rollback":
            assert "--local-state" in refused.err
            assert "VOICEOPS_STATE" in refused.err
    assert desk.control.requests() == []
    assert not (desk.folder / ".voiceops/state/live").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("import", "Agent/desk", "0b7c1d7e-0000-4000-8000-000000000000"),
        ("state", "mv", "Agent/desk", "Agent/front"),
        ("state", "rm", "Agent/desk"),
        ("state", "restore", "1"),
        ("drift", "--accept"),
    ],
    ids=lambda command: "-".join(command[:2]),
)
def test_so_is_whatever_else_writes_it(desk: Bench, command: tuple[str, ...]) -> None:
    refused = desk.run(*command, code=5, CI="true")
    assert "--local-state" in refused.err
    assert desk.control.requests() == []
    assert not (desk.folder / ".voiceops/state/live").exists()
    assert "checkout" not in desk.run(*command, "--local-state", code=None, CI="true").err


def test_a_plan_there_says_it(desk: Bench) -> None:
    codes = [d["code"] for d in json.loads(desk.run("plan", "--format", "json", CI="true").out)["diagnostics"]]

    assert codes == ["state-local"]


@pytest.mark.parametrize("place", ["state", ".voiceops/state", "./deep/er/state"])
def test_wherever_in_the_checkout(desk: Bench, place: str) -> None:
    desk.write("voiceops.yaml", f"version: 1\nproject: shop\nenvironments: [live]\nstate: {place}\n")

    desk.run("apply", "--auto-approve", code=5, CI="true")
    desk.run("apply", "--auto-approve", code=5, CI="true", VOICEOPS_STATE=str(desk.folder / "elsewhere"))
    desk.run("apply", "--auto-approve", "--local-state", CI="true")


def test_in_a_checkout_around_the_project(desk: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(desk.folder.parent),
        "VOICEOPS_STATE": str(desk.folder.parent / "s"),
    }

    desk.run("apply", "--auto-approve", code=5, **place)
    # A variable of that name means something else where GitHub does not run.
    place = {"CI": "true", "WORKSPACE": "/", "VOICEOPS_STATE": str(tmp_path_factory.mktemp("disk"))}
    desk.run("apply", "--auto-approve", **place)


def test_what_stays_is_taken(desk: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("a-disk-of-the-runner")

    desk.run("apply", "--auto-approve", CI="true", VOICEOPS_STATE=str(outside))


def test_a_variable_that_says_no_is_no_pipeline(desk: Bench) -> None:
    desk.run("apply", "--auto-approve", CI="false")


def test_a_shared_place_is_taken(desk: Bench) -> None:
    desk.run("apply", "--auto-approve", CI="true", VOICEOPS_STATE="s3://placed/shop", **s3_bucket("placed"))


def test_the_sandbox_may_be_anywhere(desk: Bench) -> None:
    desk.write("environments/live.yaml", "providers: sandbox\n")

    desk.run("apply", "--auto-approve", CI="true", GITHUB_ACTIONS="true")


# a state that knows nothing


def test_an_empty_state_in_front_of_live_objects_asks_for_the_right_one(desk: Bench) -> None:
    desk.write("agents/night.yaml", PLAIN.replace("name: desk", "name: night"))
    desk.apply()
    desk.write("agents/new.yaml", PLAIN.replace("name: desk", "name: new"))

    shown = desk.run("plan", code=5, VOICEOPS_STATE="another")

    assert "2 of 3 objects of the manifests are live already" in shown.out
    assert "VOICEOPS_STATE" in shown.out
    refused = desk.run("apply", "--auto-approve", code=5, VOICEOPS_STATE="another")
    assert "exists already" in refused.err
    assert "is it the right one?" in refused.err
    adopting = desk.run("plan", "--adopt", "--format", "json", VOICEOPS_STATE="another").data
    assert "empty-state" in [d["code"] for d in adopting["diagnostics"]]


def test_a_new_project_in_a_new_account_is_not_asked(desk: Bench) -> None:
    assert "empty-state" not in desk.run("plan").out
    desk.control.create("/assistant", {"name": "somebody else's"})
    assert "empty-state" not in desk.run("plan").out


def test_a_state_that_knows_something_is_not_asked(desk: Bench) -> None:
    desk.apply()
    desk.control.create("/assistant", {"name": "night"})
    desk.write("agents/night.yaml", PLAIN.replace("name: desk", "name: night"))

    assert "empty-state" not in desk.run("plan", code=5).out


# what init writes


def test_init_keeps_prod_s_state_for_git_and_dev_s_out_of_it(tmp_path: Path, live: Bench) -> None:
    from tests.cli.commands.test_history_entries import git

    live.run("init", "shop")
    shop = live.folder / "shop"
    git(shop, "init", "-q")
    environ = {"VOICEOPS_ENV": "prod"}
    made = Bench(shop, live.server, live.control)
    made.run("apply", "--auto-approve", **environ)
    made.run("apply", "--auto-approve", VOICEOPS_ENV="dev")

    git(shop, "add", "-A")
    kept = git(shop, "ls-files").split()

    assert "state/prod/state.json" in kept
    assert any(name.startswith("state/prod/revisions/") for name in kept)
    assert not [name for name in kept if name.startswith((".voiceops", "state/dev")) or name.endswith("/lock")]
    # A fresh checkout goes on from it.
    git(shop, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "applied")
    git(live.folder, "clone", "-q", str(shop), "again")
    again = Bench(live.folder / "again", live.server, live.control)
    assert "Nothing to do" in again.run("plan", **environ).out


def test_a_live_state_in_the_ignored_folder_is_said() -> None:
    from voiceops.manifest.problems import Problems
    from voiceops.manifest.project import load_project
    from voiceops.use.state_place import place_warnings

    def said(folder: Path, state: str, **environ: str) -> list[str]:
        (folder / "voiceops.yaml").write_text(f"version: 1\nproject: shop\nstate: {state}\n")
        project = load_project(folder, None, environ, Problems())
        return [d.code for d in place_warnings(project, {})]

    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        folder = Path(name)
        assert said(folder, ".voiceops/state") == ["state-ignored"]
        assert said(folder, "state") == []
        assert said(folder, "s3://bucket/prefix") == []
        assert said(folder, ".voiceops/state", VAPI_BASE_URL="http://127.0.0.1:8401") == []
        (folder / "environments").mkdir()
        (folder / "environments/dev.yaml").write_text("providers: sandbox\n")
        assert said(folder, ".voiceops/state") == []
