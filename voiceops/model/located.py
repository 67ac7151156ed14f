"""JSON values that remember where a user wrote them: maps and lists with a mark per entry.

They stay ordinary dicts and lists, so that everything else can read them; whoever builds a new one from
old ones carries the marks along.
"""

from __future__ import annotations

from typing import Any

from voiceops.errors import Mark


class Map(dict[str, Any]):
    """A map with the mark of each key."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        super().__init__()
        self.marks: dict[str, Mark] = {}

    def put(self, key: str, value: Any, mark: Mark) -> None:
        """Set a value, and where it stands."""
        self[key] = value
        self.marks[key] = mark

    def take(self, key: str) -> tuple[Any, Mark]:
        """Remove and return a value with its mark."""
        return self.pop(key), self.marks.pop(key)

    def clone(self) -> Map:
        """A shallow copy."""
        new = Map()
        new.update(self)
        new.marks.update(self.marks)
        return new


class Seq(list[Any]):
    """A list with the mark of each item."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        super().__init__()
        self.marks: list[Mark] = []

    def put(self, value: Any, mark: Mark) -> None:
        """Append an item, and where it stands."""
        self.append(value)
        self.marks.append(mark)


def located(value: Any, mark: Mark) -> Any:
    """A plain value as one that somebody wrote, all of it at one place; what has marks of its own keeps them."""
    if isinstance(value, (Map, Seq)):
        return value
    if isinstance(value, dict):
        entries = Map()
        for key, item in value.items():
            entries.put(key, located(item, mark), mark)
        return entries
    if isinstance(value, list):
        items = Seq()
        for item in value:
            items.put(located(item, mark), mark)
        return items
    return value


def merged(base: Any, patch: Any, *, keep_null: bool = False) -> Any:
    """JSON merge patch that keeps marks. With `keep_null` a null stays (the manifest over its defaults)."""
    if not isinstance(patch, Map):
        return patch
    result = base.clone() if isinstance(base, Map) else Map()
    for key, value in patch.items():
        if value is None and not keep_null:
            if key in result:
                result.take(key)
            continue
        result.put(key, merged(result.get(key), value, keep_null=keep_null), patch.marks[key])
    return result


def plain(value: Any, sources: dict[tuple[str | int, ...], Mark], path: tuple[str | int, ...] = ()) -> Any:
    """Ordinary dicts and lists; `sources` is filled with the mark of every path."""
    if isinstance(value, Map):
        result = {}
        marks = value.marks
        for key, item in value.items():
            here = (*path, key)
            sources[here] = marks[key]
            result[key] = plain(item, sources, here) if isinstance(item, (Map, Seq)) else item
        return result
    if isinstance(value, Seq):
        items = []
        for index, (item, mark) in enumerate(zip(value, value.marks, strict=True)):
            here = (*path, index)
            sources[here] = mark
            items.append(plain(item, sources, here) if isinstance(item, (Map, Seq)) else item)
        return items
    return value
