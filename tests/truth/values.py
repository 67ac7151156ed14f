"""Random values out of the schema's facts: bodies that the API takes, with every union, list and range it has.

A seed gives the same value again. References are left out, for they need objects; places that this generator can't
fill (texts of a pattern) are left out where they may be.
"""

from __future__ import annotations

import random
from typing import Any

from voiceops.kinds.nodes import option_for, select
from voiceops.kinds.schema import Node, type_of

WORDS = ("alpha", "beta", "gamma", "Never say no.", "You must ask, always.", "tea", "a\nb\nc", "$40", "ünïcode ☎")
MISSING = object()
_RARE = 0.18  # of the optional fields of a nested type
_DEEPEST = 6


class Values:
    """One generator, with a seed of its own."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self, node: Node, depth: int = 0) -> Any:
        """A value that the node takes, or MISSING."""
        if node.get("reference") or node.get("mayReference") or node.get("secret") or node.get("follows"):
            return MISSING
        match node["type"]:
            case "string":
                return self._text(node)
            case "boolean":
                return self.random.random() < 0.5
            case "integer" | "number":
                return self._number(node)
            case "array":
                return self._list(node, depth)
            case "object":
                return self._map(node, depth)
            case "union":
                return self._union(node, depth)
            case "anyOf":
                return self.value(self.random.choice(node["options"]), depth)
        return self.random.choice((1, "any", True, {"free": None, "other": [1, 2]}))

    def _text(self, node: Node) -> Any:
        if "enum" in node:
            return self.random.choice(node["enum"])
        if node.get("format") == "uri":
            return f"https://voice.example.net/{self.random.randrange(9)}"
        if "pattern" in node or node.get("format"):
            return MISSING
        least, most = node.get("minLength", 0), node.get("maxLength", 200)
        text = self.random.choice(WORDS)
        return (text * (least // max(1, len(text)) + 1))[: max(least, min(len(text), most))] if most else MISSING

    def _number(self, node: Node) -> Any:
        least, most = node.get("minimum", 0), node.get("maximum", node.get("minimum", 0) + 100)
        if node["type"] == "integer" or (float(least).is_integer() and float(most).is_integer() and most - least > 2):
            return self.random.randint(int(least), int(most))
        return round(self.random.uniform(least, most), 2)

    def _list(self, node: Node, depth: int) -> Any:
        if depth > _DEEPEST:
            return MISSING
        count = self.random.randint(max(1, node.get("minItems", 0)), min(3, node.get("maxItems", 3)))
        items = [self.value(node.get("items", {"type": "string"}), depth + 1) for _ in range(count)]
        found = [item for item in items if item is not MISSING]
        return found if len(found) >= node.get("minItems", 1) else MISSING

    def _map(self, node: Node, depth: int) -> Any:
        if "of" in node:
            return self.typed(node["of"], depth)
        inner = node.get("values", {"type": "string"})
        found = {key: self.value(inner, depth + 1) for key in self.random.sample(("x", "y", "z"), 2)}
        return {key: item for key, item in found.items() if item is not MISSING} if depth <= _DEEPEST else MISSING

    def _union(self, node: Node, depth: int) -> Any:
        for choice in self.random.sample(sorted(node["variants"]), min(4, len(node["variants"]))):
            found = self.typed(node["variants"][choice], depth, {node["by"]: choice})
            if found is not MISSING:
                return found
        return MISSING

    def typed(self, name: str, depth: int, given: dict[str, Any] | None = None, share: float = _RARE) -> Any:
        """A map of a type with the fields that it requires and some others, or MISSING where one can't be filled."""
        if depth > _DEEPEST:
            return MISSING
        type_, found = type_of(name), dict(given or {})
        for key, field in type_["fields"].items():
            wanted = key in type_["required"]
            if key in found or field.get("deprecated") or (not wanted and self.random.random() > share):
                continue
            value = self.value(field, depth + 1)
            if value is not MISSING:
                found[key] = value
            elif wanted:
                return MISSING
        return found

    def extra(self, node: Node, value: Any) -> tuple[list[str | int], Any] | None:
        """A field that somebody may add to a value on the dashboard: its path and what it is set to."""
        here: list[str | int] = []
        while isinstance(value, (dict, list)) and value:
            chosen = option_for(node, value)
            if chosen is None:
                return None
            if isinstance(value, list):
                index = self.random.randrange(len(value))
                node, value = chosen.get("items", {"type": "any"}), value[index]
                here.append(index)
                continue
            name = select(chosen, value) if chosen["type"] in ("object", "union") else None
            if name is None:
                return None
            fields = type_of(name)["fields"]
            deeper = [key for key, item in value.items() if key in fields and isinstance(item, (dict, list)) and item]
            if deeper and self.random.random() < 0.7:
                key = self.random.choice(deeper)
                here.append(key)
                node, value = fields[key], value[key]
                continue
            free = [key for key, field in fields.items() if key not in value and not field.get("deprecated")]
            for key in self.random.sample(free, len(free)):
                made = self.value(fields[key], len(here))
                if made is not MISSING:
                    return [*here, key], made
            return None
        return None
