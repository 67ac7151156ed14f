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

from tests.scaffold.forge_server import STRANGER, TOKEN, Forge, forge
from tests.support.bench import REPOSITORY, Bench, bench
from voiceops.sandbox.client import SandboxClient
from voiceops.templating import render_file

BIN = Path(sys.executable).parent
AGENT = "agents/front-desk.yaml"
ON_GITLAB = {"preview": "preview", "preview-down": "preview down", "sweep": "preview sweep"}
INSTALL = "pip install --quiet --require-hashes -r ci/requirements.lock"


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
    said = tool(str(BIN / "voiceops"), "init", str(tmp_path / "shop"), "--ci", system, cwd=tmp_path)
    head = said.splitlines()[-1].removeprefix("What to set up once stands at the top of ").removesuffix(".")
    assert "Set up once" in (tmp_path / "shop" / head).read_text(encoding="utf-8")
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
    config = ("--config", str(REPOSITORY / "pyproject.toml"))
    tool(str(BIN / "ruff"), "format", "--check", *config, "ci/forge.py", cwd=made)
    tool(str(BIN / "ruff"), "check", *config, "ci/forge.py", cwd=made)


def test_actions_are_pinned_and_rights_are_few(tmp_path: Path) -> None:
    tool(str(BIN / "voiceops"), "init", str(tmp_path / "shop"), "--ci", "github", cwd=tmp_path)
    text = (tmp_path / "shop/.github/workflows/voiceops.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    rights = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    assert {name: {k for k, v in given.items() if v == "write"} for name, given in rights.items()} == {
        "check": set(),
        "plan": {"pull-requests", "id-token"},
        "preview": {"pull-requests", "id-token"},
        "preview-down": {"pull-requests", "id-token"},
        "sweep": {"id-token"},
        "apply": {"pull-requests", "id-token"},
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
    assert "[[" not in text


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

    def job(self, name: str, ref: str, *, code: int = 0, base: str = "", keys: bool = True) -> str:
        """One job of the pipeline on a machine of its own: a fresh clone, then the job's own script.

        With a `base`, `ref` is checked out merged into it, as a pull request's runs are; without `keys` the job has
        neither the vendors' nor the forge's.
        """
        self.runs += 1
        folder = self.root / f"job{self.runs}"
        self.git("clone", "-q", str(self.root / "origin.git"), str(folder), cwd=self.root)
        self.git("checkout", "-q", ref, cwd=folder)
        sha = self.git("rev-parse", "HEAD", cwd=folder)
        environment = self._environment(sha, folder, keys=keys)
        if base:
            environment["CI_MERGE_REQUEST_DIFF_BASE_SHA"] = self.git("rev-parse", f"origin/{base}", cwd=folder)
            self.git("checkout", "-q", f"origin/{base}", cwd=folder)
            self.git("merge", "-q", "--no-ff", "-m", "merged", sha, cwd=folder)
        ran = subprocess.run(
            ["sh", "-ec", self._script(folder, name)],
            cwd=folder,
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
        )
        assert ran.returncode == code, f"exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        plan = folder / ".voiceops/plan.json"
        if name == "plan" and plan.exists():
            self.forge.plans[("prod", sha)] = plan.read_bytes()
            if (signature := plan.with_name("plan.json.sig")).exists():
                self.forge.signatures[plan.read_bytes()] = signature.read_bytes()
        return ran.stdout + ran.stderr

    def _script(self, folder: Path, name: str) -> str:
        """The job's command, from the pipeline's file; setting up the machine is left out."""
        if self.system == "github":
            workflow = yaml.safe_load((folder / ".github/workflows/voiceops.yml").read_text())
            commands = [step["run"] for step in workflow["jobs"][name]["steps"] if "run" in step]
            assert commands[0] == INSTALL
            return "\n".join(commands[1:])
        pipeline = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())
        if name == "check" or name in ON_GITLAB:
            return "\n".join(pipeline[ON_GITLAB.get(name, name)]["script"])
        assert pipeline[f"{name} prod"]["extends"] == f".{name}"
        assert pipeline[".with-state"]["before_script"][1] == pipeline[".voiceops"]["before_script"][1] == INSTALL
        return "\n".join(pipeline[f".{name}"]["script"])

    def _environment(self, sha: str, folder: Path, *, keys: bool) -> dict[str, str]:
        kept = {key: os.environ[key] for key in ("HOME", "LANG", "TMPDIR") if key in os.environ}
        base = {k: v for k, v in self.sandbox.environ.items() if k.startswith(("VAPI_", "TWILIO_"))}
        event = self.root / "event.json"
        event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": sha}}}))
        here: dict[str, str] = (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_API_URL": self.forge.url,
                "GITHUB_REPOSITORY": "acme/voice",
                "GITHUB_TOKEN": TOKEN,
                "GITHUB_EVENT_PATH": str(event),
                "GITHUB_SHA": sha,
                "GITHUB_REF_NAME": "main",
                "GITHUB_ACTOR": "ann",
                "PULL_REQUEST": "7",
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
                "CI_COMMIT_BRANCH": "main",
                "GITLAB_USER_LOGIN": "ann",
                "CI_JOB_URL": f"https://gitlab.example/jobs/{self.runs}",
            }
        )
        path = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        if not keys:
            here = {key: value for key, value in here.items() if "TOKEN" not in key}
            sandbox = {"VOICEOPS_ENV": self._sandbox(folder), "GITHUB_STEP_SUMMARY": str(self.root / "summary.md")}
            return {
                **kept,
                **here,
                **path,
                **(sandbox if self.system == "github" else sandbox | {"GITHUB_STEP_SUMMARY": ""}),
            }
        return {
            **kept,
            **base,
            **here,
            **path,
            "VOICEOPS_ENV": "prod",
            "VOICEOPS_STATE": str(self.root / "state"),
            **self.secrets,
        }

    def _sandbox(self, folder: Path) -> str:
        """The environment that the check's job names."""
        if self.system == "github":
            jobs = yaml.safe_load((folder / ".github/workflows/voiceops.yml").read_text())["jobs"]
            return str(jobs["check"]["env"]["VOICEOPS_ENV"])
        return str(yaml.safe_load((folder / ".gitlab-ci.yml").read_text())["check"]["variables"]["VOICEOPS_ENV"])

    def agent(self) -> dict[str, Any]:
        found = self.control.objects("/assistant")
        assert len(found) == 1
        return dict(found[0])


@pytest.fixture
def team(made: Path, system: str, tmp_path: Path) -> Iterator[Pipeline]:
    with forge() as served, bench(tmp_path / "bench") as sandbox:
        team = Pipeline(tmp_path, system, served, sandbox)
        shutil.move(made, team.work)
        start(team)
        yield team


def start(team: Pipeline) -> None:
    """The project in `work` gets its repository."""
    team.git("init", "-q", "--bare", str(team.root / "origin.git"), cwd=team.root)
    team.git("init", "-q")
    team.git("switch", "-q", "-c", "main")
    team.git("remote", "add", "origin", str(team.root / "origin.git"))
    team.commit("main", "A shop")


def edit(team: Pipeline, branch: str, old: str, new: str, *, start: bool = True) -> str:
    if start:
        team.git("switch", "-q", "-c", branch)
    path = team.work / AGENT
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    return team.commit(branch, f"Say {new}")


def comment(team: Pipeline, what: str) -> str:
    """The pipeline's comment of that kind, of which there is one."""
    found = [c["body"] for c in team.forge.comments if c["body"].startswith(f"<!-- voiceops {what} shop prod -->\n")]
    assert len(found) == 1
    return str(found[0])


def test_from_a_merge_request_to_live_and_back_from_drift(team: Pipeline) -> None:
    # 1. A merge request: its plan is a comment, and later pushes update it.
    edit(team, "greeting", "Hello", "Good day")
    team.job("plan", "greeting")
    assert len(team.forge.comments) == 1
    team.forge.comments.insert(0, {"id": 1, "body": "Looks good to me", **STRANGER})
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
    assert "Edited again" in comment(team, "plan")
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


def test_a_signed_plan_is_applied_and_another_is_not(team: Pipeline) -> None:
    tool(
        "ssh-keygen",
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-C",
        "plan-job",
        "-f",
        str(team.root / "plan-key"),
        cwd=team.root,
    )
    key, public = team.root / "plan-key", (team.root / "plan-key.pub").read_text()
    value = str(key) if team.system == "gitlab" else key.read_text()  # a variable of type file there
    edit(team, "greeting", "Hello", "Good day")
    team.job("plan", "greeting")
    merged = team.merge("greeting")
    team.secrets["VOICEOPS_PLAN_SIGNERS"] = public
    assert "is not signed" in team.job("apply", merged, code=5)
    assert team.control.objects("/assistant") == []
    team.secrets["VOICEOPS_PLAN_KEY"] = value
    team.git("switch", "-q", "greeting")
    team.job("plan", "greeting")
    team.secrets.pop("VOICEOPS_PLAN_KEY")
    team.job("apply", merged)
    assert team.agent()["firstMessage"].startswith("Good day")


def test_what_the_jobs_with_keys_are_given(tmp_path: Path) -> None:
    tool(str(BIN / "voiceops"), "init", str(tmp_path / "shop"), "--ci", "github", cwd=tmp_path)
    jobs = yaml.safe_load((tmp_path / "shop/.github/workflows/voiceops.yml").read_text())["jobs"]
    for name in ("plan", "apply", "drift", "preview", "preview-down", "sweep"):
        assert jobs[name]["env"]["VOICEOPS_ALLOWED_HOSTS"] == "${{ vars.VOICEOPS_ALLOWED_HOSTS }}"
    given = {name: {key for step in job["steps"] for key in step.get("env", {})} for name, job in jobs.items()}
    assert {name for name, keys in given.items() if "VOICEOPS_PLAN_KEY" in keys} == {"plan"}
    assert {name for name, keys in given.items() if "VOICEOPS_PLAN_SIGNERS" in keys} == {"apply"}


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
    assert "can't be applied" in comment(team, "plan")
    wrong = edit_file(team, "wrong", "kind: Agent\nname: Bad Name\n")
    assert "name" in team.job("plan", wrong, code=1)


def edit_file(team: Pipeline, branch: str, text: str) -> str:
    team.git("switch", "-q", "main")
    team.git("switch", "-q", "-c", branch)
    (team.work / AGENT).write_text(text)
    return team.commit(branch, "A mistake")


def test_a_plan_with_nothing_to_do_passes(team: Pipeline) -> None:
    team.job("plan", "main")
    team.forge.merged = {team.git("rev-parse", "main"): team.git("rev-parse", "main")}
    team.job("apply", "main")
    (team.work / "README.md").write_text("A shop.\n")
    team.commit("docs", "Docs alone")
    team.job("plan", "origin/docs")
    assert "Nothing to do" in comment(team, "plan")


def test_a_plan_that_waits_for_its_tests_is_posted_and_passes(team: Pipeline) -> None:
    team.git("switch", "-q", "-c", "gated")
    (team.work / "environments/prod.yaml").write_text("safety: {requireTests: true}\n")
    team.commit("gated", "Only what was tested")
    team.job("plan", "gated")
    assert "Apply refuses this plan until its tests have passed." in comment(team, "plan")


# what went wrong is said where it is looked for


def test_a_failed_validation_is_a_comment_at_the_plans_place_and_annotations(team: Pipeline) -> None:
    edit(team, "greeting", "Hello", "Good day")
    team.job("plan", "greeting")
    assert "Good day" in comment(team, "plan")
    edit(team, "greeting", "provider: openai", "provider: opnai", start=False)
    said = team.job("plan", "greeting", code=1)
    text = comment(team, "plan")
    assert "There is no plan for `prod`: `voiceops validate` failed." in text
    assert "agents/front-desk.yaml:7" in text
    assert "openai" in text
    assert "Good day" not in text, "the older plan is no plan any more"
    assert ("::error file=agents/front-desk.yaml,line=7" in said) is (team.system == "github")
    edit(team, "greeting", "provider: opnai", "provider: openai", start=False)
    team.job("plan", "greeting")
    assert "Good day" in comment(team, "plan")


def test_a_plan_that_failed_is_a_comment(team: Pipeline) -> None:
    team.secrets["VAPI_API_KEY"] = ""
    team.job("plan", "main", code=1)
    assert "`voiceops plan` failed" in comment(team, "plan")
    assert "VAPI_API_KEY" in comment(team, "plan")


def test_how_the_apply_ended_is_a_comment(team: Pipeline) -> None:
    edit(team, "greeting", "Hello", "Good day")
    team.job("plan", "greeting")
    merged = team.merge("greeting")
    team.secrets["VAPI_API_KEY"] = "wrong"
    team.job("apply", merged, code=1)
    assert "**`prod` failed (exit 1).**" in comment(team, "apply")
    assert "401" in comment(team, "apply")
    del team.secrets["VAPI_API_KEY"]
    team.job("apply", merged)
    text = comment(team, "apply")
    assert "**`prod` was applied.**" in text
    assert "2 created" in text
    # Something else got into the same agent: what was reviewed is refused, and that is said there, too.
    edit(team, "second", "Good day", "Second")
    team.job("plan", "second")
    team.control.edit(team.agent()["id"], {"firstMessage": "Edited"})
    team.job("apply", team.merge("second"), code=5)
    assert "was refused: nothing was applied" in comment(team, "apply")


def test_a_result_that_cannot_be_posted_does_not_fail_what_was_applied(team: Pipeline) -> None:
    edit(team, "greeting", "Hello", "Good day")
    team.job("plan", "greeting")
    merged = team.merge("greeting")
    team.forge.closed = ("issues/7/comments", "merge_requests/7/notes")
    assert "could not be posted" in team.job("apply", merged)
    assert team.agent()["firstMessage"].startswith("Good day")


# without keys


def test_the_check_shows_a_stranger_what_changes_without_any_key(team: Pipeline) -> None:
    edit(team, "greeting", "Hello", "Good day")
    said = team.job("check", "greeting", base="main", keys=False)
    assert "1 to update" in said
    assert "Good day" in said
    assert "No call" in said
    assert team.forge.requests == [], "nothing is asked of the forge, and no token needed"
    assert team.control.objects("/assistant") == []
    if team.system == "github":
        assert "1 to update" in (team.root / "summary.md").read_text()
    wrong = edit_file(team, "wrong", "kind: Agent\nname: Bad Name\n")
    assert "'Bad Name' does not match" in team.job("check", wrong, code=1, base="main", keys=False)


def test_the_check_plans_from_nothing_where_the_target_is_broken(team: Pipeline) -> None:
    edit(team, "main", "provider: openai", "provider: opnai", start=False)
    edit(team, "mended", "provider: opnai", "provider: openai")
    said = team.job("check", "mended", base="main", keys=False)
    assert "starts from nothing" in said
    assert "2 to create" in said


def test_the_check_plays_a_call_where_there_is_a_runtime(tmp_path: Path, system: str) -> None:
    with forge() as served, bench(tmp_path / "bench") as sandbox:
        team = Pipeline(tmp_path, system, served, sandbox)
        arguments = ("init", str(team.work), "--with-runtime", "--ci", system)
        tool(str(BIN / "voiceops"), *arguments, cwd=tmp_path)
        start(team)
        (team.work / "agents/handlers/hours.py").write_text("def opening_hours(day: str) -> str:\n    return 'Nine.'\n")
        team.git("switch", "-q", "-c", "hours")
        team.commit("hours", "Nine")
        said = team.job("check", "hours", base="main", keys=False)
        assert "openingHours" in said
        assert "Nine." in said
        assert "ok: 1 call" in said


def test_a_project_without_a_sandbox_is_still_checked(tmp_path: Path, system: str) -> None:
    voiceops = str(BIN / "voiceops")
    tool(voiceops, "init", str(tmp_path / "work"), cwd=tmp_path)
    (tmp_path / "work/environments/dev.yaml").unlink()
    tool(voiceops, "-C", str(tmp_path / "work"), "init", "--ci", system, cwd=tmp_path)
    with forge() as served, bench(tmp_path / "bench") as sandbox:
        team = Pipeline(tmp_path, system, served, sandbox)
        start(team)
        said = team.job("check", "main", base="main", keys=False)
        assert "names no environment with" in said


def test_the_job_for_forks_has_no_secret_and_the_others_do_not_run_for_them(tmp_path: Path) -> None:
    tool(str(BIN / "voiceops"), "init", str(tmp_path / "shop"), "--ci", "github", cwd=tmp_path)
    jobs = yaml.safe_load((tmp_path / "shop/.github/workflows/voiceops.yml").read_text())["jobs"]
    check = jobs["check"]
    assert "secrets." not in json.dumps(check)
    assert "vars." not in json.dumps(check)
    assert "token" not in json.dumps(check).lower()
    assert "environment" not in check
    assert check["permissions"] == {"contents": "read"}
    for name in ("plan", "preview", "preview-down"):
        assert "head.repo.full_name == github.repository" in jobs[name]["if"]
    assert "pull_request_target" not in (tmp_path / "shop/.github/workflows/voiceops.yml").read_text()
    for name in ("plan", "apply", "drift"):
        assert jobs[name]["env"]["RUNTIME_URL"] == "${{ vars.RUNTIME_URL }}"
    tool(str(BIN / "voiceops"), "init", str(tmp_path / "lab"), "--ci", "gitlab", cwd=tmp_path)
    pipeline = yaml.safe_load((tmp_path / "lab/.gitlab-ci.yml").read_text())
    assert "environment" not in pipeline["check"]
    assert "id_tokens" not in pipeline[".voiceops"]
    for name in (".plan", "preview", "preview down"):
        assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in pipeline[name]["rules"][0]["if"]


# whose plan, whose comment


@pytest.mark.parametrize(
    ("what", "said", "why"),
    [
        ("run", {"head_sha": "1" * 40}, "another commit"),
        ("run", {"repository": {"full_name": "mallory/voice"}}, "another repository"),
        ("run", {"head_repository": {"full_name": "mallory/voice"}}, "its commit is of another repository"),
        ("run", {"head_repository": None}, "its commit is of another repository"),
        ("run", {"path": ".github/workflows/evil.yml"}, "another workflow"),
        ("run", {"path": ".github/workflows/evil.yml@refs/heads/voiceops.yml"}, "another workflow"),
        ("run", {"event": "push"}, "not made for a pull request"),
        ("run", {"event": "pull_request_target"}, "not made for a pull request"),
        ("run", {"triggering_actor": {"login": "mallory", "type": "User"}}, "may not push"),
        ("run", {"triggering_actor": None}, "may not push"),
        ("permission", {"": "read"}, "may not push"),
        ("artifact", {"expired": True}, "expired"),
        ("artifact", {"workflow_run": None}, "expired"),
        ("merge", {"merged_at": None}, "not merged"),
        ("merge", {"merge_commit_sha": "2" * 40}, "its merge is another commit"),
        ("merge", {"base": {"ref": "release"}}, "not for main"),
        ("merge", {"head": {"sha": "3" * 40, "repo": {"full_name": "mallory/voice"}}}, "another repository"),
        ("merge", {"head": {"sha": "3" * 40, "repo": None}}, "another repository"),
    ],
)
def test_on_github_a_plan_of_doubtful_origin_is_not_taken(
    tmp_path: Path, what: str, said: dict[str, Any], why: str
) -> None:
    refused(tmp_path, "github", what, said, why)


@pytest.mark.parametrize(
    ("what", "said", "why"),
    [
        ("run", {"sha": "1" * 40}, "another commit"),
        ("run", {"project_id": 43}, "another project"),
        ("run", {"source": "push"}, "not made for a merge request"),
        ("run", {"source": "api"}, "not made for a merge request"),
        ("run", {"ref": "refs/heads/main"}, "another merge request"),
        ("run", {"ref": "refs/merge-requests/77/head"}, "another merge request"),
        ("run", {"user": {"id": 666}}, "may not push"),
        ("run", {"user": None}, "may not push"),
        ("permission", {"": "read"}, "may not push"),
        ("merge", {"state": "opened"}, "not merged"),
        ("merge", {"merge_commit_sha": "2" * 40}, "its merge is another commit"),
        ("merge", {"target_branch": "release"}, "not for main"),
        ("merge", {"source_project_id": 666}, "another project"),
    ],
)
def test_on_gitlab_a_plan_of_doubtful_origin_is_not_taken(
    tmp_path: Path, what: str, said: dict[str, Any], why: str
) -> None:
    refused(tmp_path, "gitlab", what, said, why)


def refused(folder: Path, system: str, what: str, said: dict[str, Any], why: str) -> None:
    """forge.py alone: it takes a plan of good origin, and refuses the same one of a doubtful origin."""
    with forge() as served:
        served.merged = {"a" * 40: "b" * 40}
        served.plans[("prod", "b" * 40)] = b'{"the": "plan"}'
        assert asked(folder, system, served) == (0, b'{"the": "plan"}', "")
        if what == "permission":
            served.permission = said[""]
        else:
            served.said[what] = said
        code, plan, error = asked(folder, system, served)
        assert (code, plan) == (1, b"")
        assert "No plan was reviewed" in error
        assert why in error


def forge_script(folder: Path) -> Path:
    """ci/forge.py of the project shop."""
    path = folder / "forge.py"
    path.write_text(render_file("ci/shared/ci/forge.py.j2", project="shop"))
    return path


def asked(folder: Path, system: str, served: Forge) -> tuple[int, bytes, str]:
    """`forge.py reviewed`: its exit code, the plan that it wrote, and what it said."""
    out = folder / "plan.json"
    out.unlink(missing_ok=True)
    here = (
        {"GITHUB_ACTIONS": "true", "GITHUB_API_URL": served.url, "GITHUB_REPOSITORY": "acme/voice"}
        | {"GITHUB_TOKEN": TOKEN, "GITHUB_SHA": "a" * 40, "GITHUB_REF_NAME": "main"}
        if system == "github"
        else {"CI_API_V4_URL": served.url, "CI_PROJECT_ID": "42", "VOICEOPS_GITLAB_TOKEN": TOKEN}
        | {"CI_COMMIT_SHA": "a" * 40, "CI_COMMIT_BRANCH": "main"}
    )
    script = forge_script(folder)
    ran = subprocess.run(
        [sys.executable, "-B", script, "reviewed", str(out)],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "VOICEOPS_ENV": "prod", **here},
        timeout=60,
    )
    return ran.returncode, out.read_bytes() if out.exists() else b"", ran.stderr.strip()


def test_a_newer_artifact_by_somebody_else_does_not_hide_the_plan(tmp_path: Path) -> None:
    with forge() as served:
        served.merged = {"a" * 40: "b" * 40}
        served.plans[("prod", "b" * 40)] = b'{"the": "plan"}'
        name = f"voiceops-plan-prod-{'b' * 40}"
        hostile = {"id": 900, "name": name, "workflow_run": {"id": 900}, "content": b"{}"}
        served.stray = [hostile | {"run": {"path": ".github/workflows/evil.yml", "event": "push"}}]
        assert asked(tmp_path, "github", served)[:2] == (0, b'{"the": "plan"}')
        assert ("GET", "/repos/acme/voice/actions/artifacts/900/zip") not in served.requests


def test_comments_and_issues_of_others_are_left_alone_whatever_they_begin_with(team: Pipeline) -> None:
    for marker in ("<!-- voiceops plan shop prod -->\n", "<!-- voiceops apply shop prod -->\n"):
        team.forge.comments.append({"id": len(team.forge.comments) + 1, "body": f"{marker}Mine", **STRANGER})
    drift = "<!-- voiceops drift shop prod -->\nMine"
    issue = {"body": drift, "description": drift, "number": 1, "iid": 1, "state": "opened", "labels": "voiceops-drift"}
    team.forge.issues.append(issue | STRANGER)
    team.job("plan", "main")
    team.job("plan", "main")
    team.forge.merged = {team.git("rev-parse", "main"): team.git("rev-parse", "main")}
    team.job("apply", "main")
    assert [c["body"].partition("\n")[2][:4] == "Mine" for c in team.forge.comments] == [True, True, False, False]
    team.job("drift", "main")
    assert team.forge.issues[0]["state"] == "opened", "no drift, and still somebody else's"
    team.control.edit(team.agent()["id"], {"firstMessage": "Edited"})
    team.job("drift", "main")
    assert team.forge.issues[0]["body"] == drift
    assert len(team.forge.issues) == 2


def test_a_long_result_is_cut_at_its_beginning(tmp_path: Path) -> None:
    import runpy

    script = runpy.run_path(str(forge_script(tmp_path)), run_name="read")
    text = script["applied_text"]("prod", 3, "first\n" + "x" * 100_000 + "\n````\nlast")
    assert len(text) < 65_536
    assert text.endswith("\n````\nlast\n`````\n")
    assert "was applied in part" in text


# renewed


def test_a_newer_voiceops_renews_what_was_not_edited(made: Path, system: str) -> None:
    import hashlib

    voiceops, lock = str(BIN / "voiceops"), made / "ci/generated.lock"
    wheel = next((made / "ci").glob("*.whl"))
    fresh = {p.relative_to(made).as_posix(): p.read_bytes() for p in made.rglob("*") if p.is_file()}
    older = wheel.with_name(wheel.name.replace("0.1.0", "0.0.9"))
    wheel.rename(older)
    data = json.loads(lock.read_text())
    data["files"][f"ci/{older.name}"] = data["files"].pop(f"ci/{wheel.name}")
    for name in ("ci/plan.sh", "ci/requirements.lock"):
        (made / name).write_text(f"# as it was: ./ci/{older.name}\n")
        data["files"][name] = "sha256:" + hashlib.sha256((made / name).read_bytes()).hexdigest()
    lock.write_text(json.dumps(data))
    said = tool(voiceops, "init", "--ci", system, cwd=made)
    assert "removed ci/" + older.name in said
    assert {p.relative_to(made).as_posix(): p.read_bytes() for p in made.rglob("*") if p.is_file()} == fresh

    # What was edited is kept where one says so, and nothing is written where one doesn't.
    (made / "ci/plan.sh").write_text("echo mine\n")
    (made / "ci/drift.sh").unlink()
    ran = subprocess.run([voiceops, "init", "--ci", system], cwd=made, capture_output=True, text=True)
    assert (ran.returncode, "--keep-edited" in ran.stderr) == (1, True)
    assert not (made / "ci/drift.sh").exists()
    assert "kept    ci/plan.sh" in tool(voiceops, "init", "--ci", system, "--keep-edited", cwd=made)
    assert (made / "ci/plan.sh").read_text() == "echo mine\n"
    assert (made / "ci/drift.sh").exists()


def test_somebody_elses_pipeline_is_never_overwritten(tmp_path: Path, system: str) -> None:
    voiceops = str(BIN / "voiceops")
    tool(voiceops, "init", str(tmp_path), cwd=tmp_path)
    path = tmp_path / {"github": ".github/workflows/voiceops.yml", "gitlab": ".gitlab-ci.yml"}[system]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine\n")
    for flags in ((), ("--keep-edited",)):
        ran = subprocess.run([voiceops, "init", "--ci", system, *flags], cwd=tmp_path, capture_output=True, text=True)
        assert (ran.returncode, path.name in ran.stderr) == (1, True)
        assert not (tmp_path / "ci").exists()


def test_an_address_with_its_hash_takes_the_wheels_place(tmp_path: Path, system: str) -> None:
    voiceops, url = str(BIN / "voiceops"), "https://files.example.com/voiceops_iac-0.1.0-py3-none-any.whl"
    tool(voiceops, "init", str(tmp_path / "a"), "--ci", system, "--from", f"{url}#sha256={'ab' * 32}", cwd=tmp_path)
    text = (tmp_path / "a/ci/requirements.lock").read_text()
    assert f"voiceops-iac[age,policy,postgres,s3,sign] @ {url}#sha256={'ab' * 32}\n" in text
    assert not list((tmp_path / "a/ci").glob("*.whl"))
    wrong = [voiceops, "init", str(tmp_path / "b"), "--ci", system, "--from", url]
    ran = subprocess.run(wrong, capture_output=True, text=True)
    assert (ran.returncode, "has no hash" in ran.stderr, (tmp_path / "b").exists()) == (1, True, False)
