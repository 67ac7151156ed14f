"""What a reviewer must see first: abilities that leave, rules and numbers that change, another model, another agent.

Works on the plan as data, whatever the form of its differences: whole lists or single leaves. Names what it found and
where; how it is shown is the renderers' business.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.kinds.registry import LINES
from voiceops.model.address import owner_of
from voiceops.model.plan import CREATE, DELETE, Change, FieldChange, Plan, shown
from voiceops.model.values import ABSENT, JSON, Outside, Path, Ref, format_path
from voiceops.model.wording import cut

ABILITY, RULE, NUMBER, MODEL, LINE = "ability", "rule", "number", "model", "line"

_RULE = re.compile(
    r"\b(never|always|must|not|cannot|recorded|recording|emergenc(?:y|ies)|911|112|999)\b|\b\w+n['’]t\b", re.IGNORECASE
)
_CURRENCY = r"[$€£¥]|\b(?:USD|EUR|GBP|CHF)"
_NUMBER = re.compile(
    rf"(?:{_CURRENCY})\s?\d[\d.,]*|\+?\(?\d[\d ().-]{{6,}}\d|\d+(?:[.,:]\d+)*\s?(?:%|{_CURRENCY})?|"
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    r"eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand)(?:-\w+)?\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*(?:[.!?]+|\n|$)")
_BULLET = re.compile(r"^(?:[-*•–]|#+)\s+")
_ENUMERATION = re.compile(r"\d{1,2}[.)]?|\W+")  # of a numbered list: no sentence
_ALIKE = 0.45  # from here on, one sentence is taken for the other's new form
_MOST_PAIRS = 10_000  # of sentences that are compared one by one; a text written anew has no pairs
_LONGEST = 160  # characters of a sentence that is quoted

_SPOKEN = frozenset(
    {
        "firstMessage",
        "voicemailMessage",
        "endCallMessage",
        "systemPrompt",
        "content",
        "message",
        "exact",
        "prompt",
        "instructions",
    }
)
_BOUND = ("assistantId", "squadId", "workflowId", "server", "voice_url", "voice_application_sid", "trunk_sid")
_ID_LISTS = frozenset({"toolIds", "toolRefs"})
_ITEM_LISTS = frozenset({"tools", "tools:append", "destinations", "assistantDestinations", "members"})
_SINGLE = frozenset({"fallbackDestination", "forwardingPhoneNumber"})


@dataclass(frozen=True, slots=True)
class ReviewFlag:
    """One thing to see first. `kind` is ability, rule, number, model or line."""

    kind: str
    address: str
    path: str
    text: str
    before: str | None = None
    after: str | None = None

    def to_data(self) -> dict[str, Any]:
        """As the JSON of a plan has it."""
        data = {"kind": self.kind, "address": self.address, "path": self.path, "text": self.text}
        return data | {k: v for k, v in (("before", self.before), ("after", self.after)) if v is not None}


def review_flags(plan: Plan) -> tuple[ReviewFlag, ...]:
    """Every flag of a plan, in the order of its changes."""
    names = {c.id: owner_of(c.address) for c in plan.changes if c.id}
    found = dict.fromkeys(flag for change in plan.active for flag in _of(change, names))
    return tuple(found)


def _of(change: Change, names: Mapping[str, str]) -> Iterator[ReviewFlag]:
    if change.actions in (CREATE, DELETE) and not change.adopts:
        return  # all of it comes, or leaves: that is said of the object itself
    yield from _rebound(change, names)
    yield from _abilities(change, names)
    for field in change.fields:
        for path, before, after in leaf_pairs(field):
            yield from _models(change, path, before, after)
            if is_spoken(path):
                yield from _sentences(change, path, before, after)


# ── leaves ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def leaf_pairs(field: FieldChange) -> Iterator[tuple[Path, JSON, JSON]]:
    """A field opened up to its values: path, before, after; ABSENT on the side that has none.

    Lists of maps are opened by place, so that a text in them is compared with the text that was there.
    """
    before = field.before if field.before is ABSENT else shown(field.before)
    after = field.after if field.after is ABSENT else shown(field.after)
    yield from _pairs(before, after, field.path)


def _pairs(before: JSON, after: JSON, path: Path) -> Iterator[tuple[Path, JSON, JSON]]:
    if isinstance(before, dict) or isinstance(after, dict):
        old, new = (side if isinstance(side, dict) else {} for side in (before, after))
        for key in {**old, **new}:
            yield from _pairs(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key))
    elif _of_maps(before) or _of_maps(after):
        one, two = (side if isinstance(side, list) else [] for side in (before, after))
        for index in range(max(len(one), len(two))):
            yield from _pairs(
                one[index] if index < len(one) else ABSENT,
                two[index] if index < len(two) else ABSENT,
                (*path, index),
            )
    elif before != after:
        yield path, before, after


def _of_maps(value: JSON) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def is_spoken(path: Path) -> bool:
    """Is it a text that the agent speaks, or speaks from?"""
    named = [step for step in path if isinstance(step, str)]
    return bool(named) and (named[-1] in _SPOKEN or named[-1] == "idleMessages")


# ── abilities ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _abilities(change: Change, names: Mapping[str, str]) -> Iterator[ReviewFlag]:
    """Tools, destinations and members that were there before and are there no more, wherever they stood."""
    before, after = dict(_held(change.before or {}, (), names)), dict(_held(change.after or {}, (), names))
    for field in change.fields:
        _add(before, field.path, field.before, names)
        _add(after, field.path, field.after, names)
    labels = Counter(label for label, _ in after)
    for (label, scope), path in before.items():
        if (label, scope) not in after and not (scope and labels[label]):
            where = f" of {scope}" if scope else ""
            yield ReviewFlag(ABILITY, change.address, path, f"{label} leaves{where}")


def _add(found: dict[tuple[str, str], str], path: Path, value: JSON, names: Mapping[str, str]) -> None:
    """What one difference says of a side: the value at its place, and nothing around it."""
    if value is ABSENT or value is None:
        return
    for step in reversed(path):
        value = [value] if isinstance(step, int) else {step: value}
    for key, place in _held(value, (), names):
        found.setdefault(key, format_path(path) or place)


def _held(value: JSON, path: Path, names: Mapping[str, str], scope: str = "") -> Iterator[tuple[tuple[str, str], str]]:
    """`(label, scope)` and the path of everything that a body can reach: tools, destinations, members."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _held(item, (*path, index), names, scope)
        return
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        here = (*path, key)
        if key in _ID_LISTS and isinstance(item, list):
            for index, each in enumerate(item):
                target = each.get("toolId") if isinstance(each, dict) else each
                if target not in (None, ABSENT):
                    yield (f"tool {_named(target, names)}", scope), format_path((*here, index))
        elif key in _ITEM_LISTS and isinstance(item, list):
            for index, each in enumerate(item):
                if isinstance(each, dict):
                    label = _label(key, each, names)
                    if label:
                        yield (label, scope), format_path((*here, index))
                    yield from _held(each, (*here, index), names, label or scope)
        elif key in _SINGLE and item not in (None, ABSENT, ""):
            label = _destination(item, names) if isinstance(item, dict) else _named(item, names)
            yield (f"{'fallback' if 'fallback' in key else 'forwarding'} to {label}", scope), format_path(here)
        elif key == "destination" and isinstance(item, dict):
            yield (f"destination {_destination(item, names)}", scope), format_path(here)
        else:
            yield from _held(item, here, names, scope)


def _label(key: str, item: Mapping[str, Any], names: Mapping[str, str]) -> str:
    if key in ("tools", "tools:append"):
        function = item.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        kind = item.get("type")
        return f"tool {kind or 'function'}{f' {_named(name, names)}' if name else ''}" if kind or name else ""
    if key == "members":
        target = item.get("assistantId")
        inline = item.get("assistant")
        if target is None and isinstance(inline, dict):
            target = inline.get("name")
        return f"member {_named(target, names)}" if target is not None else ""
    return f"destination {found}" if (found := _destination(item, names)) else ""


def _destination(item: Mapping[str, Any], names: Mapping[str, str]) -> str:
    for key in ("number", "sipUri", "assistantName", "assistantId", "squadId", "workflowId"):
        if item.get(key) not in (None, "", ABSENT):
            return _named(item[key], names)
    return ""


def _named(value: Any, names: Mapping[str, str]) -> str:
    """An id as the address that people know."""
    if isinstance(value, (Ref, Outside)):
        return value.address
    value = shown(value)
    return names.get(value, value) if isinstance(value, str) else str(value)


# ── lines and models ──────────────────────────────────────────────────────────────────────────────────────────────────


def _rebound(change: Change, names: Mapping[str, str]) -> Iterator[ReviewFlag]:
    """A line that another one answers than today."""
    bound = [field for field in change.fields if field.path[0] in _BOUND]
    if change.answers:
        before, after = change.answers
        yield ReviewFlag(LINE, change.address, "agent", "another answers this line", before, after)
        return
    if change.kind not in LINES or not bound or change.reason == "take_over":
        return
    before, after = (
        ", ".join(dict.fromkeys(filter(None, (_who(value, names) for value in side))))
        for side in ([field.before for field in bound], [field.after for field in bound])
    )
    if before != after:
        stays = (change.after or {}).get("server") if change.after else None
        text = "another answers this line" if after or stays else "nobody answers this line any more"
        to = after or (_who(stays, names) if stays else "nobody")
        yield ReviewFlag(LINE, change.address, format_path(bound[0].path), text, before or "nobody", to)


def _who(value: JSON, names: Mapping[str, str]) -> str:
    if value in (None, "", ABSENT):
        return ""
    if isinstance(value, dict):
        return _named(value.get("url") or "another server", names)
    if isinstance(value, Ref) and value.attribute.startswith("voice_"):
        return "Vapi"  # its import writes the URL
    return _named(value, names)


def _models(change: Change, path: Path, before: JSON, after: JSON) -> Iterator[ReviewFlag]:
    if path[-2:] not in (("model", "model"), ("model", "provider")):
        return
    if isinstance(before, str):
        to = after if isinstance(after, str) else "the default"
        yield ReviewFlag(MODEL, change.address, format_path(path), f"another {path[-1]}", before, to)


# ── texts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sentences(change: Change, path: Path, before: JSON, after: JSON) -> Iterator[ReviewFlag]:
    if not isinstance(before, str):
        return
    place = format_path(path)
    for old, new in sentence_changes(before, after if isinstance(after, str) else ""):
        if old and (_RULE.search(old) or _RULE.search(new)):
            text = "a rule changes" if new else "a rule leaves"
            yield ReviewFlag(RULE, change.address, place, text, cut(old, _LONGEST), cut(new, _LONGEST) if new else None)
        elif old and (gone := _numbers(old, new)) is not None:
            text = f"a number changes: {gone[0]} → {gone[1]}" if gone[1] else f"a number leaves: {gone[0]}"
            yield ReviewFlag(
                NUMBER, change.address, place, text, cut(old, _LONGEST), cut(new, _LONGEST) if new else None
            )


def sentence_changes(before: str, after: str) -> list[tuple[str, str]]:
    """Sentences that left, each with the one that took its place, or with nothing; white space aside."""
    old, new = _split(before), _split(after)
    gone, came = list((Counter(old) - Counter(new)).elements()), list((Counter(new) - Counter(old)).elements())
    if len(gone) * len(came) > _MOST_PAIRS:
        return [(sentence, "") for sentence in gone]
    words = {sentence: Counter(sentence.lower().split()) for sentence in (*gone, *came)}
    found = []
    for sentence in gone:
        likeness, best = max(((_likeness(words[sentence], words[other]), other) for other in came), default=(0.0, ""))
        if likeness >= _ALIKE:
            came.remove(best)
        found.append((sentence, best if likeness >= _ALIKE else ""))
    return found


def _split(text: str) -> list[str]:
    found = (_BULLET.sub("", " ".join(part.split())) for part in _SENTENCE.findall(text))
    return [sentence for sentence in found if sentence and not _ENUMERATION.fullmatch(sentence)]


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    """The share of words that two sentences have in common."""
    return 2 * (one & other).total() / (one.total() + other.total())


def _numbers(old: str, new: str) -> tuple[str, str] | None:
    """Numbers that left a sentence, and those that came in their place; None where all stayed."""
    before, after = _counted(old), _counted(new)
    gone, came = before - after, after - before
    return (", ".join(gone.elements()), ", ".join(came.elements())) if gone else None


def _counted(text: str) -> Counter[str]:
    return Counter(found.strip().rstrip(".,") for found in _NUMBER.findall(text))


def review_data(flags: Iterable[ReviewFlag]) -> list[dict[str, Any]]:
    """The `review` array of a plan's JSON."""
    return [flag.to_data() for flag in flags]
