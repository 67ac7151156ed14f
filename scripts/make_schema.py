"""Writes schema/vapi.json, the facts about Vapi's API, from the vendor's OpenAPI document.

    python scripts/make_schema.py OPENAPI.json [--out schema/vapi.json] [--check]

The format of the facts is described in docs/schema-format.md. Names, types, ranges and values are taken over,
descriptions are not.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import schema_marks as marks
from schema_nodes import Node, Schema, Translator
from schema_repairs import REPAIRS, TAGS, Repair
from schema_types import ROOTS, SPECS, TYPES, Spec

from voiceops.kinds.registry import KINDS

FORMAT = 1
OUT = Path(__file__).parent.parent / "schema" / "vapi.json"

# The collection of each kind whose bodies the document describes: those that no place of their body chooses.
COLLECTIONS = {kind.name: kind.path for kind in KINDS.values() if not kind.path_by}
# Kinds whose bodies are found by their types' names too: `CreateSUFFIXDTO`, chosen by the key. Credentials have no
# published path; the path of tools leaves some out.
BY_NAME = {"Credential": ("Credential", "provider"), "Tool": ("Tool", "type")}
# Parts of an assistant that have manifests of their own.
PARTS = {"Model": "model", "Server": "server", "Transcriber": "transcriber", "Voice": "voice"}
_JSON = "application/json"


def build(openapi: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The facts, and what was expected and not found: then a repair or a root needs a look."""
    notes: list[str] = []
    schemas: Mapping[str, Schema] = openapi["components"]["schemas"]
    translator = Translator(schemas, TAGS)
    types = {name: translator.type_of(name) for name in schemas}
    roots = _collections(openapi, translator, notes) | _copy(ROOTS)
    for kind, (suffix, key) in BY_NAME.items():
        roots[kind] = _laid_over(_by_name(schemas, suffix, key), roots.get(kind, {}))
    types |= translator.merged | _copy(TYPES)
    for repair in REPAIRS:
        notes.extend(apply_repair(repair, types))
    roots |= _parts(types)
    for kind, spec in SPECS.items():
        if kind in roots:
            roots[kind]["manifest"] = f"{kind}Manifest"
            types[f"{kind}Manifest"] = _as_written(types[roots[kind]["create"]], spec)
    reached = _reached(roots, types, notes)
    for name, definition in reached.items():
        _mark(name, definition, schemas.get(name, {}))
    facts = {
        "format": FORMAT,
        "roots": dict(sorted(roots.items())),
        "answered": _answered(reached, roots, schemas),
        "elsewhere": _copy(marks.ELSEWHERE),
        "types": dict(sorted(reached.items())),
    }
    return facts, notes


def _answered(
    types: Mapping[str, Any], roots: Mapping[str, Any], schemas: Mapping[str, Schema]
) -> dict[str, list[str]]:
    """What Vapi sets in an object by itself: of any object (`*`), and beyond that by the type of its body."""
    found = {"*": sorted(marks.ANSWERED)}
    bodies = {name: name for name in types}
    bodies |= {f"{kind}Manifest": roots[kind]["create"] for kind in SPECS if kind in roots}
    for name, body in bodies.items():
        match = re.fullmatch(r"(?:Create|Update)(.+)DTO", body)
        answer = schemas.get(match[1], {}).get("properties", {}) if match else {}
        taken = {*types[name]["fields"], *types[body]["fields"], *marks.ANSWERED} if name in types else {*answer}
        if more := sorted({*answer} - taken):
            found[name] = more
    return dict(sorted(found.items()))


def apply_repair(repair: Repair, types: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Change the field in every type that the repair names, alone or merged; yields what didn't fit."""
    for named in repair.types:
        if named not in types:
            yield f"{named}.{repair.field}: no such type to repair"
        for name in types:
            if named not in name.split("+"):
                continue
            fields = types[name]["fields"]
            published = fields.get(repair.field)
            repaired = _repaired(repair, published)
            if repair.how == "add" or published is not None:
                fields[repair.field] = repaired
            if name == named and (note := _misfit(repair, published, repaired)):
                yield f"{name}.{repair.field}: {note}"


def _repaired(repair: Repair, published: Node | None) -> Node:
    if repair.how == "merge":
        merged: Node = _laid_over(published, repair.node)
        return merged
    if repair.how == "extend" and published is not None:
        extended: Node = _extended(published, repair.node["enum"])
        return extended
    copied: Node = _copy(repair.node)
    return copied


def _extended(node: Any, values: Sequence[Any]) -> Any:
    """The node with values appended to the first list of them, however deep it stands."""
    if isinstance(node, dict):
        for key in ("enum", "examples"):
            if isinstance(node.get(key), list):
                return node | {key: [*node[key], *(value for value in values if value not in node[key])]}
        for key in ("items", "options", "others"):
            if key in node and (changed := _extended(node[key], values)) != node[key]:
                return node | {key: changed}
    if isinstance(node, list):
        for index, item in enumerate(node):
            if (changed := _extended(item, values)) != item:
                return [*node[:index], changed, *node[index + 1 :]]
    return node


def _misfit(repair: Repair, published: Node | None, repaired: Node) -> str | None:
    if repair.how == "add":
        return None if published is None else "published now, compare it with the repair"
    if published is None:
        return "no such field to repair"
    return "published as repaired, the repair can go" if repaired == published else None


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _laid_over(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: _laid_over(below.get(key), value) for key, value in above.items()}
    return _copy(above)


def _as_written(body: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    """A body as a manifest writes it."""
    fields = {key: node for key, node in body["fields"].items() if key not in spec.drops} | spec.adds
    required = [key for key in body["required"] if key not in spec.drops]
    return {"required": [*required, *spec.requires], "fields": _copy(fields)}


def _collections(openapi: Mapping[str, Any], translator: Translator, notes: list[str]) -> dict[str, Any]:
    roots: dict[str, Any] = {}
    for kind, path in COLLECTIONS.items():
        if kind in BY_NAME and path not in openapi["paths"]:
            continue
        root: dict[str, Any] = {}
        for operation, where, method in (("create", path, "post"), ("update", f"{path}/{{id}}", "patch")):
            content = openapi["paths"].get(where, {}).get(method, {}).get("requestBody", {}).get("content")
            if not content:
                notes.append(f"{kind}: {method.upper()} {where} takes no body")
                continue
            [(media, body)] = content.items()
            root[operation] = as_root(translator.node(body["schema"]))
            if media != _JSON:
                root["media"] = media
        if root:
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
            for choice in schemas[name]["properties"].get(key, {}).get("enum", []):
                root["create"][choice] = name
                if updated in schemas:
                    root["update"][choice] = updated
    return {operation: {"by": key, "variants": variants} for operation, variants in root.items() if variants}


def _parts(types: Mapping[str, Any]) -> dict[str, Any]:
    fields = types.get("CreateAssistantDTO", {}).get("fields", {})
    return {kind: as_root(fields[key]) for kind, key in PARTS.items() if key in fields}


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


def _reached(roots: Mapping[str, Any], types: Mapping[str, Any], notes: list[str]) -> dict[str, dict[str, Any]]:
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
            notes.append(f"{name}: named, but not described")
            continue
        definition = types[name]
        reached[name] = {**definition, "fields": dict(sorted(definition["fields"].items()))}
        waiting.extend(names_in(definition["fields"]))
    return reached


def _mark(name: str, definition: dict[str, Any], schema: Schema) -> None:
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


def render(facts: Mapping[str, Any]) -> str:
    """The facts as text: one root, and one field of a type, on a line each."""
    lines = ["{", f'"format": {facts["format"]},', '"roots": {']
    lines.append(",\n".join(f"{_json(kind)}: {_json(root)}" for kind, root in facts["roots"].items()))
    lines.append("},")
    for section in ("answered", "elsewhere"):
        rows = ",\n".join(f"{_json(name)}: {_json(value)}" for name, value in facts[section].items())
        lines.append(f'"{section}": {{\n{rows}}},')
    lines.append('"types": {')
    lines.append(
        ",\n".join(f"{_json(name)}: {_rendered_type(definition)}" for name, definition in facts["types"].items())
    )
    return "\n".join([*lines, "}", "}"]) + "\n"


def _rendered_type(definition: Mapping[str, Any]) -> str:
    head = "".join(f"{_json(key)}: {_json(value)}, " for key, value in definition.items() if key != "fields")
    fields = ",\n".join(f" {_json(key)}: {_json(node)}" for key, node in definition["fields"].items())
    return f'{{{head}"fields": {{\n{fields}}}}}' if fields else f'{{{head}"fields": {{}}}}'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def write(path: Path, text: str) -> None:
    """Replace the file whole: nobody ever reads half of it."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the facts about Vapi's API from its OpenAPI document.")
    parser.add_argument("openapi", type=Path, help="the vendor's OpenAPI document, as JSON")
    parser.add_argument("--out", type=Path, default=OUT, help="the file to write (default: schema/vapi.json)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file differs")
    options = parser.parse_args(arguments)
    facts, notes = build(json.loads(options.openapi.read_text(encoding="utf-8")))
    for note in notes:
        print(note, file=sys.stderr)
    if notes:
        print("Nothing written: look at scripts/schema_repairs.py first.", file=sys.stderr)
        return 1
    text = render(facts)
    if options.check:
        same = options.out.is_file() and options.out.read_text(encoding="utf-8") == text
        print(f"{options.out} {'is up to date' if same else 'differs'}")
        return 0 if same else 1
    write(options.out, text)
    print(f"{options.out}: {len(facts['roots'])} roots, {len(facts['types'])} types, {len(text.encode()) // 1024} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
