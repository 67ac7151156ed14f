"""What newer facts about Vapi's API bring, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from voiceops.model.safe_text import one_line
from voiceops.model.wording import many
from voiceops.vendor_facts.compare_facts import ChangeKind, FactChange
from voiceops.vendor_facts.notes import Note, NoteKind

_WIDTH = 80
_FORMAT = "1.0"
_HEADINGS: tuple[tuple[str, tuple[ChangeKind, ...]], ...] = (
    ("New kinds", ("new-kind",)),
    ("New providers and types", ("new-variants",)),
    ("New fields", ("new-field",)),
    ("New values", ("new-values",)),
    ("Deprecated now: validate warns of them", ("deprecated",)),
    ("Removed: validate finds what manifests hold of it", ("removed-field", "removed-values", "removed-variants")),
    ("Changed", ("changed-type", "changed-limits", "required", "no-longer-required")),
)
_NOTES: tuple[tuple[str, tuple[NoteKind, ...]], ...] = (
    ("Repairs of voiceops that no longer match", ("repair-gone", "repair-published", "repair-needless")),
    ("Not in the client; kept as it was", ("not-in-client",)),
    ("Left out, or kept as voiceops has it", ("no-body", "undescribed", "untried", "unreadable")),
)
_NOTE_TEXTS: dict[str, str] = {
    "repair-gone": "what it mends is gone",
    "repair-published": "published now: Vapi's own word counts",
    "repair-needless": "Vapi says the same now",
    "not-in-client": "",
}


def render_update(changes: Sequence[FactChange], notes: Sequence[Note], compared_with: str) -> str:
    """The report, at most 80 columns wide: what is new, by what it means for manifests."""
    whose = "the project's own facts" if compared_with == "project" else "voiceops's own facts"
    lines = [f"Compared with {whose}: {_counted(len(changes), 'difference')}."]
    for heading, kinds in _HEADINGS:
        lines += _section(heading, [_line(change) for change in changes if change.kind in kinds])
    for heading, note_kinds in _NOTES:
        lines += _section(heading, _notes([note for note in notes if note.kind in note_kinds]))
    return "\n".join(lines)


def update_data(changes: Iterable[FactChange], notes: Iterable[Note]) -> dict[str, Any]:
    """The same as data, twins included."""
    return {
        "format_version": _FORMAT,
        "changes": [
            {
                "change": change.kind,
                "type": change.type,
                "at": change.at,
                "field": change.field,
                "values": list(change.values),
                "also": list(change.also),
            }
            for change in changes
        ],
        "notes": [{"note": note.kind, "where": note.where, "text": note.text, "reason": note.reason} for note in notes],
    }


def _section(heading: str, entries: Sequence[str]) -> list[str]:
    return ["", heading, *entries] if entries else []


def _counted(number: int, what: str) -> str:
    return many(number, what) if number else f"no {what}s"


def _wrapped(text: str) -> str:
    return textwrap.fill(
        one_line(text), _WIDTH, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False
    )


def _line(change: FactChange) -> str:
    place = f"{change.at}.{change.field}" if change.field else change.at
    said = ", ".join(change.values)
    match change.kind:
        case "changed-type":
            said = " → ".join(change.values)
        case "deprecated":
            said = f"use {said} instead" if said else "no successor is known"
        case "removed-field":
            said = "gone"
        case "removed-values" | "removed-variants":
            said = f"no longer {said}"
        case "required":
            said = "has to be given"
        case "no-longer-required":
            said = "may be left out"
    more = f" (and {_counted(len(change.also), 'type')} like it)" if change.also else ""
    return _wrapped(f"{place}: {said}{more}" if said else f"{place}{more}")


def _notes(notes: Iterable[Note]) -> list[str]:
    """An entry for each; a repair of one field in several types is one."""
    found: dict[tuple[str, ...], list[str]] = {}
    for note in notes:
        _, dot, field = note.where.rpartition(".")
        key = (note.kind, note.text, field, note.reason) if dot and note.reason else (note.kind, note.text, note.where)
        found.setdefault(key, []).append(note.where)
    entries = []
    for (kind, text, *_), places in found.items():
        said = _NOTE_TEXTS.get(kind, text)
        more = f" (and {_counted(len(places) - 1, 'type')} like it)" if len(places) > 1 else ""
        entries.append(_wrapped(f"{places[0]}: {said}{more}" if said else places[0] + more))
    return entries
