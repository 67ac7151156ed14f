"""CONTRIBUTING.md leads to files that are there."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support.bench import REPOSITORY

PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
_PATH = re.compile(r"(?<![\w/.])((?:\.?[\w-]+/)+(?:[\w-]+\.\w+)?|[\w-]+\.(?:py|md|toml|txt))")
_MADE_UP = re.compile(r"\b(NAME|CODE|path)\b")


def named() -> list[str]:
    return sorted({path for path in _PATH.findall(PAGE) if not _MADE_UP.search(path)})


def test_the_page_names_files() -> None:
    assert {"apply/run.py", "engine/", "tests/state/memory_store.py", "CHANGELOG.md"} <= set(named())


@pytest.mark.parametrize("path", named())
def test_a_named_file_is_there(path: str) -> None:
    """From the repository's folder, from voiceops/, or, a bare name, anywhere below it."""
    places = [REPOSITORY / path, REPOSITORY / "voiceops" / path]
    beside = list((REPOSITORY / "voiceops").rglob(path)) if "/" not in path else []
    assert beside or any(place.exists() for place in places), f"CONTRIBUTING.md names {path}: where is it now?"


def test_every_layer_has_a_line_in_its_place() -> None:
    contract = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = [name.removeprefix("voiceops.") for name in contract["layers"]]
    assert re.findall(r"^\| `(\w+)(?:/|\.py)` \|", PAGE, re.M) == [name for name in layers if name != "errors"]
