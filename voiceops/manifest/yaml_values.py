"""JSON values as YAML that people like to read: no quotes where none are needed, short maps and lists in one line.

Whatever is written here reads back equal by the strict reader, to the last character. Quotes stand round a text, too,
where it is one for the strict reader only: another tool would read `off`, `9:30`, `1_000` or `2024-01-31` as something
else, and write that back; two quotes cost nobody anything. Two exceptions stay as everybody writes them: a telephone
number (`+14155550100`), and a key (`on:` of a hook). Knows nothing of manifests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from voiceops.model.values import JSON

WIDTH = 100  # columns that a line has, where it can be broken
_LONGEST_KEY = 1000  # characters; of a longer one YAML wants to be told that it is a key

# Characters that YAML doesn't take as they are, or ends a line at; and those that hide or turn what stands beside them,
# so that whoever reviews a file sees them. A joiner stays, since emoji and several scripts are made with it.
_ESCAPED = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    "|[\xad\u115f\u1160\u180e\u200b\u202a-\u202e\u2060-\u206f\u3164\uffa0\U000e0000-\U000e0fff]"
)
_SHORT_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_IN_QUOTES = re.compile(rf'["\\\n\t]|{_ESCAPED.pattern}')

# A text without quotes: it begins like one, ends with no blank, and holds no comment and no key.
_PLAIN = re.compile(r"[^ \t\n\-?:,\[\]{}#&*!|>'\"%@`](?:[^ \t\n:#]|(?<! )#|:(?! |\Z)| (?!\Z))*\Z")
_NOT_IN_FLOW = re.compile(r"[,\[\]{}]|:(?=[,\[\]{}\"'])|\?")
_TELEPHONE = re.compile(r"\+\d{7,15}\Z")
# What YAML 1.2's core schema, or YAML 1.1, reads as null, true, false, a number or a date.
_ANOTHER_TYPE = re.compile(
    r"(?:null|~|true|false|yes|no|on|off|y|n|=|<<)\Z"
    r"|[-+]?(?:\d[\d_]*(?:\.[\d_]*)?|\.[\d_]+)(?:e[-+]?\d+)?\Z"
    r"|[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-f_]+|\.inf)\Z|\.nan\Z"
    r"|[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?\Z"
    r"|\d{4}-\d\d?-\d\d?(?:(?:t|\s+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:\s*(?:z|[-+]\d\d?(?::\d\d)?))?)?\Z",
    re.IGNORECASE,
)
_LONGEST_QUOTED = 16
_PLAIN_KEYS = frozenset({"on", "off", "yes", "no", "y", "n"})  # a hook's `on:` is written so everywhere
_FOLDS = re.compile(r"(?<! ) (?! )")  # a blank at which a folded text may be broken


def block(value: JSON, column: int, *, open_keys: Sequence[str] = ()) -> str:
    """A map or a list over several lines, its first line for where `column` is; what is short stands in one line.

    A line end is to follow, since a text below a `|` may need it. `open_keys`: keys whose maps and lists always get
    lines of their own.
    """
    if isinstance(value, Mapping) and value:
        entries = [_entry(key, item, column, key not in open_keys) for key, item in value.items()]
    elif isinstance(value, list) and value:
        entries = ["- " + _below(item, column + 2) for item in value]
    else:
        return flow(value)
    return ("\n" + " " * column).join(entries)


def flow(value: JSON) -> str:
    """Any value in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key, in_flow=True)} {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value, in_flow=True)


def scalar(value: JSON, *, in_flow: bool = False) -> str:
    """A text, number, true, false or null in one line. `in_flow`: inside `{}` or `[]`, where fewer characters go."""
    if isinstance(value, str):
        return value if _needs_no_quotes(value, in_flow) else _quoted(value)
    if isinstance(value, float):  # YAML 1.1 knows an exponent only behind a fraction
        return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))
    return json.dumps(value)


def literal(value: str, column: int) -> str | None:
    """A text of several lines as they are, below a `|`; None where YAML would read it otherwise."""
    body = value.rstrip("\n")
    if "\n" not in value or not body.strip(" \t\n") or body[-1] in " \t" or _ESCAPED.search(value):
        return None
    ends = len(value) - len(body)
    header = "|" + ("2" if body.lstrip("\n")[0] in " \t" else "") + ("-" if not ends else "+" if ends > 1 else "")
    lines = [" " * column + line if line else "" for line in body.split("\n")]
    return "\n".join([header, *lines, *[""] * (ends - 1)])


def _entry(key: str, value: JSON, column: int, may_be_short: bool) -> str:
    """A key and its value; the first line stands at `column`."""
    name = _key(key)
    if name.startswith("? "):
        return f"{name[:-2]}\n{' ' * column}: {_below(value, column + 2)}"
    if isinstance(value, (Mapping, list)):
        if value and not (may_be_short and _is_short(value, column + len(name) + 1)):
            return f"{name}\n{' ' * (column + 2)}{block(value, column + 2)}"
        return f"{name} {flow(value)}"
    return f"{name} {_text(value, column + 2, column + len(name) + 1)}"


def _below(value: JSON, column: int) -> str:
    """A value behind a dash; its first line stands at `column`, and the others do."""
    if isinstance(value, (Mapping, list)):
        short = not value or (_is_short(value, column) and not (isinstance(value, Mapping) and len(value) == 1))
        return flow(value) if short else block(value, column)
    return _text(value, column, column)


def _key(key: str, *, in_flow: bool = False) -> str:
    text = key if key in _PLAIN_KEYS else scalar(key, in_flow=in_flow)
    return f"{text}:" if len(text) <= _LONGEST_KEY else f"? {text} :"


def _text(value: JSON, column: int, used: int) -> str:
    """A scalar behind `used` columns of its line; what needs more lines goes to `column`."""
    if not isinstance(value, str):
        return scalar(value)
    if (lines := literal(value, column)) is not None:
        return lines
    line = scalar(value)
    if used + len(line) <= WIDTH:
        return line
    return _folded(value, column) or _broken(value, column) or line


def _folded(value: str, column: int) -> str | None:
    """A long text below a `>-`, broken at blanks; None where it can't be."""
    if value != value.strip(" \t") or re.search("[\t\n]", value) or _ESCAPED.search(value):
        return None
    lines = [""]
    for word in _FOLDS.split(value):
        if lines[-1] and column + len(lines[-1]) + 1 + len(word) <= WIDTH:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return ("\n" + " " * column).join([">-", *lines[1:]]) if " " in value else None


def _broken(value: str, column: int) -> str | None:
    """A text of several lines with characters that need an escape: in quotes, a line for each of its own."""
    pieces = [piece for piece in re.split(r"(?<=\n)", value) if piece]
    if len(pieces) < 2:
        return None
    lines = [_IN_QUOTES.sub(_escape, piece) for piece in pieces]
    lines[1:] = [("\\" + line) if line.startswith(" ") else line for line in lines[1:]]
    return '"' + ("\\\n" + " " * column).join(lines) + '"'


def _needs_no_quotes(text: str, in_flow: bool) -> bool:
    if _TELEPHONE.match(text):
        return True
    if not _PLAIN.match(text) or _ESCAPED.search(text) or _ANOTHER_TYPE.match(text):
        return False
    return not (in_flow and _NOT_IN_FLOW.search(text))


def _quoted(text: str) -> str:
    if ('"' in text or "\\" in text) and not re.search(r"['\n\t]", text) and not _ESCAPED.search(text):
        return f"'{text}'"
    return '"' + _IN_QUOTES.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_short(value: JSON, used: int) -> bool:
    """Does a map or a list read well in one line, and has the line room for it?"""
    return _reads_well(value) and used + len(flow(value)) <= WIDTH


def _reads_well(value: JSON) -> bool:
    if isinstance(value, list):
        maps = [item for item in value if not _is_leaf(item)]
        beside_names = len(maps) < max(len(value), 2)  # several maps and nothing else: a line each
        return beside_names and all(isinstance(item, Mapping) and _is_small(item, 1) for item in maps)
    return _is_small(value, 4)


def _is_small(value: Mapping[str, JSON], most: int) -> bool:
    """At most so many entries, and nothing deep: texts, numbers, a list of them, a map of one entry."""
    texts = [item for item in value.values() if isinstance(item, str)]
    if any("${" in text and len(text) > _LONGEST_QUOTED for text in texts):  # it needs quotes in one line only
        return False
    return len(value) <= most and all(
        _is_leaf(item)
        or (isinstance(item, list) and all(map(_is_leaf, item)))
        or (isinstance(item, Mapping) and len(item) <= 1 and all(map(_is_leaf, item.values())))
        for item in value.values()
    )


def _is_leaf(value: JSON) -> bool:
    """Text of one line, number, true, false, null, or nothing."""
    if isinstance(value, str):
        return "\n" not in value
    return not value if isinstance(value, (Mapping, list)) else True
