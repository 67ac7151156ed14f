"""What must not stand in a file of the project, replaced by values that are nobody's: the same for the same. Pure.

Telephone numbers, mail addresses and card numbers. Names of people can't be told from other words: whoever records a
call reads it before it is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from voiceops.model.values import JSON

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LONG = re.compile(r"(?<![\w.])\+?\(?\d(?:[ ().-]{0,2}\d){6,24}(?!\w)")
_LEAST_DIGITS, _MOST_DIGITS = 9, 15  # of a telephone number without a plus
_CARD = "4242 4242 4242 4242"
_LEAST_CARD, _MOST_CARD = 13, 19


@dataclass(slots=True)
class Replacements:
    """The replacements of one call. `replaced` tells whether there were any."""

    _numbers: dict[str, str] = field(default_factory=dict)
    _mails: dict[str, str] = field(default_factory=dict)
    _cards: int = 0

    @property
    def replaced(self) -> int:
        """How many different values were replaced."""
        return len(self._numbers) + len(self._mails) + self._cards

    def text(self, text: str) -> str:
        """The text without what is somebody's."""
        return _LONG.sub(self._figures, _MAIL.sub(self._mail, text))

    def value(self, value: JSON) -> JSON:
        """Any JSON value without what is somebody's; keys stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, int) and not isinstance(value, bool) and self.text(str(value)) != str(value):
            return self.text(str(value))
        return value

    def _mail(self, found: re.Match[str]) -> str:
        return self._mails.setdefault(found[0].casefold(), f"person{len(self._mails) + 1}@example.com")

    def _figures(self, found: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", found[0])
        plus = found[0].lstrip("(").startswith("+")
        if not plus and _LEAST_CARD <= len(digits) <= _MOST_CARD and _is_card(digits):
            self._cards += 1
            return _CARD
        if not plus and not _LEAST_DIGITS <= len(digits) <= _MOST_DIGITS:
            return found[0]
        return self._numbers.setdefault(digits[-9:], f"+1415555{len(self._numbers) + 101:04}")


def _is_card(digits: str) -> bool:
    """By the check digit that card numbers have (Luhn's)."""
    doubled = [int(digit) * (1 + n % 2) for n, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
