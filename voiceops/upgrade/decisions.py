"""What becomes of an old field: values that are put elsewhere in the same map, or why it stays. As data, and on data.

The same steps are done on a file's text by `text_edit.py`: what it reads as afterwards must be what they make here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from voiceops.model.values import JSON


@dataclass(frozen=True, slots=True)
class OldValue:
    """Stands, in what a step puts somewhere, for the old field's own value as it is written."""


OLD = OldValue()
Template: TypeAlias = Any  # JSON in which OLD may stand
Path: TypeAlias = tuple[str, ...]


class InTheWay(Exception):
    """The place is taken; the text says by what."""


@dataclass(frozen=True, slots=True)
class Put:
    """A value at a path below the map that holds the old field. Where the same stands there, nothing is done."""

    path: Path
    value: Template = OLD


@dataclass(frozen=True, slots=True)
class Append:
    """An item at the end of a list; where an item of its `type` is in it already, nothing is done."""

    path: Path
    value: Template


Step: TypeAlias = Put | Append


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """The old field goes, and these steps are done. Without steps it only goes: it says what holds anyway."""

    steps: tuple[Step, ...] = ()
    successor: str = ""  # in words, or as a path
    note: str = ""  # what a person should know of it


@dataclass(frozen=True, slots=True)
class Respelled:
    """The field stays, and its value is spelled anew."""

    value: JSON


@dataclass(frozen=True, slots=True)
class Left:
    """The old field stays, for this reason."""

    reason: str
    successor: str = field(default="", kw_only=True)


Decision: TypeAlias = Rewrite | Respelled | Left


def filled(template: Template, old: JSON) -> JSON:
    """A template with the old value in its place."""
    if isinstance(template, OldValue):
        return old
    if isinstance(template, Mapping):
        return {key: filled(item, old) for key, item in template.items()}
    if isinstance(template, list):
        return [filled(item, old) for item in template]
    found: JSON = template
    return found


def done(steps: tuple[Step, ...], around: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The map after the steps, without the old field. Raises InTheWay where a step would overwrite something."""
    old = around[key]
    result = {name: value for name, value in around.items() if name != key}
    for step in steps:
        value = filled(step.value, old)
        result = _put(result, step.path, value) if isinstance(step, Put) else _append(result, step.path, value)
    return result


def is_done(step: Step, around: Mapping[str, Any], value: JSON) -> bool:
    """Does the map hold already what the step would put there?"""
    held = held_at(around, step.path)
    if isinstance(step, Put):
        return held is not None and _same(held, value)
    return isinstance(held, list) and any(_is_alike(item, value) for item in held)


def held_at(around: Mapping[str, Any], path: Path) -> Any:
    """What stands at a path; None where nothing does."""
    value: Any = around
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return value


def _put(around: dict[str, Any], path: Path, value: JSON) -> dict[str, Any]:
    first, *rest = path
    if not rest:
        if first in around and not _same(around[first], value):
            raise InTheWay(f"{first} is there already, with another value")
        return {**around, first: value}
    inner = around.get(first, {})
    if not isinstance(inner, dict):
        raise InTheWay(f"{first} is {_in_words(inner)}, which holds no fields here")
    return {**around, first: _put(inner, tuple(rest), value)}


def _append(around: dict[str, Any], path: Path, value: JSON) -> dict[str, Any]:
    held = held_at(around, path)
    if held is None:
        return _put(around, path, [value])
    if not isinstance(held, list):
        raise InTheWay(f"{'.'.join(path)} is {_in_words(held)}")
    if any(_is_alike(item, value) for item in held):
        if any(_same(item, value) for item in held) or value == {"type": _type(value)}:
            return around
        raise InTheWay(f"{'.'.join(path)} has a {_type(value)} already, and another one")
    return _with(around, path, [*held, value])


def _with(around: Mapping[str, Any], path: Path, value: JSON) -> dict[str, Any]:
    """The map with another value at a path that it has."""
    first, *rest = path
    return {**around, first: _with(around[first], tuple(rest), value) if rest else value}


def _type(value: Any) -> Any:
    return value.get("type") if isinstance(value, Mapping) else None


def _is_alike(item: Any, value: Any) -> bool:
    return _type(item) is not None and _type(item) == _type(value)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _in_words(value: Any) -> str:
    if value is None:
        return "null"
    return f"{value!r}" if isinstance(value, str) else "a list" if isinstance(value, list) else f"{value}"
