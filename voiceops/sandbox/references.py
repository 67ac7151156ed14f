"""Ids in bodies: whatever a body names must exist, in lists or not yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voiceops.kinds.nodes import select
from voiceops.kinds.schema import root
from voiceops.sandbox.account import World
from voiceops.sandbox.catalog import TARGETS, Collection
from voiceops.sandbox.schema_walk import parts


def body_node(collection: Collection, live: dict[str, Any], operation: str = "create") -> dict[str, Any] | None:
    """The node of an object's body; the live object says which of a union's types it has."""
    if not collection.known:
        return None
    node = root(collection.kind, operation)
    if node["type"] == "union":
        name = select(node, live)
        return None if name is None else {"type": "object", "of": name}
    return node


def missing(world: World, collection: Collection, body: dict[str, Any], live: dict[str, Any]) -> list[str]:
    """A text for every id that names nothing."""
    return list(dict.fromkeys(_missing(world, collection, body, live)))


def _missing(world: World, collection: Collection, body: dict[str, Any], live: dict[str, Any]) -> Iterator[str]:
    node = body_node(collection, live)
    if node is None:
        return
    for part in parts(node, body):
        for key, field in part.fields.items():
            target = TARGETS.get(field.get("reference", ""))
            if target is None or "referenceBy" in field:
                continue
            value = part.value.get(key)
            for id_ in value if isinstance(value, list) else [value]:
                if isinstance(id_, str) and not world.exists(target[1], id_):
                    yield f'{target[0]} with ID "{id_}" not found'
