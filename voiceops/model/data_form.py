"""Data of a known shape, or a sentence that names the key: for everything that is read back from files."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

S = TypeVar("S")

_WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a map",
    "null": "null",
}


class Shape(msgspec.Struct, frozen=True):
    """Keys that are not named here are nobody's business."""


class Wrong(ValueError):
    """What is wrong with a value, and at which key: `resources.Agent/desk.owned must be a map, not a list`."""


def converted(data: Any, shape: type[S], where: str = "") -> S:
    """Data from JSON as the class that it is to be. `where` says for the error what the data is part of.

    Raises Wrong: it does not have the shape.
    """
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        raise Wrong(_said(str(error), where)) from None
    except UnicodeEncodeError:  # msgspec looks at it as UTF-8
        raise Wrong(f"{where or 'it'} has half a character in place of a word") from None
    except RecursionError:
        raise Wrong(f"{where or 'it'} is nested too deep") from None


def _said(text: str, where: str) -> str:
    """msgspec's sentence in our words: ``Expected `str`, got `int` - at `$.id` ``."""
    told, _, place = text.partition(" - at `")
    key = place.rstrip("`").removeprefix("$").removeprefix(".")
    path = ".".join(part for part in (where, key) if part).replace("[...]", ".*") or "it"
    if missing := re.search(r"missing required field `(\w+)`", told):
        return f"{path} lacks {missing[1]}"
    if found := re.match(r"Expected `([^`]*)`(?:.*, got `([^`]*)`)?", told):
        wanted = " or ".join(_WORDS.get(word.strip(), word.strip()) for word in found[1].split("|"))
        return f"{path} must be {wanted}" + (f", not {_WORDS.get(found[2], found[2])}" if found[2] else "")
    return f"{path} has a value that it can't have"
