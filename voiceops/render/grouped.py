"""Diagnostics as text, where warnings about one field in many places are one entry with the places."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from voiceops.errors import Diagnostic
from voiceops.model.safe_text import indented, one_line
from voiceops.render.style import PLAIN, Style
from voiceops.render.text import render_diagnostic

# Warnings that an old account has by the hundred, each about a field or a value and not about the place.
_GROUPED = frozenset(
    {"schema-deprecated", "schema-renamed", "schema-uncertain", "schema-unknown-key", "schema-unlisted"}
)
_MOST = 60  # places that are listed; JSON has them all
_WIDTH = 80


def render_diagnostics(found: Iterable[Diagnostic], style: Style = PLAIN) -> list[str]:
    """An entry for each, in their order; equal warnings follow as one entry each, with their count and places."""
    entries: dict[tuple[str, ...], list[Diagnostic]] = {}
    for diagnostic in found:
        grouped = diagnostic.code in _GROUPED and diagnostic.severity == "warning"
        place = "" if grouped else str(len(entries))
        entries.setdefault((diagnostic.code, diagnostic.summary, diagnostic.hint, place), []).append(diagnostic)
    single = [render_diagnostic(same[0], style) for same in entries.values() if len(same) == 1]
    return single + [_group(same, style) for same in entries.values() if len(same) > 1]


def _group(same: list[Diagnostic], style: Style) -> str:
    first = same[0]
    places: dict[str, list[str]] = {}  # lines by file
    for diagnostic in same:
        if diagnostic.mark is not None:
            lines = places.setdefault(diagnostic.mark.file, [])
            if str(diagnostic.mark.line) not in lines:
                lines.append(str(diagnostic.mark.line))
    shown = [f"{one_line(file)}:{','.join(lines)}" for file, lines in places.items()]
    listed = ", ".join(shown[:_MOST])
    if len(shown) > _MOST:
        listed += f", and in {len(shown) - _MOST} more files (--format json lists them)"
    word = style(f"{first.severity}[{first.code}]", "yellow", "bold")
    text = [f"{word}: {indented(first.summary)} ({len(same)} places)"]
    if first.hint:
        text.append(f"    {indented(first.hint)}")
    text += textwrap.wrap(
        listed, _WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(text)
