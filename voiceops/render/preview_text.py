"""Previews as text: what a reviewer needs, and what there are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from voiceops.model.safe_text import one_line
from voiceops.model.wording import many
from voiceops.preview.registered import Preview
from voiceops.render.style import PLAIN, Style


def up(
    preview: Preview,
    made: Sequence[tuple[str, str, str]],
    notes: Iterable[str] = (),
    style: Style = PLAIN,
    *,
    failed: Mapping[str, str] | None = None,
) -> str:
    """A preview that is up: its number, its agents and squads with their live names and ids, and until when.

    `failed`: why some of it could not be made, by address; None where all of it is there.
    """
    shown = preview.shown()
    rows = [style(f"Preview {preview.name}, made of {preview.source}, until {shown['expiresAt']}", "bold")]
    if preview.lent is not None:
        rows.append(f"  call {style(preview.lent.number, 'bold')}: what {preview.lent.phone} reaches, in this preview")
    if preview.runtime:
        rows.append(f"  runtime {one_line(preview.runtime)}")
    names = [one_line(name) for _, name, _ in made]
    width = max(map(len, names), default=0)
    for (address, _, id_), name in zip(made, names, strict=True):
        rows.append(f"  {name:<{width}}  {id_}  {address}")
    rows += [f"  {style('!', 'yellow')} {one_line(note)}" for note in notes]
    if failed is not None:
        rows += [f"  {style('✗', 'red')} {one_line(f'{address}: {why}')}" for address, why in failed.items()]
        return "\n".join([*rows, f"Not all of it is there. Run `voiceops preview up {preview.name}` again."])
    rows.append(f"Test it: voiceops -e {preview.environment} test. Take it down: voiceops preview down {preview.name}")
    return "\n".join(rows)


def listed(previews: Sequence[Preview], now: float, style: Style = PLAIN) -> str:
    """One row a preview."""
    rows = []
    width = max((len(preview.name) for preview in previews), default=0)
    source = max((len(preview.source) for preview in previews), default=0)
    for preview in previews:
        shown = preview.shown()
        state = "being taken down" if preview.going else "past its time" if preview.expires_at <= now else ""
        made = f"{preview.name:<{width}}  of {preview.source:<{source}}"
        rows.append(
            f"{made}  until {shown['expiresAt']}  {shown['number'] or '-'}"
            + (f"  {style(state, 'yellow')}" if state else "")
        )
    return "\n".join(row.rstrip() for row in rows) or "There are no previews."


def down(found: Mapping[str, Any], style: Style = PLAIN) -> str:
    """What came of taking one down."""
    name = found["name"]
    if not found["found"]:
        return f"There is no preview {one_line(name)}: nothing to do."
    if not found["gone"]:
        return f"{style('✗', 'red')} Preview {name} is not gone."
    number = f", {found['number']} given back" if found["number"] else ""
    rows = [f"{style('✓', 'green')} Preview {name} is gone: {many(found['deleted'], 'object')} deleted{number}."]
    return "\n".join(rows + [f"  {style('!', 'yellow')} {one_line(note)}" for note in found["notes"]])
