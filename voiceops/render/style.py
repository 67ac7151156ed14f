"""Colour where it is wanted, nothing where it is not: every renderer asks here."""

from __future__ import annotations

from dataclasses import dataclass

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "magenta": "35"}


@dataclass(frozen=True, slots=True)
class Style:
    """ANSI colours, or plain text."""

    colour: bool = False

    def __call__(self, text: str, *names: str) -> str:
        if not self.colour or not text:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"


PLAIN = Style()
