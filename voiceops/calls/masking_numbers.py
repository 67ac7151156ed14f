"""Callers' numbers as they are shown to who has no need of them: their last two digits. Pure."""

from __future__ import annotations

import re

_SHOWN = 2  # digits: enough to tell two callers apart that one knows, too few to call somebody
_DIGITS = re.compile(r"\d")


def shown_number(number: str) -> str:
    """A number, or a SIP URI, with all but its last two digits hidden; of one without digits nothing is left."""
    digits = _DIGITS.findall(number)
    if not number:
        return ""
    return "•••" + ("".join(digits[-_SHOWN:]) if len(digits) > 2 * _SHOWN else "")
