"""The facts as JSON Schema 2020-12, for editors: unions become if/then, so that an editor names the wrong field."""

from __future__ import annotations

from typing import Any

from voiceops.kinds.registry import ALL, PART_KEYS, PARTS
from voiceops.kinds.schema import Node, root, type_of

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_COPIED = (
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "default",
    "deprecated",
    "minItems",
    "maxItems",
    "examples",
)
# Any value may also be written as ${…}.
_SUBSTITUTED = {"type": "string", "pattern": r"\$\{"}


def project_schema() -> dict[str, Any]:
    """The schema of voiceops.yaml."""
    return settings_schema("Project")


def settings_schema(name: str) -> dict[str, Any]:
    """The schema of one of a project's own files: `Project`, `Environment`, or `PolicyRule` for one rule."""
    return _document({"type": "object", "of": name}, "project")


def manifest_schema(kind: str) -> dict[str, Any]:
    """The schema of one kind's manifest: the envelope, with the kind's spec."""
    return _manifests([kind])


def any_manifest_schema() -> dict[str, Any]:
    """The schema of a manifest of any kind: its `kind` chooses the spec."""
    return _manifests(ALL)


def _manifests(kinds: list[str]) -> dict[str, Any]:
    schema = _document({"type": "object", "of": "Manifest"}, "project")
    body = _Writer("vapi")
    envelope = schema["$defs"]["Manifest"]["properties"]
    envelope["kind"] = {"enum": kinds}
    schema["allOf"] = [
        {
            "if": {"properties": {"kind": {"const": kind}}},
            "then": {"properties": {"spec": body.node(root(kind, "manifest"))}},
        }
        for kind in kinds
    ]
    schema["$defs"] |= body.definitions
    return schema


def _document(node: Node, source: str) -> dict[str, Any]:
    writer = _Writer(source)
    schema = writer.node(node)
    return {"$schema": _DRAFT, **schema, "$defs": writer.definitions}


class _Writer:
    """Collects every type that is reached as a definition."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.definitions: dict[str, Any] = {}

    def node(self, node: Node) -> dict[str, Any]:
        match node["type"]:
            case "object" if "of" in node:
                return self._ref(node["of"])
            case "object":
                inner = {"additionalProperties": self.node(node["values"])} if "values" in node else {}
                return {"type": "object", **inner}
            case "array":
                return {
                    "type": "array",
                    "items": self.node(node.get("items", {"type": "any"})),
                    **{key: node[key] for key in _COPIED if key in node},
                }
            case "union":
                return self._union(node)
            case "anyOf":
                return {"anyOf": [self.node(option) for option in node["options"]]}
            case "any":
                return {}
        schema: dict[str, Any] = {"type": node["type"], **{key: node[key] for key in _COPIED if key in node}}
        if "enum" in node:
            if node.get("open"):
                schema = {"anyOf": [{"enum": node["enum"]}, schema]}
            else:
                schema["enum"] = [*node["enum"], *node.get("renamed", ())]
        return schema if node["type"] == "string" and "enum" not in node else {"anyOf": [schema, _SUBSTITUTED]}

    def _ref(self, name: str) -> dict[str, Any]:
        if name not in self.definitions:
            self.definitions[name] = {}
            definition = type_of(name, self.source)
            properties = {}
            for key, field in definition["fields"].items():
                properties[key] = self._field(key, field)
            self.definitions[name] = {"type": "object", "properties": properties}
            if self.source == "project":
                self.definitions[name] |= {"required": definition["required"], "additionalProperties": False}
        return {"$ref": f"#/$defs/{name}"}

    def _field(self, key: str, node: Node) -> dict[str, Any]:
        """A field, with what a manifest may write there beside the vendor's own value."""
        schema = self.node(node)
        if self.source == "vapi" and key == "tools" and node["type"] == "array":
            schema["items"] = {"anyOf": [{"type": "string"}, schema["items"]]}
        if self.source == "vapi" and PART_KEYS.get(key) in PARTS and node["type"] in ("object", "union"):
            return {"anyOf": [{"type": "string"}, schema]}
        return schema

    def _union(self, node: Node) -> dict[str, Any]:
        by = node["by"]
        conditions = [
            {"if": {"properties": {by: {"const": choice}}, "required": [by]}, "then": self._ref(name)}
            for choice, name in node["variants"].items()
        ]
        known: dict[str, Any] = {"enum": list(node["variants"])}
        if patterns := node.get("patterns", {}):
            listed = [{"const": choice} for choice in node["variants"]]
            known = {"anyOf": [known, *({"type": "string", "pattern": pattern} for pattern in patterns)]}
            for position, (pattern, name) in enumerate(patterns.items()):
                # The first pattern that matches decides, and only where no variant is meant.
                earlier = [{"pattern": other} for other in list(patterns)[:position]]
                test = {"type": "string", "pattern": pattern, "not": {"anyOf": [*listed, *earlier]}}
                conditions.append(
                    {"if": {"properties": {by: test}, "required": [by]}, "then": self._ref(name)},
                )
        chosen = {"type": "object", "properties": {by: known}, "allOf": conditions}
        others = [self.node(option) for option in node.get("others", [])]
        return {"anyOf": [chosen, *others]} if others else chosen
