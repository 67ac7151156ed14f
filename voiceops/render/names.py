"""Ids as the addresses that people know: what stands for an id in a field is shown as `Tool/lookup`, not as a UUID."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from voiceops.kinds.twilio import TWILIO_TYPE
from voiceops.model.plan import Change, FieldChange, Plan
from voiceops.model.values import JSON, KNOWN_AFTER_APPLY, SENSITIVE, SENSITIVE_UNCHECKED, Ref, map_leaves

# Private characters around a word that is no text of anybody's, so that it can be told from one.
_OPEN, _CLOSE = "\ue000", "\ue001"
_PLAIN = "|".join(map(re.escape, (KNOWN_AFTER_APPLY, SENSITIVE, SENSITIVE_UNCHECKED)))
_MARKERS = re.compile(f'"{_OPEN}([^{_CLOSE}]*){_CLOSE}"|"({_PLAIN})"')
FROM_IMPORT = "(what Vapi's import writes)"


def with_addresses(plan: Plan) -> Plan:
    """The plan with addresses in place of ids, for people; the JSON form keeps the ids."""
    known = {c.id: c.address for c in plan.changes if c.id and c.type != TWILIO_TYPE and "/deposed/" not in c.address}
    drift = (replace(found, fields=_fields(found.fields, known)) for found in plan.drift)
    return replace(plan, changes=tuple(_change(change, known) for change in plan.changes), drift=tuple(drift))


def _change(change: Change, known: Mapping[str, str]) -> Change:
    return replace(change, fields=_fields(change.fields, known))


def _fields(fields: tuple[FieldChange, ...], known: Mapping[str, str]) -> tuple[FieldChange, ...]:
    return tuple(
        replace(field, before=_named(field.before, known), after=_named(field.after, known))
        for field in fields
        if not _is_noise(field)
    )


def _is_noise(field: FieldChange) -> bool:
    """The method comes with the URL that Vapi's import writes."""
    return isinstance(field.after, Ref) and field.after.attribute == "voice_method"


def _named(value: JSON, known: Mapping[str, str]) -> JSON:
    def leaf(item: JSON) -> JSON:
        if isinstance(item, Ref):
            return _word(FROM_IMPORT if item.attribute.startswith("voice_") else f"{item.address} (new)")
        if not isinstance(item, str):
            return item
        return _word(known[item]) if item in known else _unmarked(item)

    return map_leaves(value, leaf)


def _word(text: str) -> str:
    return f"{_OPEN}{text}{_CLOSE}"


def _unmarked(text: str) -> str:
    """Somebody's text can't pass for one of these words."""
    return text.replace(_OPEN, "\\ue000").replace(_CLOSE, "\\ue001") if _OPEN in text or _CLOSE in text else text


def bare(value: JSON) -> JSON:
    """A text that stands for an id, without its marks; everything else as it is."""
    marked = isinstance(value, str) and value.startswith(_OPEN) and value.endswith(_CLOSE)
    return value[1:-1] if marked else value


def unquoted(text: str) -> str:
    """JSON text with the words that are nobody's text shown plainly."""
    return _MARKERS.sub(lambda found: found[1] or found[2], text)
