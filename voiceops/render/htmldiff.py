"""One change's fields in HTML: texts side by side with the words that differ, other values in a line or two."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from voiceops.model.plan import CREATE, DELETE, Change, FieldChange, shown
from voiceops.model.safe_text import html, visible
from voiceops.model.values import ABSENT, JSON, format_path
from voiceops.render.listdiff import OTHERS_MOVED, SAME_ITEMS, list_difference
from voiceops.render.names import bare, unquoted
from voiceops.render.review import leaves
from voiceops.render.textdiff import Block, Spans, blocks, lines_of, shortened, word_spans

_CONTEXT = 2
_LINES = 400  # of a text that is new or gone
_WIDTH = 20_000


def change_body(change: Change) -> Iterator[str]:
    """Notes, then every field."""
    for note in change.notes:
        yield f'<p class="note">{html(note)}</p>'
    if change.actions == DELETE and not change.fields:
        for key, value in (change.before or {}).items():
            yield _field(key, "", [_one("old", shown(value))])
        return
    for field in change.fields:
        yield from _fields(field, created=change.actions == CREATE)
    if not change.fields and not change.notes:
        yield f'<p class="note">{html(change.reason.replace("_", " "))}</p>'


def _fields(field: FieldChange, *, created: bool) -> Iterator[str]:
    because = {"drift": "edited live", "conflict": "edited live, too"}.get(field.reason, "")
    place = f"{field.file}:{field.line}" if field.file and field.line else ""
    where = " · ".join(part for part in (place, because) if part)
    for path, before, after in leaves(field):
        name = format_path(path)
        if created:
            if after is not ABSENT and after is not None:
                yield _field(name, "", [_one("new", after)])
        elif isinstance(before, str) and isinstance(after, str):
            yield _field(name, where, _side_by_side(str(bare(before)), str(bare(after))))
        elif isinstance(before, list) and isinstance(after, list):
            yield _field(name, where, _list(before, after))
        else:
            sides = [_one(css, value) for css, value in (("old", before), ("new", after)) if value is not ABSENT]
            yield _field(name, where, sides)


def _field(name: str, where: str, parts: list[str]) -> str:
    place = f'<span class="quiet">{html(where)}</span>' if where else ""
    head = f"<h3><code>{html(name)}</code>{place}</h3>"
    return f'<div class="field">{head}<div class="diff">{"".join(parts)}</div></div>'


def _one(css: str, value: JSON) -> str:
    if isinstance(value, str) and "\n" in value:
        return f'<div class="one {css}">{_text(lines_of(value))}</div>'
    return f'<div class="one {css}">{html(shortened(visible(_plain(value)), _WIDTH))}</div>'


def _text(lines: Sequence[str]) -> str:
    """Lines in one piece: a page of long prompts stays light."""
    more = [f"… {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    return html("\n".join([*(shortened(line, _WIDTH) for line in lines[:_LINES]), *more]))


def _plain(value: JSON) -> str:
    return "(unset)" if value is None else unquoted(json.dumps(value, ensure_ascii=False))


def _list(before: list[JSON], after: list[JSON]) -> list[str]:
    difference = list_difference([_plain(item) for item in before], [_plain(item) for item in after])
    if difference.only_order:
        return [f'<div class="one quiet">{SAME_ITEMS}</div>']
    rows = [
        f'<div class="one {css}">{html(shortened(visible(item.text), _WIDTH))}{item.note}</div>'
        for css, items in (("old", difference.gone), ("new", difference.came))
        for item in items[:_LINES]
    ]
    return [*rows, f'<div class="one quiet">{OTHERS_MOVED}</div>'] if difference.moved else rows


def _side_by_side(before: str, after: str) -> list[str]:
    found = blocks(before, after)
    if "\n" not in before and "\n" not in after:
        return [row for block in found for row in (_different(block, numbered=False) if not block.equal else ())]
    rows = []
    for index, block in enumerate(found):
        if not block.equal:
            rows += _different(block)
            continue
        head = _CONTEXT if index else 0
        tail = _CONTEXT if index + 1 < len(found) else 0
        hidden = len(block.new) - head - tail
        if hidden < 2:
            rows += [_equal(block, at) for at in range(len(block.new))]
            continue
        rows += [_equal(block, at) for at in range(head)]
        inside = f'<div class="one">{_text(block.new[head : head + hidden])}</div>'
        rows.append(f'<details class="gap"><summary>{hidden} equal lines</summary>{inside}</details>')
        rows += [_equal(block, at) for at in range(len(block.new) - tail, len(block.new))]
    return rows


def _equal(block: Block, at: int) -> str:
    line = html(shortened(block.new[at], _WIDTH))
    sides = f"<i>{block.old_at + at}</i><span>{line}</span><i>{block.at + at}</i><span>{line}</span>"
    return f'<div class="row same">{sides}</div>'


def _different(block: Block, *, numbered: bool = True) -> list[str]:
    rows = []
    for at in range(min(_LINES, max(len(block.old), len(block.new)))):
        old = block.old[at] if at < len(block.old) else None
        new = block.new[at] if at < len(block.new) else None
        if old is not None and new is not None:
            left, right = word_spans(shortened(old, _WIDTH), shortened(new, _WIDTH))
            sides = (_marked(left), _marked(right))
        else:
            sides = (html(shortened(old or "", _WIDTH)), html(shortened(new or "", _WIDTH)))
        rows.append(
            '<div class="row">'
            + _side("old", old is not None, str(block.old_at + at) * numbered, sides[0])
            + _side("new", new is not None, str(block.at + at) * numbered, sides[1])
            + "</div>"
        )
    more = max(len(block.old), len(block.new)) - _LINES
    return [*rows, f'<div class="one quiet">… {more} more lines</div>'] if more > 0 else rows


def _side(css: str, there: bool, number: str, line: str) -> str:
    if not there:
        return '<i class="none-n"></i><span class="none"></span>'
    return f'<i>{number}</i><span class="{css}">{line}</span>'


def _marked(spans: Spans) -> str:
    """Marks help where lines are alike; on lines that share little they are noise."""
    alike = sum(len(piece) for marked, piece in spans if not marked)
    whole = sum(len(piece) for _, piece in spans)
    if alike * 4 < whole:
        return html("".join(piece for _, piece in spans))
    return "".join(f"<mark>{html(piece)}</mark>" if marked else html(piece) for marked, piece in spans)
