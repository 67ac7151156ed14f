"""A few lines that ask for more than any machine has."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from tests.support.folder import Folder
from voiceops.engine.review.policy import BadExpression, compiled
from voiceops.manifest import budgets

MIB = 1024 * 1024


@pytest.fixture
def folder(tmp_path):  # type: ignore[no-untyped-def]
    made = Folder(tmp_path)
    made.write("agents/big.md", "word " * 180_000)
    return made


def problems(folder: Folder) -> list[str]:
    """Codes, found soon and in little memory."""
    tracemalloc.start()
    started = time.monotonic()
    try:
        found = folder.problems()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.monotonic() - started < 60
    assert peak < 700 * MIB
    return [problem.code for problem in found if problem.severity == "error"]


AGENT = "kind: Agent\nname: a\n"
BOMBS = {
    "one file again and again": (AGENT + 'spec: {firstMessage: "' + "${file:big.md}" * 60_000 + '"}\n', ""),
    "a variable again and again": (
        AGENT + 'spec: {firstMessage: "' + "${var:big}" * 60_000 + '"}\n',
        "variables: {big: " + "x" * 500_000 + "}\n",
    ),
    "a file in many keys": (
        AGENT + "spec:\n  metadata:\n" + "".join(f"    k{n}: '${{file:big.md}}'\n" for n in range(3_000)),
        "",
    ),
    "a map in many keys": (
        AGENT + "spec:\n  metadata:\n" + "".join(f"    k{n}: '${{var:map}}'\n" for n in range(5_000)),
        "variables: {map: {" + ", ".join(f"k{n}: {'v' * 90}" for n in range(4_000)) + "}}\n",
    ),
    "a file for each of many": (
        AGENT + "forEach: [" + ", ".join(f"k{n}" for n in range(2_000)) + "]\nspec: {firstMessage: '${file:big.md}'}\n",
        "",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_products_end_in_one_error(folder: Folder, name: str) -> None:
    manifest, project = BOMBS[name]
    folder.project(project)
    folder.write("agents/a.yaml", manifest)
    assert problems(folder).count("interpolate-large") == 1


def test_a_template_that_grows(folder: Folder) -> None:
    folder.project("variables: {big: " + "x" * 500_000 + "}\n")
    folder.write("agents/t.md", "${var:big}\n" * 60_000)
    folder.write("agents/a.yaml", AGENT + "spec: {firstMessage: '${template:t.md}'}\n")
    assert "interpolate-large" in problems(folder)


def test_too_many_instances(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voiceops.manifest.budgets.MOST_INSTANCES", 100)
    folder.write("agents/a.yaml", AGENT + "forEach: [" + ", ".join(f"k{n}" for n in range(101)) + "]\nspec: {}\n")
    assert problems(folder) == ["each-many"]


@pytest.mark.parametrize(
    "pattern",
    ["**/" * 90 + "*.yaml", "**/a/**/b/**/c/**/*.yaml", "**/*/**/*/**/*", "x" * 400, "a**", "***", "[", "**/**x"],
)
def test_patterns_that_walk_for_ever(folder: Folder, pattern: str) -> None:
    for n in range(6):
        folder.write("agents/" + "/".join("abcdef"[n:] * 3) + "/x.txt", "")
    folder.project(f"manifests: ['{pattern}']\n")
    started = time.monotonic()
    assert folder.problems()
    assert time.monotonic() - started < 20


def test_repeated_stars_mean_one() -> None:
    assert budgets.tamed("**/**/**/*.yaml") == "**/*.yaml"
    assert budgets.tamed("agents/**/*.yaml") == "agents/**/*.yaml"


@pytest.mark.parametrize(
    "text",
    [
        "paths.all(x, paths.all(y, paths.all(z, x != y)))",
        "paths.map(x, paths.filter(y, paths.exists(z, true))).size() > 0",
        "[1].all(a, ([2].all(b, (([3].all(c, true))))))",
        "paths . all (x, paths\n.exists(y, paths.exists_one(z, true)))",
        "true" + " && true" * 600,
        '"a)" == "" || paths.all(x, paths.all(y, paths.all(z, true)))',
    ],
)
def test_rules_that_would_take_minutes(text: str) -> None:
    with pytest.raises(BadExpression):
        compiled(text)


@pytest.mark.parametrize(
    "text",
    [
        "paths.all(p, p.path != 'x') && paths.exists(p, true) && paths.all(p, paths.exists(q, p == q))",
        "'paths.all(x, paths.all(y, paths.all(z, true)))' != ''",
        "size(paths) < 5",
    ],
)
def test_rules_as_people_write_them(text: str) -> None:
    compiled(text)
