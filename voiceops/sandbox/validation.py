"""Bodies against the schema facts, refused in the words of class-validator, which the live API speaks.

A nested problem carries its path before the text: `voice.property speed should not exist`,
`members.0.assistantOverrides.model.temperature must not be greater than 2`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from voiceops.kinds.nodes import select
from voiceops.kinds.patterns import matches
from voiceops.kinds.schema import Node, root, type_of
from voiceops.sandbox.catalog import Collection
from voiceops.sandbox.run_bodies import TYPES
from voiceops.sandbox.schema_walk import choose, is_a

# Keys that the live API takes beyond its published schema: fields that have left it, or not entered it yet.
# Most of them are facts; these were only seen in what the API answers.
_SEEN_ON_ASSISTANTS = frozenset({"videoRecordingEnabled", "variableValues"})
_SEEN: dict[str, frozenset[str]] = {
    "CreateAssistantDTO": _SEEN_ON_ASSISTANTS,
    "UpdateAssistantDTO": _SEEN_ON_ASSISTANTS,
    "AssistantOverrides": _SEEN_ON_ASSISTANTS,
    "DeepgramTranscriber": frozenset({"languageHint"}),
    "FallbackDeepgramTranscriber": frozenset({"languageHint"}),
}


@dataclass(frozen=True, slots=True)
class Problem:
    text: str
    value: Any = None


@dataclass(slots=True)
class Check:
    """Collects every problem of one body."""

    open_enums: bool = True
    patch_required: bool = True
    problems: list[Problem] = field(default_factory=list)

    def create(self, collection: Collection, body: dict[str, Any]) -> list[Problem]:
        if collection.known:
            self._root(root(collection.kind), body, body)
        return self.problems

    def typed(self, name: str, body: dict[str, Any]) -> list[Problem]:
        """The problems of a body whose type is no collection's: of a run, a chat or a session."""
        self._object(name, body, "")
        return self.problems

    def update(self, collection: Collection, body: dict[str, Any], live: dict[str, Any]) -> list[Problem]:
        for key in collection.patch_refuses:
            if key in body:
                self._add("", f"property {key} should not exist", body[key])
        rest = {key: value for key, value in body.items() if key not in collection.patch_refuses}
        if collection.known:
            self._root(root(collection.kind, "update"), rest, live, complete=self.patch_required)
        return self.problems

    def part(self, type_: str, value: Any, path: str) -> list[Problem]:
        """A value inside a body that no collection has, by the name of its type: the overrides of a call."""
        self._value({"type": "object", "of": type_}, value, "", path)
        return self.problems

    def _root(self, node: Node, body: dict[str, Any], chooser: dict[str, Any], *, complete: bool = True) -> None:
        """The body of a request; an update's type is the live object's."""
        if node["type"] == "union" and (name := select(node, chooser)) is None:
            self._one_of("", node["by"], list(node["variants"]), chooser.get(node["by"]))
        elif node["type"] == "union":
            assert name is not None
            self._object(name, body, "", complete=complete)
        else:
            self._object(node["of"], body, "", complete=complete)

    def _object(self, name: str, value: dict[str, Any], prefix: str, *, complete: bool = True) -> None:
        definition = TYPES.get(name) or type_of(name)
        fields: dict[str, Node] = definition["fields"]
        for key in definition["required"] if complete else ():
            if value.get(key) is None:
                self._missing(fields.get(key, {"type": "any"}), prefix, key)
        for key, item in value.items():
            node = fields.get(key)
            if node is None:
                if not definition.get("free") and key not in _SEEN.get(name, ()):
                    self._add(prefix, f"property {key} should not exist", item)
            elif item is not None:
                self._value(node, item, prefix, key)

    def _value(self, node: Node, value: Any, prefix: str, key: str, *, index: int | None = None) -> None:
        chosen = choose(node, value)
        if chosen is None:
            self._no_choice(node, value, prefix, key, index)
            return
        subject = key if index is None else f"each value in {key}"
        inner = f"{prefix}{key}." if index is None else f"{prefix}{key}.{index}."
        if chosen["type"] == "any":
            return
        if not is_a(chosen, value):
            self._add(prefix, _type_text(chosen, key, each=index is not None), value)
        elif chosen["type"] == "object":
            if "of" in chosen:
                self._object(chosen["of"], value, inner)
            elif "values" in chosen:
                for name, item in value.items():
                    if item is not None:
                        self._value(chosen["values"], item, inner, name)
        elif chosen["type"] == "array":
            self._array(chosen, value, prefix, key)
        elif chosen["type"] != "boolean":
            self._scalar(chosen, value, prefix, subject)

    def _array(self, node: Node, value: list[Any], prefix: str, key: str) -> None:
        if len(value) < node.get("minItems", 0):
            self._add(prefix, f"{key} must contain at least {node['minItems']} elements", value)
        if len(value) > node.get("maxItems", len(value)):
            self._add(prefix, f"{key} must contain no more than {node['maxItems']} elements", value)
        if node.get("reference") and (wrong := [item for item in value if not is_uuid(item)]):
            self._add(prefix, f"each value in {key} must be a UUID", wrong)
            return
        for index, item in enumerate(value):
            self._value(node.get("items", {"type": "any"}), item, prefix, key, index=index)

    def _scalar(self, node: Node, value: Any, prefix: str, subject: str) -> None:
        if "enum" in node and value not in node["enum"] and not (self.open_enums and node.get("open")):
            self._one_of(prefix, subject, node["enum"], value)
            return
        if "minimum" in node and value < node["minimum"]:
            self._add(prefix, f"{subject} must not be less than {_number(node['minimum'])}", value)
        if "maximum" in node and value > node["maximum"]:
            self._add(prefix, f"{subject} must not be greater than {_number(node['maximum'])}", value)
        if "minLength" in node and len(value) < node["minLength"]:
            self._add(prefix, f"{subject} must be longer than or equal to {node['minLength']} characters", value)
        if "maxLength" in node and len(value) > node["maxLength"]:
            self._add(prefix, f"{subject} must be shorter than or equal to {node['maxLength']} characters", value)
        if node.get("format") == "uuid" and not is_uuid(value):
            self._add(prefix, f"{subject} must be a UUID", value)
        if "pattern" in node and not matches(node["pattern"], value):
            self._add(prefix, f"{subject} must match /{node['pattern']}/ regular expression", value)

    def _missing(self, node: Node, prefix: str, key: str) -> None:
        self._add(prefix, f"{key} should not be empty")
        if node["type"] not in ("any", "union", "anyOf", "object"):
            self._add(prefix, _type_text(node, key, each=False))

    def _no_choice(self, node: Node, value: Any, prefix: str, key: str, index: int | None) -> None:
        if node["type"] == "union" and isinstance(value, dict):
            inner = f"{prefix}{key}." if index is None else f"{prefix}{key}.{index}."
            self._one_of(inner, node["by"], list(node["variants"]), value.get(node["by"]))
            return
        self._add(prefix, _type_text({"type": "object", "of": ""}, key, each=index is not None), value)

    def _one_of(self, prefix: str, subject: str, values: list[Any], value: Any) -> None:
        listed = ", ".join(str(item) for item in values)
        self._add(prefix, f"{subject} must be one of the following values: {listed}", value)

    def _add(self, prefix: str, text: str, value: Any = None) -> None:
        problem = Problem(prefix + text, value)
        if problem.text not in {found.text for found in self.problems}:
            self.problems.append(problem)


def is_uuid(value: Any) -> bool:
    """Is it a UUID's text, with its four hyphens?"""
    if not isinstance(value, str) or len(value) != 36:
        return False
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _type_text(node: Node, key: str, *, each: bool) -> str:
    each_value = "each value in " if each else ""
    match node["type"]:
        case "string":
            return f"{each_value}{key} must be a string"
        case "number":
            return f"{each_value}{key} must be a number conforming to the specified constraints"
        case "integer":
            return f"{each_value}{key} must be an integer number"
        case "boolean":
            return f"{each_value}{key} must be a boolean value"
        case "array":
            return f"{each_value}{key} must be an array"
        case "object" if "of" in node:
            return f"{each_value}nested property {key} must be either object or array"
    return f"{each_value}{key} must be an object"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
