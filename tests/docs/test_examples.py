"""Every example of README.md and docs/: each block is of a language that somebody reads, and each command exists.

What runs them is beside this file; recipes, gitops.md and history.md have tests of their own.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import re
from pathlib import Path

import click
import pytest
import yaml

from tests.support.bench import REPOSITORY
from tests.support.pages import Block, blocks, commands, inline, pages
from voiceops.cli.main import cli
from voiceops.cli.terminal.console import Console

SHELL = ("sh", "console")
# Language → what reads it.
LANGUAGES = {
    "sh": "parsed here; run by test_pages_run.py, test_recipes.py and tests/gitops/test_docs.py",
    "console": "as sh, its answers compared",
    "": "commands alone: parsed here",
    "yaml": "test_yaml_examples.py",
    "json": "parsed here",
    "python": "test_python_examples.py",
    "cel": "test_yaml_examples.py: as rules",
    "gherkin": "test_pages_run.py",
    "text": "what a command prints: test_pages_run.py",
    "md": "files of a recipe",
}
BLOCKS = [block for page in pages() for block in blocks(page)]
_TOOLS = {
    "pip",
    "cd",
    "set",
    ".",
    "docker",
    "curl",
    "jq",
    "dot",
    "terraform-compliance",
    "age-keygen",
    "ssh-keygen",
    "eval",
    "source",
}
# Tools that the recipes use, and run.
_TOOLS |= {"sed", "grep", "git", "mkdir", "echo", "test", "cat", "cp", "mv", "rm", "printf", "export"}


def some(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def test_there_are_examples() -> None:
    assert len(BLOCKS) > 60
    assert len(some("sh")) > 20


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_every_fence_is_read(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("\n```") == 2 * len(blocks(page)), "a fence that is not closed, or not at the line's beginning"
    assert text.count("<!-- not run:") == sum(block.reason is not None for block in blocks(page))
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block}: nothing reads {block.language!r}"
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert not re.search(r"^ {4,}(\$ )?voiceops ", prose, re.MULTILINE), "a command that is only indented"


def test_little_is_not_run() -> None:
    assert [(block.page, block.reason) for block in BLOCKS if block.reason] == [
        ("README.md", "the installation: tests/test_wheel.py"),
        ("docs/gitops.md", "makes keys"),
        ("docs/gitops.md", "needs Docker"),
        ("docs/state.md", "installs packages and makes a key"),
    ]


def parse(words: list[str]) -> None:
    """The command line takes this: command, flags and values. Raises click.UsageError."""
    context = cli.make_context("voiceops", list(words), obj=Console())
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest and context.command.invoke_without_command:
            return
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context, obj=context.obj)


def check(words: list[str]) -> None:
    match words:
        case []:
            return
        case ["voiceops", *rest] if rest:
            with contextlib.suppress(click.exceptions.Exit):  # --help, --version
                parse(rest)
        case ["make", target]:
            assert re.search(rf"^{target}:", (REPOSITORY / "Makefile").read_text(), re.MULTILINE), target
        case ["python" | "python3", "-m", "venv", *_]:
            return
        case ["python", "-m", module, *rest]:
            assert importlib.util.find_spec(module) is not None, module
            if "--" in rest:
                check(rest[rest.index("--") + 1 :])
        case ["python", script, *_]:
            assert (REPOSITORY / script).is_file(), script
        case [tool, *_] if tool != "voiceops":
            assert tool.rpartition("/")[2] in _TOOLS, tool


@pytest.mark.parametrize("block", [*some(*SHELL, "")], ids=str)
def test_every_command_exists(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("plan.json", "s.yaml"):
        (tmp_path / name).write_text("{}")  # a file that an earlier command of the page has written
    if block.text.startswith("# file: "):
        return
    generated = block.page.startswith("docs/reference/")
    for line in block.lines:
        if "[OPTIONS]" in line:
            continue  # the synopsis of a generated page
        if generated:
            line = re.split(r"\s{3,}", line)[0]  # an example and what it is for, as `--help` shows them
        for words in commands(line):
            try:
                check(words)
            except click.UsageError as error:
                pytest.fail(f"{block}: {line}: {error.format_message()}")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_commands_in_the_prose_exist(page: Path) -> None:
    """Command and flags; `ID`, `[--state dead]` and `…` stand for what a reader puts there."""
    for text in inline(page):
        words = re.sub(r"[\[\]|…]", " ", text).split()[1:]
        known: click.Command | None = cli
        context = click.Context(cli, obj=Console())
        flags: set[str] = set()
        for word in words:
            assert known is not None, text
            flags |= {flag for parameter in known.params for flag in parameter.opts + parameter.secondary_opts}
            if word.startswith("-"):
                assert word.partition("=")[0] in {*flags, "--help", "--version"}, f"{text}: no {word}"
            elif isinstance(known, click.Group) and word.islower():
                known = known.get_command(context, word)
                assert known is not None, f"{text}: no command {word}"


@pytest.mark.parametrize("block", some("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    assert json.loads(block.text if block.text.startswith("{") else f"{{{block.text}}}")


def test_steps_of_a_pipeline_run_real_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = [b for b in some("yaml") if b.page == "docs/plan-formats.md"]
    for step in yaml.safe_load(block.text):
        for words in commands(step["run"]):
            check(words)


def test_hooks_of_pre_commit_are_there() -> None:
    (block,) = [b for b in some("yaml") if b.text.startswith("repos:")]
    there = {hook["id"] for hook in yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())}
    named = {hook["id"] for repo in yaml.safe_load(block.text)["repos"] for hook in repo["hooks"]}
    assert named
    assert named <= there
