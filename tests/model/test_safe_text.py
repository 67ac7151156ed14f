"""Texts of strangers, by target: nothing hides, nothing commands, nothing breaks out."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceops.model.safe_text import (
    flowed,
    html,
    indented,
    json_text,
    markdown_code,
    markdown_fence,
    markdown_prose,
    one_line,
    shown,
    visible,
    workflow_command,
)

ATTACKS = [
    "\x1b[2J\x1b[H",
    "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "\x9b31mred",  # the C1 form of ESC [
    "\x9d0;title\x9c",
    "\u202egnp.exe",
    "\u2066isolate\u2069",
    "pay\u200bpal",
    "a\u2028b\u2029c",
    "\u0085next",
    "\ufeffstart",
    "lone \ud83d half",
    "\x00\x08\x7f",
    "tag\U000e0041s",
    "blank\u3164letter\u115f",
    "progress\rOK",
    "bell\x07",
]
COMMANDS = [
    "::error::forged",
    "  ::set-output name=a::b",
    "\t::add-mask::x",
    "\u00a0::stop-commands::t",
    "text\n::warning file=a::b",
    "text\r\n::error::b",
    "##[error]forged",
    "log ##[group]x",
    "##vso[task.setvariable variable=a]b",
    "###[section]",
    "##teamcity[testFailed]",
    "section_start:1:a\r\x1b[0K",
]
WILD = st.text(st.characters(), max_size=60) | st.sampled_from([*ATTACKS, *COMMANDS])


def hidden(text: str) -> set[str]:
    """Characters that a reader can't see, told by their category and not by the module's own list."""
    return {
        c
        for c in text
        if (c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp"))
        or (
            (unicodedata.category(c) == "Cf" and unicodedata.bidirectional(c) != "AN")
            and c not in "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
        )
    }


def commands(text: str) -> list[str]:
    """The lines that a pipeline's host would obey."""
    return [
        line
        for line in re.split(r"[\r\n]", text)
        if line.strip().startswith("::") or "##[" in line or "##vso[" in line or line.strip().startswith("##teamcity[")
    ]


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_hides_is_written_out(attack: str) -> None:
    text = visible(attack)

    assert not hidden(text)
    assert "\\u" in text


def test_every_character_that_hides_is_known() -> None:
    whole = "".join(map(chr, range(sys.maxunicode + 1)))

    assert hidden(visible(whole)) == set()


@pytest.mark.parametrize("attack", COMMANDS)
def test_no_line_is_a_command(attack: str) -> None:
    assert not commands(shown(attack))


@given(WILD)
def test_shown_text_never_hides_and_never_commands(text: str) -> None:
    assert not hidden(shown(text))
    assert not commands(shown(text))
    assert shown(shown(text)) == shown(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | WILD,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WILD, inner, max_size=4),
        max_leaves=10,
    )
)
def test_json_stays_the_same_json(value: object) -> None:
    for indent in (None, 2):
        text = json_text(value, indent)
        assert json.loads(text) == value
        assert json.loads(shown(text)) == value, "a second pass changes nothing that counts"
        assert not hidden(text)
        assert not commands(text)
        text.encode("utf-8")


@pytest.mark.parametrize("attack", [*ATTACKS, *COMMANDS, "a\nb", "a\tb", "a\r\nb"])
def test_a_name_is_one_line(attack: str) -> None:
    assert not set("\n\t\r") & set(one_line(attack))
    assert "\n" not in flowed(attack)
    assert not hidden(one_line(attack) + flowed(attack))


def test_further_lines_of_a_message_are_moved_in() -> None:
    assert indented("no\nPlan: 1 to create\nerror: x") == "no\n    Plan: 1 to create\n    error: x"


@pytest.mark.parametrize("attack", [*ATTACKS, *COMMANDS, "100%\n::error::x", "a,line=9", "a::b", "x%0A::error::y"])
def test_a_workflow_command_says_only_what_it_says(attack: str) -> None:
    text = workflow_command("warning", {"file": attack, "line": "3"}, attack)

    head, properties, message = re.fullmatch(r"::(\w+) (.*?)::(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    assert head == "warning"
    assert "\n" not in text
    assert [part.partition("=")[0] for part in properties.split(",")] == ["file", "line"]
    assert not hidden(text)
    assert not [line for line in commands(message) if not line.strip().startswith("::")]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.data = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.data += data


@pytest.mark.parametrize(
    "attack", [*ATTACKS, *COMMANDS, "<script>alert(1)</script>", '"><img src=x onerror=a>', "'&amp;", "<!--"]
)
def test_html_holds_no_markup_and_no_command(attack: str) -> None:
    text = html(attack)
    parser = _Tags()
    parser.feed(text)
    parser.close()

    assert not parser.tags
    assert not hidden(text)
    assert not commands(text)
    assert parser.data == visible(attack)


@pytest.mark.parametrize("attack", [*ATTACKS, "`a``b", "@team", "https://x.example", "[a](b)", "<b>", "| a |", "$x$"])
def test_markdown_pieces_hide_nothing(attack: str) -> None:
    for text in (markdown_code(attack), "\n".join(markdown_fence(attack.split("\n")))):
        assert not hidden(text)
    assert not hidden(markdown_prose(attack)) - {"\u2060"}  # our own, which keeps mentions and links apart
