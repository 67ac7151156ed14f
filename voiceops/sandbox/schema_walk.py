"""Values by their type in the schema facts: which variant a value is, and every typed object inside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from voiceops.kinds.nodes import select
from voiceops.kinds.schema import Node, type_of


@dataclass(frozen=True, slots=True)
class Part:
    """An object whose type the facts know, and where it stands."""

    path: tuple[str | int, ...]
    type: str
    value: dict[str, Any]

    @property
    def fields(self) -> dict[str, Node]:
        """The fields of its type, as the facts know them."""
        found: dict[str, Node] = type_of(self.type)["fields"]
        return found


def choose(node: Node, value: Any) -> Node | None:
    """The node that a union or a choice means for this value, or None where none fits."""
    if node["type"] == "union":
        if (name := select(node, value)) is not None:
            return {"type": "object", "of": name}
        return _best(node.get("others", []), value)
    if node["type"] == "anyOf":
        return _best(node["options"], value)
    return node


def parts(node: Node, value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Part]:
    """Every typed object in a value, outer ones first."""
    chosen = choose(node, value)
    if chosen is None:
        return
    if chosen["type"] == "array" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from parts(chosen.get("items", {"type": "any"}), item, (*path, index))
    elif chosen["type"] == "object" and "of" in chosen and isinstance(value, dict):
        part = Part(path, chosen["of"], value)
        yield part
        fields = part.fields
        for key, item in list(value.items()):
            if key in fields and item is not None:
                yield from parts(fields[key], item, (*path, key))


def mapped(node: Node, value: Any, change: Callable[[str, dict[str, Any]], dict[str, Any]]) -> Any:
    """The value with every typed object replaced by what `change(type, object)` makes of it, inner ones first."""
    chosen = choose(node, value)
    if chosen is None:
        return value
    if chosen["type"] == "array" and isinstance(value, list):
        return [mapped(chosen.get("items", {"type": "any"}), item, change) for item in value]
    if chosen["type"] == "object" and "of" in chosen and isinstance(value, dict):
        fields = type_of(chosen["of"])["fields"]
        inner = {
            key: mapped(fields[key], item, change) if key in fields and item is not None else item
            for key, item in value.items()
        }
        return change(chosen["of"], inner)
    return value


_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def is_a(node: Node, value: Any) -> bool:
    """Whether the value has the JSON type that the node wants."""
    wanted = node["type"]
    if wanted in ("any", "union", "anyOf"):
        return True
    return isinstance(value, _JSON_TYPES[wanted]) and (wanted == "boolean") == isinstance(value, bool)


def _best(options: list[Node], value: Any) -> Node | None:
    fitting = [
        chosen
        for option in options
        if is_a(option, value)
        for chosen in [option if option["type"] not in ("union", "anyOf") else choose(option, value)]
        if chosen is not None
    ]
    return min(fitting, key=lambda option: _strangeness(option, value), default=None)


def _strangeness(node: Node, value: Any) -> tuple[int, int]:
    """How badly a value fits an option: fixed values that differ first, then keys that the type doesn't know."""
    if not (isinstance(value, dict) and "of" in node):
        return (int("enum" in node and value not in node["enum"]), 0)
    fields = type_of(node["of"])["fields"]
    wrong = sum(
        1
        for key, field in fields.items()
        if "enum" in field and not field.get("open") and key in value and value[key] not in field["enum"]
    )
    missing = sum(1 for key in type_of(node["of"])["required"] if key not in value)
    return (wrong, missing + sum(1 for key in value if key not in fields))
