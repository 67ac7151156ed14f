"""One change as the lines of a ```diff block: a heading a field, then what goes and what comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from voiceops.model.plan import CREATE, DELETE, Change, FieldChange, shown
from voiceops.model.safe_text import visible
from voiceops.model.values import ABSENT, JSON, format_path
from voiceops.render.listdiff import OTHERS_MOVED, SAME_ITEMS, list_difference
from voiceops.render.names import unquoted
from voiceops.render.review import leaves
from voiceops.render.textdiff import around, blocks, lines_of, shortened, spelled_spaces


@dataclass(frozen=True, slots=True)
class Level:
    """How much to show."""

    context: int  # equal lines around a difference
    lines: int  # of one side of a place, or of a new text
    width: int  # characters of a line
    fields: int


FULL = Level(context=1, lines=40, width=600, fields=80)
SHORT = Level(context=0, lines=4, width=120, fields=8)


def diff_lines(change: Change, level: Level = FULL) -> list[str]:
    """The block's lines; none can be mistaken for a fence, for each begins with a sign."""
    rows = [f"! {shortened(visible(note), level.width)}" for note in change.notes]
    if change.actions == CREATE:
        fields = [row for field in change.fields for row in _created(field, level)]
    elif change.actions == DELETE and not change.fields:
        fields = [_deleted(change.before or {}, level)]
    else:
        fields = [row for field in change.fields for row in _changed(field, level)]
    for row in fields[: level.fields]:
        rows += row
    if len(fields) > level.fields:
        rows.append(f"# … {len(fields) - level.fields} more fields")
    if not rows:
        rows.append(f"# {change.reason.replace('_', ' ')}")
    return rows


def _created(field: FieldChange, level: Level) -> Iterator[list[str]]:
    for path, _, value in leaves(field):
        if value is not ABSENT and value is not None:
            yield _value("+", f"{visible(format_path(path))}: ", value, level)


def _deleted(before: dict[str, JSON], level: Level) -> list[str]:
    width = min(level.width, 120)
    return [f"- {visible(key)}: {shortened(visible(_plain(shown(value))), width)}" for key, value in before.items()]


def _changed(field: FieldChange, level: Level) -> Iterator[list[str]]:
    because = {"drift": " (edited live)", "conflict": " (edited live, too)"}.get(field.reason, "")
    where = f" · {field.file}:{field.line}" if field.file and field.line else ""
    for path, before, after in leaves(field):
        head = f"@@ {visible(format_path(path))}{visible(where)}{because} @@"
        texts = isinstance(before, str) and isinstance(after, str)
        if texts and ("\n" in before or "\n" in after):
            yield [head, *_text(before, after, level)]
        elif texts:
            one, other = (spelled_spaces(visible(_plain(side))) for side in (before, after))
            old, new = around(one, other, level.width)
            yield [head, f"- {old}", f"+ {new}"]
        elif isinstance(before, list) and isinstance(after, list):
            yield [head, *_list(before, after, level)]
        else:
            sides = [row for sign, value in (("-", before), ("+", after)) for row in _value(sign, "", value, level)]
            yield [head, *sides]


def _value(sign: str, name: str, value: JSON, level: Level) -> list[str]:
    """One side of a field; a longer text line by line."""
    if value is ABSENT or value is None:
        return []
    if not isinstance(value, str) or "\n" not in value:
        return [f"{sign} {name}{shortened(visible(_plain(value)), level.width)}"]
    lines = lines_of(value)
    rows = [f"{sign} {name.rstrip()}"] if name else []
    rows += [f"{sign}   {shortened(line, level.width)}" for line in lines[: level.lines]]
    return [*rows, f"{sign}   … {len(lines) - level.lines} more lines"] if len(lines) > level.lines else rows


def _text(before: str, after: str, level: Level) -> list[str]:
    """Only the lines that change, and a little around them."""
    rows: list[str] = []
    found = blocks(before, after)
    for index, block in enumerate(found):
        if block.equal:
            head = block.new[: level.context] if index else ()
            tail = block.new[len(block.new) - level.context :] if index + 1 < len(found) and level.context else ()
            if len(head) + len(tail) >= len(block.new):
                rows += [f"  {shortened(line, level.width)}" for line in block.new]
                continue
            rows += [f"  {shortened(line, level.width)}" for line in head]
            rows.append(f"# … {len(block.new) - len(head) - len(tail)} equal lines")
            rows += [f"  {shortened(line, level.width)}" for line in tail]
            continue
        old, new = block.old[: level.lines], block.new[: level.lines]
        if len(block.old) == len(block.new):
            pairs = [around(a, b, level.width) for a, b in zip(old, new, strict=True)]
            old, new = tuple(a for a, _ in pairs), tuple(b for _, b in pairs)
        for sign, kept, whole in (("-", old, block.old), ("+", new, block.new)):
            rows += [f"{sign} {shortened(line, level.width + 60)}" for line in kept]
            if len(whole) > len(kept):
                rows.append(f"{sign} … {len(whole) - len(kept)} more lines")
    return rows


def _list(before: list[JSON], after: list[JSON], level: Level) -> list[str]:
    """What left and what came; in another order is said so."""
    old = [visible(_plain(item)) for item in before]
    new = [visible(_plain(item)) for item in after]
    difference = list_difference(old, new)
    if difference.only_order:
        return [f"# {SAME_ITEMS}"]
    rows = []
    for sign, items in (("-", difference.gone), ("+", difference.came)):
        rows += [f"{sign} {shortened(item.text, level.width)}{item.note}" for item in items[: level.lines]]
        if len(items) > level.lines:
            rows.append(f"{sign} … {len(items) - level.lines} more")
    return [*rows, f"# {OTHERS_MOVED}"] if difference.moved else rows


def _plain(value: JSON) -> str:
    return unquoted(json.dumps(value, ensure_ascii=False))
