"""policies/*.yaml: read strictly, and every wrong rule named with its place; then through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from voiceops.errors import InvalidProject
from voiceops.manifest.policies import read_policies
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import load_project

AGENT = """
kind: Agent
name: desk
labels: {team: care}
spec:
  firstMessage: Hello.
  model: {provider: openai, model: gpt-4.1, systemPrompt: Be kind.}
  voice: {provider: 11labs, voiceId: sarah}
  transcriber: {provider: deepgram, model: nova-2}
"""
GOOD = """
id: models
message: Only models that we have tried.
match: {kinds: [Agent]}
require: after.model.model in ["gpt-4.1"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "voiceops.yaml").write_text("version: 1\nproject: shop\nproviders: sandbox\n", encoding="utf-8")
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "desk.yaml").write_text(AGENT, encoding="utf-8")
    (tmp_path / "policies").mkdir()
    return tmp_path


def problems_of(root: Path, text: str) -> list[str]:
    (root / "policies" / "rules.yaml").write_text(text, encoding="utf-8")
    problems = Problems()
    read_policies(load_project(root, None, {}, problems), problems)
    return [str(d) for d in problems.all]


def test_a_rule_a_document_or_a_list(project: Path) -> None:
    (project / "policies" / "a.yaml").write_text(GOOD + "---\n" + GOOD.replace("models", "other", 1), encoding="utf-8")
    listed = "- {id: third, message: m, match: {actions: [delete]}, severity: warning}\n"
    (project / "policies" / "b.yml").write_text(listed, encoding="utf-8")
    problems = Problems()

    found = read_policies(load_project(project, None, {}, problems), problems)

    assert problems.all == ()
    assert [(rule.id, rule.severity, str(rule.mark)) for rule in found] == [
        ("models", "error", "policies/a.yaml:2:1"),
        ("other", "error", "policies/a.yaml:8:1"),
        ("third", "warning", "policies/b.yml:1:4"),
    ]


def test_files_named_by_the_project(project: Path) -> None:
    settings = "version: 1\nproject: shop\npolicies: [rules/one.yaml]\n"
    (project / "voiceops.yaml").write_text(settings, encoding="utf-8")
    (project / "rules").mkdir()
    (project / "rules" / "one.yaml").write_text(GOOD, encoding="utf-8")
    (project / "policies" / "not-read.yaml").write_text("nonsense", encoding="utf-8")
    problems = Problems()

    assert [rule.id for rule in read_policies(load_project(project, None, {}, problems), problems)] == ["models"]
    assert problems.all == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: a\nmessage: m\nrequire: after.x ==\n", "policies/rules.yaml:3:1: error[policy-expression]"),
        ("id: a\nmessage: m\nwhen: aftr.x == 1\n", "'aftr'"),
        ("id: a\nmessage: m\n", "policies/rules.yaml:1:1: error[policy-empty]"),
        ("id: a\nwhen: 'true'\n", "message"),
        ("id: A b\nmessage: m\nwhen: 'true'\n", "policies/rules.yaml:1:1"),
        ("id: a\nmessage: m\nwhen: 'true'\nseverty: error\n", "severity"),
        ("id: a\nmessage: m\nwhen: 'true'\nseverity: fatal\n", "policies/rules.yaml:4:1"),
        ("id: a\nmessage: m\nmatch: {kinds: [Agnet]}\n", "Did you mean Agent?"),
        ("id: a\nmessage: m\nmatch: {actions: [destroy]}\n", "policies/rules.yaml:3:19: error[policy-match]"),
        ("just text\n", "a rule must be a map"),
        (f"{GOOD}---{GOOD}", "policies/rules.yaml:7:1: error[policy-twice]"),
        ("id: [\n", "policies/rules.yaml"),
    ],
)
def test_wrong_rules(project: Path, text: str, said: str) -> None:
    found = problems_of(project, text)

    assert len(found) == 1
    assert said in found[0]


def test_without_the_library(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cel", None)

    (found,) = problems_of(project, GOOD + 'when: "true"\n')

    assert "policy-library" in found
    assert 'pip install "voiceops-iac[policy]"' in found


def test_no_folder_needs_no_library(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "policies").rmdir()
    monkeypatch.setitem(sys.modules, "cel", None)
    problems = Problems()

    assert read_policies(load_project(project, None, {}, problems), problems) == ()
    assert problems.all == ()


def test_files_that_are_not_there(project: Path) -> None:
    (project / "voiceops.yaml").write_text("version: 1\nproject: shop\npolicies: [rules]\n", encoding="utf-8")
    problems = Problems()

    read_policies(load_project(project, None, {}, problems), problems)

    assert [d.code for d in problems.all] == ["policies-missing"]


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "voiceops", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_validate_names_the_place(project: Path) -> None:
    (project / "policies" / "rules.yaml").write_text(GOOD.replace("in [", "in in ["), encoding="utf-8")

    ended = run(project, "validate", "--format", "json")

    assert ended.returncode == 1
    (problem,) = json.loads(ended.stdout)["diagnostics"]
    assert (problem["file"], problem["line"], problem["code"]) == ("policies/rules.yaml", 5, "policy-expression")


def test_apply_is_refused_with_exit_5_until_the_rule_holds(project: Path) -> None:
    rules = project / "policies" / "rules.yaml"
    rules.write_text(GOOD.replace('["gpt-4.1"]', '["gpt-4o"]'), encoding="utf-8")

    planned = run(project, "plan", "--format", "json")
    refused = run(project, "apply", "--auto-approve", "--force")
    rules.write_text(GOOD, encoding="utf-8")
    applied = run(project, "apply", "--auto-approve")

    data: dict[str, Any] = json.loads(planned.stdout)
    assert data["applyable"] is False
    assert [(d["code"], d["address"]) for d in data["diagnostics"]] == [("policy", "Agent/desk")]
    assert refused.returncode == 5
    assert "Only models that we have tried." in refused.stderr
    assert applied.returncode == 0


def test_rollback_is_held_against_todays_rules(project: Path) -> None:
    run(project, "apply", "--auto-approve")
    agent = project / "agents" / "desk.yaml"
    agent.write_text(AGENT.replace("gpt-4.1", "gpt-4o"), encoding="utf-8")
    run(project, "apply", "--auto-approve")
    (project / "policies" / "rules.yaml").write_text(GOOD.replace('["gpt-4.1"]', '["gpt-4o"]'), encoding="utf-8")

    shown = run(project, "rollback", "--plan-only", "--format", "markdown")
    refused = run(project, "rollback", "--auto-approve")

    assert shown.returncode == 5
    assert "This plan can't be applied" in shown.stdout
    assert refused.returncode == 5


def test_a_saved_plan_is_held_against_todays_rules(project: Path) -> None:
    plan = project / "plan.json"
    assert run(project, "plan", "--out", str(plan)).returncode == 0
    (project / "policies" / "rules.yaml").write_text(GOOD.replace('["gpt-4.1"]', '["gpt-4o"]'), encoding="utf-8")

    assert run(project, "apply", str(plan)).returncode == 5


def test_raising_is_for_projects_only(project: Path) -> None:
    (project / "policies" / "rules.yaml").write_text("\t", encoding="utf-8")
    problems = Problems()

    read_policies(load_project(project, None, {}, problems), problems)

    with pytest.raises(InvalidProject):
        problems.raise_errors()


def test_the_rules_of_the_documentation(project: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
    rules, expressions = (text.partition(f"```{language}\n")[2].partition("```")[0] for language in ("yaml", "cel"))
    lines = expressions.splitlines()
    extra = [{"id": f"e{i}", "message": "m", "when": line.partition("  ")[0]} for i, line in enumerate(lines)]
    (project / "policies" / "examples.json.yaml").write_text(json.dumps(extra), encoding="utf-8")

    assert len(extra) == 3
    assert problems_of(project, rules) == []
