"""What a reviewer has to know of a plan before reading any diff: one sentence, the lines that notice, the risks.

Pure data for the markdown and HTML renderers, each of which escapes it for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from voiceops.engine.lines.twilio_number import BUYS
from voiceops.engine.planning.guards import is_destroyed
from voiceops.engine.review.review_flags import LINE, MODEL, review_flags
from voiceops.model.address import is_twilio_side, kind_of, owner_of
from voiceops.model.plan import CREATE, DELETE, UPDATE, Change, FieldChange, Plan, shown
from voiceops.model.values import (
    ABSENT,
    JSON,
    Fingerprint,
    Path,
    canonical,
    format_path,
    map_leaves,
)
from voiceops.model.wording import many
from voiceops.render.names import bare, with_addresses
from voiceops.render.textdiff import word_count

DANGER, WARNING, NOTICE = "danger", "warning", "notice"
_LEVELS = (DANGER, WARNING, NOTICE)
_WORDS = ("refuse", "delete", "replace", "unbind", "create", "update", "adopt", "no change")  # the strongest first
_VERBS = {
    "refuse": "can't make",
    "delete": "deletes",
    "replace": "replaces",
    "unbind": "unbinds",
    "create": "creates",
    "update": "updates",
    "adopt": "takes over",
    "no change": "notes in the state",
}
_SETTINGS = {
    "model": ("provider", "model", "url", "temperature", "maxTokens", "fallbackModels"),
    "voice": ("provider", "voiceId", "model", "speed", "fallbackPlan"),
    "transcriber": ("provider", "model", "language"),
}
_COMPLIANCE = re.compile(r"recording|hipaa|pci|consent|redact", re.IGNORECASE)
_MODELS = (("model", "model"), ("model", "provider"))  # red, among what is seen first


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing to look at twice, and where: a voice that several agents share is one thing."""

    level: str
    addresses: tuple[str, ...]
    text: str
    before: JSON = ABSENT  # with `after`: a setting's values, shown as they are
    after: JSON = ABSENT


@dataclass(frozen=True, slots=True)
class Line:
    """A phone line whose callers notice, and through what."""

    address: str
    number: str
    itself: bool
    through: tuple[str, ...]
    new: bool


def word_of(change: Change) -> str:
    """What happens to an object, in one word of `_WORDS`."""
    if change.is_replacement:
        return "replace"
    if change.reason == "unbound" or (change.actions == DELETE and is_twilio_side(change.address) and change.fields):
        return "unbind"
    if change.adopts:
        return "adopt"
    return {"create": "create", "update": "update", "delete": "delete"}.get(change.actions[0], "no change")


def grouped(plan: Plan) -> dict[str, str]:
    """Every touched manifest with the strongest word of its objects: a Phone's two sides are one line."""
    found: dict[str, str] = {}
    for change in plan.active:
        owner = owner_of(change.address)
        word = "refuse" if change.address in plan.impossible else word_of(change)
        if owner not in found or _WORDS.index(word) < _WORDS.index(found[owner]):
            found[owner] = word
    return found


AWAITS = "Apply refuses this plan until its tests have passed."


def headline(plan: Plan) -> str:
    """One sentence: what happens, and how many lines notice."""
    if plan.refresh_only:
        return refreshed(plan)
    by_word: dict[str, dict[str, int]] = {}
    for owner, word in grouped(plan).items():
        kinds = by_word.setdefault(word, {})
        kinds[kind_of(owner)] = kinds.get(kind_of(owner), 0) + 1
    if not by_word:
        count = len(plan.changes)
        unchanged = "the one object is as it" if count == 1 else f"all {count} objects are as they"
        return f"Nothing to do: {unchanged} should be."
    parts = []
    for word in _WORDS:
        if word in by_word:
            counted = [f"{count} {_plural(noun(kind), count)}" for kind, count in sorted(by_word[word].items())]
            parts.append(f"{_VERBS[word]} {_and(counted)}")
    text = "; ".join(parts)
    touched = lines(plan)
    notice = [line for line in touched if not line.new]
    if notice:
        text += f". {many(len(notice), 'live phone line')} would notice"
    elif not touched:
        text += ". No phone line would notice"
    return text[0].upper() + text[1:] + "."


def refreshed(plan: Plan) -> str:
    """What a plan that only looked has found."""
    count = len(plan.drift)
    if not count:
        return "No drift: what is live is what was applied."
    objects = "1 object was" if count == 1 else f"{count} objects were"
    return f"Drift: {objects} edited live since the last apply. Only that was looked at."


def noun(kind: str) -> str:
    """A kind's name as a word: StructuredOutput → structured output."""
    return "phone line" if kind == "Phone" else re.sub(r"(?<!^)(?=[A-Z])", " ", kind).lower()


def _plural(word: str, count: int) -> str:
    if count == 1:
        return word
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}es" if word.endswith("s") else f"{word}s"


def _and(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def lines(plan: Plan) -> list[Line]:
    """The phone lines that notice, those that callers can reach today first."""
    touched: dict[str, list[str]] = {}
    new = {c.address for c in plan.changes if c.kind == "Phone" and c.actions == CREATE and c.reason != "adopt"}
    for change in plan.changes:
        if not change.is_noticed:
            continue
        for phone in change.affects:
            touched.setdefault(phone, []).append(owner_of(change.address))
    found = [
        Line(
            address=phone,
            number=plan.numbers.get(phone, ""),
            itself=phone in through,
            through=tuple(a for a in dict.fromkeys(through) if a != phone),
            new=phone in new,
        )
        for phone, through in touched.items()
    ]
    return sorted(found, key=lambda line: (line.new, line.address))


def flags(plan: Plan, seen_first: Iterable[Flag] = ()) -> list[Flag]:
    """Everything to look at twice, the gravest first; `seen_first` is what `first` says of the plan with its ids."""
    found: dict[str, Flag] = {}
    for flag in seen_first:
        _add(found, flag)
    for change in plan.active:
        for flag in _flags(change):
            _add(found, flag)
    for drift in plan.drift:
        edited = f"edited live since the last apply ({many(len(drift.fields), 'field')})"
        _add(found, Flag(WARNING, (drift.address,), "deleted outside of voiceops" if drift.deleted else edited))
    return sorted(found.values(), key=lambda flag: _LEVELS.index(flag.level))


def first(plan: Plan) -> list[Flag]:
    """What has to be seen before everything else, whatever else the plan does: equal ones once, with their list."""
    found: dict[str, Flag] = {}
    for flag in review_flags(plan):
        before, after = (ABSENT if side is None else side for side in (flag.before, flag.after))
        where = f" ({flag.path})" if flag.kind in (MODEL, LINE) else ""
        _add(found, Flag(DANGER, (flag.address,), f"{flag.text}{where}", before, after))
    return list(found.values())


def _add(found: dict[str, Flag], flag: Flag) -> None:
    # Prompts whose edits are of equal size by chance are not one thing.
    key = canonical([flag.level, flag.text, flag.before, flag.after, flag.level == NOTICE and flag.addresses])
    known = found.get(key)
    found[key] = flag if known is None else replace(known, addresses=(*known.addresses, *flag.addresses))


def _flags(change: Change) -> Iterator[Flag]:
    here, count = (change.address,), len(change.affects)
    live = f", and {count} phone {'line reaches' if count == 1 else 'lines reach'} it" if count else ""
    if is_destroyed(change):
        word = word_of(change)
        verb = {"replace": "replaced: its id changes", "unbind": "leaves management"}.get(word, "deleted")
        yield Flag(DANGER, here, verb + (live if word != "unbind" else ""))
    if change.actions == CREATE and change.reason == "deleted_outside":
        yield Flag(WARNING, here, "made again, for it was deleted outside of voiceops" + live)
    if change.adopts:
        yield Flag(WARNING, here, "taken over: it exists already")
    if change.reason == "unprotected":
        yield Flag(WARNING, here, "no longer protected against deletion")
    for note in change.notes:
        yield Flag(DANGER if note == BUYS or "lost" in note else WARNING, here, note)
    if change.actions == UPDATE or change.is_replacement:
        reverted = sum(field.reason in ("drift", "conflict") for field in change.fields)
        if reverted:
            yield Flag(WARNING, here, f"overwrites what was edited live ({many(reverted, 'field')})")
        for field in change.fields:
            yield from _field_flags(change, field)


def _field_flags(change: Change, field: FieldChange) -> Iterator[Flag]:
    here = (change.address,)
    path, top = format_path(field.path), str(field.path[0])
    before, after = bare(shown(field.before)), bare(shown(field.after))
    setting = top in _SETTINGS and (len(field.path) == 1 or field.path[1] in _SETTINGS[top])
    if isinstance(field.after, Fingerprint) and field.before not in (None, ABSENT):
        yield Flag(WARNING, here, f"another secret is sent: {path}")
    elif (setting and field.path[-2:] not in _MODELS) or _COMPLIANCE.search(path):
        yield Flag(WARNING, here, path, before, after)
    for inner, old, new in texts(field):
        if is_prompt(inner):
            came, left = word_count(old, new)
            yield Flag(NOTICE, here, f"{format_path(inner)}: +{came} −{left} words")


def is_prompt(path: Path) -> bool:
    """Is it a text that the agent speaks from?"""
    return path[-1:] == ("content",) or path in (("firstMessage",), ("voicemailMessage",), ("endCallMessage",))


def texts(field: FieldChange) -> list[tuple[Path, str, str]]:
    """The texts inside a field that are on both sides and differ, with their paths."""
    return [
        (path, before, after)
        for path, before, after in leaves(field)
        if isinstance(before, str) and isinstance(after, str) and before != after
    ]


def leaves(field: FieldChange) -> list[tuple[Path, JSON, JSON]]:
    """A field opened up as far as both sides have the same shape: path, before, after (ABSENT on a side without)."""
    before, after = shown(field.before), shown(field.after)
    if field.before is ABSENT:
        before = ABSENT
    if field.after is ABSENT:
        after = ABSENT
    return list(_pairs(before, after, field.path))


def _pairs(before: JSON, after: JSON, path: Path) -> Iterable[tuple[Path, JSON, JSON]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            yield from _pairs(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and _same_items(before, after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _pairs(old, new, (*path, index))
    elif before is ABSENT or before is None:
        yield from ((inner, before, value) for inner, value in _open(after, path))
    elif after is ABSENT or after is None:
        yield from ((inner, value, after) for inner, value in _open(before, path))
    elif before != after:
        yield path, before, after


def _same_items(before: list[JSON], after: list[JSON]) -> bool:
    return len(before) == len(after) and any(isinstance(item, (dict, list)) for item in before)


def _open(value: JSON, path: Path) -> Iterator[tuple[Path, JSON]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _open(item, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for index, item in enumerate(value):
            yield from _open(item, (*path, index))
    else:
        yield path, value


def readable(plan: Plan) -> Plan:
    """The plan with addresses in place of ids, also in what is deleted."""
    known = {change.id: owner_of(change.address) for change in plan.changes if change.id}

    def leaf(value: JSON) -> JSON:
        return known.get(value, value) if isinstance(value, str) else value

    changes = (
        replace(change, before=map_leaves(change.before, leaf)) if change.actions == DELETE else change
        for change in plan.changes
    )
    return with_addresses(replace(plan, changes=tuple(changes)))
