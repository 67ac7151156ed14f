"""Which other objects a body names, and where: ids, live names, and the ids that a provider gave.

Read along the schema's facts, so every place counts where such an id can stand: overrides, hooks, destinations and
inline assistants included. Takes live bodies and bodies of manifests alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from voiceops.kinds.base import Kind
from voiceops.kinds.nodes import entries_of, items_of, option_for
from voiceops.kinds.schema import Node, root
from voiceops.model.values import Path


@dataclass(frozen=True, slots=True)
class NamedObject:
    """One place that names another object. `by` is what stands there: its `id`, its `name`, or another attribute."""

    path: Path
    kind: str
    value: str
    by: str = "id"


def named_in(kind: Kind, body: dict[str, Any]) -> Iterator[NamedObject]:
    """Every object that a body of this kind names, in the order in which it stands there."""
    if kind.vendor != "vapi":
        return
    yield from _within(root(kind.name), body, ())
    beside = entries_of(root(kind.name, "manifest"), body) if kind.attached else {}
    for key in kind.attached:
        if (node := beside.get(key)) is not None and key in body:
            yield from _at(node, body[key], (key,))


def _within(node: Node | None, value: Any, path: Path) -> Iterator[NamedObject]:
    if isinstance(value, dict):
        fields = entries_of(node, value)
        for key, item in value.items():
            if item is not None and (inner := fields.get(key)) is not None:
                yield from _at(inner, item, (*path, key))
    elif isinstance(value, list):
        inner = items_of(node)
        for index, item in enumerate(value if inner is not None else ()):
            yield from _within(inner, item, (*path, index))


def _at(node: Node, value: Any, path: Path) -> Iterator[NamedObject]:
    found = _meaning(option_for(node, value) or node)
    if found is None:
        yield from _within(node, value, path)
        return
    kind, by = found
    for here, item in enumerate(value) if isinstance(value, list) else [(-1, value)]:
        if isinstance(item, str) and item:
            yield NamedObject((*path, here) if here >= 0 else path, kind, item, by)


def _meaning(node: Node) -> tuple[str, str] | None:
    """What a place names, and by what: the mark stands on it, or on the items of a list."""
    for marked in (node, node.get("items", {})):
        if kind := marked.get("reference"):
            return kind, marked.get("referenceBy", "id")
        if kind := marked.get("mayReference"):
            return kind, marked["attribute"]
    return None
