"""One change's fields as a page shows them: texts side by side with the words that differ, other values in a line.

Data for `assets/change.html.j2`, which is where the markup stands. All texts in it are plain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from voiceops.model.plan import CREATE, DELETE, Change, FieldChange, shown
from voiceops.model.safe_text import visible
from voiceops.model.values import ABSENT, JSON, format_path
from voiceops.render.listdiff import OTHERS_MOVED, SAME_ITEMS, list_difference
from voiceops.render.names import bare, unquoted
from voiceops.render.review import leaves
from voiceops.render.textdiff import Block, Spans, blocks, lines_of, shortened, word_spans

_CONTEXT = 2
_LINES = 400  # of a text that is new or gone
_WIDTH = 20_000


@dataclass(frozen=True, slots=True)
class One:
    """A value or a text of one side. `css` is the class that says which: old, new, or quiet for a word of ours."""

    kind: ClassVar[str] = "one"
    css: str
    text: str


@dataclass(frozen=True, slots=True)
class Side:
    """A line in one column, in pieces of which some are marked; with its number, empty where lines have none."""

    number: str
    pieces: Spans


@dataclass(frozen=True, slots=True)
class Row:
    """Lines beside each other that differ; None where a side has no such line."""

    kind: ClassVar[str] = "row"
    old: Side | None
    new: Side | None


@dataclass(frozen=True, slots=True)
class Same:
    """A line that both sides have, with its number on each."""

    kind: ClassVar[str] = "same"
    old_number: int
    number: int
    line: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines that both sides have, folded away."""

    kind: ClassVar[str] = "gap"
    count: int
    text: str


Part = One | Row | Same | Gap


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its path; `where` is its place in a file, and why it differs if no manifest says so."""

    name: str
    where: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """What opens below a change's head."""

    notes: tuple[str, ...]
    fields: tuple[Field, ...]


def change_body(change: Change) -> Body:
    """The change's notes, or the reason where nothing else can be said, and every field."""
    if change.actions == DELETE and not change.fields:
        gone = (Field(key, "", (_one("old", shown(value)),)) for key, value in (change.before or {}).items())
        return Body(change.notes, tuple(gone))
    fields = [one for field in change.fields for one in _fields(field, created=change.actions == CREATE)]
    reason = () if change.fields or change.notes else (change.reason.replace("_", " "),)
    return Body((*change.notes, *reason), tuple(fields))


def _fields(field: FieldChange, *, created: bool) -> Iterator[Field]:
    because = {"drift": "edited live", "conflict": "edited live, too"}.get(field.reason, "")
    place = f"{field.file}:{field.line}" if field.file and field.line else ""
    where = " · ".join(part for part in (place, because) if part)
    for path, before, after in leaves(field):
        name = format_path(path)
        if created:
            if after is not ABSENT and after is not None:
                yield Field(name, "", (_one("new", after),))
        elif isinstance(before, str) and isinstance(after, str):
            yield Field(name, where, tuple(_side_by_side(str(bare(before)), str(bare(after)))))
        elif isinstance(before, list) and isinstance(after, list):
            yield Field(name, where, tuple(_list(before, after)))
        else:
            sides = (_one(css, value) for css, value in (("old", before), ("new", after)) if value is not ABSENT)
            yield Field(name, where, tuple(sides))


def _one(css: str, value: JSON) -> One:
    if isinstance(value, str) and "\n" in value:
        return One(css, _text(lines_of(value)))
    return One(css, shortened(visible(_plain(value)), _WIDTH))


def _text(lines: Sequence[str]) -> str:
    """Lines in one piece: a page of long prompts stays light."""
    more = [f"… {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    return "\n".join([*(shortened(line, _WIDTH) for line in lines[:_LINES]), *more])


def _plain(value: JSON) -> str:
    return "(unset)" if value is None else unquoted(json.dumps(value, ensure_ascii=False))


def _list(before: list[JSON], after: list[JSON]) -> Iterator[One]:
    difference = list_difference([_plain(item) for item in before], [_plain(item) for item in after])
    if difference.only_order:
        yield One("quiet", SAME_ITEMS)
        return
    for css, items in (("old", difference.gone), ("new", difference.came)):
        for item in items[:_LINES]:
            yield One(css, shortened(visible(item.text), _WIDTH) + item.note)
    if difference.moved:
        yield One("quiet", OTHERS_MOVED)


def _side_by_side(before: str, after: str) -> Iterator[Part]:
    found = blocks(before, after)
    if "\n" not in before and "\n" not in after:
        for block in found:
            if not block.equal:
                yield from _different(block, numbered=False)
        return
    for index, block in enumerate(found):
        if not block.equal:
            yield from _different(block)
            continue
        head = _CONTEXT if index else 0
        tail = _CONTEXT if index + 1 < len(found) else 0
        hidden = len(block.new) - head - tail
        if hidden < 2:
            yield from (_equal(block, at) for at in range(len(block.new)))
            continue
        yield from (_equal(block, at) for at in range(head))
        yield Gap(hidden, _text(block.new[head : head + hidden]))
        yield from (_equal(block, at) for at in range(len(block.new) - tail, len(block.new)))


def _equal(block: Block, at: int) -> Same:
    return Same(block.old_at + at, block.at + at, shortened(block.new[at], _WIDTH))


def _different(block: Block, *, numbered: bool = True) -> Iterator[Part]:
    for at in range(min(_LINES, max(len(block.old), len(block.new)))):
        old = shortened(block.old[at], _WIDTH) if at < len(block.old) else None
        new = shortened(block.new[at], _WIDTH) if at < len(block.new) else None
        left: Spans = ((False, old or ""),)
        right: Spans = ((False, new or ""),)
        if old is not None and new is not None:
            left, right = map(_marked, word_spans(old, new))
        yield Row(
            None if old is None else Side(str(block.old_at + at) * numbered, left),
            None if new is None else Side(str(block.at + at) * numbered, right),
        )
    if (more := max(len(block.old), len(block.new)) - _LINES) > 0:
        yield One("quiet", f"… {more} more lines")


def _marked(spans: Spans) -> Spans:
    """Marks help where lines are alike; on lines that share little they are noise."""
    alike = sum(len(piece) for marked, piece in spans if not marked)
    whole = sum(len(piece) for _, piece in spans)
    return ((False, "".join(piece for _, piece in spans)),) if alike * 4 < whole else spans
