"""Differences of texts for reviewers: by line, and inside a line by word; always quick, however long the text.

Characters that hide or reorder others are spelled out.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from voiceops.model.safe_text import visible

_MANY_LINES = 2_000  # beyond this, lines that occur often are no anchors
_TOO_MANY_LINES = 20_000  # beyond this, what differs is one block
_TOO_MANY_WORDS = 1_500
_BLANKS = re.compile(r"[ \t]+")
_LAST_BLANKS = re.compile(r"[ \t]+(?=␍?\Z)")
_OTHER_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_ACCENTS = re.compile("[\u0300-\u036f]")  # that combine with the letter before
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of both sides: `equal`, or what stands in place of what. `at` is the first new line's number."""

    equal: bool
    old: tuple[str, ...]
    new: tuple[str, ...]
    old_at: int
    at: int


def lines_of(text: str) -> list[str]:
    """Lines as a reader sees them; a last line end makes no further line."""
    lines = visible(text).split("\n")
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def blocks(before: str, after: str) -> list[Block]:
    """Both texts in full, cut where they begin and cease to be equal.

    What nobody sees is said where it differs: line ends, the last line end, blanks at a line's end, blanks that are
    none of the keyboard's.
    """
    old, new = _both_sides(before, after)
    head = _common(old, new)
    tail = min(_common(old[::-1], new[::-1]), min(len(old), len(new)) - head)
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    found = []
    if head:
        found.append(Block(True, tuple(old[:head]), tuple(new[:head]), 1, 1))
    for equal, i1, i2, j1, j2 in _opcodes(middle_old, middle_new):
        sides = tuple(middle_old[i1:i2]), tuple(middle_new[j1:j2])
        found.append(Block(equal, *(sides if equal else _with_marks(*sides)), head + i1 + 1, head + j1 + 1))
    if tail:
        start_old, start_new = len(old) - tail, len(new) - tail
        found.append(Block(True, tuple(old[start_old:]), tuple(new[start_new:]), start_old + 1, start_new + 1))
    return found


def _both_sides(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines of both texts, and at their ends in words what no line shows."""
    one, other = _line_ends(before), _line_ends(after)
    mixed = len(one) > 1 or len(other) > 1
    old, new = (lines_of(text.replace("\r\n", "␍\n") if mixed else text) for text in (before, after))
    if not mixed and one and other and one != other:
        old.append(f"(line ends: {one.pop()})")
        new.append(f"(line ends: {other.pop()})")
    if before and after and before.endswith("\n") != after.endswith("\n"):
        for side, text in ((old, before), (new, after)):
            side.append("(a line end at the end)" if text.endswith("\n") else "(no line end at the end)")
    return old, new


def _line_ends(text: str) -> set[str]:
    crlf = text.count("\r\n")
    return {name for name, there in (("CRLF", crlf), ("LF", text.count("\n") - crlf)) if there}


def _with_marks(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lines that differ, with the blanks made visible that could be what differs."""
    if len(old) != len(new):
        return tuple(map(_marked_line, old)), tuple(map(_marked_line, new))
    pairs = [_marked_pair(a, b) for a, b in zip(old, new, strict=True)]
    return tuple(a for a, _ in pairs), tuple(b for _, b in pairs)


def _marked_pair(old: str, new: str) -> tuple[str, str]:
    if unicodedata.normalize("NFC", old) == unicodedata.normalize("NFC", new):
        old, new = (_ACCENTS.sub(lambda found: f"\\u{ord(found[0]):04x}", line) for line in (old, new))
    only_blanks = "".join(old.split()) == "".join(new.split())
    return _marked_line(old, only_blanks=only_blanks), _marked_line(new, only_blanks=only_blanks)


def _marked_line(line: str, *, only_blanks: bool = False) -> str:
    line = spelled_spaces(line)
    return (_BLANKS if only_blanks else _LAST_BLANKS).sub(
        lambda found: found[0].replace(" ", "·").replace("\t", "⇥"), line
    )


def spelled_spaces(text: str) -> str:
    """Blanks that look like a space and are none, written out: `\\u00a0`."""
    return _OTHER_SPACES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _opcodes(old: Sequence[str], new: Sequence[str]) -> list[tuple[bool, int, int, int, int]]:
    if not old and not new:
        return []
    if len(old) + len(new) > _TOO_MANY_LINES:
        return [(False, 0, len(old), 0, len(new))]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > _MANY_LINES)
    found: list[tuple[bool, int, int, int, int]] = []
    for tag, *spans in matcher.get_opcodes():
        i1, i2, j1, j2 = spans
        if found and not found[-1][0] and tag != "equal":  # neighbours that both differ are one place
            _, a1, _, b1, _ = found.pop()
            i1, j1 = a1, b1
        found.append((tag == "equal", i1, i2, j1, j2))
    return found


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def word_count(before: str, after: str) -> tuple[int, int]:
    """(words that came, words that left)."""
    came = left = 0
    for block in blocks(before, after):
        if block.equal:
            continue
        old, new = " ".join(block.old).split(), " ".join(block.new).split()
        head = _common(old, new)
        old, new = old[head:], new[head:]
        if len(old) + len(new) > _TOO_MANY_WORDS:
            old_counted, new_counted = Counter(old), Counter(new)
            came += (new_counted - old_counted).total()
            left += (old_counted - new_counted).total()
            continue
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag != "equal":
                left, came = left + i2 - i1, came + j2 - j1
    return came, left


Spans = tuple[tuple[bool, str], ...]


def word_spans(old: str, new: str) -> tuple[Spans, Spans]:
    """Both lines cut into pieces, each marked True where it is on one side only."""
    a, b = _WORD.findall(old), _WORD.findall(new)
    head = _common(a, b)
    tail = min(_common(a[::-1], b[::-1]), min(len(a), len(b)) - head)
    middle_a, middle_b = a[head : len(a) - tail], b[head : len(b) - tail]
    if len(middle_a) + len(middle_b) > _TOO_MANY_WORDS:
        codes = [("replace", 0, len(middle_a), 0, len(middle_b))]
    else:
        matcher = difflib.SequenceMatcher(None, middle_a, middle_b, autojunk=False)
        codes = list(matcher.get_opcodes())
    first, last = "".join(a[:head]), "".join(a[len(a) - tail :])
    left, right = [(False, first)], [(False, first)]
    for tag, i1, i2, j1, j2 in codes:
        left.append((tag != "equal", "".join(middle_a[i1:i2])))
        right.append((tag != "equal", "".join(middle_b[j1:j2])))
    left.append((False, last))
    right.append((False, last))
    return _joined(left), _joined(right)


def _joined(pieces: list[tuple[bool, str]]) -> Spans:
    found: list[tuple[bool, str]] = []
    for marked, text in pieces:
        if not text:
            continue
        if found and found[-1][0] == marked:
            found[-1] = (marked, found[-1][1] + text)
        else:
            found.append((marked, text))
    return tuple(found)


def around(old: str, new: str, limit: int, context: int = 40) -> tuple[str, str]:
    """Two long lines cut to what differs, with a little around it."""
    if len(old) <= limit and len(new) <= limit:
        return old, new
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    start = max(0, head - context)
    return _window(old, start, len(old) - tail + context, limit), _window(new, start, len(new) - tail + context, limit)


def _window(text: str, start: int, end: int, limit: int) -> str:
    end = min(len(text), end)
    shown = shortened(text[start:end], limit)
    return ("… " if start else "") + shown + (" …" if end < len(text) and not shown.endswith("…)") else "")


def shortened(text: str, limit: int) -> str:
    """At most about `limit` characters, and how many are missing, where saying so is shorter than they are."""
    return text if len(text) <= limit + 25 else f"{text[:limit]}… ({len(text) - limit} more characters)"
