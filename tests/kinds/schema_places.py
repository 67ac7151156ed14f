"""Every place of the schema in which an object names another one, as a body that has nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voiceops.kinds.schema import Node, type_of

_DEPTH = 7


def places(node: Node, depth: int = _DEPTH, seen: tuple[str, ...] = (), value: str = "it") -> Iterator[tuple[Any, str]]:
    """Bodies with one reference each, and the kind that it names: each type once on the way down."""
    if depth == 0:
        return
    match node["type"]:
        case "array":
            yield from (([body], kind) for body, kind in places(node.get("items", {"type": "any"}), depth, seen, value))
        case "union":
            for choice, name in node["variants"].items():
                for body, kind in places({"type": "object", "of": name}, depth, seen, value):
                    yield {node["by"]: choice} | body, kind
        case "anyOf":
            for option in node["options"]:
                yield from places(option, depth, seen, value)
        case "object" if "of" in node and node["of"] not in seen:
            yield from _of_a_type(node["of"], depth, seen, value)


def _of_a_type(name: str, depth: int, seen: tuple[str, ...], value: str) -> Iterator[tuple[Any, str]]:
    for key, field in type_of(name)["fields"].items():
        item = field.get("items", {})
        kind = field.get("reference") or item.get("reference") or field.get("mayReference") or item.get("mayReference")
        if kind:
            yield {key: [value] if field["type"] == "array" else value}, kind
        else:
            yield from (({key: body}, kind) for body, kind in places(field, depth - 1, (*seen, name), value))
