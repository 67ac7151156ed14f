"""A caller's number as it is shown: enough to tell two callers apart, and not to call one. Pure."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\+?\d[\d ().-]{4,}\d")
_SIP = re.compile(r"(sips?:)[^@]*(@.*)?", re.IGNORECASE | re.DOTALL)
_SPOKEN = re.compile(r"(?<![\w.#])(?:\+\(?\d(?:[ ().-]{0,2}\d){6,24}|\(?\d(?:[ ().-]{0,2}\d){9,24})(?!\w)")
_GAP = "…"
_MARK = "#"  # before the digest of a number that is kept hashed; behind the shown part of one that is kept masked
_DIGITS_OF_DIGEST = 8


def shown_number(number: str) -> str:
    """A number without its middle, a SIP address without its user; of one that is kept as a digest the first digits.

    What is no number (`anonymous`, an agent's name) stays as it is.
    """
    shown, _, digest = number.partition(_MARK)
    if _GAP in shown:
        return shown
    if not shown and digest:
        return f"{_MARK}{digest[:_DIGITS_OF_DIGEST]}"
    if sip := _SIP.fullmatch(number):
        return f"{sip[1]}{_GAP}{sip[2] or ''}"
    if _NUMBER.fullmatch(number):
        return f"{number[:3]}{_GAP}{number[-2:]}"
    return number


def without_numbers(text: str) -> str:
    """A text that was said or written, its phone numbers without their middle.

    A number is one that begins with `+`, or has ten digits or more; a shorter one may be an order's, and stays.
    """
    return _SPOKEN.sub(lambda found: f"{found[0][:3]}{_GAP}{found[0][-2:]}", text)
