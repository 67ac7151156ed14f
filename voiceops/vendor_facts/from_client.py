"""The vendor's Python client laid over facts that there are: it is often newer than the OpenAPI document.

It says less of each field (no ranges, no defaults, nothing of what is given up), so it only ever adds: fields,
values and variants. What it no longer has stays, and is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.kinds.schema import Facts, Node
from voiceops.vendor_facts.client_classes import Classes, plain_name
from voiceops.vendor_facts.client_package import ClientPackage
from voiceops.vendor_facts.facts_text import FORMAT, copied, rules
from voiceops.vendor_facts.from_openapi import PARTS, as_root, extended, mark_type
from voiceops.vendor_facts.notes import Note
from voiceops.vendor_facts.repairs import REPAIRS

# Fields that came into the client by a slip of its generator.
_SLIPS = frozenset({"oneOf"})
# Fields that classes lack, though the API has them: voiceops's own repairs.
_ADDED = frozenset((name, repair.field) for repair in REPAIRS if repair.how == "add" for name in repair.types)
# Bodies that are unions, and what the client calls them.
_BODIES = {"Tool": "CreateToolsRequest", "Phone": "CreatePhoneNumbersRequest"}


def over(base: Facts, client: ClientPackage) -> tuple[dict[str, Any], list[Note]]:
    """The facts with what the client's classes add to them; and what is in them and not in its classes."""
    types: dict[str, dict[str, Any]] = copied(base.types)
    roots: dict[str, Any] = copied(base.roots)
    classes = Classes({plain_name(name): name for name in types})
    for module, source in client.modules.items():
        classes.read(module, source)
    notes = [Note("unreadable", module, "is no Python that can be read") for module in classes.unreadable]
    laying = _Laying(classes, types, _known_variants(types, roots))
    for name in sorted(classes.fields):
        known = classes.names.get(plain_name(name))
        if known is not None:
            notes += laying.lay(name, known)
    for kind, name in _BODIES.items():
        create = roots.get(kind, {}).get("create")
        if isinstance(create, dict) and name in classes.aliases:
            roots[kind]["create"] = as_root(
                laying.widened({"type": "union", **create}, classes.node(classes.aliases[name]), "")
            )
    laying.bring()
    for kind, key in PARTS.items():
        if isinstance(roots.get(kind), dict):
            roots[kind] = as_root(types["CreateAssistantDTO"]["fields"][key])
    facts = {
        "format": FORMAT,
        "rules": rules(),
        "roots": dict(sorted(roots.items())),
        "answered": copied(base.answered),
        "types": {name: _sorted(definition) for name, definition in sorted(types.items())},
    }
    return facts, notes


def _sorted(definition: Mapping[str, Any]) -> dict[str, Any]:
    return {**definition, "fields": dict(sorted(definition["fields"].items()))}


def _known_variants(types: Mapping[str, Any], roots: Mapping[str, Any]) -> dict[tuple[str, str, str], str]:
    """Which type a union's choice means, by the field in which the union stands, and in any."""
    found: dict[tuple[str, str, str], str] = {}

    def take(node: Any, key: str) -> None:
        if isinstance(node, dict):
            for choice, name in node.get("variants", {}).items():
                found.setdefault((key, node["by"], choice), name)
            for inner in node.values():
                take(inner, key)
        elif isinstance(node, list):
            for inner in node:
                take(inner, key)

    for definition in types.values():
        for key, node in definition["fields"].items():
            take(node, key)
    for kind in _BODIES:
        take(roots.get(kind), "")
    return found


@dataclass(slots=True)
class _Laying:
    """The classes, and the types that they are laid over; `variants` tells what a union's choices mean there.

    `tags` collects by which field, and which of its values, a class that is brought along is told apart.
    """

    classes: Classes
    types: dict[str, dict[str, Any]]
    variants: dict[tuple[str, str, str], str]
    tags: dict[str, tuple[str, list[str]]] = field(default_factory=dict)

    def lay(self, name: str, known: str) -> Iterator[Note]:
        """Add to a type what its class has more; yields what it has no more."""
        fields = self.types[known]["fields"]
        offered = self.classes.fields[name]
        for key, one in offered.items():
            node = self.classes.node(one.annotation)
            if key in fields:
                fields[key] = self.widened(fields[key], node, key)
            elif key not in _SLIPS:
                added = {"required": [], "fields": {key: self._settled(node, key)}}
                mark_type(known, added, {})
                fields |= added["fields"]
        for key, node in fields.items():
            told = node.get("legacy") or node.get("deprecated") or (known, key) in _ADDED or "in" in node
            if key not in offered and not told and len(node.get("enum", ())) != 1:
                yield Note("not-in-client", f"{known}.{key}", "the client does not have it")

    def widened(self, known: Node, offered: Node, key: str) -> Node:
        """A field's node with the values and the variants that the client has more."""
        if known["type"] == "anyOf":
            options = [self.widened(option, offered, key) for option in known["options"]]
            return {**known, "options": options}
        if offered["type"] == "anyOf":
            for option in offered["options"]:
                known = self.widened(known, option, key)
            return known
        if known["type"] != offered["type"]:
            return known
        if known["type"] == "array" and "items" in known:
            return {**known, "items": self.widened(known["items"], offered["items"], key)}
        if known["type"] == "union" and known["by"] == offered["by"]:
            told = {**known["variants"], **known.get("aliases", {})}
            more = {choice: name for choice, name in offered["variants"].items() if choice not in told}
            settled = self._settled({**offered, "variants": more}, key)["variants"] if more else {}
            return {**known, "variants": {**known["variants"], **settled}}
        values = [*offered.get("enum", ()), *offered.get("examples", ())]
        widened: Node = extended(known, values) if "enum" in known or "examples" in known else known
        return widened

    def _settled(self, node: Node, key: str) -> Node:
        """A new node: what a union's choice means is what it means elsewhere, else a class that is brought along."""
        if node["type"] == "union":
            variants = {
                choice: self.variants.get((key, node["by"], choice)) or self._member(name, node["by"], choice)
                for choice, name in node["variants"].items()
            }
            return {**node, "variants": variants}
        for inner in ("items", "values"):
            if inner in node:
                node = {**node, inner: self._settled(node[inner], key)}
        if "options" in node:
            node = {**node, "options": [self._settled(option, key) for option in node["options"]]}
        return node

    def _member(self, name: str, by: str, choice: str) -> str:
        """A class of a union, by the name of the class that it repeats, where there is one."""
        keys = self.classes.fields[name].keys() - {by}
        spelled = choice.replace("-", "").lower()
        same = (
            other
            for other, fields in sorted(self.classes.fields.items())
            if "_" not in other and spelled in other.lower() and keys and fields.keys() - {by} == keys
        )
        known = self.classes.known_as(next(same, name))
        values = self.tags.setdefault(known, (by, []))[1]
        values += [] if choice in values else [choice]
        return known

    def bring(self) -> None:
        """The classes that new nodes name, and those that these name, as types."""
        while waiting := [name for name in self.classes.taken if name not in self.types]:
            for name in waiting:
                definition = self.classes.type_of(name)
                definition["fields"] = {key: self._settled(node, key) for key, node in definition["fields"].items()}
                if name in self.tags:
                    by, values = self.tags[name]
                    definition["fields"][by] = {"type": "string", "enum": values}
                    definition["required"] = [by, *(key for key in definition["required"] if key != by)]
                mark_type(name, definition, {})
                self.types[name] = definition
