"""Values in their old spelling, which Vapi takes and keeps in the new one: only the new one equals what is live."""

from __future__ import annotations

from typing import Any

from voiceops.kinds.nodes import entries_of, items_of, option_for
from voiceops.kinds.schema import Node, root


def newly_spelled(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body with every value as Vapi spells it now."""
    found: dict[str, Any] = _spelled(root(kind, "manifest"), body)
    return found


def _spelled(node: Node | None, value: Any) -> Any:
    if node is None:
        return value
    if isinstance(value, dict):
        fields = entries_of(node, value)
        return {key: _spelled(fields.get(key), item) for key, item in value.items()}
    if isinstance(value, list):
        items = items_of(node)
        return [_spelled(items, item) for item in value] if items is not None else value
    if isinstance(value, str):
        chosen = option_for(node, value) or node
        return chosen.get("renamed", {}).get(value, value)
    return value
