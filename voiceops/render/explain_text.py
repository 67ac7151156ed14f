"""Where a value comes from, or who answers a line, as text. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from voiceops.errors import Mark
from voiceops.explain.explained import Brought, Explained, Layer
from voiceops.explain.manifest_paths import starts, written_path
from voiceops.kinds.registry import PARTS
from voiceops.model.address import kind_of
from voiceops.model.plan import shown
from voiceops.model.safe_text import one_line
from voiceops.model.values import ABSENT, JSON, Fingerprint, Outside, Ref, Template, format_path
from voiceops.model.wording import cut
from voiceops.render.fitting import WIDTH, wrapped
from voiceops.render.style import PLAIN, Style

_MOST = 60  # characters of a value in a row
_LINES = 12  # of a value that is shown whole


def render_explained(found: Explained, style: Style = PLAIN) -> str:
    """The place, the value with every place that says something about it, what was applied, and what is live."""
    rows = [*_head(found, style)]
    if found.steps:
        rows += ["", style("Who answers", "bold")]
        for number, step in enumerate(found.steps, 1):
            rows += wrapped(one_line(step), f"  {number:>2}  ", "      ")
        for text, fix in found.off:
            rows += wrapped(f"✗ {one_line(text)}", "  ", "    ") + (wrapped(one_line(fix), "    ") if fix else [])
    if found.layers:
        rows += ["", style("Where it comes from", "bold")]
        for layer in reversed(found.layers):  # what counts stands first
            rows += _layer(layer, style)
    if found.rows:
        rows += ["", style("Values", "bold"), *_values(found, style)]
    state = list(_state(found, style))
    rows += ["", *state] if state else [""]
    rows += [line for note in found.notes for line in wrapped(f"· {one_line(note)}", "", "  ")]
    return "\n".join(rows)


def _head(found: Explained, style: Style) -> Iterator[str]:
    path = f".{format_path(found.path)}" if found.path else ""
    at = f"  {_at(found.mark)}" if found.mark.file else ""
    yield style(one_line(f"{found.address}{path}"), "bold") + style(at, "dim")
    yield style(f"{one_line(found.project)} · {one_line(found.environment)}", "dim")
    for name, text in found.facts.items():
        yield from wrapped(f"{name}: {one_line(text)}", "  ", "    ")
    if found.path and not found.rows and found.layers:
        yield ""
        yield from _whole(found.value) if found.value is not ABSENT else ["  not set"]


def _whole(value: JSON) -> Iterator[str]:
    text = text_of(value)
    if "\n" not in text:
        yield from wrapped(f"= {text}", "  ", "    ")
        return
    lines = text.split("\n")
    yield from (f"  │ {one_line(line)}" for line in lines[:_LINES])
    if len(lines) > _LINES:
        yield f"  │ … {len(lines) - _LINES} more lines (--format json has them all)"


def text_of(value: JSON) -> str:
    """A value as people read it: texts bare, references by what they name."""
    if isinstance(value, (Ref, Outside)):
        return value.address if value.attribute == "id" else f"{value.attribute} of {value.address}"
    if isinstance(value, Template):
        return "".join(part if isinstance(part, str) else f"${{ref:{text_of(part)}}}" for part in value.parts)
    plain = shown(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _short(value: JSON) -> str:
    return cut(one_line(text_of(value)), _MOST)


def _layer(layer: Layer, style: Style) -> Iterator[str]:
    sign = style("✓", "green") if layer.wins else style("·", "dim")
    whose = {"manifest": "the manifest", "defaults": f"defaults of {layer.name}", "patch": f"patch of {layer.name}"}
    told = one_line(whose.get(layer.what, layer.name))
    path = written_path(layer.mark).rpartition(":")[2]
    written = "" if layer.written is ABSENT else f": {f'{one_line(path)}: ' if path else ''}{_short(layer.written)}"
    over = "" if layer.wins or layer.names else style("  (overridden)", "dim")
    place = f"{_at(layer.mark)}  " if layer.mark.file else ""
    if len(f"  ✓ {place}{told}{written}") > WIDTH:
        yield f"  {sign} {style(place, 'cyan')}{told}{over}"
        yield f"      {written.removeprefix(': ')}"
    else:
        yield f"  {sign} {style(place, 'cyan')}{told}{written}{over}"
    for brought in layer.brings if layer.wins else ():
        yield from _brought(brought)


def _brought(brought: Brought) -> Iterator[str]:
    at = f" at {_at(brought.mark)}" if brought.mark is not None and brought.mark.file else ""
    value = "" if brought.value is ABSENT else f" = {_short(brought.value)}"
    yield from wrapped(f"{one_line(brought.text)} is {one_line(brought.what)}{at}{value}", "      ", "        ")


def _values(found: Explained, style: Style) -> Iterator[str]:
    """A line a value, with its place; where that is too long for one, the place stands below."""
    for row in found.rows:
        whose = "" if row.what == "manifest" else f" ({row.what})"
        place = one_line(f"{row.mark.place}{whose}") if row.mark.file else row.what
        value = f"  {one_line(format_path(row.path))}: {_short(row.value)}"
        if len(value) + 2 + len(place) <= WIDTH:
            yield value + " " * max(2, WIDTH - len(value) - len(place)) + style(place, "dim")
        else:
            yield value
            yield " " * max(4, WIDTH - len(place)) + style(place, "dim")


def _state(found: Explained, style: Style) -> Iterator[str]:
    if kind_of(found.address) in PARTS or "/" not in found.address:  # a part, or a number that nobody manages
        return
    yield from wrapped(f"{style('applied', 'bold')}  {one_line(_applied(found))}", "", "         ")
    yield from wrapped(f"{style('live', 'bold')}     {one_line(_live(found))}", "", "         ")


def _applied(found: Explained) -> str:
    applied = found.applied
    if applied is None:
        return "never, as far as is known"
    value = "" if not found.path else "not set · " if applied.value is ABSENT else f"{_short(applied.value)} · "
    then = applied.then
    if not then.number:
        return f"{value}by no revision that is kept, {applied.at}"
    commit = f", commit {then.commit[:12]}" if then.commit else ""
    said = f" “{then.message}”" if then.message else ""
    return f"{value}revision {then.number}, {then.at}, {then.who}{commit}{said}"


def _live(found: Explained) -> str:
    live = found.live
    if not live.read:
        return f"not read: {live.why}"
    if not live.there:
        return "it does not exist any more"
    if not found.path:
        return f"edited live: {', '.join(live.edited)}" if live.edited else "as it was applied"
    value = _short(live.value) if live.value is not ABSENT else "not set"
    if live.value is ABSENT and found.applied is not None and isinstance(found.applied.value, Fingerprint):
        value = "(sensitive: the API does not show it)"
    path = format_path(found.path)
    edited = any(one == path or starts(one, path) or starts(path, one) for one in live.edited)
    return f"{value}{' · edited live since it was applied' if edited else ''}"


def _at(mark: Mark) -> str:
    return f"{one_line(mark.file)}:{mark.line}"
