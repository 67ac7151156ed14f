"""JSON that somebody else wrote: bounded in depth, every number one that JSON can hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

DEEPEST = 100  # maps and lists inside each other: far beyond any object of the vendors, far below Python's stack
_ONE_BRACKET = bytes.maketrans(b"{}", b"[]")
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'[]{}"'))
_HUGE = re.compile(rb"[eE]\+?\d{3}|\d{300}")


class NoJson(ValueError):
    """Content that is no JSON, or JSON that no program can use; the text says which."""


def parsed(content: bytes) -> Any:
    """The data; NaN, Infinity and numbers beyond any size are None. Raises NoJson."""
    deep = _is_deep(content)
    try:
        data = json.loads(content, parse_constant=_nothing, parse_float=_finite if _HUGE.search(content) else None)
    except RecursionError:
        raise NoJson(f"is nested more than {DEEPEST} deep") from None
    except ValueError:  # UnicodeDecodeError is one
        raise NoJson("is no JSON") from None
    if deep:
        raise NoJson(f"is nested more than {DEEPEST} deep")
    return data


def described(value: Any) -> str:
    """What a value is, in a word or two: never its content."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text" if value else "an empty text"
        case list():
            return "a list"
        case dict():
            return "a map" if value else "an empty map"
    return "something else"


def as_map(value: Any) -> Mapping[str, Any]:
    """The value where it is a map, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> Sequence[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def maps_in(value: Any) -> list[dict[str, Any]]:
    """The maps of a list; whatever else is in it, or instead of it, is passed over."""
    return [item for item in as_list(value) if isinstance(item, dict)]


def as_number(value: Any) -> float | None:
    """The value where it is a number, else None: true and false are none, nor is one that no float can hold."""
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except OverflowError:
        return None


def is_id(value: Any) -> bool:
    """Is it a part of a vendor's address, and nothing that leads elsewhere?"""
    return isinstance(value, str) and _ID.match(value) is not None


_ID = re.compile(r"(?!\.+\Z)[A-Za-z0-9_.:~@=-]{1,200}\Z")


def _nothing(_: str) -> None:
    """NaN and Infinity, which JSON doesn't have."""


def _finite(text: str) -> float | None:
    value = float(text)
    return value if abs(value) != float("inf") else None


def _is_deep(content: bytes) -> bool:
    """Are there more brackets inside each other than anybody needs? Told without building what is in them."""
    plain = content.replace(b"\\\\", b"").replace(b'\\"', b"").translate(_ONE_BRACKET, _NOT_STRUCTURE)
    brackets = b"".join(plain.split(b'"')[0::2])
    for _ in range(DEEPEST):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
