"""Two sides of the same project as text: what differs between revisions, or between environments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from voiceops.model.plan import CREATE, DELETE, UPDATE, Change, shown
from voiceops.model.safe_text import one_line
from voiceops.model.values import format_path
from voiceops.render.style import PLAIN, Style
from voiceops.render.text import render_fields

_SIGNS: dict[tuple[str, ...], tuple[str, str]] = {
    CREATE: ("+", "green"),
    UPDATE: ("~", "yellow"),
    DELETE: ("-", "red"),
}
_WORDS: dict[tuple[str, ...], str] = {CREATE: "second_only", DELETE: "first_only", UPDATE: "changed"}


def render_comparison(changes: Iterable[Change], first: str, second: str, style: Style = PLAIN) -> str:
    """Every difference with its fields; `first` and `second` are what the sides are called."""
    listed = list(changes)
    rows = [style(f"From {first} to {second}:", "bold"), ""]
    for change in listed:
        sign, colour = _SIGNS[change.actions]
        where = {"second_only": f" · only in {second}", "first_only": f" · only in {first}"}.get(_word(change), "")
        place = style(f"  {one_line(change.file)}:{change.line}", "dim") if change.file else ""
        rows.append(style(f"{sign} {change.address}", colour, "bold") + where + place)
        rows += [*render_fields(change, style), ""]
    if not listed:
        return f"{rows[0]} nothing differs.\n"
    rows.append(f"{len(listed)} of the objects differ.")
    return "\n".join(rows) + "\n"


def comparison_data(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """The same as JSON: `difference` is first_only, second_only or changed."""
    return [
        {
            "address": change.address,
            "difference": _word(change),
            "fields": [
                {"path": format_path(f.path), "first": shown(f.before), "second": shown(f.after)} for f in change.fields
            ],
        }
        for change in changes
    ]


def render_settings(settings: Mapping[str, tuple[Any, Any]], style: Style = PLAIN) -> str:
    """The environments' own settings that differ, which the comparison of the manifests leaves out."""
    rows = [style("Settings of the environments:", "bold")]
    rows += [f"  {name}: {_text(one)} · {_text(other)}" for name, (one, other) in settings.items()]
    return "\n".join([*rows, ""]) if settings else ""


def render_live(live: Mapping[str, Mapping[str, Any] | None], style: Style = PLAIN) -> str:
    """For each environment the revision in force, and in what its live objects are not as its manifests say."""
    rows = [style("Live:", "bold")]
    for name, found in live.items():
        if found is None:
            rows.append(f"  {style(name, 'cyan')}: nothing was applied yet")
            continue
        commit = f", commit {found['commit'][:12]}" if found["commit"] else ""
        rows.append(
            f"  {style(name, 'cyan')}: revision {found['revision']} of {found['at']}{commit}, "
            f"{found['objects']} objects"
        )
        for pending in found["pending"]:
            fields = ", ".join(pending["fields"][:6]) + (" …" if len(pending["fields"]) > 6 else "")
            rows.append(f"    {pending['address']}: {_PENDING[pending['difference']]}" + (f": {fields}" * bool(fields)))
        if not found["pending"]:
            rows.append("    as its manifests say")
    return "\n".join(rows) + "\n"


_PENDING = {
    "second_only": "not applied yet",
    "first_only": "still there, and no manifest asks for it",
    "changed": "not as the manifests say",
}


def _word(change: Change) -> str:
    return _WORDS[change.actions]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
