"""One schema of an OpenAPI document as a node of the facts.

Defects that follow a rule are repaired here, each in the method that is named after it; defects of a single
field are data in repairs.py. The nodes are described in docs/schema-format.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from voiceops.kinds.patterns import can_be_tried

Node: TypeAlias = dict[str, Any]
Schema: TypeAlias = Mapping[str, Any]

_SCALARS = ("string", "number", "integer", "boolean")
_RANGES = ("minimum", "maximum", "minLength", "maxLength")
_ITEM_COUNTS = ("minItems", "maxItems")
# Where several keys could tell the variants of a union apart, the first of these does.
_PREFERRED_KEYS = ("provider", "type", "on", "role", "format")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """How a variant is recognised by a key that the schema declares as free text."""

    values: tuple[str, ...]
    patterns: tuple[str, ...] = ()


@dataclass(slots=True)
class Translator:
    """Turns schemas into nodes. `tags` holds, by type and key, what a union's discriminator may say.

    `merged` collects the types that no key tells apart, by their names joined with `+`; `untried` the patterns that
    were left out, since nobody could try them in bounded time; `missing` the names that lead nowhere.
    """

    schemas: Mapping[str, Schema]
    tags: Mapping[tuple[str, str], Tag]
    merged: dict[str, dict[str, Any]] = field(default_factory=dict)
    untried: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def type_of(self, name: str) -> dict[str, Any]:
        """A named type: its required keys, and a node for each field."""
        schema = self.schemas[name]
        fields = {key: self.node(published) for key, published in schema.get("properties", {}).items()}
        return {"required": [key for key in schema.get("required", []) if key in fields], "fields": fields}

    def node(self, schema: Schema) -> Node:
        """The node of any schema."""
        options = schema.get("oneOf") or schema.get("anyOf")
        name = self._referenced(schema)
        if options:
            node = self.choice([self.node(option) for option in options], schema.get("discriminator"))
        elif name is not None and "discriminator" in schema:
            node = self.choice([self._object(name)], schema["discriminator"])
        elif name is not None:
            node = self._object(name)
        else:
            node = self._plain(schema)
        for key in ("deprecated", "nullable"):
            if schema.get(key):
                node[key] = True
        return node

    def _referenced(self, schema: Schema) -> str | None:
        """The type that a schema refers to, itself or wrapped in an `allOf`."""
        reference = schema.get("$ref")
        if reference is None and len(schema.get("allOf", [])) == 1:
            reference = schema["allOf"][0].get("$ref")
        return None if reference is None else str(reference).rpartition("/")[2]

    def _object(self, name: str) -> Node:
        if name not in self.schemas:
            self.missing.append(name)
        return {"type": "object", "of": name} if self.schemas.get(name, {}).get("properties") else {"type": "object"}

    def _plain(self, schema: Schema) -> Node:
        kind = self._declared_type(schema)
        if kind == "array":
            return self._array(schema)
        if kind == "object":
            values = schema.get("additionalProperties")
            return {"type": "object", "values": {"type": "object"}} if _is_map_of_maps(values) else {"type": "object"}
        if kind not in _SCALARS:
            return {"type": "any"}
        node: Node = {"type": kind}
        node |= {key: schema[key] for key in _RANGES if key in schema}
        if "enum" in schema:
            node["enum"] = list(dict.fromkeys(schema["enum"]))
        if pattern := python_pattern(schema.get("pattern")):
            if can_be_tried(pattern):
                node["pattern"] = pattern
            else:
                self.untried.append(pattern)
        node |= {key: schema[key] for key in ("format", "default") if key in schema}
        return node

    def _declared_type(self, schema: Schema) -> str | None:
        """The type, where `object` beside values that are texts means `string`."""
        kind: str | None = schema.get("type")
        if kind == "object" and "properties" not in schema:
            examples = [*schema.get("enum", []), schema.get("default"), schema.get("example")]
            if any(isinstance(example, str) for example in examples):
                return "string"
            if any(isinstance(example, (int, float)) for example in examples):
                return "number"
        return kind

    def _array(self, schema: Schema) -> Node:
        """A list; an `enum` that stands on it belongs to its items, a `maxLength` does not count them."""
        items = dict(schema.get("items", {}))
        if "enum" in schema and "enum" not in items:
            items["enum"] = schema["enum"]
        node: Node = {"type": "array", "items": self.node(items) if items else {"type": "any"}}
        return node | {key: schema[key] for key in (*_ITEM_COUNTS, "default") if key in schema}

    def choice(self, options: list[Node], discriminator: Schema | None = None) -> Node:
        """One of several: read as "any of these", since the published alternatives overlap."""
        options = _merged_texts([option for index, option in enumerate(options) if option not in options[:index]])
        names = [option["of"] for option in options if option.keys() == {"type", "of"}]
        others = [option for option in options if option.keys() != {"type", "of"}]
        if names and (union := self._union(names, discriminator)):
            return union | ({"others": others} if others else {})
        return options[0] if len(options) == 1 else {"type": "anyOf", "options": options}

    def _union(self, names: list[str], discriminator: Schema | None) -> Node | None:
        """The types by the value of the key that tells them apart; None where no key does."""
        if discriminator and discriminator.get("mapping"):
            key = discriminator["propertyName"]
            variants = {value: reference.rpartition("/")[2] for value, reference in discriminator["mapping"].items()}
            variants = {value: name for value, name in variants.items() if name in self.schemas}
            unmapped = [name for name in names if name not in variants.values()]
            variants |= {value: name for name in unmapped if (tag := self._tag(name, key)) for value in tag.values}
            return {"type": "union", "by": key, "variants": variants}
        ambiguous: Node | None = None
        for key in self._candidates(names):
            tags = {name: tag for name in names if (tag := self._tag(name, key))}
            if len(tags) < len(names):
                continue
            values = [value for tag in tags.values() for value in tag.values]
            if len(values) == len(set(values)):
                return _union_by(key, tags)
            if ambiguous is None and key in _PREFERRED_KEYS:
                ambiguous = self._union_of_merged(key, tags)
        return ambiguous

    def _union_of_merged(self, key: str, tags: Mapping[str, Tag]) -> Node:
        """Where several types share a value of the key, that value means a type with the fields of all of them."""
        owners: dict[str, list[str]] = {}
        for name, tag in tags.items():
            for value in tag.values:
                owners.setdefault(value, []).append(name)
        return {
            "type": "union",
            "by": key,
            "variants": {value: self._merged_type(names) for value, names in owners.items()},
        }

    def _merged_type(self, names: list[str]) -> str:
        merged = "+".join(names)
        if len(names) > 1 and merged not in self.merged:
            self.merged[merged] = {"required": [], "fields": {}}  # a type may lead back to itself
            parts = [self.type_of(name) for name in names]
            required = [key for key in parts[0]["required"] if all(key in part["required"] for part in parts)]
            alternatives: dict[str, list[Node]] = {}
            for part in parts:
                for key, node in part["fields"].items():
                    alternatives.setdefault(key, []).append(node)
            fields = {
                key: nodes[0] if all(node == nodes[0] for node in nodes) else self.choice(nodes)
                for key, nodes in alternatives.items()
            }
            self.merged[merged] = {"required": required, "fields": fields}
        return merged

    def _candidates(self, names: list[str]) -> Iterable[str]:
        first = list(self.schemas[names[0]].get("properties", {}))
        others = [key for key in first if key not in _PREFERRED_KEYS] if len(names) > 1 else []
        return [key for key in _PREFERRED_KEYS if key in first] + others

    def _tag(self, name: str, key: str) -> Tag | None:
        if (name, key) in self.tags:
            return self.tags[name, key]
        published = self.schemas[name].get("properties", {}).get(key, {})
        values = published.get("enum", [])
        usable = published.get("type") == "string" and values and key in self.schemas[name].get("required", [key])
        return Tag(values=tuple(values)) if usable else None


def _union_by(key: str, tags: Mapping[str, Tag]) -> Node:
    variants = {value: name for name, tag in tags.items() for value in tag.values}
    patterns = {pattern: name for name, tag in tags.items() for pattern in tag.patterns}
    return {"type": "union", "by": key, "variants": variants} | ({"patterns": patterns} if patterns else {})


def _merged_texts(options: list[Node]) -> list[Node]:
    """Several lists of texts are one; beside any text they are any text, and stay as its `examples`."""
    texts = [option for option in options if option["type"] == "string"]
    if len(texts) < 2:
        return options
    known = list(dict.fromkeys(value for option in texts for value in option.get("enum", [])))
    free = next((option for option in texts if "enum" not in option), None)
    if free is None:
        merged: Node = texts[0] | {"enum": known}
    else:
        merged = {key: value for key, value in free.items() if key != "format"} | ({"examples": known} if known else {})
    return [merged if option is texts[0] else option for option in options if option is texts[0] or option not in texts]


def _is_map_of_maps(values: object) -> bool:
    return isinstance(values, Mapping) and ("$ref" in values or values.get("type") == "object")


def python_pattern(pattern: str | None) -> str | None:
    """A pattern as Python and JSON Schema both read it: JavaScript's `/…/` around it taken off.

    None where Python can't compile it, or where a flag changes what it means.
    """
    if pattern is None:
        return None
    literal = re.fullmatch(r"/(.*)/([a-z]*)", pattern, re.DOTALL)
    body, flags = (literal[1].replace(r"\/", "/"), literal[2]) if literal else (pattern, "")
    if flags.strip("u"):
        return None
    try:
        re.compile(body)
    except (re.error, OverflowError, RecursionError):
        return None
    return body
