"""Does a value fit a node of the schema? Of a value that does not, the part that does.

Used where an object changes its variant (another provider, another type): what the old variant held is kept as far
as the new one takes it. Stricter than `validate` in one point: a value that an open list doesn't name does not fit,
for it is most likely the other provider's.
"""

from __future__ import annotations

from typing import Any

from voiceops.kinds.nodes import field_of, fields_of, items_of, option_for, type_name
from voiceops.kinds.patterns import matches
from voiceops.kinds.schema import Node, type_of
from voiceops.model.values import ABSENT, JSON

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
}


def fitting(node: Node | None, value: JSON) -> JSON:
    """The value as far as the node takes it; ABSENT where nothing of it fits, or nothing is known of the place."""
    chosen = option_for(node, value)
    if chosen is None or value is None:
        return ABSENT
    if chosen["type"] == "any":
        return value
    if isinstance(value, dict):
        return _fitting_map(chosen, value)
    if isinstance(value, list):
        if chosen["type"] != "array":
            return ABSENT
        items = items_of(chosen)
        found = [inner for item in value if (inner := fitting(items, item)) is not ABSENT]
        return found if found or not value else ABSENT
    return value if _fits(chosen, value) else ABSENT


def _fitting_map(node: Node, value: dict[str, Any]) -> JSON:
    if node["type"] not in ("object", "union"):
        return ABSENT
    if node["type"] == "object" and "of" not in node:
        return value  # any keys
    name = type_name(node, value)
    if name is None:
        return ABSENT
    free = bool(type_of(name).get("free"))
    known = fields_of(node, value)
    found = {
        key: inner
        for key, item in value.items()
        if (inner := item if free and key not in known else fitting(field_of(node, key, value), item)) is not ABSENT
    }
    complete = all(key in found for key in type_of(name)["required"])
    return found if complete and (found or not value) else ABSENT


def _fits(node: Node, value: Any) -> bool:
    wanted = _TYPES.get(node["type"])
    if wanted is None or not isinstance(value, wanted) or isinstance(value, bool) is not (node["type"] == "boolean"):
        return False
    if "enum" in node and value not in node["enum"]:
        return False
    if isinstance(value, str):
        return node.get("minLength", 0) <= len(value) <= node.get("maxLength", len(value)) and (
            "pattern" not in node or matches(node["pattern"], value)
        )
    return bool(node.get("minimum", value) <= value <= node.get("maximum", value))
