"""Lines that a terminal would cut in the middle of a word, broken between words and moved in below their beginning."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence

WIDTH = 80  # columns of what is laid out without asking the terminal
_PIECE = re.compile(r"\x1b\[[\d;]*m|[ \t]+|[^ \t\x1b]+|\x1b")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_NARROWEST = 40  # columns; on fewer nothing is gained
_INDENT = re.compile(r"(?:\x1b\[[\d;]*m)* *(?:[-+~!·‼☎✓✗*] +)?")
_MOST_INDENT = 16
_WIDEST_CELL = 24  # columns that a cell may ask of all others of its column


def fitted(text: str, width: int) -> str:
    """The text with no line longer than `width` columns, but for words that are."""
    if width < _NARROWEST:
        return text
    return "\n".join(
        _broken(line, width) if len(line) > width or columns(line) > width else line for line in text.split("\n")
    )


def wrapped(text: str, first: str, rest: str = "") -> list[str]:
    """Plain prose in lines of the width that pages of text have; `first` and `rest` stand before its lines."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest or first,
        break_long_words=False,
        break_on_hyphens=False,
    )


def in_columns(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Prose in lines of at most `width` columns, in whatever script: what is too long for a line is cut.

    `first` and `rest` stand before its lines.
    """
    rows, row, empty = [], first, True
    for word in text.split():
        if not empty and columns(row) + 1 + columns(word) > width:
            rows.append(row)
            row, empty = rest, True
        row = row if empty else row + " "
        for char in word:
            if columns(row + char) > width and not empty:
                rows.append(row)
                row = rest
            row, empty = row + char, False
    return rows if empty else [*rows, row]


def _broken(line: str, width: int) -> str:
    found = _INDENT.match(line)
    indent = " " * min(_MOST_INDENT, columns(found[0]) + 2 if found else 2)
    rows, row, at, gap = [], "", 0, ""
    for piece in _PIECE.findall(line):
        if piece.startswith("\x1b"):
            gap += piece
        elif piece.isspace():
            gap += piece
            at += len(piece)
        elif at + columns(piece) > width and row.strip():
            colours = "".join(_COLOUR.findall(gap))
            rows.append(row)
            row, at, gap = colours + indent + piece, len(indent) + columns(piece), ""
        else:
            row += gap + piece
            at, gap = at + columns(piece), ""
    return "\n".join([*rows, row + "".join(_COLOUR.findall(gap))])


def padded(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """A table's cells, each as wide as the widest of its column; a cell that is wider than most is no measure."""
    measured = [
        [width for width in map(columns, column) if width <= _WIDEST_CELL] for column in zip(*rows, strict=True)
    ]
    widths = [max(found, default=0) for found in measured]
    return [
        tuple(cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)) for row in rows
    ]


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii() and "\x1b" not in text:
        return len(text)
    plain = _COLOUR.sub("", text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in plain)
    return len(plain) + wide - sum(unicodedata.combining(char) != 0 for char in plain)
