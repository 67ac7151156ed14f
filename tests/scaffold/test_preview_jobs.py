"""The pipelines' previews: up and tested with each push, one comment, down on close, and swept after a killed job."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from tests.scaffold.forge_server import forge
from tests.scaffold.test_pipelines import BIN, Pipeline, comment, start, tool
from tests.support.bench import Bench, bench
from tests.use.preview_children import account as everything
from tests.use.test_previews import past

NUMBER = "+14155550191"
PROMPT = "agents/prompts/front-desk.md"
EVAL = """\
kind: Eval
name: hours
spec:
  agent: front-desk
  type: chat.mockConversation
  messages:
    - {role: user, content: When are you open?}
    - {role: assistant, judgePlan: {type: regex, content: /nine to six/i}}
"""


@pytest.fixture(params=["github"])  # the script is the same in both
def team(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pipeline]:
    """A shop that says its hours, with an eval of it, previews and a number for them; live."""
    with forge() as served, bench(tmp_path / "bench") as sandbox:
        made = Pipeline(tmp_path, request.param, served, sandbox)
        tool(str(BIN / "voiceops"), "init", str(tmp_path / "shop"), "--ci", request.param, cwd=tmp_path)
        (tmp_path / "shop").rename(made.work)
        shutil.rmtree(made.work / "tests")  # the new project's own script
        (made.work / PROMPT).write_text("We are open from nine to six.\n")
        (made.work / "agents/tests.yaml").write_text(EVAL)
        settings = made.work / "voiceops.yaml"
        settings.write_text(f'{settings.read_text()}\npreviews: {{from: prod, lines: ["{NUMBER}"]}}\n')
        made.secrets["VOICEOPS_PREVIEW_LINE"] = "main-line"
        start(made)
        made.job("plan", "main")
        main = made.git("rev-parse", "main")
        made.forge.merged = {main: main}
        made.job("apply", "main")
        made.control.create("/phone-number", {"provider": "vapi", "number": NUMBER})
        made.forge.comments.clear()
        yield made


def account(made: Bench) -> dict[str, Any]:
    """What is live, but for the runs that Vapi keeps of tests."""
    return {collection: found for collection, found in everything(made).items() if not collection.endswith("/run")}


def push(team: Pipeline, text: str) -> None:
    """A branch that says something else."""
    team.git("switch", "-q", "-C", "hours", "main")
    (team.work / PROMPT).write_text(text)
    team.git("add", "-A")
    team.git("commit", "-qm", "Other hours")
    team.git("push", "-qf", "origin", "HEAD:hours")


def report(team: Pipeline) -> JUnitXml:
    """The JUnit file that the last job leaves."""
    return JUnitXml.fromfile(str(team.root / f"job{team.runs}/.voiceops/tests.xml"))


@pytest.mark.parametrize("team", ["github", "gitlab"], indirect=True)
def test_a_bad_change_is_stopped_and_a_good_one_goes_on_in_one_comment(team: Pipeline) -> None:
    before = account(team.sandbox)

    # 1. The test fails, and so does the job; the comment says where.
    push(team, "We are open from ten to four.\n")
    team.job("plan", "hours")
    said = team.job("preview", "hours", code=1)
    assert "hours: failed at turn 2" in said
    text = comment(team, "plan")
    assert text.index("ten to four") < text.index("#### 📞 Preview `pr-7`: call **" + NUMBER + "**")
    assert "It answers as `Phone/main-line` will" in text
    assert f"with commit `{team.git('rev-parse', 'hours')[:7]}`" in text, "what was tested may be older than the plan"
    assert "❌ Tests in `preview-pr-7`: 1 failed" in text
    assert "🔴 **`hours` failed at turn 2**" in text
    assert "`agents/front-desk.yaml:" in text
    assert "`Phone/main-line`" in text
    assert (report(team).tests, report(team).failures) == (1, 1)

    # 2. Pushed again: the same comment.
    push(team, "We are open from nine to six, and glad to help.\n")
    team.job("plan", "hours")
    assert "❌" in comment(team, "plan"), "what was said of the last push stays until this one is tested"
    team.job("preview", "hours")
    text = comment(team, "plan")
    assert "glad to help" in text
    assert "✅ Tests in `preview-pr-7`: 1 passed" in text
    assert "❌" not in text
    assert text.count(NUMBER) == 1
    assert len(team.forge.comments) == 1
    assert report(team).failures == 0

    # 3. Pushed once more with the same agents: what passed is not run again.
    (team.work / "README.md").write_text("Ours.\n")
    team.commit("hours", "Docs")
    team.job("preview", "hours")
    assert comment(team, "plan").count("✅ Tests in `preview-pr-7`") == 1
    assert team.control.runs()["ended"] == {"failed": 1, "passed": 1}

    # 4. Closed: the account is as it was, and that is said. Closed again: nothing.
    team.job("preview-down", "main")
    assert account(team.sandbox) == before
    assert comment(team, "plan").endswith("The preview is gone.\n")
    assert "nothing to do" in team.job("preview-down", "main")


def test_only_what_passed_is_applied_where_that_is_asked(team: Pipeline) -> None:
    push(team, "We are open from nine to six, and glad to help.\n")
    team.job("plan", "hours")
    merged = team.merge("hours")
    team.secrets["VOICEOPS_REQUIRE_TESTS"] = "yes"
    refused = team.job("apply", merged, code=5)
    assert "voiceops" in refused
    assert "hours" in comment(team, "apply")
    team.job("preview", "hours")
    team.job("apply", merged)
    assert "was applied" in comment(team, "apply")


def test_the_night_takes_what_a_job_that_died_left(team: Pipeline) -> None:
    before = account(team.sandbox)
    push(team, "We are open from nine to six!\n")
    team.job("plan", "hours")
    team.sandbox.control.fault("status", vendor="vapi", path="^/eval$", method="POST", status=400)
    team.job("preview", "hours", code=3)
    assert "**There is no preview.**" in comment(team, "plan")
    assert account(team.sandbox) != before, "its agent is there"
    assert "Nothing to sweep" in team.job("sweep", "main")
    past(team.root / "state/_previews", "pr-7")
    assert "Preview pr-7 is gone" in team.job("sweep", "main")
    assert account(team.sandbox) == before


def test_what_has_no_room_in_one_comment_is_in_two(team: Pipeline) -> None:
    push(team, "We are open from ten to four.\n" * 3_000)
    team.job("plan", "hours")
    plan = comment(team, "plan")
    team.forge.comments[0]["body"] = plan + "x" * (64_500 - len(plan))
    for _ in range(2):
        team.job("preview", "hours", code=1)
        assert len(team.forge.comments) == 2
        assert "has a comment of its own" in comment(team, "plan")
        assert "❌ Tests in `preview-pr-7`" in comment(team, "preview")
        assert all(len(one["body"]) < 65_536 for one in team.forge.comments)


def test_a_project_without_previews_has_none(team: Pipeline) -> None:
    before = account(team.sandbox)
    settings = team.work / "voiceops.yaml"
    team.git("switch", "-q", "-c", "none")
    settings.write_text(settings.read_text().partition("\npreviews:")[0] + "\n")
    team.git("commit", "-qam", "None")
    team.git("push", "-q", "origin", "HEAD:none")
    assert "No preview: voiceops.yaml has no" in team.job("preview", "none")
    team.secrets["VAPI_API_KEY"] = ""
    for job in ("preview", "preview-down", "sweep"):
        assert "holds no VAPI_API_KEY" in team.job(job, "main")
    assert account(team.sandbox) == before


def test_a_preview_that_cannot_be_made_is_said_in_the_comment(team: Pipeline) -> None:
    push(team, "We are open from nine to six!\n")
    team.job("plan", "hours")
    team.secrets["VOICEOPS_PREVIEW_LINE"] = "nobodys-line"
    team.job("preview", "hours", code=1)
    text = comment(team, "plan")
    assert "**There is no preview.**" in text
    assert "nobodys-line" in text
