"""YAML 1.2 with its core schema, as the tools read it whose folders are taken over: `on` is a text, `+12` a number.

What a text without quotes means there decides what was sent, and so what is live.
"""

from __future__ import annotations

import math
import re
from typing import Any

from voiceops.manifest.strict_yaml import Dialect

_WORDS: dict[str, Any] = {"": None, "~": None}
_WORDS |= dict.fromkeys(("null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_OTHER_BASE = re.compile(r"0(?:o(?P<eight>[0-7]+)|x(?P<sixteen>[0-9a-fA-F]+))\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_NUMBERS_BEGIN = frozenset("-+.0123456789")
_LONGEST = 300  # digits
_EXACT = 2**53  # beyond it JavaScript, which read these files, knows no single integers


def plain_value(text: str) -> Any:
    """What a text without quotes stands for. Raises ValueError: a number that is too large."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBERS_BEGIN:
        return text
    if base := _OTHER_BASE.match(text):
        return int(base["eight"], 8) if base["eight"] else int(base["sixteen"], 16)
    if _NO_NUMBER.match(text):
        return None  # what JSON makes of it on the way to the API
    if not _FLOAT.match(text):
        return text
    if len(text) > _LONGEST:
        raise ValueError("the number is too large")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    if _INTEGER.match(text):
        whole = int(text)
        return whole if abs(whole) <= _EXACT else int(number)
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


CORE = Dialect(plain_value, merges=False)
