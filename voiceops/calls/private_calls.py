"""A call as the project's `privacy:` lets it be kept. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import blake2b

from voiceops.calls.record import CallRecord
from voiceops.calls.shown_numbers import shown_number
from voiceops.model.privacy import Privacy

_DIGEST = re.compile(r"#([0-9a-f]{32})\Z")


def number_digest(number: str, key: bytes) -> str:
    """Equal for equal numbers; without the key nobody can try all numbers until one fits."""
    if found := _DIGEST.search(number):
        return found[1]
    return blake2b(number.encode(), digest_size=16, key=key, person=b"voiceops-number").hexdigest()


def kept_number(number: str, how: str, key: bytes) -> str:
    """The number itself, its ends with a digest (`mask`), or the digest alone (`hash`): equality survives in each."""
    if how == "keep" or not number or (how == "mask" and _DIGEST.search(number)):
        return number
    digest = number_digest(number, key)
    return f"#{digest}" if how == "hash" else f"{shown_number(number)}#{digest}"


def forms_of(number: str, key: bytes) -> tuple[str, ...]:
    """All that may be kept in place of this number, by today's setting or by an earlier one."""
    return tuple(dict.fromkeys(kept_number(number, how, key) for how in ("keep", "mask", "hash")))


def tells_of(body: bytes, number: str) -> bool:
    """Does a message hold this number: whole, and not as a part of a longer one?"""
    return re.search(rb"(?<!\d)" + re.escape(number.encode()) + rb"(?!\w|\.\w)", body) is not None


def without_texts(call: CallRecord) -> CallRecord:
    """The call without what was said."""
    return replace(call, summary="", turns=tuple(replace(turn, text="") for turn in call.turns))


def as_kept(call: CallRecord, privacy: Privacy, key: bytes, now: float) -> CallRecord | None:
    """What is kept of this call; None: nothing, it is too old."""
    began = call.began
    if began is not None and began < privacy.calls_before(now):
        return None
    number = kept_number(call.customer, privacy.numbers, key)
    kept = call if number == call.customer else replace(call, customer=number)
    return without_texts(kept) if (began or 0.0) < privacy.texts_before(now) else kept
