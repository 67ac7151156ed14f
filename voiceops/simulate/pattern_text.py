"""Short texts that a regular expression of a JSON Schema matches, always the same ones, the plainest first.

Reads ECMA's syntax, as JSON Schema has it. What it can't express (look-around, word boundaries) it leaves out: whoever
asks checks the texts, and takes the first that fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

_DIGITS = "1234567890"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Small and great letters and digits by turns: the first few satisfy most rules for passwords and codes.
_WORD = "aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uVwXyZ" + "AbCdEfGhIjKlMnOpQrStUvWxYz" + "_"
_PLAIN = _WORD + " -.,:;/@#+*()!?'\"$%&=<>[]{}|\\^`~"
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": " \t\n"}
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_PROPERTY = re.compile(r"\{\^?(\w+=)?(\w+)\}")
_BRACES = re.compile(r"\{(\d+)(,(\d*))?\}")
_MOST = 4096  # repetitions; nobody reads longer texts


@dataclass(frozen=True, slots=True)
class _Chars:
    """One character of several."""

    options: str


@dataclass(slots=True)
class _Group:
    """Alternatives, each a sequence; `number` is what a back-reference calls it by, 0 for none."""

    number: int = 0
    alternatives: list[list[_Item]] = field(default_factory=lambda: [[]])


@dataclass(frozen=True, slots=True)
class _Back:
    number: int


@dataclass(slots=True)
class _Item:
    """An atom and how often it stands there; `most` None: any number."""

    atom: _Chars | _Group | _Back
    least: int = 1
    most: int | None = 1


def texts_for(pattern: str, least: int = 0) -> Iterator[str]:
    """Candidates, at least `least` characters long where repetitions allow it; nothing where it can't be read."""
    try:
        root = _Parser(pattern).whole()
    except (ValueError, LookupError, RecursionError):
        return
    seen: set[str] = set()
    for choice, more in product(range(24), (0, 1, 2, 4, 8, 16, 64, least)):
        text = _Writer(choice, more, least).write(root)
        if text not in seen:
            seen.add(text)
            yield text


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._groups = 0
        self._names: dict[str, int] = {}

    def whole(self) -> _Group:
        root = self._alternatives(_Group())
        if self._at < len(self._text):
            raise ValueError("a bracket too many")
        return root

    def _next(self) -> str:
        found = self._text[self._at]
        self._at += 1
        return found

    def _takes(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _alternatives(self, group: _Group) -> _Group:
        while self._at < len(self._text) and self._text[self._at] != ")":
            if self._takes("|"):
                group.alternatives.append([])
            elif self._takes("^") or self._takes("$") or self._takes("\\b") or self._takes("\\B"):
                continue
            elif (atom := self._atom()) is not None:
                group.alternatives[-1].append(_Item(atom, *self._times()))
        return group

    def _atom(self) -> _Chars | _Group | _Back | None:
        match self._next():
            case "(":
                return self._bracket()
            case "[":
                return _Chars(self._class())
            case ".":
                return _Chars(_PLAIN)
            case "\\":
                return self._escaped()
            case char:
                return _Chars(char)

    def _bracket(self) -> _Group | None:
        looks = any(self._takes(mark) for mark in ("?=", "?!", "?<=", "?<!"))
        group = _Group()
        if not looks and not self._takes("?:"):
            self._groups += 1
            group.number = self._groups
            if self._takes("?<"):
                end = self._text.index(">", self._at)
                self._names[self._text[self._at : end]] = group.number
                self._at = end + 1
        self._alternatives(group)
        if not self._takes(")"):
            raise ValueError("a bracket is not closed")
        if looks:
            self._times()
        return None if looks else group

    def _escaped(self) -> _Chars | _Back:
        if self._text[self._at].isdigit() and self._text[self._at] != "0":
            return _Back(int(self._next()))
        if self._takes("k<"):
            end = self._text.index(">", self._at)
            number = self._names[self._text[self._at : end]]
            self._at = end + 1
            return _Back(number)
        return _Chars(self._escape())

    def _escape(self) -> str:
        """The characters that an escape stands for."""
        char = self._next()
        if char in "dws":
            return _CLASSES[char]
        if char in "DWS":
            return _without(_CLASSES[char.lower()])
        if char in "pP" and (found := _PROPERTY.match(self._text, self._at)):
            self._at = found.end()
            name = found[2].lower()
            digits, great = name in ("n", "nd", "number"), name in ("lu", "uppercase")
            chars = _DIGITS if digits else _LETTERS.upper() if great else _LETTERS
            return _without(chars) if char == "P" else chars
        if char in "xu":
            braces = char == "u" and self._takes("{")
            end = self._text.index("}", self._at) if braces else self._at + (2 if char == "x" else 4)
            code = chr(int(self._text[self._at : end], 16))
            self._at = end + braces
            return code
        return _CONTROL.get(char, char)

    def _class(self) -> str:
        """The characters of `[…]`."""
        inverted = self._takes("^")
        found: list[str] = []
        while not self._takes("]"):
            chars = self._escape() if self._takes("\\") else self._next()
            rest = self._text[self._at : self._at + 2]
            if len(chars) == 1 and rest[:1] == "-" and rest[1:] not in ("", "]"):
                self._at += 1
                last = self._escape() if self._takes("\\") else self._next()
                chars = "".join(map(chr, range(ord(chars), min(ord(last[-1]), ord(chars) + 500) + 1)))
            found.append(chars)
        chars = "".join(found)
        if inverted:
            return _without(chars)
        # Plain characters first: `[!-~]` gives letters.
        return "".join(dict.fromkeys(sorted(chars, key=lambda char: (not char.isalnum(), char == "0"))))

    def _times(self) -> tuple[int, int | None]:
        least, most = 1, 1
        open_ended = False
        if self._takes("*"):
            least, open_ended = 0, True
        elif self._takes("+"):
            open_ended = True
        elif self._takes("?"):
            least = 0
        elif found := _BRACES.match(self._text, self._at):
            self._at = found.end()
            least = int(found[1])
            most = least if found[2] is None else int(found[3] or 0)
            open_ended = found[2] is not None and not found[3]
        self._takes("?")  # lazy, or not: the same texts
        if least > _MOST:
            raise ValueError("too long a text")
        return least, None if open_ended else most


class _Writer:
    """Writes one text. `choice` turns every choice a step further, `more` repeats open repetitions so often more."""

    def __init__(self, choice: int, more: int, least: int) -> None:
        self._choice = choice
        self._more = more
        self._least = least
        self._groups: dict[int, str] = {}
        self._count = 0

    def write(self, root: _Group) -> str:
        return self._group(root)

    def _group(self, group: _Group) -> str:
        sequence = group.alternatives[self._choice % len(group.alternatives)]
        text = "".join(self._item(item) for item in sequence)
        if group.number:
            self._groups[group.number] = text
        return text

    def _item(self, item: _Item) -> str:
        times = item.least + self._more
        if item.most is not None:
            times = min(times, max(item.most, item.least))
        return "".join(self._atom(item.atom) for _ in range(min(times, _MOST)))

    def _atom(self, atom: _Chars | _Group | _Back) -> str:
        if isinstance(atom, _Back):
            return self._groups.get(atom.number, "")
        if isinstance(atom, _Group):
            return self._group(atom)
        if not atom.options:
            return ""
        self._count += 1
        return atom.options[(self._choice + self._count - 1) % len(atom.options)]


def _without(chars: str) -> str:
    return "".join(char for char in _PLAIN if char not in chars) or "é"
