"""A strict YAML reader: JSON's scalars, no duplicate keys, a mark for every value.

Built on PyYAML's event stream rather than its constructors, because those read `+14155550100` as a number,
`off` as false and `9:30` as 570, and because an event loop of our own can bound depth and aliases.
Knows nothing of manifests.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.model.located import Map, Seq
from voiceops.model.values import format_path

MAX_BYTES = 1_048_576
MAX_DEPTH = 64
MAX_NODES = 200_000

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?P<fraction>\.\d+)?(?P<exponent>[eE][+-]?\d+)?\Z")
_WORDS = {"true": True, "false": False, "null": None, "": None}
# A high and a low surrogate as JSON escapes them, behind an even number of backslashes.
_PAIR = re.compile(r"(?<!\\)(?P<before>(?:\\\\)*)\\u(?P<high>[dD][89abAB]\w\w)\\u(?P<low>[dD][c-fC-F]\w\w)")
_MOST_RETRIES = 20  # texts with such pairs that are mended one by one; then all that look like it
_VALUE = re.compile(r"\s*(?:- )*(?:[\w.$-]+:\s)?\s*(?P<text>\S.*)")
_SPECIAL = "{[%@`*&!,]}"
_SHORT = 60
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Open:
    """A collection being read: where it hangs, and for a map the key that waits for its value."""

    value: Map | Seq
    path: tuple[str | int, ...]
    key: str | None = None
    key_mark: Mark | None = None
    merging: bool = False  # the key is YAML's plain `<<`
    merges: list[tuple[Any, Mark]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


def read_documents(text: str, file: str) -> list[tuple[Any, Mark]]:
    """Every document of a YAML text with the mark of its start; empty documents are left out.

    Raises InvalidProject with one diagnostic at the first place that can't be read.
    """
    if len(text) > MAX_BYTES:
        raise _error("yaml-too-large", f"the file is larger than {MAX_BYTES:,} bytes", Mark(file, 1, 1))
    for _ in range(_MOST_RETRIES):
        try:
            return list(_documents(text, file))
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
    return read_documents(_PAIR.sub(_joined, text), file)


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


def _documents(text: str, file: str) -> Iterator[tuple[Any, Mark]]:
    stack: list[_Open] = []
    anchors: dict[str, tuple[Any, int]] = {}
    counts: dict[int, int] = {}  # nodes under each open anchored collection, by its id
    nodes = 0
    root: Any = None
    start = Mark(file, 1, 1)
    empty = True

    def attach(value: Any, mark: Mark) -> None:
        nonlocal root
        if not stack:
            root = value
            return
        parent = stack[-1]
        if isinstance(parent.value, Seq):
            parent.value.put(value, mark)
        elif parent.merging:
            parent.merging = False
            parent.merges.append((value, mark))
            parent.key = None
        else:
            assert parent.key is not None
            parent.value.put(parent.key, value, parent.key_mark or mark)
            parent.key = None

    def here(mark: Any) -> Mark:
        path: tuple[str | int, ...] = ()
        if stack:
            top = stack[-1]
            step = len(top.value) if isinstance(top.value, Seq) else top.key
            path = (*top.path, step) if step is not None else top.path
        return Mark(file, mark.line + 1, mark.column + 1, format_path(path))

    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            root, empty, nodes = None, True, 0
            anchors.clear()
            continue
        if isinstance(event, yaml.DocumentEndEvent):
            if not empty and root is not None:
                yield root, start
            continue
        if isinstance(event, (yaml.StreamStartEvent, yaml.StreamEndEvent)):
            continue
        if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            done = stack.pop()
            if done.merges:
                _merge(done)
            if id(done.value) in counts:
                counts[id(done.value)] = nodes - counts[id(done.value)]
            continue

        mark = here(event.start_mark)
        if empty:
            start, empty = mark, False
        nodes += 1
        if nodes > MAX_NODES:
            raise _error("yaml-too-large", f"the document holds more than {MAX_NODES:,} values", mark)
        parent = stack[-1] if stack else None
        wants_key = parent is not None and isinstance(parent.value, Map) and parent.key is None
        tag = getattr(event, "tag", None)
        anchor: str = getattr(event, "anchor", None) or ""
        if tag and tag not in ("!", "tag:yaml.org,2002:str"):
            raise _error(
                "yaml-tag",
                f"tags are not allowed here: {tag}",
                mark,
                "Write the value plainly, without the tag.",
            )

        if wants_key:
            assert parent is not None
            if not isinstance(event, yaml.ScalarEvent):
                hint = _quotes_hint(_line(text, mark.line))
                raise _error("yaml-key", "a key must be a text", mark, hint)
            key = event.value
            if key in parent.seen and not (key == "<<" and not event.style):
                raise _error(
                    "yaml-duplicate-key",
                    f"the key {key!r} stands here twice",
                    mark._replace(path=format_path((*parent.path, key))),
                )
            parent.seen.add(key)
            parent.key = key
            parent.merging = key == "<<" and not event.style
            parent.key_mark = mark._replace(path=format_path((*parent.path, key)))
            continue

        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event, mark)
            if anchor:
                anchors[anchor] = (value, 1)
            attach(value, mark)
        elif isinstance(event, yaml.AliasEvent):
            if anchor not in anchors:
                raise _error("yaml-alias", f"the alias *{anchor} has no anchor before it", mark)
            value, _ = anchors[anchor]
            nodes += counts.get(id(value), 0)
            if nodes > MAX_NODES or any(open_.value is value for open_ in stack):
                raise _error("yaml-alias", f"the alias *{anchor} makes the document too large", mark)
            attach(value, mark)
        else:
            if len(stack) >= MAX_DEPTH:
                raise _error("yaml-too-deep", f"nested more than {MAX_DEPTH} levels deep", mark)
            collection: Map | Seq = Map() if isinstance(event, yaml.MappingStartEvent) else Seq()
            path = _path_of(mark, parent, stack)
            attach(collection, mark)
            if anchor:
                anchors[anchor] = (collection, 1)
                counts[id(collection)] = nodes
            stack.append(_Open(collection, path))


def _path_of(mark: Mark, parent: _Open | None, stack: list[_Open]) -> tuple[str | int, ...]:
    if parent is None:
        return ()
    if isinstance(parent.value, Seq):
        return (*parent.path, len(parent.value))
    return (*parent.path, parent.key) if parent.key is not None else parent.path


def _merge(done: _Open) -> None:
    """YAML's `<<`: the maps named there fill in what this map doesn't say itself."""
    assert isinstance(done.value, Map)
    for value, mark in done.merges:
        for source in value if isinstance(value, Seq) else [value]:
            if not isinstance(source, Map):
                raise _error("yaml-merge", "<< takes a map, or a list of maps", mark)
            for key, item in source.items():
                if key not in done.value:
                    done.value.put(key, item, source.marks[key])


def _scalar(event: Any, mark: Mark) -> Any:
    text = event.value
    if event.style or event.tag:  # libyaml says '' for plain, the Python parser None
        return text
    if text in _WORDS:
        return _WORDS[text]
    match = _NUMBER.match(text)
    if match is None:
        return text
    if match["fraction"] is None and match["exponent"] is None:
        if len(text) > 300:
            raise _error("yaml-number", "the number is too large", mark)
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        raise _error("yaml-number", "the number is too large", mark)
    return number
