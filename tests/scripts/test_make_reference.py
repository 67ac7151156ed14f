"""The reference pages are what commands, facts and code say, and the shells' completion works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import make_reference
import pytest
from make_reference import DOCS, codes, pages
from reference_fields import anchor
from reference_texts import CODES

from voiceops.cli.main import _COMMANDS, cli
from voiceops.kinds.registry import ALL
from voiceops.kinds.schema import facts

VOICEOPS = Path(sys.executable).parent / "voiceops"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages()


def test_the_pages_are_up_to_date(made: dict[str, str]) -> None:
    old = [name for name, text in made.items() if (DOCS / name).read_text(encoding="utf-8") != text]
    assert not old, "run: python scripts/make_reference.py"
    written = {str(path.relative_to(DOCS)) for path in (DOCS / "reference").rglob("*.md")}
    assert written <= set(made), "pages that nothing writes"


def test_pages_can_be_read_in_a_browser(made: dict[str, str]) -> None:
    assert all(len(text.encode()) < 200_000 for text in made.values())


def test_every_command_stands_in_it(made: dict[str, str]) -> None:
    text = made["reference/commands.md"]
    assert all(f"\n## voiceops {name}\n" in text for name in _COMMANDS)
    assert "\n## voiceops state migrate\n" in text


def test_every_common_option_stands_in_it(made: dict[str, str]) -> None:
    text = made["reference/commands.md"]
    assert all(f"`{name}`" in text for option in cli.params for name in option.opts if name.startswith("-"))


def test_every_kind_has_a_page_and_every_type_one_place(made: dict[str, str]) -> None:
    text = "\n".join(made[f"reference/manifests/{kind}.md"] for kind in ALL)
    headings = re.findall(r"^## (\S+)$", text, re.MULTILINE)
    types = [heading for heading in headings if heading in facts()["types"]]
    assert len(types) == len(set(types)) > 300


def test_every_link_leads_somewhere(made: dict[str, str]) -> None:
    anchors = {
        name: {anchor(title) for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)} for name, text in made.items()
    }
    for name, text in made.items():
        for target, part in set(re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text)):
            path = (DOCS / name).parent / target if target else DOCS / name
            assert path.exists(), (name, target)
            page = os.path.relpath(path, DOCS)
            assert not part or part in anchors[page], (name, target, part)


def test_index_and_concepts_link_to_what_there_is() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"\]\(([^)#:]+)\)", index))
    assert all((DOCS / target).exists() for target in targets)
    assert {path.name for path in DOCS.glob("*.md")} - {"README.md"} <= targets


def test_every_code_has_a_meaning_and_the_reverse() -> None:
    assert set(codes()) == set(CODES)


def test_a_code_without_a_meaning_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_reference, "CODES", {code: told for code, told in CODES.items() if code != "reference"})
    with pytest.raises(SystemExit, match="codes without a text: reference;"):
        pages()


def test_a_meaning_without_a_code_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_reference, "CODES", {**CODES, "gone": CODES["reference"]})
    with pytest.raises(SystemExit, match="texts without codes: gone"):
        pages()


@pytest.mark.parametrize(
    ("shell", "words", "expected"),
    [
        ("bash", {"COMP_WORDS": "voiceops pl", "COMP_CWORD": "1"}, "plain,plan"),
        ("bash", {"COMP_WORDS": "voiceops state mi", "COMP_CWORD": "2"}, "plain,migrate"),
        ("zsh", {"COMP_WORDS": "voiceops pl", "COMP_CWORD": "1"}, "plain\nplan"),
        ("fish", {"COMP_WORDS": "voiceops pl", "COMP_CWORD": "pl"}, "plain,plan\t"),
    ],
)
def test_completion(shell: str, words: dict[str, str], expected: str) -> None:
    assert expected in _completed(f"{shell}_complete", words)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_lines_for_a_shell_are_printed(shell: str) -> None:
    assert f"_VOICEOPS_COMPLETE={shell}_complete" in _completed(f"{shell}_source", {})


def _completed(instruction: str, words: dict[str, str]) -> str:
    env = {**os.environ, **words, "_VOICEOPS_COMPLETE": instruction}
    return subprocess.run([VOICEOPS], env=env, capture_output=True, text=True, timeout=60).stdout
