"""What must not stand in a file of the project, replaced by values that are nobody's: the same for the same. Pure.

Telephone numbers (spoken in English digits, too), mail addresses, card numbers, keys and passwords, and the name of the
customer where Vapi knows it. Other names can't be told from other words: whoever records a call reads it before it is
kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from voiceops.model.key_forms import keys_in
from voiceops.model.values import JSON

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LONG = re.compile(r"(?<![\w.])\+?\(?\d(?:[ ().-]{0,2}\d){6,24}(?!\w)")
_LEAST_DIGITS, _MOST_DIGITS = 9, 15  # of a telephone number without a plus
_CARD = "4242 4242 4242 4242"
_LEAST_CARD, _MOST_CARD = 13, 19
_LOCAL = re.compile(r"(?<![\w.-])\d{3}-\d{4}(?![\w-])")  # as numbers are written within one area
_DIGIT = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_SPOKEN = re.compile(rf"\b{_DIGIT}(?:[\s,.-]+{_DIGIT}){{6,}}\b", re.IGNORECASE)
_SECRET_NAME = r"[\w-]*(?:password|passwd|passphrase|secret|token|api[-_]?key|authorization)|pin|ssn|cvv|cvc"
_SECRET_FIELD = re.compile(rf'("(?:{_SECRET_NAME})"\s*:\s*)(?:"(?:[^"\\]|\\.)*"|-?\d+)', re.IGNORECASE)
_SECRET_KEY = re.compile(_SECRET_NAME, re.IGNORECASE)
_SECRET, _NAME = "made-up", "Alex Example"
_SHORTEST_NAME = 3  # characters


@dataclass(slots=True)
class Replacements:
    """The replacements of one call. `replaced` tells whether there were any.

    `hide` takes out secrets that are known by their values; `name` is the customer's.
    """

    hide: Callable[[str], str] = str
    name: str = ""
    _numbers: dict[str, str] = field(default_factory=dict)
    _mails: dict[str, str] = field(default_factory=dict)
    _others: set[str] = field(default_factory=set)  # cards, keys, names

    @property
    def replaced(self) -> int:
        """How many different values were replaced."""
        return len(self._numbers) + len(self._mails) + len(self._others)

    def text(self, text: str) -> str:
        """The text without what is somebody's."""
        for key in sorted(set(keys_in(text)), key=len, reverse=True):
            text = text.replace(key, self._other(key, _SECRET))
        text = _SECRET_FIELD.sub(lambda found: f'{found[1]}"{self._other(found[0], _SECRET)}"', self.hide(text))
        text = self._nameless(text)
        return _SPOKEN.sub(self._spoken, _LOCAL.sub(self._local, _LONG.sub(self._figures, _MAIL.sub(self._mail, text))))

    def value(self, value: JSON) -> JSON:
        """Any JSON value without what is somebody's; keys stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self._field(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, int) and not isinstance(value, bool) and self.text(str(value)) != str(value):
            return self.text(str(value))
        return value

    def _field(self, key: str, value: JSON) -> JSON:
        if _SECRET_KEY.fullmatch(key) and isinstance(value, str | int) and not isinstance(value, bool) and value:
            return self._other(str(value), _SECRET)
        return self.value(value)

    def _nameless(self, text: str) -> str:
        """The text without the customer's name, and without its parts."""
        parts = self.name.split()
        for name, other in ((self.name.strip(), _NAME), *((part, _NAME.split()[0]) for part in parts)):
            pattern = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
            if len(name) >= _SHORTEST_NAME and pattern.search(text):
                text = pattern.sub(self._other(self.name, other), text)
        return text

    def _other(self, value: str, made_up: str) -> str:
        self._others.add(value)
        return made_up

    def _local(self, found: re.Match[str]) -> str:
        return self._number(re.sub(r"\D", "", found[0]))

    def _spoken(self, found: re.Match[str]) -> str:
        return self._number(" ".join(re.findall(r"\w+", found[0].casefold())))

    def _number(self, of: str) -> str:
        return self._numbers.setdefault(of, f"+1415555{len(self._numbers) + 101:04}")

    def _mail(self, found: re.Match[str]) -> str:
        return self._mails.setdefault(found[0].casefold(), f"person{len(self._mails) + 1}@example.com")

    def _figures(self, found: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", found[0])
        plus = found[0].lstrip("(").startswith("+")
        if not plus and _LEAST_CARD <= len(digits) <= _MOST_CARD and _is_card(digits):
            return self._other(digits, _CARD)
        if not plus and not _LEAST_DIGITS <= len(digits) <= _MOST_DIGITS:
            return found[0]
        return self._number(digits[-9:])


def _is_card(digits: str) -> bool:
    """By the check digit that card numbers have (Luhn's)."""
    doubled = [int(digit) * (1 + n % 2) for n, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
