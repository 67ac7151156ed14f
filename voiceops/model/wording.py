"""Counts and lists in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def many(count: int, one: str) -> str:
    """A number of things: `1 call`, `1,200 calls`."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def as_they_should_be(count: int) -> str:
    """What there is to say of objects with nothing to do."""
    return "1 object is as it should be" if count == 1 else f"{count} objects are as they should be"


def some_of(names: Sequence[str], most: int, between: str = ", ") -> str:
    """The first of them, and how many there are beside: `a, b and 3 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more


def cut(text: str, longest: int) -> str:
    """The text, or what of it fits, and a sign that it went on."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
