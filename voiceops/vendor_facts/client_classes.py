"""The classes of the vendor's Python client as nodes of the facts: read from its sources' syntax trees.

Knows how that client is generated: a class a type, an alias for each list of values, a union of classes with the
name of the field that tells them apart. What it can't read is anything (`any`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.kinds.schema import Node

_SCALARS = {
    "str": "string",
    "float": "number",
    "int": "integer",
    "bool": "boolean",
}
_DEEPEST = 40
_ANY: Node = {"type": "any"}


@dataclass(frozen=True, slots=True)
class ClientField:
    """A field of a class: its annotation, and whether it has to be given."""

    annotation: ast.expr
    required: bool


@dataclass(slots=True)
class Classes:
    """Every class and alias of the client by name; `names` are the facts' names of those that they know.

    `taken` collects the classes that nodes name and the facts don't have.
    """

    names: Mapping[str, str]
    fields: dict[str, dict[str, ClientField]] = field(default_factory=dict)
    aliases: dict[str, ast.expr] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)

    def read(self, module: str, source: str) -> None:
        """Take a module in; one that is no Python is kept among the unreadable."""
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self.unreadable.append(module)
            return
        for statement in tree.body:
            if isinstance(statement, ast.ClassDef):
                self.fields[statement.name] = dict(_fields_of(statement))
            elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                self.aliases[statement.targets[0].id] = statement.value

    def type_of(self, name: str) -> dict[str, Any]:
        """A class as a type of the facts."""
        fields = self.fields[name]
        return {
            "required": [key for key, one in fields.items() if one.required],
            "fields": {key: self.node(one.annotation) for key, one in fields.items()},
        }

    def node(self, annotation: ast.expr | None, depth: int = 0) -> Node:
        """What an annotation means."""
        if depth > _DEEPEST or annotation is None:
            return dict(_ANY)
        match annotation:
            case ast.Constant(value=str() as text):
                return self._named(text, depth) if text.isidentifier() else dict(_ANY)
            case ast.Name(id=name):
                return self._named(name, depth)
            case ast.Attribute(attr="datetime" | "date"):
                return {"type": "string"}
            case ast.Subscript(value=ast.Attribute(attr=form), slice=inner):
                return self._form(form, inner, depth)
        return dict(_ANY)

    def _named(self, name: str, depth: int) -> Node:
        if name in _SCALARS:
            return {"type": _SCALARS[name]}
        if name in self.aliases:
            return self.node(self.aliases[name], depth + 1)
        if not self.fields.get(name):
            return {"type": "object"} if name in self.fields else dict(_ANY)
        return {"type": "object", "of": self.known_as(name)}

    def known_as(self, name: str) -> str:
        """The facts' name of a class; one that they don't know is taken in under its own."""
        known = self.names.get(plain_name(name))
        if known is None:
            known = self.taken[name] = name
        return known

    def _form(self, form: str, inner: ast.expr, depth: int) -> Node:
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        match form:
            case "Optional":
                return self.node(inner, depth + 1)
            case "Annotated":
                return self._annotated(parts, depth)
            case "List" | "Sequence" | "Set":
                return {"type": "array", "items": self.node(inner, depth + 1)}
            case "Dict":
                values = self.node(parts[-1], depth + 1)
                return (
                    {"type": "object", "values": {"type": "object"}}
                    if values["type"] == "object"
                    else {"type": "object"}
                )
            case "Literal":
                texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
                return {"type": "string", "enum": list(dict.fromkeys(texts))} if texts else dict(_ANY)
            case "Union":
                return self._union(parts, depth)
        return dict(_ANY)

    def _annotated(self, parts: list[ast.expr], depth: int) -> Node:
        """A type with what is said of it: of a union, the field that tells its classes apart."""
        by = _said(parts[1:], "UnionMetadata", "discriminant")
        union = parts[0]
        if by and isinstance(union, ast.Subscript):
            members = union.slice.elts if isinstance(union.slice, ast.Tuple) else [union.slice]
            return self._by(by, [name for member in members if (name := _name_of(member)) in self.fields])
        return self.node(union, depth + 1)

    def _by(self, by: str, members: list[str]) -> Node:
        variants = {}
        for name in members:
            tag = self.fields[name].get(by)
            for value in self.node(tag.annotation).get("enum", ()) if tag else ():
                variants[value] = name
        return {"type": "union", "by": by, "variants": variants} if variants else {"type": "object"}

    def _union(self, parts: list[ast.expr], depth: int) -> Node:
        """Any of several. `Literal[…]` beside `Any` is how this client writes every list of values."""
        nodes = [self.node(part, depth + 1) for part in parts]
        told = [node for node in nodes if node["type"] != "any"]
        if len(told) == len(nodes) - 1 and len(told) == 1 and "enum" in told[0]:
            return told[0]
        texts = [node for node in told if node["type"] == "string"]
        if told and len(texts) == len(nodes):
            known = list(dict.fromkeys(value for node in texts for value in node.get("enum", ())))
            free = any("enum" not in node and "examples" not in node for node in texts)
            return {"type": "string", "examples" if free else "enum": known} if known else {"type": "string"}
        if len(told) < len(nodes):
            return dict(_ANY)
        return nodes[0] if len(nodes) == 1 else {"type": "anyOf", "options": nodes}


def plain_name(name: str) -> str:
    """A type's name as the document and the client spell it alike (`CreateAssistantDTO`, `CreateAssistantDto`)."""
    return name.replace("_", "").lower()


def _fields_of(statement: ast.ClassDef) -> Iterator[tuple[str, ClientField]]:
    for one in statement.body:
        if not isinstance(one, ast.AnnAssign) or not isinstance(one.target, ast.Name) or _is_class_var(one.annotation):
            continue
        annotation: ast.expr = one.annotation
        key = one.target.id
        if isinstance(annotation, ast.Subscript) and _attribute(annotation.value) == "Annotated":
            parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
            key = _said(parts[1:], "FieldMetadata", "alias") or key
            if not _said(parts[1:], "UnionMetadata", "discriminant"):
                annotation = parts[0]
        optional = isinstance(annotation, ast.Subscript) and _attribute(annotation.value) == "Optional"
        yield key, ClientField(annotation, required=not optional)


def _is_class_var(annotation: ast.expr) -> bool:
    return isinstance(annotation, ast.Subscript) and _attribute(annotation.value) == "ClassVar"


def _attribute(expression: ast.expr) -> str:
    return expression.attr if isinstance(expression, ast.Attribute) else ""


def _name_of(expression: ast.expr) -> str:
    match expression:
        case ast.Name(id=name):
            return name
        case ast.Constant(value=str() as name):
            return name
    return ""


def _said(calls: list[ast.expr], name: str, keyword: str) -> str:
    """What a call among these says by a keyword, if it is a text."""
    for call in calls:
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == name:
            for one in call.keywords:
                if one.arg == keyword and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
                    return one.value.value
    return ""
