"""The pipelines that `init --ci` writes: their files are valid, and their steps do the whole round trip.

A bare repository, clones of it, a forge and the sandbox, all over real sockets; the commands are the workflow's own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitops.forge_server import TOKEN, Forge, forge
from tests.support.bench import Bench, bench
from voiceops.sandbox.client import SandboxClient

BIN = Path(sys.executable).parent
AGENT = "agents/front-desk.yaml"


def tool(*arguments: str, cwd: Path) -> str:
    ran = subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, f"{arguments}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.fixture(params=["github", "gitlab"])
def system(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def made(tmp_path: Path, system: str) -> Path:
    """A project with a pipeline."""
    tool(str(BIN / "voiceops"), "init", str(tmp_path / "shop"), "--ci", system, cwd=tmp_path)
    return tmp_path / "shop"


# valid


def test_a_pipeline_is_what_its_forge_accepts(made: Path, system: str) -> None:
    checker = str(BIN / "check-jsonschema")
    if system == "github":
        path = ".github/workflows/voiceops.yml"
        environment = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        ran = subprocess.run([BIN / "actionlint", "-no-color", path], cwd=made, capture_output=True, env=environment)
        assert ran.returncode == 0, ran.stdout.decode()
        tool(checker, "--builtin-schema", "vendor.github-workflows", path, cwd=made)
    else:
        schema = ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
        tool(checker, *schema, ".gitlab-ci.yml", cwd=made)


def test_the_scripts_are_clean_shell(made: Path) -> None:
    tool(str(BIN / "shellcheck"), *(str(path) for path in sorted((made / "ci").glob("*.sh"))), cwd=made)
    tool(str(BIN / "ruff"), "check", "--isolated", "--target-version", "py311", "ci/forge.py", cwd=made)


def test_actions_are_pinned_and_rights_are_few(tmp_path: Path) -> None:
    tool(str(BIN / "voiceops"), "init", str(tmp_path / "shop"), "--ci", "github", cwd=tmp_path)
    text = (tmp_path / "shop/.github/workflows/voiceops.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    rights = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    assert {name: {k for k, v in given.items() if v == "write"} for name, given in rights.items()} == {
        "plan": {"pull-requests", "id-token"},
        "apply": {"id-token"},
        "drift": {"issues", "id-token"},
    }
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            if "uses" in step:
                _, _, pin = step["uses"].partition("@")
                assert len(pin) == 40
                assert int(pin, 16)
        assert job["timeout-minutes"] <= 30
    assert workflow["jobs"]["apply"]["concurrency"]["cancel-in-progress"] is False
    assert "__" not in text


def test_a_pipeline_comes_to_a_project_that_is_there(tmp_path: Path) -> None:
    voiceops = str(BIN / "voiceops")
    tool(voiceops, "init", str(tmp_path), cwd=tmp_path)
    (tmp_path / AGENT).write_text("kind: Agent\nname: mine\nspec: {}\n")
    tool(voiceops, "init", "--ci", "gitlab", cwd=tmp_path)
    tool(voiceops, "init", "--ci", "gitlab", cwd=tmp_path)  # what is there and the same is no hindrance
    assert (tmp_path / ".gitlab-ci.yml").exists()
    assert "mine" in (tmp_path / AGENT).read_text()
    (tmp_path / "ci/plan.sh").write_text("echo mine\n")
    ran = subprocess.run([voiceops, "init", "--ci", "gitlab"], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.returncode, "ci/plan.sh" in ran.stderr) == (1, True)


# the round trip


@dataclass(slots=True)
class Pipeline:
    """A team: a bare repository, one clone that somebody works in, and fresh clones for the jobs."""

    root: Path
    system: str
    forge: Forge
    sandbox: Bench
    runs: int = 0
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def control(self) -> SandboxClient:
        return self.sandbox.control

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "init.defaultBranch=main")
        return tool("git", *identity, *arguments, cwd=cwd or self.work).strip()

    def commit(self, branch: str, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", message)
        self.git("push", "-q", "origin", f"HEAD:{branch}")
        return self.git("rev-parse", "HEAD")

    def merge(self, branch: str) -> str:
        """The merge request's merge: a commit of its own on main."""
        head = self.git("rev-parse", branch)
        self.git("switch", "-q", "main")
        self.git("merge", "-q", "--no-ff", "-m", f"Merge {branch}", branch)
        self.git("push", "-q", "origin", "main")
        merged = self.git("rev-parse", "HEAD")
        self.forge.merged = {merged: head}
        return merged

    def job(self, name: str, ref: str, *, code: int = 0) -> str:
        """One job of the pipeline on a machine of its own: a fresh clone, then the job's own script."""
        self.runs += 1
        folder = self.root / f"job{self.runs}"
        self.git("clone", "-q", str(self.root / "origin.git"), str(folder), cwd=self.root)
        self.git("checkout", "-q", ref, cwd=folder)
        sha = self.git("rev-parse", "HEAD", cwd=folder)
        ran = subprocess.run(
            ["sh", "-c", self._script(folder, name)],
            cwd=folder,
            capture_output=True,
            text=True,
            env=self._environment(sha, folder),
            timeout=120,
        )
        assert ran.returncode == code, f"exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        plan = folder / ".voiceops/plan.json"
        if name == "plan" and plan.exists():
            self.forge.plans[("prod", sha)] = plan.read_bytes()
        return ran.stdout + ran.stderr

    def _script(self, folder: Path, name: str) -> str:
        """The job's command, from the pipeline's file; setting up the machine is left out."""
        if self.system == "github":
            workflow = yaml.safe_load((folder / ".github/workflows/voiceops.yml").read_text())
            commands = [step["run"] for step in workflow["jobs"][name]["steps"] if "run" in step]
            assert commands[0].startswith("pip install")
            return "\n".join(commands[1:])
        pipeline = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())
        assert pipeline[f"{name} prod"]["extends"] == f".{name}"
        return "\n".join(pipeline[f".{name}"]["script"])

    def _environment(self, sha: str, folder: Path) -> dict[str, str]:
        kept = {key: os.environ[key] for key in ("HOME", "LANG", "TMPDIR") if key in os.environ}
        base = {k: v for k, v in self.sandbox.environ.items() if k.startswith(("VAPI_", "TWILIO_"))}
        event = self.root / "event.json"
        event.write_text(json.dumps({"pull_request": {"number": 7}}))
        here: dict[str, str] = (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_API_URL": self.forge.url,
                "GITHUB_REPOSITORY": "acme/voice",
                "GITHUB_TOKEN": TOKEN,
                "GITHUB_EVENT_PATH": str(event),
                "GITHUB_SHA": sha,
                "GITHUB_ACTOR": "ann",
                "GITHUB_RUN_ID": str(self.runs),
                "GITHUB_SERVER_URL": "https://github.example",
            }
            if self.system == "github"
            else {
                "GITLAB_CI": "true",
                "CI_API_V4_URL": self.forge.url,
                "CI_PROJECT_ID": "42",
                "VOICEOPS_GITLAB_TOKEN": TOKEN,
                "CI_MERGE_REQUEST_IID": "7",
                "CI_COMMIT_SHA": sha,
                "GITLAB_USER_LOGIN": "ann",
                "CI_JOB_URL": f"https://gitlab.example/jobs/{self.runs}",
            }
        )
        return {
            **kept,
            **base,
            **here,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "VOICEOPS_ENV": "prod",
            "VOICEOPS_STATE": str(self.root / "state"),
        }

    def agent(self) -> dict[str, Any]:
        found = self.control.objects("/assistant")
        assert len(found) == 1
        return dict(found[0])


@pytest.fixture
def team(made: Path, system: str, tmp_path: Path) -> Iterator[Pipeline]:
    with forge() as served, bench(tmp_path / "bench") as sandbox:
        team = Pipeline(tmp_path, system, served, sandbox)
        shutil.move(made, team.work)
        team.git("init", "-q", "--bare", str(tmp_path / "origin.git"), cwd=tmp_path)
        team.git("init", "-q")
        team.git("switch", "-q", "-c", "main")
        team.git("remote", "add", "origin", str(tmp_path / "origin.git"))
        team.commit("main", "A shop")
        yield team


def edit(team: Pipeline, branch: str, old: str, new: str, *, start: bool = True) -> str:
    if start:
        team.git("switch", "-q", "-c", branch)
    path = team.work / AGENT
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    return team.commit(branch, f"Say {new}")


def test_from_a_merge_request_to_live_and_back_from_drift(team: Pipeline) -> None:
    # 1. A merge request: its plan is a comment, and later pushes update it.
    edit(team, "greeting", "Hello", "Good day")
    team.job("plan", "greeting")
    assert len(team.forge.comments) == 1
    team.forge.comments.insert(0, {"id": 1, "body": "Looks good to me"})
    edit(team, "greeting", "Good day", "Good morning", start=False)
    team.job("plan", "greeting")
    mine, plan = (comment["body"] for comment in team.forge.comments)
    assert mine == "Looks good to me"
    assert plan.startswith("<!-- voiceops plan shop prod -->\n")
    assert "Good morning" in plan
    assert team.control.objects("/assistant") == [], "a plan changes nothing"

    # 2. Merged and approved: what was reviewed is applied, by whom and from where is kept.
    merged = team.merge("greeting")
    team.job("apply", merged)
    assert team.agent()["firstMessage"].startswith("Good morning")
    revision = json.loads((team.root / "state/prod/revisions/000001.json").read_text())
    assert revision["origin"]["who"] == "ann"
    assert (revision["origin"]["commit"], revision["origin"]["dirty"]) == (merged, False)
    assert revision["message"] == "Merge greeting"
    assert revision["origin"]["link"]
    assert team.forge.leaked == [], "the token stays with the forge's own host"

    # 3. At night: an edit by hand opens one issue, which is updated, and closed when the edit is gone.
    team.job("drift", "main")
    assert team.forge.issues == []
    team.control.edit(team.agent()["id"], {"firstMessage": "Edited ``` by hand"})
    team.job("drift", "main")
    team.control.edit(team.agent()["id"], {"firstMessage": "Edited again"})
    team.job("drift", "main")
    assert len(team.forge.issues) == 1
    text = team.forge.issues[0]["body"] or team.forge.issues[0]["description"]
    assert "Edited again" in text
    assert "drift --accept" in text
    # The next merge reverts it, shown in its plan before.
    edit(team, "voice", "numWords: 2", "numWords: 3")
    team.job("plan", "voice")
    assert "Edited again" in team.forge.comments[-1]["body"]
    team.job("apply", team.merge("voice"))
    assert team.agent()["firstMessage"].startswith("Good morning")
    team.job("drift", "main")
    assert team.forge.open_issues == []
    assert len(team.forge.issues) == 1


def test_what_was_not_reviewed_is_not_applied(team: Pipeline) -> None:
    edit(team, "main", "Hello", "Straight to main", start=False)
    assert "No plan was reviewed" in team.job("apply", "main", code=1)
    # Reviewed, but the merge brought something else into the same agent meanwhile.
    edit(team, "first", "Straight to main", "First")
    team.job("plan", "first")
    team.git("switch", "-q", "main")
    edit(team, "main", "temperature: 0.3", "temperature: 0.9", start=False)
    refused = team.job("apply", team.merge("first"), code=5)
    assert "would change otherwise" in refused or "would come out otherwise" in refused
    assert team.control.objects("/assistant") == []


def test_a_plan_that_cannot_be_applied_is_posted_and_fails_the_job(team: Pipeline) -> None:
    team.job("plan", "main")
    team.forge.merged = {team.git("rev-parse", "main"): team.git("rev-parse", "main")}
    team.job("apply", "main")
    team.git("switch", "-q", "-c", "gone")
    for path in (team.work / "agents").glob("*.yaml"):
        path.write_text("")
    (team.work / "environments/prod.yaml").write_text("safety: {maxDestroyMinimum: 1}\n")
    team.commit("gone", "Delete all")
    team.job("plan", "gone", code=5)
    assert "can't be applied" in team.forge.comments[-1]["body"]
    wrong = edit_file(team, "wrong", "kind: Agent\nname: Bad Name\n")
    assert "name" in team.job("plan", wrong, code=1)


def edit_file(team: Pipeline, branch: str, text: str) -> str:
    team.git("switch", "-q", "main")
    team.git("switch", "-q", "-c", branch)
    (team.work / AGENT).write_text(text)
    return team.commit(branch, "A mistake")
