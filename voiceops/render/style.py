"""Colour where it is wanted, nothing where it is not: every renderer asks here.

A colour is marked with a number of this process that no text can know. What is printed goes through `finished`, which
turns these marks into the terminal's own and writes out every other escape: a text that brings colours of its own
brings none.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from voiceops.model.safe_text import visible, without_commands

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "magenta": "35"}
_OURS = 10**14 + int.from_bytes(os.urandom(6), "big")
_MARK = re.compile(rf"\x1b\[{_OURS};([\d;]+)m")


@dataclass(frozen=True, slots=True)
class Style:
    """ANSI colours, or plain text."""

    colour: bool = False

    def __call__(self, text: str, *names: str) -> str:
        if not self.colour or not text:
            return text
        return f"\x1b[{_OURS};{';'.join(_CODES[name] for name in names)}m{text}\x1b[{_OURS};0m"


PLAIN = Style()


def finished(text: str) -> str:
    """Rendered text as it may be printed: our colours in it, nothing else that acts on a terminal or a pipeline."""
    plain, *rest = _MARK.split(text)
    pieces = [visible(plain)]
    for codes, piece in zip(rest[0::2], rest[1::2], strict=True):
        pieces += [f"\x1b[{codes}m", visible(piece)]
    return without_commands("".join(pieces))
