"""Patterns of JSON Schema as ECMA-262 means them, written in the dialect of Rust's regular expressions.

The two read the same text differently: digits and words are ASCII in ECMA, a dot stops at four line ends, an empty
class matches nothing, a slash may be escaped. So a pattern is read as ECMA reads it (with the flag `u`, and where that
refuses it, as web browsers do), and each part is written in a form that means the same there.
One difference stays: a reference back to a group that took no part matches nothing; in ECMA it matches an empty text.
Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGIT = "0-9"
_WORD = "0-9A-Za-z_"
_SPACE = r"\x{9}-\x{D}\x{20}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}"
_CLASSES = {
    "d": _DIGIT,
    "D": r"\x{0}-\x{2F}\x{3A}-\x{10FFFF}",
    "w": _WORD,
    "W": r"\x{0}-\x{2F}\x{3A}-\x{40}\x{5B}-\x{5E}\x{60}\x{7B}-\x{10FFFF}",
    "s": _SPACE,
    "S": r"\x{0}-\x{8}\x{E}-\x{1F}\x{21}-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}"
    r"\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{FEFE}\x{FF00}-\x{10FFFF}",
}
_ANY = r"[\x{0}-\x{10FFFF}]"
_NEVER = r"[^\x{0}-\x{10FFFF}]"
_DOT = r"[^\n\r\x{2028}\x{2029}]"
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
# A word's edge; the second form is for the engine that looks around, which knows no ASCII-only edges.
_EDGE = {"b": r"(?-u:\b)", "B": r"(?-u:\B)"}
_LOOKING_EDGE = {
    "b": f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))",
    "B": f"(?:(?<=[{_WORD}])(?=[{_WORD}])|(?<![{_WORD}])(?![{_WORD}]))",
}
_QUANTIFIER = re.compile(r"(?:([*+?])|\{([0-9]+)(?:(,)([0-9]*))?\})\??")
_NAME = re.compile(r"[\w$]+", re.UNICODE)
_PROPERTY = re.compile(r"\{([A-Za-z_]+(?:=[A-Za-z0-9_]+)?)\}")
_NESTED = 200  # groups inside each other; the engine itself stops at 250
_HEAVY = 1 << 40


@dataclass(frozen=True, slots=True)
class Pattern:
    """`text` for Rust; `looks`: it looks around or back, which no linear engine can; `weight`: its size, unrolled."""

    text: str
    looks: bool
    weight: int


def translate(pattern: str) -> Pattern:
    """The same pattern for Rust. Raises ValueError where it is none in ECMA, or says what can't be written there."""
    looks = _Reader(pattern, looking=False).looks()
    reader = _Reader(pattern, looking=looks)
    text, weight = reader.read()
    return Pattern(text, looks, weight)


class _Reader:
    def __init__(self, pattern: str, *, looking: bool) -> None:
        self._text = pattern
        self._at = 0
        self._looking = looking
        self._names: dict[str, int] = {}
        self._groups = 0
        self._survey()

    def _survey(self) -> None:
        """Count the groups, and name them: what `\\1` and `\\k<n>` mean depends on groups that come later, too."""
        inside = False
        at = 0
        while at < len(self._text):
            sign = self._text[at]
            if sign == "\\":
                at += 1
            elif inside:
                inside = sign != "]"
            elif sign == "[":
                inside = True
            elif sign == "(":
                name = self._name_at(at + 2) if self._text.startswith("(?<", at) else ""
                if not self._text.startswith("(?", at) or name:
                    self._groups += 1
                if name:
                    if name in self._names:
                        raise ValueError(f"two groups are named {name}")
                    self._names[name] = self._groups
            at += 1

    def _name_at(self, at: int) -> str:
        """The name in `<name>`, which begins there."""
        found = _NAME.match(self._text, at + 1)
        return found[0] if found and self._text.startswith(">", found.end()) and not found[0][0].isdigit() else ""

    def looks(self) -> bool:
        """Does it look around, or back to what a group has matched?"""
        found = False
        inside = False
        at = 0
        while at < len(self._text):
            sign = self._text[at]
            if sign == "\\":
                at += 1
                following = self._text[at : at + 1]
                if not inside and (
                    (following == "k" and self._names)
                    or ("1" <= following <= "9" and int(_digits(self._text, at)) <= self._groups)
                ):
                    found = True
            elif inside:
                inside = sign != "]"
            elif sign == "[":
                inside = True
            elif sign == "(" and self._text.startswith(("(?=", "(?!", "(?<=", "(?<!"), at):
                found = True
            at += 1
        return found

    def read(self) -> tuple[str, int]:
        out: list[str] = []
        atom = ""  # the last thing, which a quantifier would repeat: "", "assertion", "look", "atom"
        sizes = [0]  # of the open groups
        last = 0  # the last thing's size
        start = 0  # where the last group begins
        opened: list[tuple[str, int]] = []
        while self._at < len(self._text):
            sign = self._text[self._at]
            if sign == "(":
                kind, begin = self._group()
                if len(opened) >= _NESTED:
                    raise ValueError("its groups are nested too deeply")
                opened.append((kind, len(out)))
                sizes.append(0)
                out.append(begin)
                atom = ""
                continue
            if sign == ")":
                if not opened:
                    raise ValueError("a group is closed that is not open")
                kind, begun = opened.pop()
                out.append(")")
                last = sizes.pop() + 1
                sizes[-1] = min(_HEAVY, sizes[-1] + last)
                atom = "atom" if kind == "group" else kind
                start = begun
                self._at += 1
                continue
            if sign == "|":
                out.append("|")
                self._at += 1
                atom = ""
                continue
            if sign in "*+?{" and (times := self._quantifier(sign)) is not None:
                if atom not in ("atom", "ahead"):
                    raise ValueError("a repetition of nothing")
                if atom == "ahead":  # to look once is enough, and what may be left out says nothing
                    if times[0] in "*?" or times.startswith("{0"):
                        del out[start:]
                    times = ""
                out.append(times)
                sizes[-1] = min(_HEAVY, sizes[-1] + last * (_most(times) - 1))
                atom = ""
                continue
            written, atom = self._single(sign)
            out.append(written)
            last = 100 if r"\p" in written.lower() else 10 if len(written) > 8 else 1
            sizes[-1] = min(_HEAVY, sizes[-1] + last)
        if opened:
            raise ValueError("a group is not closed")
        return "".join(out), max(1, sizes[0])

    def _group(self) -> tuple[str, str]:
        """What begins with the bracket here: its kind, and how it begins there."""
        text, at = self._text, self._at
        for begin, kind in (("(?=", "ahead"), ("(?!", "ahead"), ("(?<=", "behind"), ("(?<!", "behind")):
            if text.startswith(begin, at):
                self._at += len(begin)
                return kind, begin
        if text.startswith("(?:", at):
            self._at += 3
            return "group", "(?:"
        if text.startswith("(?<", at) and (name := self._name_at(at + 2)):
            self._at += len(name) + 4
        elif text.startswith("(?", at):
            raise ValueError(f"no group begins with {text[at : at + 3]}")
        else:
            self._at += 1
        return "group", "(" if self._looking else "(?:"

    def _quantifier(self, sign: str) -> str | None:
        """The repetition here; None for a brace that is only a brace."""
        found = _QUANTIFIER.match(self._text, self._at)
        if found is None:
            return None
        if found[4] and int(found[4]) < int(found[2]):
            raise ValueError("a repetition of at least more than at most")
        self._at = found.end()
        return found[0].removesuffix("?") if len(found[0]) > 1 else found[0]

    def _single(self, sign: str) -> tuple[str, str]:
        """One thing that is no group and no repetition, and what it is to a repetition."""
        self._at += 1
        if sign == "^":
            return "^", "assertion"
        if sign == "$":
            return r"\z", "assertion"
        if sign == ".":
            return _DOT, "atom"
        if sign == "[":
            return self._class(), "atom"
        if sign != "\\":
            return _literal(ord(sign)), "atom"
        if self._at >= len(self._text):
            raise ValueError("it ends within an escape")
        letter = self._text[self._at]
        if letter in _EDGE:
            self._at += 1
            return (_LOOKING_EDGE if self._looking else _EDGE)[letter], "assertion"
        if letter == "k" and self._names:
            name = self._name_at(self._at + 1)
            if name not in self._names:
                raise ValueError("it refers to a group that it doesn't have")
            self._at += len(name) + 3
            return f"(?:\\{self._names[name]})", "atom"
        if "1" <= letter <= "9" and int(number := _digits(self._text, self._at)) <= self._groups:
            self._at += len(number)
            return f"(?:\\{number})", "atom"
        listed = self._listed(letter)
        if listed is not None:
            return f"[{listed}]", "atom"
        return _literal(self._code()), "atom"

    def _listed(self, letter: str) -> str | None:
        """The members of the class that an escape stands for; reads over it."""
        if letter in _CLASSES:
            self._at += 1
            return _CLASSES[letter]
        if letter in "pP" and (found := _PROPERTY.match(self._text, self._at + 1)):
            self._at = found.end()
            return rf"\{letter}{{{found[1]}}}"
        return None

    def _class(self) -> str:
        """What stands between square brackets."""
        negated = self._text.startswith("^", self._at)
        self._at += negated
        parts: list[str] = []
        while True:
            if self._at >= len(self._text):
                raise ValueError("a class is not closed")
            if self._text[self._at] == "]":
                self._at += 1
                break
            first = self._member(parts)
            if not (self._text.startswith("-", self._at) and self._text[self._at + 1 : self._at + 2] not in ("", "]")):
                parts += [_member(first)] if first is not None else []
                continue
            self._at += 1
            last = self._member(parts)
            if first is None or last is None:  # of a class no range begins: then it is only a hyphen
                parts += [_member(code) for code in (first, ord("-"), last) if code is not None]
            elif last < first:
                raise ValueError("a range that ends before it begins")
            else:
                parts.append(_range(first, last))
        inner = "".join(parts)
        if not inner:
            return _ANY if negated else _NEVER
        return f"[{'^' if negated else ''}{inner}]"

    def _member(self, parts: list[str]) -> int | None:
        """The character here; None for a whole class, which is among the parts then."""
        sign = self._text[self._at]
        self._at += 1
        if sign != "\\":
            return ord(sign)
        if self._at >= len(self._text):
            raise ValueError("it ends within an escape")
        letter = self._text[self._at]
        if letter == "b":
            self._at += 1
            return 8
        if letter == "c" and (found := re.compile("[0-9_]").match(self._text, self._at + 1)):
            self._at += 2
            return ord(found[0]) % 32
        listed = self._listed(letter)
        if listed is None:
            return self._code()
        parts.append(listed)
        return None

    def _code(self) -> int:
        """The character that the escape here stands for; reads over it."""
        text, at = self._text, self._at
        letter = text[at]
        self._at += 1
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter == "c" and (found := re.compile("[A-Za-z]").match(text, at + 1)):
            self._at += 1
            return ord(found[0]) % 32
        if letter == "c":  # a backslash, as browsers read it; the letter comes again
            self._at -= 1
            return ord("\\")
        if letter == "x" and (found := re.compile("[0-9A-Fa-f]{2}").match(text, at + 1)):
            self._at += 2
            return int(found[0], 16)
        if letter == "u":
            return self._unicode()
        if "0" <= letter <= "7" and (found := re.compile("[0-3][0-7]{0,2}|[4-7][0-7]?").match(text, at)):
            self._at = found.end()
            return int(found[0], 8)
        return ord(letter)

    def _unicode(self) -> int:
        """After `\\u`: four digits, two halves of a pair, or a number in braces; else the letter itself."""
        found = re.compile(r"\{0*([0-9A-Fa-f]{1,6})\}").match(self._text, self._at)
        if found and int(found[1], 16) <= 0x10FFFF:
            self._at = found.end()
            return int(found[1], 16)
        pair = re.compile(r"([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})").match(self._text, self._at)
        if pair:
            self._at = pair.end()
            return 0x10000 + ((int(pair[1], 16) - 0xD800) << 10) + int(pair[2], 16) - 0xDC00
        found = re.compile("[0-9A-Fa-f]{4}").match(self._text, self._at)
        if found:
            self._at = found.end()
            return int(found[0], 16)
        return ord("u")


def _digits(text: str, at: int) -> str:
    end = at
    while end < len(text) and "0" <= text[end] <= "9" and end - at < 9:
        end += 1
    return text[at:end]


def _most(times: str) -> int:
    """How often a repetition may repeat, as far as a size is concerned: one without an end is a loop."""
    numbers = [int(number) for number in re.findall("[0-9]+", times)]
    return min(_HEAVY, max(numbers, default=1))


def _literal(code: int) -> str:
    if 0xD800 <= code <= 0xDFFF:
        return _NEVER  # half of a pair is in no text
    sign = chr(code)
    if sign.isascii() and sign.isprintable():
        return sign if sign.isalnum() or sign in " _\"'%,:;<>=@!`/" else f"\\{sign}"
    return f"\\x{{{code:X}}}"


def _member(code: int) -> str:
    if 0xD800 <= code <= 0xDFFF:
        return ""
    return chr(code) if code < 128 and chr(code).isalnum() else f"\\x{{{code:X}}}"


def _range(first: int, last: int) -> str:
    """From one to the other, without the halves of pairs, which Rust has no way to name."""
    parts = []
    for low, high in ((first, min(last, 0xD7FF)), (max(first, 0xE000), last)):
        if low <= high:
            parts.append(f"\\x{{{low:X}}}-\\x{{{high:X}}}")
    return "".join(parts)
