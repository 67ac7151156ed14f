"""What of a live body a file can hold at all: texts of whole characters, numbers that are some, not too deep."""

from __future__ import annotations

import math
from typing import Any

from voiceops.manifest.strict_yaml import MAX_DEPTH
from voiceops.model.values import ABSENT, JSON, Path, format_path

_DEEPEST = MAX_DEPTH - 8  # what a manifest has around a body, and a part around a value
_LONGEST_NUMBER = 10**300


def writable(body: dict[str, JSON]) -> tuple[dict[str, JSON], list[str]]:
    """The body without what no manifest can hold, and the paths of that. A list goes whole."""
    lost: list[str] = []
    found = _writable(body, (), lost)
    return found if isinstance(found, dict) else {}, lost


def _writable(value: Any, path: Path, lost: list[str]) -> Any:
    if isinstance(value, str):
        fits = value.isascii() or _is_whole(value)
    elif isinstance(value, dict):
        if len(path) < _DEEPEST:
            found = {
                key: inner
                for key, item in value.items()
                if (inner := _writable(item, (*path, key), lost) if _is_whole(key) else _lost((*path, key), lost))
                is not ABSENT
            }
            return found if len(found) < len(value) or any(found[key] is not value[key] for key in found) else value
        fits = False
    elif isinstance(value, list):
        items = [_writable(item, (*path, index), lost) for index, item in enumerate(value)]
        if any(item is ABSENT for item in items):
            return ABSENT
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    elif isinstance(value, float):
        fits = math.isfinite(value)
    else:
        fits = not isinstance(value, int) or abs(value) < _LONGEST_NUMBER
    return value if fits else _lost(path, lost)


def _lost(path: Path, lost: list[str]) -> Any:
    lost.append(format_path(path).encode("utf-8", "replace").decode())
    return ABSENT


def _is_whole(text: str) -> bool:
    """Is there no half of a character in it (a surrogate without its other half)?"""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
