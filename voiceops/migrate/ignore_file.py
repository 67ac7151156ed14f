"""`.vapi-ignore`: which resources of a folder its people leave to the dashboard.

A line is a pattern over FOLDER/ID: `*` and `?` stay within a step, `**` does not. There is no negation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence


def patterns_of(text: str) -> tuple[str, ...]:
    """The patterns of such a file; comments and lines with `!` say nothing."""
    lines = (line.strip() for line in text.removeprefix("\ufeff").split("\n"))
    return tuple(line for line in lines if line and not line.startswith(("#", "!")))


def ignored_by(place: str, patterns: Sequence[str]) -> str:
    """The first pattern that means this FOLDER/ID; empty where none does."""
    return next((pattern for pattern in patterns if _expression(pattern).fullmatch(place)), "")


def _expression(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*+|\?)", pattern)
    text = ""
    for piece in pieces:
        if piece.startswith("*"):
            text += ".*" if len(piece) > 1 else "[^/]*"
        else:
            text += "[^/]" if piece == "?" else re.escape(piece)
    return re.compile(text, re.DOTALL)
