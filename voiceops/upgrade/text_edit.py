"""An old field of a YAML text replaced by its successor, and not a byte besides: comments go where their field goes.

The text is cut at the marks of YAML's own parser, and values move as they are written: quotes, `${…}` and blocks of
lines stay. Whatever comes out is read back by the strict reader and must be what the steps make of the data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from voiceops.errors import InvalidProject
from voiceops.manifest.strict_yaml import read_documents
from voiceops.manifest.yaml_edit import CannotEdit, end_of, offset_of
from voiceops.manifest.yaml_values import flow, scalar
from voiceops.model.located import plain
from voiceops.upgrade.decisions import Append, OldValue, Path, Put, Step, Template, done, filled, is_done

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ODD_BREAKS = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
_COMMENT = re.compile(r"[ ]*#")
_IN_FLOW = re.compile(
    r"[^\s\-?:,\[\]{}#&*!|>'\"%@`](?:[^\n,\[\]{}#:]|:(?=[^\s,\[\]{}]))*\Z|\"[^\n]*\"\Z|'[^\n]*'\Z|[-+]?\d[\d.]*\Z"
)

DataPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Old:
    """The old field's value as it is written: its lines, from which column they are indented, and as data."""

    raw: str
    column: int
    value: Any
    begins: int = 0  # the column of its first line
    tail: str = ""  # the comment behind it, with the blanks before it
    above: tuple[str, ...] = ()  # the comments above it, without their indentation
    between: tuple[str, ...] = ()  # and those between the key and a block below it


def rewritten(text: str, document: int, where: DataPath, key: str, steps: tuple[Step, ...]) -> str:
    """The text with the old field `key` of the map at `where` gone, and the steps done. Raises CannotEdit.

    Raises InTheWay where a step would overwrite something.
    """
    if _ODD_BREAKS.search(text):
        raise CannotEdit("the file has line breaks that are none of YAML 1.2 (a lone CR, NEL or U+2028)")
    before = _data(text)
    wanted = _replaced(before[document], where, lambda around: done(steps, around, key))
    crlf = "\r\n" in text
    edited = _edited(text.replace("\r\n", "\n") if crlf else text, document, where, key, steps)
    edited = edited.replace("\n", "\r\n") if crlf else edited
    if crlf and text.count("\n") != text.count("\r\n"):
        raise CannotEdit("the file has both kinds of line ends, LF and CRLF")
    try:
        after = _data(edited)
    except InvalidProject as error:
        raise CannotEdit(f"the file could not be read afterwards: {error.diagnostics[0].summary}") from None
    expected = [*before[:document], wanted, *before[document + 1 :]]
    if _text(after) != _text(expected):
        raise CannotEdit("something else would change with it: is it part of an anchor (&) or an alias (*)?")
    return edited


def _data(text: str) -> list[Any]:
    return [plain(value, {}) for value, _ in read_documents(text, "")]


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _replaced(value: Any, where: DataPath, change: Any) -> Any:
    if not where:
        return change(value)
    first, *rest = where
    if isinstance(value, list):
        return [_replaced(item, tuple(rest), change) if i == first else item for i, item in enumerate(value)]
    return {key: _replaced(item, tuple(rest), change) if key == first else item for key, item in value.items()}


def _edited(text: str, document: int, where: DataPath, key: str, steps: tuple[Step, ...]) -> str:
    sheet = _Sheet(text, document)
    around = sheet.map_at(where)
    old = sheet.old(around, key)
    data = _data(text)[document]
    for part in where:
        data = data[part]
    todo = [step for step in steps if not is_done(step, data, _filled(step, old))]
    first = todo[0] if todo else None
    if isinstance(first, Put) and first.path[0] not in data:
        text = sheet.in_place(around, key, first, old)
        todo = todo[1:]
    elif first is None:
        return sheet.without(around, key, old, keep_comments=True)
    else:
        carried = not sheet.landing(around, first)[0].flow_style
        text = sheet.without(around, key, old, keep_comments=not carried)
        old = old if carried else replace(old, above=(), between=(), tail="")
    for position, step in enumerate(todo):
        sheet = _Sheet(text, document)
        bare = old if position == 0 and step is first else replace(old, above=(), between=(), tail="")
        text = sheet.inserted(sheet.map_at(where), step, bare)
    return text


def _filled(step: Step, old: _Old) -> Any:
    return filled(step.value, old.value)


class _Sheet:
    """One document of a text, to be cut."""

    def __init__(self, text: str, document: int) -> None:
        self.text = text
        nodes = [node for node in yaml.compose_all(text, Loader=_LOADER) if node is not None]
        self.root = nodes[document]

    def map_at(self, where: DataPath) -> yaml.MappingNode:
        """The map at a path. Raises CannotEdit."""
        node: Any = self.root
        for step in where:
            if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                node = node.value[step]
            else:
                node = next(value for name, value in node.value if name.value == step)
        if not isinstance(node, yaml.MappingNode):
            raise CannotEdit("it stands in something that is no map")
        return node

    def old(self, around: yaml.MappingNode, key: str) -> _Old:
        """The old field as it is written. Raises CannotEdit."""
        name, value = self._pair(around, key)
        start, end = self._span(name, value)
        raw = self.text[start:end]
        if self._is_anchored(value):
            raise CannotEdit("its value has an anchor (&), an alias (*) or a tag (!)")
        column, begins = name.start_mark.column, value.start_mark.column
        if around.flow_style:
            return _Old(raw, column, _data_of(value), begins)
        lines = self.text[offset_of(self.text, name.end_mark) : start].split("\n")
        return _Old(
            raw,
            column,
            _data_of(value),
            begins,
            tail=self.text[end : self._line_end(end)].rstrip(),
            above=tuple(line.strip() for line in self._comments_above(name)),
            between=tuple(line[line.index("#") :].rstrip() for line in lines if "#" in line),
        )

    def in_place(self, around: yaml.MappingNode, key: str, step: Put, old: _Old) -> str:
        """The old field's entry written anew, where it stands. Raises CannotEdit."""
        name, value = self._pair(around, key)
        start, end = offset_of(self.text, name.start_mark), self._span(name, value)[1]
        if around.flow_style:
            new = f"{step.path[0]}: {_flow(_nested(step.path[1:], step.value), old)}"
        else:
            column = name.start_mark.column
            if old.between and self.text[self.text.rfind("\n", 0, start) + 1 : start].strip():
                raise CannotEdit("it is the first of its map, behind a dash, with comments below it")
            lines = [f"{line}\n{' ' * column}" for line in old.between]
            new = "".join(lines) + _entry(step.path, step.value, column, old)
        return self.text[:start] + new + self.text[end:]

    def without(self, around: yaml.MappingNode, key: str, old: _Old, *, keep_comments: bool) -> str:
        """The text without the old field; its comments stay as lines of their own where nothing takes them along.

        Raises CannotEdit.
        """
        name, value = self._pair(around, key)
        start, end = offset_of(self.text, name.start_mark), self._span(name, value)[1]
        position = next(i for i, (k, _) in enumerate(around.value) if k is name)
        if around.flow_style:
            return self._without_in_flow(around, position, start, end)
        line_start, line_end = self.text.rfind("\n", 0, start) + 1, self._line_end(end)
        indent = self.text[line_start:start]
        kept = [*old.between, *([old.tail.strip()] if old.tail else [])] if keep_comments else []
        if len(around.value) == 1:
            return self.text[:start] + "{}" + (self.text[end:line_end] if keep_comments else "") + self.text[line_end:]
        if indent.strip():  # `- key: value`: the next key takes its place behind the dash
            following = around.value[position + 1][0]
            between = self.text[line_end : offset_of(self.text, following.start_mark)]
            if between.strip() or kept:
                raise CannotEdit("it is the first of its map, behind a dash, with comments below it")
            return self.text[:start] + self.text[offset_of(self.text, following.start_mark) :]
        if not keep_comments:
            for _ in self._comments_above(name):
                line_start = self.text.rfind("\n", 0, line_start - 1) + 1
        lines = "".join(f"{indent}{line}\n" for line in kept)
        rest = self.text[min(line_end + 1, len(self.text)) :]
        if position and _ends_with_lines(around.value[position - 1][1]):  # else they would be lines of that text
            rest = re.sub(rf"\A(?:{indent}[ ]*#[^\n]*\n|[ ]*\n)+", lambda found: _as_comments(found[0], indent), rest)
        return self.text[:line_start] + lines + rest

    def _without_in_flow(self, around: yaml.MappingNode, position: int, start: int, end: int) -> str:
        pairs = around.value
        if len(pairs) == 1:
            return self.text[:start] + self.text[end:].lstrip(" ")
        if position + 1 < len(pairs):
            return self.text[:start] + self.text[offset_of(self.text, pairs[position + 1][0].start_mark) :]
        return self.text[: self._span(*pairs[position - 1])[1]] + self.text[end:]

    def inserted(self, around: yaml.MappingNode, step: Step, old: _Old) -> str:
        """The text with the step's value in the map, below what is there of its path. Raises CannotEdit."""
        node, path = self.landing(around, step)
        value = step.value
        if isinstance(step, Append) and path:
            value = [value]
        if isinstance(node, yaml.MappingNode):
            return self._into_map(node, path, value, old)
        return self._into_list(node, value, old)

    def landing(self, around: yaml.MappingNode, step: Step) -> tuple[Any, Path]:
        """What is there of the step's path: the last map, or its list, and what is missing. Raises CannotEdit."""
        node: Any = around
        path = step.path
        while path and isinstance(node, yaml.MappingNode):
            found = next((value for name, value in node.value if name.value == path[0]), None)
            if found is None:
                break
            if self.text[offset_of(self.text, found.start_mark) :][:1] in ("&", "*", "!") or _is_before(found, node):
                raise CannotEdit(f"{path[0]} has an anchor (&), is an alias (*), or has a tag (!)")
            node, path = found, path[1:]
        if isinstance(node, yaml.MappingNode) or (isinstance(node, yaml.SequenceNode) and not path):
            return node, path
        raise CannotEdit(f"{step.path[0]} is no map here")

    def _into_map(self, node: yaml.MappingNode, path: Path, value: Template, old: _Old) -> str:
        if node.flow_style or not node.value:
            new = f"{path[0]}: {_flow(_nested(path[1:], value), old)}"
            if not node.value:
                return self._between(node, new)
            at = self._span(*node.value[-1])[1]
            return self.text[:at] + ", " + new + self.text[at:]
        column = node.value[0][0].start_mark.column
        at = self._line_end(self._span(*node.value[-1])[1])
        lines = [*(f"{' ' * column}{line}" for line in (*old.above, *old.between))]
        lines.append(" " * column + _entry(path, value, column, old) + old.tail)
        return self.text[:at] + "\n" + "\n".join(lines) + self.text[at:]

    def _into_list(self, node: yaml.SequenceNode, value: Template, old: _Old) -> str:
        if node.flow_style or not node.value:
            new = _flow(value, old)
            if not node.value:
                return self._between(node, new)
            at = offset_of(self.text, node.value[-1].end_mark)
            return self.text[:at] + ", " + new + self.text[at:]
        column = node.start_mark.column
        at = self._line_end(end_of(self.text, node))
        lines = [
            *(f"{' ' * column}{line}" for line in (*old.above, *old.between)),
            f"{' ' * column}- {_flow(value, old)}{old.tail}",
        ]
        return self.text[:at] + "\n" + "\n".join(lines) + self.text[at:]

    def _between(self, node: Any, new: str) -> str:
        """Inside the empty `{}` or `[]`."""
        start, end = offset_of(self.text, node.start_mark), offset_of(self.text, node.end_mark)
        if end - start < 2:
            raise CannotEdit("it would go into a map that is not written")
        return self.text[: start + 1] + new + self.text[end - 1 :]

    def _pair(self, around: yaml.MappingNode, key: str) -> tuple[Any, Any]:
        pair = next(((name, value) for name, value in around.value if name.value == key), None)
        if pair is None:
            raise CannotEdit("it comes from a map that is merged in (<<)")
        if _is_before(pair[1], pair[0]):
            raise CannotEdit("its value is an alias (*)")
        return pair

    def _span(self, name: Any, value: Any) -> tuple[int, int]:
        """From where to where a key's value is written; the key's colon where it has none."""
        if _is_before(value, name):  # an alias ends where its name does
            start = self.text.index("*", offset_of(self.text, name.end_mark))
            found = re.compile(r"\*[^\s,\]}]+").match(self.text, start)
            assert found is not None
            return start, found.end()
        if isinstance(value, yaml.CollectionNode) and not value.flow_style and value.value:
            last = value.value[-1]
            inner = self._span(*last) if isinstance(value, yaml.MappingNode) else (0, self._item_end(last))
            return offset_of(self.text, value.start_mark), inner[1]
        return offset_of(self.text, value.start_mark), end_of(self.text, value)

    def _item_end(self, item: Any) -> int:
        if isinstance(item, yaml.MappingNode) and not item.flow_style and item.value:
            return self._span(*item.value[-1])[1]
        return end_of(self.text, item)

    def _is_anchored(self, node: Any) -> bool:
        """Has the node, or one below it, an anchor, an alias or a tag?"""
        if self.text[offset_of(self.text, node.start_mark) :][:1] in ("&", "*", "!"):
            return True
        if isinstance(node, yaml.MappingNode):
            return any(_is_before(value, name) or self._is_anchored(value) for name, value in node.value)
        below = node.value if isinstance(node, yaml.SequenceNode) else ()
        return any(_is_before(item, node) or self._is_anchored(item) for item in below)

    def _line_end(self, at: int) -> int:
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found

    def _comments_above(self, name: Any) -> list[str]:
        """The lines right above a key that hold comments, indented as it is."""
        column = name.start_mark.column
        lines = self.text[: offset_of(self.text, name.start_mark)].split("\n")[:-1]
        if self.text[: offset_of(self.text, name.start_mark)].split("\n")[-1].strip():
            return []
        found: list[str] = []
        for line in reversed(lines):
            if not _COMMENT.match(line) or len(line) - len(line.lstrip(" ")) != column:
                break
            found.insert(0, line)
        return found


def _is_before(node: Any, other: Any) -> bool:
    return bool(node.start_mark.index < other.start_mark.index)


def _data_of(node: Any) -> Any:
    """What the strict reader makes of one node, which has no aliases."""
    if isinstance(node, yaml.MappingNode):
        return {name.value: _data_of(value) for name, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_data_of(item) for item in node.value]
    if node.style:  # in quotes, or a block of lines
        return node.value
    return _data(f"value: {node.value}")[0]["value"] if "\n" not in node.value else node.value


def _ends_with_lines(node: Any) -> bool:
    """Does the value end with a text below a `|` or a `>`?"""
    while isinstance(node, yaml.CollectionNode) and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    return isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")


def _as_comments(lines: str, indent: str) -> str:
    """Comments that are indented as the keys around them are."""
    return re.sub(r"(?m)^[ ]*#", f"{indent}#", lines)


def _nested(path: Path, value: Template) -> Template:
    for key in reversed(path):
        value = {key: value}
    return value


def _entry(path: Path, value: Template, column: int, old: _Old) -> str:
    """`key: value` in block style, its later lines indented; the first begins where the key stands."""
    *above, last = path
    lines = [f"{' ' * (column + 2 * depth)}{key}:" for depth, key in enumerate(above)]
    lines += _block(last, value, column + 2 * len(above), old)
    return "\n".join(lines)[column:]


def _block(key: str, value: Template, column: int, old: _Old) -> Iterator[str]:
    blank = " " * column
    if isinstance(value, OldValue):
        yield f"{blank}{key}:{_moved(old, column)}"
    elif isinstance(value, Mapping) and value:
        yield f"{blank}{key}:"
        for name, item in value.items():
            yield from _block(name, item, column + 2, old)
    elif isinstance(value, list) and value:
        yield f"{blank}{key}:"
        for item in value:
            yield from _item(item, column + 2, old)
    else:
        yield f"{blank}{key}: {scalar(value) if isinstance(value, str) else flow(value)}"


def _item(item: Template, column: int, old: _Old) -> Iterator[str]:
    if not (isinstance(item, Mapping) and len(item) > 1):
        yield f"{' ' * column}- {_flow(item, old)}"
        return
    lines = [line for name, value in item.items() for line in _block(name, value, column + 2, old)]
    yield f"{' ' * column}- {lines[0][column + 2 :]}"
    yield from lines[1:]


def _moved(old: _Old, column: int) -> str:
    """The old value as it is written, its later lines indented as much more as its key is."""
    shift = column - old.column
    first, *rest = old.raw.split("\n")
    lines = [line if not line.strip() and shift < 0 else _shifted(line, shift) for line in rest]
    if isinstance(old.value, (dict, list)) and old.raw[0] not in "[{":  # a block stands below its key
        indent = " " * (old.begins + shift)
        return "\n" + "\n".join([indent + first, *lines])
    return (" " if first else "") + "\n".join([first, *lines])


def _shifted(line: str, shift: int) -> str:
    if not line.strip():
        return line
    if shift >= 0:
        return " " * shift + line
    return line[-shift:] if not line[:-shift].strip() else line.lstrip(" ")


def _flow(value: Template, old: _Old) -> str:
    """One line: in flow style, the old value as it is written where that can stand there."""
    if isinstance(value, OldValue):
        if isinstance(old.value, (dict, list)):
            return old.raw if "\n" not in old.raw and old.raw[0] in "[{" else flow(old.value)
        if _IN_FLOW.match(old.raw) and "\n" not in old.raw:
            return old.raw
        return json.dumps(old.value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item, old)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item, old) for item in value) + "]"
    return flow(value)
