"""On a terminal no word is cut by its edge; everywhere else lines stay whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceops.render.fitting import columns, fitted, in_columns, padded


@pytest.mark.parametrize(
    ("line", "width", "expected"),
    [
        ("short", 40, "short"),
        (
            "    ~ model.model: " + "x" * 25 + " → yyyyyy",
            40,
            "    ~ model.model:\n        " + "x" * 25 + " →\n        yyyyyy",
        ),
        ("a" * 100, 40, "a" * 100),
        ("see " + "a" * 100, 40, "see\n  " + "a" * 100),
        ("one two three", 5, "one two three"),
    ],
)
def test_lines(line: str, width: int, expected: str) -> None:
    assert fitted(line, width) == expected


COLOURS = st.sampled_from(["", "\x1b[31m", "\x1b[0m"])
WORDS = st.lists(st.tuples(COLOURS, st.text("abcäß☎日本", min_size=1, max_size=50)), max_size=40)


@given(WORDS, st.integers(40, 100), st.integers(0, 12))
def test_nothing_is_lost_and_nothing_too_long(words: list[tuple[str, str]], width: int, indent: int) -> None:
    line = " " * indent + " ".join(colour + word for colour, word in words)
    rows = fitted(line, width).split("\n")
    plain = re.sub(r"\x1b\[[\d;]*m", "", line)
    assert re.sub(r"\x1b\[[\d;]*m", "", " ".join(rows)).split() == plain.split()
    assert "".join(re.findall(r"\x1b\[[\d;]*m", line)) == "".join(re.findall(r"\x1b\[[\d;]*m", "".join(rows)))
    for row in rows:
        shown = re.sub(r"\x1b\[[\d;]*m", "", row)
        wide = sum(2 if char in "日本" else 1 for char in shown)
        assert wide <= width or len(shown.split()) <= 1


@given(st.text(max_size=80), st.integers(10, 40))
def test_columns_hold_every_script(text: str, width: int) -> None:
    """What is wide takes two columns, what stands above a letter takes none; nothing is lost."""
    rows = in_columns(text, width, "", "  ")
    assert all(columns(row) <= width for row in rows)
    assert "".join("".join(rows).split()) == "".join(text.split())


def test_what_is_long_is_cut() -> None:
    assert in_columns("到達 " + "x" * 9, 8, "> ", "  ") == ["> 到達", "  xxxxxx", "  xxx"]
    assert in_columns("  ", 8, "> ") == []


def test_a_column_is_as_wide_as_its_widest_cell() -> None:
    assert padded([("a", "long one"), ("日本", "b")]) == [("a   ", "long one"), ("日本", "b       ")]
    assert padded([("a", "x"), ("a" * 25, "x"), ("bb", "x")]) == [("a ", "x"), ("a" * 25, "x"), ("bb", "x")]
    assert padded([]) == []
