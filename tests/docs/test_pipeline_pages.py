"""Every command in docs/gitops.md and docs/history.md runs, in the order in which it stands there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands.test_history_entries import git
from tests.support.bench import Bench, bench
from tests.support.pages import blocks_of

BIN = Path(sys.executable).parent


def commands(page: str) -> list[str]:
    return [line for block in blocks_of(f"docs/{page}", "sh") if not block.reason for line in block.lines]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    """The project of `voiceops init` with three environments of one account, two revisions in prod, and git."""
    with bench(tmp_path / "shop") as made:
        made.remove("voiceops.yaml")
        (made.folder / "agents").rmdir()
        made.run("init", ".")
        made.edit("voiceops.yaml", "[dev, prod]", "[dev, staging, prod]")
        made.write("environments/staging.yaml", "naming: {suffix: -staging}\n")
        git(made.folder, "init", "-q", "-b", "main")
        for text in ("Hello,", "Good day,"):
            made.edit("agents/front-desk.yaml", "Hello," if text != "Hello," else text, text)
            git(made.folder, "add", "-A")
            git(made.folder, "commit", "-qm", text)
            made.run("-e", "prod", "apply", "--auto-approve")
        yield made


def run(made: Bench, line: str, code: int = 0) -> str:
    environment = made.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(
        ["sh", "-c", line], cwd=made.folder, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL
    )
    assert ran.returncode == code, f"{line}\nexit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout + ran.stderr


def greeting(made: Bench) -> str:
    found = [a for a in made.control.objects("/assistant") if a["name"] == "front-desk"]
    return str(found[0]["firstMessage"])


def test_the_page_about_pull_requests(shop: Bench) -> None:
    said = {}
    for line in commands("gitops.md"):
        if line.endswith("--out plan.json"):
            shop.edit("agents/front-desk.yaml", "Good day,", "Good morning,")
        if line.endswith("# exit 2 where something was edited"):
            live = next(a for a in shop.control.objects("/assistant") if a["name"] == "front-desk")
            shop.control.edit(live["id"], {"firstMessage": "Edited"})
            said["drift"] = run(shop, line, code=2)
            continue
        said[line.partition("#")[0].strip()] = run(shop, line)
    assert len(said) == 8
    assert "only in" not in said["voiceops diff -e staging -e prod"]
    assert "Nothing to do" in said["voiceops -e prod plan"]
    assert "firstMessage: Edited" in (shop.folder / "agents/front-desk.yaml").read_text()


def test_the_page_about_the_history(shop: Bench) -> None:
    said = [(line, run(shop, line)) for line in commands("history.md")]
    assert len(said) == 8
    texts = dict(said)
    assert greeting(shop).startswith("Good day,"), "HEAD is what was released again"
    back = next(text for line, text in said if "wrong prices" in line)
    assert "git revert" in back
    assert texts["voiceops -e prod rollback --git HEAD --auto-approve"]
