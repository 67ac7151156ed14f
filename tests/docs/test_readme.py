"""README.md: its tables leave nothing out, and name nothing that is not there."""

from __future__ import annotations

import re
import tomllib

import click

from tests.support.bench import REPOSITORY
from voiceops.cli.main import cli
from voiceops.cli.terminal.console import Console

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def first_cells(heading: str) -> list[str]:
    """The first column of the table below a heading."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")][1:]


def package(requirement: str) -> str:
    return re.split(r"[^\w-]", requirement, maxsplit=1)[0].lower()


def test_the_commands() -> None:
    named = {name for cell in first_cells("Commands") for name in re.findall("`([^`]+)`", cell)}
    known = set(cli.list_commands(click.Context(cli, obj=Console())))
    # A group stands there by itself, or by a command of its own.
    assert {name for name in known if not any(one == name or one.startswith(f"{name} ") for one in named)} == set()
    assert {one.split()[0] for one in named} <= known


def test_the_dependencies() -> None:
    named = {name.lower() for cell in first_cells("Dependencies, and why") for name in re.findall(r"[\w-]+", cell)}
    extras = PROJECT["optional-dependencies"]
    assert {package(one) for one in PROJECT["dependencies"]} - named == set()
    for extra, needed in extras.items():
        assert f"voiceops-iac[{extra}]" in README
        assert all(package(one) in README for one in needed), extra
    assert set(re.findall(r"voiceops-iac\[(\w+)\]", README)) == extras.keys()
