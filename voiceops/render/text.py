"""The plan as text: readable in one look by somebody who has never seen the tool.

First whom it touches, then what happens, each object with its fields; long texts folded to the lines that change.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator

from voiceops.engine.pairing import item_name
from voiceops.errors import Diagnostic
from voiceops.kinds.phone import TWILIO_TYPE
from voiceops.model.address import is_twilio_side, owner_of
from voiceops.model.plan import DELETE, Change, Drift, FieldChange, Plan, moment, shown
from voiceops.model.safe_text import flowed, indented, one_line
from voiceops.model.values import JSON, format_path
from voiceops.render.estimates import estimate_lines
from voiceops.render.names import unquoted, with_addresses
from voiceops.render.style import PLAIN, Style

_SIGNS = {
    ("create",): ("+", "green", "create"),
    ("update",): ("~", "yellow", "update"),
    ("delete",): ("-", "red", "delete"),
    ("no-op",): ("·", "dim", "state only"),
    ("create", "delete"): ("±", "magenta", "replace (create, repoint, delete)"),
    ("delete", "create"): ("∓", "magenta", "replace (delete, create)"),
}
_REASONS = {
    "drift": "edited live since the last apply: goes back to the manifest",
    "conflict": "both the manifest and live changed",
    "deleted_outside": "was deleted outside of voiceops",
    "exists_unmanaged": "exists already and is not managed",
    "adopt": "taken over",
    "moved": "moved in the manifests",
    "protected": "now protected",
    "unprotected": "no longer protected",
    "release_changed": "release changed",
    "forgotten": "is gone: forgotten",
    "manifest_removed": "no manifest asks for it any more",
    "take_over": "who answers this number",
    "unbound": "leaves management: unbound, and stays",
    "replaced": "left over from a replacement",
    "recorded": "live is as the manifest wants it by now",
}
_MAX_TEXT = 100
_CONTEXT = 1


def render_plan(plan: Plan, style: Style = PLAIN, *, verbose: bool = False) -> str:
    """The whole plan; with `verbose` also why nothing happens to what stays as it is."""
    plan = with_addresses(plan)
    lines = [_title(plan, style), ""]
    lines += _lines_touched(plan, style)
    changes = [change for change in plan.changes if change.matters]
    for change in changes:
        lines += [*_change(change, style), ""]
    if verbose:
        lines += [f"    {c.address}: {c.reason.replace('_', ' ')}" for c in plan.changes if not c.matters]
        lines.append("")
    lines += _drift(plan.drift, style)
    lines += estimate_lines(plan, style)
    lines += _diagnostics([*plan.refusals, *plan.diagnostics], style)
    lines.append(_summary(plan, style))
    return "\n".join(lines) + "\n"


def _title(plan: Plan, style: Style) -> str:
    where = f"{plan.project} · {plan.environment}"
    with_twilio = plan.account and any(change.type == TWILIO_TYPE for change in plan.changes)
    accounts = f"Vapi org {plan.org_in_words}" + (f" · Twilio {plan.account}" if with_twilio else "")
    return f"{style('Plan for ' + where, 'bold')} · {flowed(accounts)}"


def _lines_touched(plan: Plan, style: Style) -> list[str]:
    touched: dict[str, list[str]] = {}
    for change in plan.changes:
        if not change.is_no_op:
            for phone in change.affects:
                touched.setdefault(phone, []).append(owner_of(change.address))
    if not touched:
        return []
    rows = [style("Phone lines that would notice:", "bold")]
    for phone in sorted(touched):
        through = [a for a in dict.fromkeys(touched[phone]) if a != phone]
        itself = phone in touched[phone]
        listed = ", ".join(through[:4]) + (f" and {len(through) - 4} more" if len(through) > 4 else "")
        because = " and ".join(part for part in ("its own settings" if itself else "", listed) if part)
        number = one_line(plan.numbers.get(phone, phone))
        rows.append(f"  ☎ {f'{number} ' if number != phone else ''}{style(phone, 'cyan')}: {because}")
    return [*rows, ""]


def _change(change: Change, style: Style) -> Iterator[str]:
    sign, colour, word = _sign(change)
    reason = _REASONS.get(change.reason, "")
    name = (
        f" {json.dumps(change.name, ensure_ascii=False)}" if change.name and not is_twilio_side(change.address) else ""
    )
    side = " (Twilio)" if is_twilio_side(change.address) else ""
    where = f"  {one_line(change.file)}:{change.line}" if change.file else ""
    head = f"{style(f'{sign} {change.address}', colour, 'bold')}{name}{side} {style('· ' + word, colour)}"
    yield head + (f" · {reason}" if reason else "") + style(where, "dim")
    for note in change.notes:
        yield f"    ! {indented(note)}"
    yield from render_fields(change, style)


def render_fields(change: Change, style: Style) -> Iterator[str]:
    """The fields of one change, a row or more each."""
    if change.actions == ("create",):
        yield from _created(change.fields, style)
    elif change.actions != ("delete",) or change.fields:
        for field in change.fields:
            yield from _field(field, style)


def _sign(change: Change) -> tuple[str, str, str]:
    """The sign, its colour and the word for what happens."""
    if change.reason == "exists_unmanaged":
        return "!", "red", "can't be made"
    if change.type == TWILIO_TYPE and change.actions == DELETE and not change.releases:
        return "↩", "yellow", "give back"
    return _SIGNS[change.actions]


def _created(fields: Iterable[FieldChange], style: Style) -> Iterator[str]:
    for field in fields:
        for path, value in _flat(shown(field.after), format_path(field.path)):
            yield f"    {style('+', 'green')} {path}: {_value(value)}"


def _flat(value: JSON, path: str) -> Iterator[tuple[str, JSON]]:
    """Maps opened up, short lists in one line: a new object in as few rows as it needs."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}")
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for index, item in enumerate(value):
            yield from _flat(item, f"{path}[{index}]")
    else:
        yield path, value


def _field(field: FieldChange, style: Style) -> Iterator[str]:
    path = format_path(field.path)
    source = one_line(f"  {field.source} ({field.file}:{field.line})") if field.source and field.line else ""
    before, after = shown(field.before), shown(field.after)
    because = {"drift": " (edited live)", "conflict": " (edited live, too)"}.get(field.reason, "")
    if isinstance(before, str) and isinstance(after, str) and ("\n" in before or "\n" in after):
        yield f"    {style('~', 'yellow')} {path}{because}{style(source, 'dim')}"
        yield from _text_diff(before, after, style)
    elif isinstance(before, list) and isinstance(after, list):
        yield f"    {style('~', 'yellow')} {path}{because}{style(source, 'dim')}"
        yield from _list_diff(before, after, style)
    elif before is None:
        yield f"    {style('+', 'green')} {path}: {_value(after)}{because}{style(source, 'dim')}"
    elif after is None:
        yield f"    {style('-', 'red')} {path}: {_value(before)} → (reset){because}{style(source, 'dim')}"
    else:
        yield f"    {style('~', 'yellow')} {path}: {_value(before)} → {_value(after)}{because}{style(source, 'dim')}"


def _text_diff(before: str, after: str, style: Style) -> Iterator[str]:
    """Only the lines that change, each with a line around it."""
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        yield style(f"        @@ line {group[0][3] + 1} @@", "dim")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (f"          {line}".rstrip() for line in old[i1:i2])
                continue
            yield from (style(f"        - {line}", "red") for line in old[i1:i2])
            yield from (style(f"        + {line}", "green") for line in new[j1:j2])


def _list_diff(before: list[JSON], after: list[JSON], style: Style) -> Iterator[str]:
    """What left, what came, what is another: items are told apart by name where they have one."""
    old = {item_name(item) or json.dumps(item, sort_keys=True): item for item in before}
    new = {item_name(item) or json.dumps(item, sort_keys=True): item for item in after}
    for key, item in old.items():
        if key not in new:
            yield style(f"        - {_value(item)}", "red")
    for key, item in new.items():
        if key not in old:
            yield style(f"        + {_value(item)}", "green")
        elif old[key] != item:
            yield style(f"        ~ {_value(old[key])} → {_value(item)}", "yellow")
    if list(old) != list(new) and set(old) == set(new):
        yield "        (another order)"


def _value(value: JSON) -> str:
    if isinstance(value, str):
        lines = value.splitlines()
        if len(lines) > 1:
            return f"{json.dumps(lines[0][:60], ensure_ascii=False)} … ({len(lines)} lines)"
    text = unquoted(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"


def render_drift(drift: Iterable[Drift], style: Style = PLAIN) -> str:
    """What was edited live, by object and field; empty without any."""
    return "\n".join(_drift(drift, style)).rstrip()


def _drift(drift: Iterable[Drift], style: Style) -> list[str]:
    rows = []
    for found in drift:
        times = [f"applied {moment(found.applied_at)}"] if found.applied_at else []
        times += [f"last edited {found.updated_at}"] if found.updated_at else []
        when = f" ({flowed(', '.join(times))})" if times else ""
        rows.append(f"  {style(found.address, 'cyan')}{' was deleted' if found.deleted else ''}{when}")
        rows += [
            f"    {format_path(f.path)}: applied {_value(shown(f.before))}, live {_value(shown(f.after))}"
            + (" (both changed: the manifest, too)" if f.reason == "conflict" else "")
            for f in found.fields
        ]
    return [style("Edited outside of voiceops since the last apply:", "bold"), *rows, ""] if rows else []


def _diagnostics(found: list[Diagnostic], style: Style) -> list[str]:
    rows = [render_diagnostic(d, style) for d in found]
    return [*rows, ""] if rows else []


def render_diagnostic(diagnostic: Diagnostic, style: Style = PLAIN) -> str:
    """One problem: where, what, and in the next line what to do."""
    colour = "red" if diagnostic.severity == "error" else "yellow"
    where = f"{one_line(str(diagnostic.mark))}: " if diagnostic.mark else ""
    path = diagnostic.path or (diagnostic.mark.path if diagnostic.mark else "")
    subject = one_line(" ".join(part for part in (diagnostic.address, path) if part))
    word = style(f"{diagnostic.severity}[{diagnostic.code}]", colour, "bold")
    text = f"{where}{word}: {subject + ': ' if subject else ''}{indented(diagnostic.summary)}"
    return text + (f"\n    {indented(diagnostic.hint)}" if diagnostic.hint else "")


def _summary(plan: Plan, style: Style) -> str:
    counts = plan.summary
    words = [
        f"{counts[key]} to {word}"
        for key, word in (
            ("create", "create"),
            ("update", "update"),
            ("replace", "replace"),
            ("delete", "delete"),
        )
        if counts[key]
    ]
    state_only = sum(change.state_only for change in plan.changes)
    if counts["adopt"]:
        words.append(f"{counts['adopt']} taken over")
    if state_only:
        words.append(f"{state_only} in the state alone")
    if plan.impossible:
        words.append(f"{len(plan.impossible)} can't be made")
    unchanged = sum(not change.matters for change in plan.changes)
    text = (
        style("Nothing to do", "bold") + f": {unchanged} objects are as they should be."
        if not words
        else (style("Plan: " + ", ".join(words), "bold") + f"; {unchanged} unchanged.")
    )
    return (
        text
        if not plan.refused
        else text
        + "\n"
        + style(
            "This plan can be applied with --force only: see the errors above."
            if plan.needs_force
            else "This plan can't be applied: see the errors above.",
            "red",
            "bold",
        )
    )
