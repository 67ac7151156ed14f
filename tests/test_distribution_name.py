"""What is installed is `voiceops-iac`: on the public index `voiceops` is a package of other people."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
# A requirement of the bare name, after an installer's word or with an extra, a version or a place of its own.
_BARE = r"(?<![\w./$@:-])voiceops(?![\w./:@-])"
_TOOLS = "pip3?|pipx|uv|uvx|poetry|pdm|rye|conda|easy_install"
_VERBS = "install|add|run|inject|upgrade|download|wheel|tool|with|from"
_INSTALLERS = rf"\b(?:{_TOOLS})\b[^\n|;&]*?\b(?:{_VERBS})\b"
FORBIDDEN = (
    re.compile(rf"{_INSTALLERS}[^\n;&]*?{_BARE}"),
    re.compile(rf"\b(?:uvx|pipx run)\b[^\n;&]*?{_BARE}"),
    re.compile(r"(?<![\w./-])voiceops\s*\[[a-z0-9_, -]+\]"),
    re.compile(r"(?<![\w./-])voiceops\s*(?:===?|~=|>=|!=|<=)\s*(?:\d|__VERSION__|\{)"),
    re.compile(r"^name\s*=\s*[\"']voiceops[\"']\s*$", re.MULTILINE),
)


def found(text: str) -> list[str]:
    return [match[0] for pattern in FORBIDDEN for match in pattern.finditer(text)]


@pytest.mark.parametrize(
    "text",
    [
        "pip install voiceops",
        "pip install --quiet 'voiceops'",
        'pip install "voiceops[s3,policy]==1.0"',
        "RUN pip install --no-cache-dir voiceops && true",
        "python -m pip install -U voiceops",
        "pipx install voiceops",
        "uvx voiceops plan",
        "uv tool install voiceops",
        "uv add voiceops",
        "voiceops[otel,postgres]==__VERSION__",
        "voiceops==0.1.0",
        "voiceops >= 0.1",
        "  hint=f\"pip install 'voiceops[s3]'\"",
        'name = "voiceops"',
    ],
)
def test_a_bare_name_would_be_found(text: str) -> None:
    assert found(text)


@pytest.mark.parametrize(
    "text",
    [
        'pip install "voiceops-iac[s3]"',
        "pip install ./voiceops_iac-0.1.0-py3-none-any.whl && voiceops plan",
        "pip install . ; voiceops plan",
        "entry: voiceops validate",
        "voiceops.yaml [optional]",
    ],
)
def test_what_is_right_is_not(text: str) -> None:
    assert not found(text)


def test_nothing_in_the_tree_installs_the_bare_name() -> None:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    wrong = {}
    for name in filter(None, names):
        path = REPOSITORY / name
        if path == Path(__file__) or not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if hits := found(text):
            wrong[name] = hits
    assert wrong == {}


def test_the_package_and_the_command_keep_their_names() -> None:
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert declared["project"]["name"] == "voiceops-iac"
    assert list(declared["project"]["scripts"]) == ["voiceops"]
    assert declared["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["voiceops"]
