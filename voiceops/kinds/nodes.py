"""Walking the schema's facts beside a value: its fields, its items, and by what its items are told apart.

Every function takes a node of the facts, or None where nothing is known of a value, and then answers accordingly.
The nodes are described in docs/schema-format.md.
"""

from __future__ import annotations

from typing import Any

from voiceops.kinds.base import Kind
from voiceops.kinds.patterns import matches
from voiceops.kinds.schema import Node, embedded, in_force, per_facts, root, type_of

# By which of its fields an item of a list is the same item as another: the first that its type has, and it sets.
ITEM_KEYS: tuple[tuple[str, ...], ...] = (
    ("function", "name"),
    ("assistantId",),
    ("assistantName",),
    ("squadId",),
    ("toolId",),
    ("toolName",),
    ("number",),
    ("sipUri",),
    ("structuredOutputId",),
    ("name",),
    ("key",),
)


_ANY: Node = {"type": "any"}
_IDS: Node = {"type": "array", "items": {"type": "string"}, "set": True}


def body_node(kind: Kind, operation: str = "update") -> Node:
    """The facts of a kind's body; `operation` is create or update. What is attached to an object is a set of ids.

    Only Vapi's bodies have facts: of another vendor's kind nothing is known but what it shows.
    """
    node = root(kind.name, operation) if kind.vendor == "vapi" else _ANY
    return {**node, "also": dict.fromkeys(kind.attached, _IDS)} if kind.attached else node


@per_facts
def secret_names() -> frozenset[str]:
    """The keys under which a value of some kind can be secret, wherever they stand."""
    types = [*in_force().types.values(), *embedded().types.values()]  # a project's own facts make nothing less secret
    return frozenset(key for type_ in types for key, node in type_["fields"].items() if _holds_secret(node))


def _holds_secret(node: Node) -> bool:
    inner = [node[key] for key in ("items", "values") if key in node]
    return bool(node.get("secret")) or any(map(_holds_secret, [*inner, *node.get("options", ())]))


def option_for(node: Node | None, value: Any) -> Node | None:
    """Of a choice (`anyOf`) the option that a map, a list or a plain value means; another node as it is."""
    if node is None or node["type"] != "anyOf":
        return node
    if isinstance(value, dict):
        wanted: tuple[str, ...] = ("object", "union")
    elif isinstance(value, list):
        wanted = ("array",)
    else:
        wanted = ("string", "number", "integer", "boolean", "any")
    return next((option for option in node["options"] if option["type"] in wanted), None)


def select(node: Node, value: Any) -> str | None:
    """The type's name that a node means for this value, or None where the union doesn't know its discriminator."""
    if node["type"] == "object":
        return node.get("of")
    if node["type"] == "union" and isinstance(value, dict):
        choice = value.get(node["by"])
        if not isinstance(choice, str):
            return None
        found: str | None = node["variants"].get(choice)
        if found is None:
            for pattern, name in node.get("patterns", {}).items():
                if matches(pattern, choice):
                    return str(name)
        return found
    return None


def lacks_required(node: Node | None, value: dict[str, Any]) -> bool:
    """Does a map miss what its type requires, or what tells its type, so that the API would refuse it?"""
    name = type_name(node, value)
    if name is None:
        return (by := variant_key(node, value)) is not None and by not in value
    return any(key not in value for key in type_of(name)["required"])


def type_name(node: Node | None, *values: Any) -> str | None:
    """The type that a map has, by the first of these values that tells it; None where none does."""
    for value in values:
        if isinstance(value, dict):
            chosen = option_for(node, value)
            if chosen is None or chosen["type"] not in ("object", "union"):
                return None
            if (name := select(chosen, value)) is not None:
                return name
    return None


def fields_of(node: Node | None, *values: Any) -> dict[str, Node]:
    """The fields that a map may have, by name: of the first of these values that tells its type.

    Of a union that does not know the map's provider or type: what any of its types says of each field. A new
    provider's secrets are as secret, and its id lists as much sets, as everybody's.
    """
    name = type_name(node, *values)
    if name is not None:
        found: dict[str, Node] = type_of(name)["fields"]
        return found
    chosen = option_for(node, next((value for value in values if isinstance(value, dict)), {}))
    return _any_variants(tuple(sorted(_type_names(chosen)))) if chosen and chosen["type"] == "union" else {}


class _Every(dict[str, Node]):
    """The entries of a map that takes any keys: one node for all of them."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._node = node

    def get(self, key: str, default: Any = None) -> Any:
        return self._node


_NOTHING: dict[str, Node] = {}


def entries_of(node: Node | None, *values: Any) -> dict[str, Node]:
    """The node of each entry of a map, to be asked by `get`: of its fields, or of any key where the map is free."""
    if node is None:
        return _NOTHING
    if node["type"] == "object" and "also" not in node:
        if "of" in node:
            found: dict[str, Node] = type_of(node["of"])["fields"]
            return found
        return _Every(node["values"]) if "values" in node else _NOTHING
    chosen = option_for(node, next((value for value in values if isinstance(value, dict)), {}))
    if chosen is not None and "values" in chosen:
        return _Every(chosen["values"])
    fields = fields_of(chosen, *values)
    return {**fields, **chosen["also"]} if chosen is not None and "also" in chosen else fields


def field_of(node: Node | None, key: str, *values: Any) -> Node | None:
    """The node of one entry of a map: of a field, or of any key where the map is free."""
    return entries_of(node, *values).get(key)


def items_of(node: Node | None) -> Node | None:
    """The node of each item of a list."""
    chosen = option_for(node, [])
    return chosen.get("items") if chosen is not None else None


def is_set(node: Node | None) -> bool:
    """Is it a list whose order means nothing?"""
    chosen = option_for(node, [])
    return chosen is not None and bool(chosen.get("set"))


def variant_key(node: Node | None, *values: Any) -> str | None:
    """The key by which a union chooses its type (`provider`, `type`); None for everything else."""
    chosen = option_for(node, next((value for value in values if isinstance(value, dict)), {}))
    return str(chosen["by"]) if chosen is not None and chosen["type"] == "union" else None


def item_keys(node: Node | None) -> tuple[tuple[str, ...], ...]:
    """By what the items of a list are told apart, most telling first; nothing for lists of other things than maps."""
    items = items_of(node)
    if items is None:
        return ()
    names = tuple(sorted(_type_names(items)))
    return _keys_of(names) if names else ()


def _type_names(node: Node) -> set[str]:
    if node["type"] == "anyOf":
        return {name for option in node["options"] for name in _type_names(option)}
    if node["type"] == "union":
        return {*node["variants"].values(), *node.get("patterns", {}).values()}
    return {node["of"]} if node["type"] == "object" and "of" in node else set()


@per_facts
def _any_variants(names: tuple[str, ...]) -> dict[str, Node]:
    return {key: field for name in names for key, field in type_of(name)["fields"].items()}


@per_facts
def _keys_of(names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    fields = [type_of(name)["fields"] for name in names]
    return tuple(keys for keys in ITEM_KEYS if any(keys[0] in known for known in fields))


@per_facts
def name_limit(kind: str) -> int | None:
    """How many characters the name of a kind's objects may have: in all of its variants; None where nothing is said."""
    node = root(kind)
    names = node["variants"].values() if node["type"] == "union" else [node["of"]]
    limits = [type_of(name)["fields"].get("name", {}).get("maxLength") for name in names]
    return min((limit for limit in limits if limit is not None), default=None)
