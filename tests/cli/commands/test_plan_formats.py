"""`plan --format markdown|html`, `graph` and `rollback --plan-only` from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

MANIFESTS = """
kind: Agent
name: desk
labels: {team: care}
spec:
  firstMessage: Hello.
  model: {provider: openai, model: gpt-4.1, systemPrompt: Be kind.}
  voice: {provider: 11labs, voiceId: sarah}
  transcriber: {provider: deepgram, model: nova-2}
---
kind: Agent
name: night
spec: {firstMessage: Good night.}
---
kind: Phone
name: line
spec: {number: "+14155550100", provider: twilio, agent: desk}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    (root / "voiceops.yaml").write_text("version: 1\nproject: shop\nproviders: sandbox\n", encoding="utf-8")
    (root / "agents").mkdir()
    (root / "agents" / "all.yaml").write_text(MANIFESTS, encoding="utf-8")
    return root


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "voiceops", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_markdown_and_a_saved_plan_at_once(shop: Path, tmp_path: Path) -> None:
    saved = tmp_path / "plan.json"

    ended = run(shop, "plan", "--format", "markdown", "--out", str(saved), "--detailed-exitcode")

    assert ended.returncode == 2
    assert ended.stdout.startswith("<!-- voiceops plan shop dev -->\n### shop · dev: ")
    assert "```mermaid" in ended.stdout
    assert json.loads(saved.read_text(encoding="utf-8"))["summary"]["create"] == 3


def test_html(shop: Path) -> None:
    ended = run(shop, "plan", "--format", "html")

    assert ended.returncode == 0
    assert ended.stdout.startswith("<!doctype html>")
    assert "Content-Security-Policy" in ended.stdout


def test_destroy_in_markdown(shop: Path) -> None:
    assert "Nothing to do" in run(shop, "plan", "--destroy", "--format", "markdown").stdout


@pytest.mark.parametrize(
    ("arguments", "there", "not_there"),
    [
        ([], ["desk", "night", "line"], []),
        (["--target", "Phone/line"], ["desk", "line"], ["night"]),
        (["--target", "Agent/night"], ["night"], ["desk"]),
        (["-l", "team=care"], ["desk", "line"], ["night"]),
    ],
)
def test_graph(shop: Path, arguments: list[str], there: list[str], not_there: list[str]) -> None:
    for format_ in ("mermaid", "dot", "svg"):
        ended = run(shop, "graph", "--format", format_, *arguments)

        assert ended.returncode == 0
        assert all(name in ended.stdout for name in there)
        assert not any(name in ended.stdout for name in not_there)
    ET.fromstring(run(shop, "graph", "--format", "svg", *arguments).stdout)


@pytest.mark.parametrize("arguments", [["--target", "Agent/none"], ["-l", "team=none"]])
def test_graph_of_nothing(shop: Path, arguments: list[str]) -> None:
    ended = run(shop, "graph", *arguments)

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "error" in ended.stderr


def test_rollback_takes_the_formats_only_to_show(tmp_path: Path, shop: Path) -> None:
    root = tmp_path / "own"
    (root / "agents").mkdir(parents=True)
    (root / "voiceops.yaml").write_text("version: 1\nproject: shop\nproviders: sandbox\n", encoding="utf-8")
    manifest = root / "agents" / "a.yaml"
    for text in ("Hello.", "Good day."):
        manifest.write_text(f"kind: Agent\nname: a\nspec: {{firstMessage: {text}}}\n", encoding="utf-8")
        assert run(root, "apply", "--auto-approve").returncode == 0

    shown = run(root, "rollback", "--plan-only", "--format", "markdown")
    page = run(root, "rollback", "--plan-only", "--format", "html")
    wrong = run(root, "rollback", "--format", "html", "--auto-approve")

    assert '- "Good day."\n+ "Hello."' in shown.stdout
    assert page.stdout.startswith("<!doctype html>")
    assert wrong.returncode == 1
    assert "--plan-only" in wrong.stderr
