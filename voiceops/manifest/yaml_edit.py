"""One value in a YAML text replaced, and not a byte besides: comments, order, quotes and blank lines stay.

The text is cut at the marks of YAML's own parser instead of being written out again, so that nothing else can change.
Whatever comes out is read back by the strict reader and must hold the value. Knows nothing of manifests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from voiceops.errors import InvalidProject, Mark
from voiceops.manifest.strict_yaml import read_documents
from voiceops.manifest.yaml_values import block, flow, literal, scalar
from voiceops.model.located import Map, Seq, plain
from voiceops.model.values import JSON

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CannotEdit(Exception):
    """The value can't be replaced; the text says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: its node, the key before it (None: an item of a list), and whether in flow style."""

    node: Any
    key: Any
    flow: bool

    @property
    def is_alias(self) -> bool:
        """Is it an alias (`*name`), whose value stands elsewhere?"""
        return self.key is not None and self.node.start_mark.index < self.key.start_mark.index


def find(text: str, mark: Mark, keys: Iterable[str]) -> Place:
    """The value whose key stands at the mark and is one of `keys`; without keys, the list item there.

    Raises CannotEdit.
    """
    wanted = frozenset(keys)
    at = (mark.line - 1, mark.column - 1)
    for place in _places(text):
        if place.key is None:
            if not wanted and _at(place.node) == at:
                return _checked(text, place)
        elif _at(place.key) == at and wanted:
            if place.key.value not in wanted:
                raise CannotEdit(f"it comes from {place.key.value!r} there, which says more than this value")
            return _checked(text, place)
    raise CannotEdit("it has no place of its own there")


def _checked(text: str, place: Place) -> Place:
    if place.is_alias:
        raise CannotEdit("it is an alias (*) there: the value stands elsewhere")
    if text[offset_of(text, place.node.start_mark)] in "&!":
        raise CannotEdit("it carries an anchor or a tag there")
    return place


def _at(node: Any) -> tuple[int, int]:
    return node.start_mark.line, node.start_mark.column


def _places(text: str) -> Iterator[Place]:
    """Every value of every document; an anchored one once."""
    seen: set[int] = set()
    waiting: list[tuple[Any, bool]] = [(node, False) for node in yaml.compose_all(text, Loader=_LOADER) if node]
    while waiting:
        node, flow = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        inside = flow or bool(getattr(node, "flow_style", False))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                yield Place(value, key, inside)
                waiting.append((value, inside))
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                yield Place(value, None, inside)
                waiting.append((value, inside))


def raw(place: Place) -> str | None:
    """The scalar as it is written, before anything is substituted; None for a map or a list."""
    return place.node.value if isinstance(place.node, yaml.ScalarNode) else None


def value_at(text: str, mark: Mark, *, item: bool) -> JSON:
    """What the strict reader finds at a mark: a key's value, or a list's item. Raises CannotEdit."""
    try:
        documents = read_documents(text, mark.file)
    except InvalidProject as error:
        raise CannotEdit(f"the file could not be read afterwards: {error.diagnostics[0].summary}") from None
    waiting = [value for value, _ in documents]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Map):
            for key, inner in value.items():
                here = value.marks[key]
                if not item and (here.line, here.column) == (mark.line, mark.column):
                    return plain(inner, {})
                waiting.append(inner)
        elif isinstance(value, Seq):
            for inner, here in zip(value, value.marks, strict=True):
                if item and (here.line, here.column) == (mark.line, mark.column):
                    return plain(inner, {})
                waiting.append(inner)
    raise CannotEdit("it has no place of its own there")


def replaced(text: str, mark: Mark, keys: Iterable[str], value: JSON) -> str:
    """The text with another value at the mark. Raises CannotEdit."""
    keys = tuple(keys)
    place = find(text, mark, keys)
    for start, end, new in _candidates(text, place, value):
        edited = text[:start] + (new.replace("\n", "\r\n") if "\r\n" in text else new) + text[end:]
        try:
            if _equal(value_at(edited, mark, item=not keys), value):
                return edited
        except CannotEdit:
            continue
    raise CannotEdit("the value can't be written there")


def _equal(one: JSON, other: JSON) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _candidates(text: str, place: Place, value: JSON) -> Iterator[tuple[int, int, str]]:
    """Cuts and what goes there, the most like the present style first; the caller takes the first that holds."""
    node = place.node
    start, end = offset_of(text, node.start_mark), end_of(text, node)
    of_lines = isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value
    if of_lines and isinstance(value, (dict, list)) and value:
        yield start, end, block(value, node.start_mark.column)
    if of_lines:  # the new value stands beside the key, not below it
        start = offset_of(text, place.key.end_mark) + 1 if place.key is not None else start
        lead = " " if place.key is not None else ""
        yield from ((start, end, lead + new) for new in _inline(value, None, place.flow))
        return
    # A key without a value has an empty node right after its colon.
    lead = " " if start == end and start and text[start - 1] == ":" else ""
    style = node.style if isinstance(node, yaml.ScalarNode) else None
    if isinstance(value, str) and "\n" in value.rstrip("\n") + "\n" * (style in ("|", ">")) and not place.flow:
        column = place.key.start_mark.column + 2 if place.key is not None else node.start_mark.column
        yield from ((start, end, lead + new) for new in _literal(text, start, value, column, style))
    yield from ((start, end, lead + new) for new in _inline(value, style, place.flow))


def _inline(value: JSON, style: str | None, in_flow: bool) -> Iterator[str]:
    """One line; a text in the quotes that it has, if they can hold it."""
    if isinstance(value, str) and style == "'" and "\n" not in value:
        yield "'" + value.replace("'", "''") + "'"
    if isinstance(value, str) and style == '"':
        yield json.dumps(value, ensure_ascii=False)
    yield flow(value) if in_flow or isinstance(value, (dict, list)) else scalar(value)


def _literal(text: str, start: int, value: str, column: int, style: str | None) -> Iterator[str]:
    """A text of several lines in YAML's literal style, with the comment that may stand behind its `|`."""
    lines = literal(value, column)
    if lines is None:
        return
    comment = ""
    if style in ("|", ">"):
        header = text[start : (text.find("\n", start) + 1 or len(text) + 1) - 1]
        found = re.search(r"\s+#.*", header)
        comment = found.group() if found else ""
    first, rest = lines.split("\n", 1)
    yield f"{first}{comment}\n{rest}"


def offset_of(text: str, mark: Any) -> int:
    """A parser's line and column as a place in the text."""
    here = 0
    for _ in range(mark.line):
        here = text.index("\n", here) + 1
    return here + int(mark.column)


def end_of(text: str, node: Any) -> int:
    """Where the value ends; a block's own mark lies behind what follows it. Raises CannotEdit for an alias there."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        inner = last[1] if isinstance(node, yaml.MappingNode) else last
        if inner.start_mark.index < node.start_mark.index:  # an alias
            raise CannotEdit("it ends with an alias (*) there")
        return end_of(text, inner)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return _end_of_block_scalar(text, node)
    return offset_of(text, node.end_mark)


def _end_of_block_scalar(text: str, node: Any) -> int:
    """Behind the last line that is indented like the first; with `+`, behind the blank lines, too."""
    start = offset_of(text, node.start_mark)
    line_end = text.find("\n", start)
    if line_end < 0:
        return len(text)
    keeps = "+" in text[start:line_end].partition("#")[0]
    end, here, indent = line_end, line_end + 1, -1
    while here <= len(text):
        stop = text.find("\n", here)
        stop = len(text) if stop < 0 else stop
        line = text[here:stop]
        if line.strip(" "):
            width = len(line) - len(line.lstrip(" "))
            indent = width if indent < 0 else indent
            if width < indent or stop > _offset_or_end(text, node.end_mark):
                break
            end = stop
        elif keeps and here < len(text):
            end = stop
        if stop == len(text):
            break
        here = stop + 1
    return end


def _offset_or_end(text: str, mark: Any) -> int:
    return min(offset_of(text, mark), len(text)) if mark.line <= text.count("\n") else len(text)
