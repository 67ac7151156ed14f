"""The plan as text: readable in one look by somebody who has never seen the tool.

First whom it touches, then what happens, each object with its fields; long texts folded to the lines that change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from textwrap import wrap

from voiceops.engine.fields.pairing import item_name
from voiceops.errors import Diagnostic
from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.model.address import is_twilio_side, kind_of, owner_of
from voiceops.model.plan import DELETE, Change, Drift, FieldChange, Plan, moment, shown
from voiceops.model.safe_text import flowed, indented, one_line, visible
from voiceops.model.values import ABSENT, JSON, format_path
from voiceops.model.wording import as_they_should_be, cut, some_of
from voiceops.render.equal_changes import EqualChanges, equal_changes
from voiceops.render.estimate_rows import estimate_lines
from voiceops.render.listdiff import OTHERS_MOVED, list_difference, reordered
from voiceops.render.names import unquoted, with_addresses
from voiceops.render.review import AWAITS, first, refreshed
from voiceops.render.style import PLAIN, Style
from voiceops.render.textdiff import around, blocks, spelled_spaces

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
    "rerouted": "the runtime gives its calls to another",
    "recorded": "live is as the manifest wants it by now",
}
_MAX_TEXT = 100
_CONTEXT = 1
_LISTED = 6  # addresses in a row


def render_plan(plan: Plan, style: Style = PLAIN, *, verbose: bool = False) -> str:
    """The whole plan; with `verbose` also why nothing happens to what stays as it is."""
    seen_first = _seen_first(plan, style)
    plan = with_addresses(plan)
    lines = [_title(plan, style), "", *seen_first]
    lines += _lines_touched(plan, style)
    for equals in equal_changes(change for change in plan.changes if change.matters):
        lines += [*_change(equals, style), ""]
    if verbose:
        lines += [f"    {c.address}: {c.reason.replace('_', ' ')}" for c in plan.changes if not c.matters]
        lines.append("")
    lines += _drift(plan.drift, style)
    lines += estimate_lines(plan, style)
    lines += _diagnostics(plan.problems, style)
    lines.append(_summary(plan, style))
    return "\n".join(lines) + "\n"


def _title(plan: Plan, style: Style) -> str:
    where = f"{plan.project} · {plan.environment}"
    with_twilio = plan.account and any(change.type == TWILIO_TYPE for change in plan.changes)
    accounts = f"Vapi org {plan.org_in_words}" + (f" · Twilio {plan.account}" if with_twilio else "")
    return f"{style('Plan for ' + where, 'bold')} · {flowed(accounts)}"


def _seen_first(plan: Plan, style: Style) -> list[str]:
    """What a reviewer must see before any diff, in red."""
    rows = []
    for flag in first(plan):
        rows.append(style(f"  ‼ {some_of(flag.addresses, _LISTED)}: {flowed(flag.text)}", "red", "bold"))
        sides = [flowed(str(side)) for side in (flag.before, flag.after) if side is not ABSENT]
        if sides and len("".join(sides)) <= _MAX_TEXT // 2:
            rows[-1] += style(f": {' → '.join(sides)}", "red")
        else:
            rows += [
                style(f"      {word}: {side}", "red") for word, side in zip(("before", "after"), sides, strict=False)
            ]
    return [style("Look at this first:", "red", "bold"), *rows, ""] if rows else []


def _lines_touched(plan: Plan, style: Style) -> list[str]:
    touched: dict[str, list[str]] = {}
    for change in plan.changes:
        if change.is_noticed:
            for phone in change.affects:
                touched.setdefault(phone, []).append(owner_of(change.address))
    if not touched:
        return []
    rows = [style("Phone lines that would notice:", "bold")]
    for phone in sorted(touched):
        through = [a for a in dict.fromkeys(touched[phone]) if a != phone]
        itself = phone in touched[phone]
        listed = some_of(through, 4)
        because = " and ".join(part for part in ("its own settings" if itself else "", listed) if part)
        number = one_line(plan.numbers.get(phone, phone))
        rows.append(f"  ☎ {f'{number} ' if number != phone else ''}{style(phone, 'cyan')}: {because}")
    return [*rows, ""]


def _change(equals: EqualChanges, style: Style) -> Iterator[str]:
    change = equals.change
    if equals.others:
        yield from _one_of_many(equals, style)
        return
    sign, colour, word = _sign(change)
    reason = _REASONS.get(change.reason, "")
    if change.lets_go:
        reason = "let go"
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


def _one_of_many(equals: EqualChanges, style: Style) -> Iterator[str]:
    """One change that happens to several objects, and their list."""
    change = equals.change
    sign, colour, word = _sign(change)
    reason = _REASONS.get(change.reason, "")
    kind = kind_of(change.address) + (" (Twilio)" if is_twilio_side(change.address) else "")
    head = style(f"{sign} {len(equals.addresses)} × {kind}", colour, "bold")
    yield f"{head} {style(f'· {word}, the same for each', colour)}" + (f" · {reason}" if reason else "")
    listed = wrap(", ".join(equals.addresses), 76, break_long_words=False, break_on_hyphens=False)
    yield from (f"    {row}" for row in listed)
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
    if isinstance(before, str) and isinstance(after, str) and _is_long(before, after):
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
        old, new = _values(before, after)
        yield f"    {style('~', 'yellow')} {path}: {old} → {new}{because}{style(source, 'dim')}"


def _is_long(before: str, after: str) -> bool:
    """Has a text lines, or is what differs in it nothing that stands in a row?"""
    return any(sign in text for sign in "\n\r\v\f" for text in (before, after))


def _values(before: JSON, after: JSON) -> tuple[str, str]:
    """Both sides of a value in a row each; long ones cut to where they differ."""
    old, new = _quoted(before), _quoted(after)
    if max(len(old), len(new)) > _MAX_TEXT:
        return around(old, new, _MAX_TEXT, context=20)
    return old, new


def _text_diff(before: str, after: str, style: Style) -> Iterator[str]:
    """Only the lines that change, each with a line around it."""
    found = blocks(before, after)
    for index, block in enumerate(found):
        last = index + 1 == len(found)
        if not block.equal:
            if index == 0:
                yield style(f"        @@ line {block.at} @@", "dim")
            yield from (style(f"        - {line}", "red") for line in block.old)
            yield from (style(f"        + {line}", "green") for line in block.new)
            continue
        lines = [f"          {line}".rstrip() for line in block.new]
        ends, begins = _CONTEXT if index else 0, 0 if last else _CONTEXT
        if index and not last and len(lines) <= ends + begins:
            yield from lines
            continue
        yield from lines[:ends]
        if not last:
            yield style(f"        @@ line {block.at + len(lines) - min(begins, len(lines))} @@", "dim")
            yield from lines[len(lines) - begins :]


def _list_diff(before: list[JSON], after: list[JSON], style: Style) -> Iterator[str]:
    """What left, what came, what is another: items are told apart by name where they have one of their own."""
    old, new = _by_name(before), _by_name(after)
    both = [name for name in old if name in new]
    rest_before = [_quoted(item) for item in before if item_name(item) not in both]
    rest_after = [_quoted(item) for item in after if item_name(item) not in both]
    difference = list_difference(rest_before, rest_after)
    yield from (style(f"        - {cut(item.text, _MAX_TEXT)}{item.note}", "red") for item in difference.gone)
    yield from (style(f"        + {cut(item.text, _MAX_TEXT)}{item.note}", "green") for item in difference.came)
    changed = [name for name in both if old[name] != new[name]]
    for name in changed:
        one, other = _values(old[name], new[name])
        yield style(f"        ~ {one} → {other}", "yellow")
    if difference.only_order and not changed:
        yield "        (another order)"
    elif reordered(*([_identity(item, both) for item in side] for side in (before, after))):
        yield f"        ({OTHERS_MOVED})"


def _identity(item: JSON, names: list[str]) -> str:
    return name if (name := item_name(item)) in names else _quoted(item)


def _by_name(items: list[JSON]) -> dict[str, JSON]:
    """Items whose name is nobody else's in the list."""
    names = [item_name(item) for item in items]
    return {name: item for name, item in zip(names, items, strict=True) if name and names.count(name) == 1}


def _value(value: JSON) -> str:
    if isinstance(value, str):
        lines = value.split("\n")
        lines = lines[:-1] if len(lines) > 1 and not lines[-1] else lines
        if len(lines) > 1:
            return f"{_quoted(lines[0][:60])} … ({len(lines)} lines)"
    return cut(_quoted(value), _MAX_TEXT)


def _quoted(value: JSON) -> str:
    """A value in one row, with nothing in it that hides."""
    return spelled_spaces(visible(unquoted(json.dumps(value, ensure_ascii=False))))


def render_drift(drift: Iterable[Drift], style: Style = PLAIN, *, plan: Plan | None = None) -> str:
    """What was edited live, by object and field; empty without any. With its plan ids are shown as addresses."""
    found = tuple(drift)
    named = with_addresses(replace(plan, drift=found)).drift if plan is not None else found
    return "\n".join(_drift(named, style)).rstrip()


def _drift(drift: Iterable[Drift], style: Style) -> list[str]:
    rows = []
    for found in drift:
        times = [f"applied {moment(found.applied_at)}"] if found.applied_at else []
        times += [f"last edited {found.updated_at}"] if found.updated_at else []
        when = f" ({flowed(', '.join(times))})" if times else ""
        rows.append(f"  {style(found.address, 'cyan')}{' was deleted' if found.deleted else ''}{when}")
        for field in found.fields:
            rows += _edited(field, style)
    return [style("Edited outside of voiceops since the last apply:", "bold"), *rows, ""] if rows else []


def _edited(field: FieldChange, style: Style) -> Iterator[str]:
    """One field that was edited live: as it was applied, as it is; texts and lists as the plan shows them."""
    before, after = shown(field.before), shown(field.after)
    both = " (both changed: the manifest, too)" if field.reason == "conflict" else ""
    path = format_path(field.path)
    if isinstance(before, str) and isinstance(after, str) and _is_long(before, after):
        yield f"    {path}: from what was applied to what is live{both}"
        yield from _text_diff(before, after, style)
    elif isinstance(before, list) and isinstance(after, list):
        yield f"    {path}: from what was applied to what is live{both}"
        yield from _list_diff(before, after, style)
    else:
        old, new = _values(before, after)
        yield f"    {path}: applied {old}, live {new}{both}"


def _diagnostics(found: Sequence[Diagnostic], style: Style) -> list[str]:
    rows = [render_diagnostic(d, style) for d in found]
    return [*rows, ""] if rows else []


def render_diagnostic(diagnostic: Diagnostic, style: Style = PLAIN) -> str:
    """One problem: where, what, and in the next line what to do."""
    colour = "red" if diagnostic.severity == "error" else "yellow"
    where = f"{one_line(str(diagnostic.mark))}: " if diagnostic.mark else ""
    subject = one_line(" ".join(part for part in (diagnostic.address, diagnostic.shown_path) if part))
    word = style(f"{diagnostic.severity}[{diagnostic.code}]", colour, "bold")
    text = f"{where}{word}: {subject + ': ' if subject else ''}{indented(diagnostic.summary)}"
    return text + (f"\n    {indented(diagnostic.hint)}" if diagnostic.hint else "")


def _summary(plan: Plan, style: Style) -> str:
    if plan.refresh_only:
        return style(refreshed(plan), "bold")
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
    let_go = counts.get("forget", 0)
    if let_go:
        words.append(f"{let_go} let go")
    if state_only > let_go:
        words.append(f"{state_only - let_go} in the state alone")
    if plan.impossible:
        words.append(f"{len(plan.impossible)} can't be made")
    unchanged = sum(not change.matters for change in plan.changes)
    text = (
        style("Nothing to do", "bold") + f": {as_they_should_be(unchanged)}."
        if not words
        else (style("Plan: " + ", ".join(words), "bold") + f"; {unchanged} unchanged.")
    )
    if plan.needs_force:
        return text + "\n" + style("This plan can be applied with --force only: see the errors above.", "red", "bold")
    if plan.refused:
        return text + "\n" + style("This plan can't be applied: see the errors above.", "red", "bold")
    return text + "\n" + style(AWAITS, "yellow", "bold") if plan.awaited else text
