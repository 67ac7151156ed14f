"""A strict YAML reader: JSON's scalars, no duplicate keys, a mark for every value.

Built on PyYAML's event stream rather than its constructors, because those read `+14155550100` as a number,
`off` as false and `9:30` as 570, and because an event loop of our own can bound depth and aliases.
Knows nothing of manifests.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from sys import intern
from typing import Any

import yaml

from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.model.located import Map, Seq
from voiceops.model.values import format_path

MAX_BYTES = 1_048_576
MAX_DEPTH = 64
MAX_NODES = 200_000

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?P<fraction>\.\d+)?(?P<exponent>[eE][+-]?\d+)?\Z")
_NUMBERS_BEGIN = frozenset("-0123456789")
_LONGEST_INTEGER = 300  # digits
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_NO_MARK = Mark("", 0, 0)
_new = tuple.__new__  # a mark without the checks of its class: there is one for every value
_WORDS = {"true": True, "false": False, "null": None, "": None}
# A high and a low surrogate as JSON escapes them, behind an even number of backslashes.
_PAIR = re.compile(r"(?<!\\)(?P<before>(?:\\\\)*)\\u(?P<high>[dD][89abAB]\w\w)\\u(?P<low>[dD][c-fC-F]\w\w)")
_MOST_RETRIES = 20  # texts with such pairs that are mended one by one; then all that look like it
_VALUE = re.compile(r"\s*(?:- )*(?:[\w.$-]+:\s)?\s*(?P<text>\S.*)")
_SPECIAL = "{[%@`*&!,]}"
_SHORT = 60
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs in YAML that others wrote: what a text without quotes means, and whether `<<` merges maps.

    `plain` raises ValueError for a text that stands for nothing.
    """

    plain: Callable[[str], Any]
    merges: bool


def read_documents(text: str, file: str, dialect: Dialect | None = None) -> list[tuple[Any, Mark]]:
    """Every document of a YAML text with the mark of its start; empty documents are left out.

    Raises InvalidProject with one diagnostic at the first place that can't be read.
    """
    if len(text) > MAX_BYTES:
        raise _error("yaml-too-large", f"the file is larger than {MAX_BYTES:,} bytes", Mark(file, 1, 1))
    for _ in range(_MOST_RETRIES):
        try:
            return _documents(text, file, dialect)
        except yaml.MarkedYAMLError as error:
            joined = _with_joined_pairs(text, error)
            if joined == text:
                raise _syntax_error(text, error, file) from None
            text = joined
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise _error(
                "yaml-syntax", "not valid YAML: a control character stands here", Mark(file, line, 1)
            ) from None
    return read_documents(_PAIR.sub(_joined, text), file, dialect)


def _syntax_error(text: str, error: yaml.MarkedYAMLError, file: str) -> InvalidProject:
    at = error.problem_mark or error.context_mark
    mark = Mark(file, at.line + 1, at.column + 1) if at else Mark(file, 1, 1)
    problem = " ".join(part for part in (error.context, error.problem) if part)
    opened = error.context_mark
    hint = f"It was opened in line {opened.line + 1}." if opened and opened.line + 1 != mark.line else ""
    line = _line(text, mark.line)
    if "escape" in problem and re.search(r"\\u[dD][89a-fA-F]", line):
        hint = "JSON writes this character as two escapes: write both halves, or the character itself."
    return _error("yaml-syntax", f"not valid YAML: {problem}", mark, hint or _quotes_hint(line))


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _quotes_hint(line: str) -> str:
    """A hint for a line whose value is a text that YAML reads as something else."""
    value = _VALUE.match(line)
    text = value["text"].strip() if value else ""
    if not text or text[0] in "\"'|>" or not (text[0] in _SPECIAL or ": " in text or "{{" in text):
        return ""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'Put the text into quotes: "{quoted}".' if len(text) <= _SHORT else "Put the text into quotes."


def _with_joined_pairs(text: str, error: yaml.MarkedYAMLError) -> str:
    """The text with JSON's surrogate pairs joined, in the quoted text where the parser stopped at one.

    JSON writes a character beyond the first 65,536 as two escapes, `\\ud83d\\ude00`; YAML as one, `\\U0001f600`.
    """
    opened = error.context_mark
    if opened is None or "escape" not in (error.problem or ""):
        return text
    start = _offset(text, opened.line, opened.column)
    end = start + 1
    while end < len(text) and text[end] != '"':
        end += 2 if text[end] == "\\" else 1
    return text[:start] + _PAIR.sub(_joined, text[start:end]) + text[end:]


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line):
        start = text.find("\n", start) + 1
    return start + column


def _joined(pair: re.Match[str]) -> str:
    high, low = int(pair["high"], 16), int(pair["low"], 16)
    return f"{pair['before']}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _error(code: str, summary: str, mark: Mark, hint: str = "") -> InvalidProject:
    return InvalidProject([Diagnostic(code=code, summary=summary, mark=mark, hint=hint)])


def _documents(text: str, file: str, dialect: Dialect | None) -> list[tuple[Any, Mark]]:
    reader = _Reader(text, file, dialect)
    takers = reader.takers()
    for event in yaml.parse(text, Loader=_LOADER):
        takers[type(event)](event)
    return reader.found


class _Place:
    """A path in a document, as text. Documents have the same paths again and again: each is put together once."""

    __slots__ = ("_below", "text")

    def __init__(self, text: str = "") -> None:
        self.text = text
        self._below: dict[str | int, _Place] = {}

    def at(self, step: str | int) -> _Place:
        """The place one step below."""
        found = self._below.get(step)
        if found is None:
            piece = format_path((step,))
            dotted = self.text and not piece.startswith("[")
            found = self._below[step] = _Place(f"{self.text}.{piece}" if dotted else self.text + piece)
        return found


class _Open:
    """A collection being read: where it stands, and for a map the key that waits for its value."""

    __slots__ = ("key", "key_mark", "key_place", "map", "merges", "merging", "place", "value")

    def __init__(self, value: Map | Seq, place: _Place) -> None:
        self.value = value
        self.map = value if isinstance(value, Map) else None
        self.place = place
        self.key: str | None = None
        self.key_mark = _NO_MARK
        self.key_place = place
        self.merging = False  # the key is YAML's plain `<<`
        self.merges: list[tuple[Any, Mark]] = []

    @property
    def next_place(self) -> _Place:
        """Where the next value, or the next key's map, stands."""
        if self.map is None:
            return self.place.at(len(self.value))
        return self.place if self.key is None else self.key_place


class _Reader:
    """Takes a parser's events one by one and puts the documents together."""

    def __init__(self, text: str, file: str, dialect: Dialect | None) -> None:
        self.found: list[tuple[Any, Mark]] = []
        self._text = text
        self._file = file
        self._dialect = dialect
        self._whole = _Place()
        self._stack: list[_Open] = []
        self._top: _Open | None = None
        self._anchors: dict[str, Any] = {}
        self._counts: dict[int, int] = {}  # nodes under each open anchored collection, by its id
        self._nodes = 0
        self._root: Any = None
        self._start: Mark | None = None  # of the document's first node

    def takers(self) -> dict[type, Callable[[Any], None]]:
        """What takes which event."""
        return {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._begin,
            yaml.DocumentEndEvent: self._end,
            yaml.StreamStartEvent: _nothing,
            yaml.StreamEndEvent: _nothing,
        }

    def _mark(self, event: Any, place: _Place) -> Mark:
        at = event.start_mark
        return _new(Mark, (self._file, at.line + 1, at.column + 1, place.text))

    def _here(self, event: Any) -> Mark:
        return self._mark(event, self._whole if self._top is None else self._top.next_place)

    def _begin(self, _: Any) -> None:
        self._root, self._start, self._nodes = None, None, 0
        self._anchors.clear()
        self._counts.clear()

    def _end(self, _: Any) -> None:
        if self._start is not None and self._root is not None:
            self.found.append((self._root, self._start))

    def _count(self, event: Any, tag: str | None) -> None:
        """One node more. Raises InvalidProject for one too many, and for a tag."""
        if self._start is None:
            self._start = self._here(event)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _error("yaml-too-large", f"the document holds more than {MAX_NODES:,} values", self._here(event))
        if tag and tag not in _TEXT_TAGS:
            raise _error(
                "yaml-tag",
                f"tags are not allowed here: {tag}",
                self._here(event),
                "Write the value plainly, without the tag.",
            )

    def _scalar(self, event: Any) -> None:
        top = self._top
        self._count(event, event.tag)
        if top is not None and top.map is not None:
            if top.key is None:
                self._key(top, top.map, event)
                return
            value = self._value(event)
            if not top.merging and not event.anchor:  # most of all there is
                top.map[top.key] = value
                top.map.marks[top.key] = top.key_mark
                top.key = None
                return
        else:
            value = self._value(event)
        if event.anchor:
            self._anchors[event.anchor] = value
        self._attach(value, event)

    def _value(self, event: Any) -> Any:
        """A scalar as JSON knows it. Raises InvalidProject for a number that is too large."""
        text = event.value
        if event.style or event.tag:  # libyaml says '' for plain, the Python parser None
            return text
        if self._dialect is not None:
            try:
                return self._dialect.plain(text)
            except ValueError as error:
                raise _error("yaml-number", str(error), self._here(event)) from None
        if text in _WORDS:
            return _WORDS[text]
        match = _NUMBER.match(text) if text[0] in _NUMBERS_BEGIN else None
        if match is None:
            return text
        whole = match["fraction"] is None and match["exponent"] is None
        if whole and len(text) <= _LONGEST_INTEGER:
            return int(text)
        number = math.inf if whole else float(text)
        if not math.isfinite(number):
            raise _error("yaml-number", "the number is too large", self._here(event))
        return number

    def _key(self, top: _Open, map_: Map, event: Any) -> None:
        key = intern(event.value)
        top.key_place = place = top.place.at(key)
        top.key_mark = self._mark(event, place)
        plain_merge = key == "<<" and not event.style
        if plain_merge and self._dialect is not None and not self._dialect.merges:
            hint = "Write out the keys that it was to bring."
            raise _error("yaml-merge", "<< merges nothing here: YAML 1.2 has no merge keys", top.key_mark, hint)
        if (key in map_ or (key == "<<" and top.merges)) and not plain_merge:
            raise _error("yaml-duplicate-key", f"the key {key!r} stands here twice", top.key_mark)
        top.key = key
        top.merging = plain_merge

    def _no_key(self, event: Any) -> None:
        """Raises InvalidProject where a key is to stand."""
        if self._top is not None and self._top.map is not None and self._top.key is None:
            mark = self._here(event)
            raise _error("yaml-key", "a key must be a text", mark, _quotes_hint(_line(self._text, mark.line)))

    def _attach(self, value: Any, event: Any) -> None:
        top = self._top
        if top is None:
            self._root = value
        elif isinstance(top.value, Seq):
            top.value.put(value, self._mark(event, top.next_place))
        elif top.merging:
            top.merges.append((value, self._mark(event, top.key_place)))
            top.merging, top.key = False, None
        else:
            assert top.key is not None
            top.value.put(top.key, value, top.key_mark)
            top.key = None

    def _alias(self, event: Any) -> None:
        self._count(event, None)
        self._no_key(event)
        anchor = event.anchor
        if anchor not in self._anchors:
            raise _error("yaml-alias", f"the alias *{anchor} has no anchor before it", self._here(event))
        value = self._anchors[anchor]
        self._nodes += self._counts.get(id(value), 0)
        if self._nodes > MAX_NODES or any(open_.value is value for open_ in self._stack):
            raise _error("yaml-alias", f"the alias *{anchor} makes the document too large", self._here(event))
        self._attach(value, event)

    def _open(self, event: Any) -> None:
        self._count(event, event.tag)
        self._no_key(event)
        if len(self._stack) >= MAX_DEPTH:
            raise _error("yaml-too-deep", f"nested more than {MAX_DEPTH} levels deep", self._here(event))
        collection: Map | Seq = Map() if type(event) is yaml.MappingStartEvent else Seq()
        place = self._whole if self._top is None else self._top.next_place
        self._attach(collection, event)
        if event.anchor:
            self._anchors[event.anchor] = collection
            self._counts[id(collection)] = self._nodes
        self._top = _Open(collection, place)
        self._stack.append(self._top)

    def _close(self, _: Any) -> None:
        done = self._stack.pop()
        self._top = self._stack[-1] if self._stack else None
        if done.merges:
            _merge(done)
        if id(done.value) in self._counts:
            self._counts[id(done.value)] = self._nodes - self._counts[id(done.value)]


def _nothing(_: Any) -> None:
    """Where a stream begins and ends, nothing is to be done."""


def _merge(done: _Open) -> None:
    """YAML's `<<`: the maps named there fill in what this map doesn't say itself."""
    assert done.map is not None
    for value, mark in done.merges:
        for source in value if isinstance(value, Seq) else [value]:
            if not isinstance(source, Map):
                raise _error("yaml-merge", "<< takes a map, or a list of maps", mark)
            for key, item in source.items():
                if key not in done.map:
                    done.map.put(key, item, source.marks[key])
