"""docs/lints: a page for every lint; its "Before" shows exactly that lint, its "After" nothing at all."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.lints.projects import validate
from voiceops.errors import Diagnostic
from voiceops.kinds.registry import ALL
from voiceops.lints.all_lints import LINTS

DOCS = Path(__file__).parents[2] / "docs" / "lints"
SECTIONS = ["What it finds", "Why it hurts", "How to fix it", "Before", "After", "Ignore it"]
_BLOCK = re.compile(r"```(?P<language>\w+)(?: title=\"(?P<file>[^\"]+)\")?\n(?P<text>.*?)```", re.DOTALL)


def _sections(code: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)\n", (DOCS / f"{code}.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def _files(section: str) -> dict[str, str]:
    return {match["file"] or "agents/example.yaml": match["text"] for match in _BLOCK.finditer(section)}


def _found(code: str, section: str, folder: Path) -> list[Diagnostic]:
    files = _files(_sections(code)[section])
    if any(f"kind: {kind}\n" in text for kind in ("Scenario",) for text in files.values()) and "Scenario" not in ALL:
        pytest.skip("this kind has no manifests yet")
    environment = "prod" if "environments: [prod]" in files.get("voiceops.yaml", "") else None
    return validate(folder, files, environment, tracked=[name for name in files if name == ".env"])


def test_every_lint_has_its_page_and_every_page_its_lint() -> None:
    assert {path.stem for path in DOCS.glob("VO*.md")} == set(LINTS)


@pytest.mark.parametrize("code", LINTS)
def test_a_page_says_what_the_lint_is(code: str) -> None:
    sections = _sections(code)
    lint = LINTS[code]
    assert sections[""].splitlines()[:3] == [
        f"# {code} {lint.name}",
        "",
        f"**{lint.title}.** {lint.severity.capitalize()}.",
    ]
    assert list(sections)[1:] == SECTIONS
    assert all(text.strip() for text in sections.values())


@pytest.mark.parametrize("code", LINTS)
def test_before_shows_the_lint_and_nothing_else(code: str, tmp_path: Path) -> None:
    found = _found(code, "Before", tmp_path)
    assert {d.code for d in found} == {code}, "\n".join(map(str, found))
    assert all(d.severity == LINTS[code].severity and d.mark is not None for d in found)
    assert all(d.hint or d.severity == "error" for d in found)


@pytest.mark.parametrize("code", LINTS)
def test_after_is_clean(code: str, tmp_path: Path) -> None:
    found = _found(code, "After", tmp_path)
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("code", [code for code in LINTS if code != "VO001"])
def test_a_comment_silences_what_before_shows(code: str, tmp_path: Path) -> None:
    """On the line itself where it holds YAML, at the top of the file where the problem is in a text."""
    found = _found(code, "Before", tmp_path)
    files = _files(_sections(code)["Before"])
    for diagnostic in found:
        assert diagnostic.mark is not None
        file = diagnostic.mark.file
        if not files[file].startswith("# voiceops:"):
            files[file] = f"# voiceops: ignore-file[{LINTS[code].name}]\n{files[file]}"
    environment = "prod" if "environments: [prod]" in files.get("voiceops.yaml", "") else None
    found = validate(tmp_path, files, environment, tracked=[name for name in files if name == ".env"])
    assert not found, "\n".join(map(str, found))


def test_the_index_lists_them_all(tmp_path: Path) -> None:
    """VOICEOPS_UPDATE_GOLDEN=1 writes the table anew."""
    page = DOCS / "README.md"
    rows = ["| lint | name | severity | finds |", "|---|---|---|---|"]
    rows += [f"| [{c}]({c}.md) | {lint.name} | {lint.severity} | {lint.title} |" for c, lint in LINTS.items()]
    begin, end = "<!-- lints: begin -->\n", "<!-- lints: end -->\n"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(begin)
    wanted = before + begin + "\n" + "\n".join(rows) + "\n\n" + end + rest.split(end)[1]
    if os.environ.get("VOICEOPS_UPDATE_GOLDEN") == "1":
        page.write_text(wanted, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == wanted
