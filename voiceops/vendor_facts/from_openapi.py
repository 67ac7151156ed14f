"""From the vendor's OpenAPI document to the facts about its API, repaired and marked.

Names, types, ranges and values are taken over, descriptions are not. The format of the facts is described in
docs/schema-format.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from voiceops.kinds.registry import KINDS
from voiceops.vendor_facts import marks
from voiceops.vendor_facts.facts_text import FORMAT, copied, rules
from voiceops.vendor_facts.hand_written import ROOTS, SPECS, TYPES, Spec
from voiceops.vendor_facts.notes import Note, NoteKind
from voiceops.vendor_facts.openapi_nodes import Node, Schema, Translator
from voiceops.vendor_facts.repairs import REPAIRS, TAGS, Repair

# The collection of each kind whose bodies the document describes: those that no place of their body chooses.
COLLECTIONS = {kind.name: kind.path for kind in KINDS.values() if not kind.path_by}
# Kinds whose bodies are found by their types' names too: `CreateSUFFIXDTO`, chosen by the key. Credentials have no
# published path; the path of tools leaves some out.
BY_NAME = {"Credential": ("Credential", "provider"), "Tool": ("Tool", "type")}
# Parts of an assistant that have manifests of their own.
PARTS = {"Model": "model", "Server": "server", "Transcriber": "transcriber", "Voice": "voice"}
_JSON = "application/json"


def build(openapi: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    """The facts, and what was expected and not found. The document is one that `checked_openapi` passes.

    A repair that no longer fits is left out; a kind without a published body has no root then.
    """
    notes: list[Note] = []
    schemas: Mapping[str, Schema] = openapi["components"]["schemas"]
    translator = Translator(schemas, TAGS)
    types = {name: translator.type_of(name) for name in schemas}
    roots = _collections(openapi, translator, notes) | copied(ROOTS)
    for kind, (suffix, key) in BY_NAME.items():
        found = _laid_over(_by_name(schemas, suffix, key), roots.get(kind, {}))
        if "create" in found:
            roots[kind] = found
    types |= translator.merged | copied(TYPES)
    untried = "a pattern that can't be tried in bounded time: left out"
    notes += [Note("untried", pattern[:60], untried) for pattern in translator.untried]
    notes += [Note("undescribed", name, "named, but not described") for name in dict.fromkeys(translator.missing)]
    for repair in REPAIRS:
        notes.extend(apply_repair(repair, types))
    roots |= _parts(types)
    for kind, spec in SPECS.items():
        if kind in roots and roots[kind].get("create") in types:
            roots[kind]["manifest"] = f"{kind}Manifest"
            types[f"{kind}Manifest"] = _as_written(types[roots[kind]["create"]], spec)
    reached = _reached(roots, types, notes)
    for name, definition in reached.items():
        mark_type(name, definition, schemas.get(name, {}))
    facts = {
        "format": FORMAT,
        "rules": rules(),
        "roots": dict(sorted(roots.items())),
        "answered": _answered(reached, roots, schemas),
        "elsewhere": copied(marks.ELSEWHERE),
        "types": dict(sorted(reached.items())),
    }
    return facts, notes


def _answered(
    types: Mapping[str, Any], roots: Mapping[str, Any], schemas: Mapping[str, Schema]
) -> dict[str, list[str]]:
    """What Vapi sets in an object by itself: of any object (`*`), and beyond that by the type of its body."""
    found = {"*": sorted(marks.ANSWERED)}
    bodies = {name: name for name in types}
    bodies |= {f"{kind}Manifest": roots[kind]["create"] for kind in SPECS if "manifest" in roots.get(kind, {})}
    for name, body in bodies.items():
        match = re.fullmatch(r"(?:Create|Update)(.+)DTO", body)
        answer = schemas.get(match[1], {}).get("properties", {}) if match else {}
        taken = {*types[name]["fields"], *types[body]["fields"], *marks.ANSWERED} if name in types else {*answer}
        if more := sorted({*answer} - taken):
            found[name] = more
    return dict(sorted(found.items()))


def apply_repair(repair: Repair, types: dict[str, dict[str, Any]]) -> Iterator[Note]:
    """Change the field in every type that the repair names, alone or merged; yields what didn't fit.

    A field that was added is left as it is where it is published by now.
    """
    for named in repair.types:
        where = f"{named}.{repair.field}"
        if named not in types:
            yield Note("repair-gone", where, "no such type to repair", repair.reason)
        for name in types:
            if named not in name.split("+"):
                continue
            fields = types[name]["fields"]
            published = fields.get(repair.field)
            repaired = _repaired(repair, published)
            if (repair.how == "add") is (published is None):
                fields[repair.field] = repaired
            if name == named and (misfit := _misfit(repair, published, repaired)):
                yield Note(misfit[0], where, misfit[1], repair.reason)


def _repaired(repair: Repair, published: Node | None) -> Node:
    if repair.how == "merge":
        merged: Node = _laid_over(published, repair.node)
        return merged
    if repair.how == "extend" and published is not None:
        more: Node = extended(published, repair.node["enum"])
        return more
    anew: Node = copied(repair.node)
    return anew


def extended(node: Any, values: Sequence[Any]) -> Any:
    """The node with values appended to the first list of them, however deep it stands."""
    if isinstance(node, dict):
        for key in ("enum", "examples"):
            if isinstance(node.get(key), list):
                return node | {key: [*node[key], *(value for value in values if value not in node[key])]}
        for key in ("items", "options", "others"):
            if key in node and (changed := extended(node[key], values)) != node[key]:
                return node | {key: changed}
    if isinstance(node, list):
        for index, item in enumerate(node):
            if (changed := extended(item, values)) != item:
                return [*node[:index], changed, *node[index + 1 :]]
    return node


def _misfit(repair: Repair, published: Node | None, repaired: Node) -> tuple[NoteKind, str] | None:
    if repair.how == "add":
        return None if published is None else ("repair-published", "published now, compare it with the repair")
    if published is None:
        return "repair-gone", "no such field to repair"
    return ("repair-needless", "published as repaired, the repair can go") if repaired == published else None


def _laid_over(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: _laid_over(below.get(key), value) for key, value in above.items()}
    return copied(above)


def _as_written(body: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    """A body as a manifest writes it."""
    fields = {key: node for key, node in body["fields"].items() if key not in spec.drops} | spec.adds
    required = [key for key in body["required"] if key not in spec.drops]
    return {"required": [*required, *spec.requires], "fields": copied(fields)}


def _collections(openapi: Mapping[str, Any], translator: Translator, notes: list[Note]) -> dict[str, Any]:
    roots: dict[str, Any] = {}
    for kind, path in COLLECTIONS.items():
        if kind in BY_NAME and path not in openapi["paths"]:
            continue
        root: dict[str, Any] = {}
        for operation, where, method in (("create", path, "post"), ("update", f"{path}/{{id}}", "patch")):
            content = openapi["paths"].get(where, {}).get(method, {}).get("requestBody", {}).get("content", {})
            media = _JSON if _JSON in content else next(iter(content), "")
            body = content.get(media, {}).get("schema")
            node = None if body is None else translator.node(body)
            if node is None or not ("of" in node or node["type"] == "union"):
                notes.append(Note("no-body", kind, f"{method.upper()} {where} takes no body"))
                continue
            root[operation] = as_root(node)
            if media != _JSON:
                root["media"] = media
        if "create" in root:
            roots[kind] = root
    return roots


def as_root(node: Node) -> Any:
    """A root is a type's name, or a union without its `type`."""
    return node["of"] if node["type"] == "object" else {key: node[key] for key in node if key != "type"}


def _by_name(schemas: Mapping[str, Schema], suffix: str, key: str) -> dict[str, Any]:
    """The bodies of a kind whose path is not published, or doesn't list them all: by the names of their types.

    An update may leave the key out that chooses its variant: it is the one of the create body of its name.
    """
    root: dict[str, dict[str, str]] = {"create": {}, "update": {}}
    for name in schemas:
        if match := re.fullmatch(rf"Create(.+){suffix}DTO", name):
            updated = f"Update{match[1]}{suffix}DTO"
            for choice in schemas[name].get("properties", {}).get(key, {}).get("enum", []):
                root["create"][choice] = name
                if updated in schemas:
                    root["update"][choice] = updated
    return {operation: {"by": key, "variants": variants} for operation, variants in root.items() if variants}


def _parts(types: Mapping[str, Any]) -> dict[str, Any]:
    fields = types.get("CreateAssistantDTO", {}).get("fields", {})
    nodes = {kind: fields[key] for kind, key in PARTS.items() if key in fields}
    return {kind: as_root(node) for kind, node in nodes.items() if "of" in node or node["type"] == "union"}


def names_in(value: Any) -> Iterator[str]:
    """The types that a root or a node names, at any depth."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "of":
                yield item
            elif key in ("variants", "patterns"):
                yield from item.values()
            else:
                yield from names_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from names_in(item)


def _reached(roots: Mapping[str, Any], types: Mapping[str, Any], notes: list[Note]) -> dict[str, dict[str, Any]]:
    """The types that the roots reach, each with its fields in order."""
    waiting: list[str] = []
    for root in roots.values():
        operations = ("create", "update", "manifest")
        bodies = [root[key] for key in operations if key in root] if "create" in root else [root]
        for body in bodies:
            waiting.extend([body] if isinstance(body, str) else names_in(body))
    reached: dict[str, dict[str, Any]] = {}
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        if name not in types:
            notes.append(Note("undescribed", name, "named, but not described"))
            continue
        definition = types[name]
        reached[name] = {**definition, "fields": dict(sorted(definition["fields"].items()))}
        waiting.extend(names_in(definition["fields"]))
    return reached


def mark_type(name: str, definition: dict[str, Any], schema: Schema) -> None:
    """Say which fields are references, which are secret, and which lists of values are open."""
    fields = definition["fields"]
    if name in marks.FREE:
        definition["free"] = True
    if relaxed := marks.RELAXED.get(name):
        definition["required"] = [key for key in definition["required"] if key not in relaxed]
    for key, node in fields.items():
        texts = node["items"] if node["type"] == "array" else node
        published = schema.get("properties", {}).get(key, {})
        places = [(part, key) for part in name.split("+")]
        if key in marks.OPEN or any(place in marks.OPEN_FIELDS for place in places):
            _open(node)
        if texts["type"] == "string":
            _mark_text(key, node, places, published)


def _open(node: Node) -> None:
    """Every list of values in this node, in its items and its alternatives, holds only what is known so far."""
    if "enum" in node:
        node["open"] = True
    for inner in (node.get("items"), *node.get("options", []), *node.get("others", [])):
        if inner is not None:
            _open(inner)


def _mark_text(key: str, node: Node, places: Sequence[tuple[str, str]], published: Schema) -> None:
    if key in marks.REFERENCES:
        node["reference"] = marks.REFERENCES[key]
        if node["type"] == "array":
            node["set"] = True
    for place in places:
        if place in marks.NAME_REFERENCES:
            node |= {"reference": marks.NAME_REFERENCES[place], "referenceBy": "name"}
        if place in marks.PROVIDER_REFERENCES:
            kind, attribute = marks.PROVIDER_REFERENCES[place]
            node |= {"mayReference": kind, "attribute": attribute}
        if place in marks.FOLLOWERS:
            beside, attribute = marks.FOLLOWERS[place]
            node |= {"follows": beside, "attribute": attribute}
        if key in marks.SECRETS or place in marks.SECRET_FIELDS or _is_write_only(published):
            node["secret"] = True


def _is_write_only(schema: Schema) -> bool:
    return bool(schema.get("writeOnly")) or "not returned in the API" in schema.get("description", "")
