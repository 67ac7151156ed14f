"""Writes docs/kinds.md: every kind with its endpoint, its bodies, and every place where a name may stand for an id.

    python scripts/make_kinds_table.py [--check]

All of it comes from `voiceops/kinds/` and `schema/vapi.json`.
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from voiceops.kinds.base import Kind
from voiceops.kinds.registry import KINDS, PARTS
from voiceops.kinds.schema import facts, root

OUT = Path(__file__).parent.parent / "docs" / "kinds.md"

HEAD = """\
# The kinds

<!-- Written by scripts/make_kinds_table.py from voiceops/kinds/ and schema/vapi.json. -->

What each kind of manifest is at the vendor, and where in it a manifest's name may stand for an id.
[schema-format.md](schema-format.md) explains the facts; `voiceops schema KIND` prints a kind's schema.
"""

MOCKED = ("ScenarioToolMock", "toolName")  # no reference of the facts: it takes a function's name, not an object's
DEPTH = 3  # dots in a path up to which every place of a type is listed

COLUMNS = """\
- **Bodies**: the types that the API publishes for creating and updating one.
- **Fields**: those of the body itself, and of everything that can stand inside it.
- **Unions**: places where one key (`provider`, `type`, …) chooses between types, and how many types in all.
- **For good**: fields that can't change: another value is a new object, and its users follow.
"""

REFERENCES = """\
## Names for ids

Under each kind, where the API takes an id of another object, or its live name: a manifest's name may stand there. An id
passes as it is. Deep inside, a type is listed once, at its shortest path: where it stands elsewhere (in overrides,
hooks, inline tools), names may stand there too. `[]` is an item of a list. The manifest may be an `external:` one
([concepts.md](concepts.md)).

`agent: NAME` may be written for `assistantId`, and `squad: NAME` for `squadId`. An Eval takes either, too: whom
`voiceops test` runs it against ([testing.md](testing.md)); Vapi is not sent it with the eval.
"""


def _stand_ins() -> str:
    """Kinds that may be named where another kind is wanted."""
    return "".join(
        f"Where a `{other}` is wanted, `{kind.name}/NAME` means its `{attribute}`.\n"
        for kind in KINDS.values()
        for other, attribute in kind.stands_for.items()
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write docs/kinds.md from the kinds and the facts.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file would change")
    options = parser.parse_args(arguments)
    text = page()
    if options.check:
        same = OUT.is_file() and OUT.read_text(encoding="utf-8") == text
        print(f"{OUT.name} {'is up to date' if same else 'differs: run scripts/make_kinds_table.py'}")
        return 0 if same else 1
    OUT.write_text(text, encoding="utf-8")
    return 0


def page() -> str:
    return "\n".join([HEAD, _objects(), _parts(), COLUMNS, REFERENCES, _stand_ins(), *_references()]).rstrip() + "\n"


def _objects() -> str:
    lines = [
        "## With a live object",
        "",
        "| kind | endpoint | in plans | bodies | fields | unions | for good |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS.values():
        lines.append(
            f"| `{kind.name}` | {_endpoint(kind)} | `{kind.type}` | {_bodies(kind.name)} "
            f"| {_counts(kind.name)} | {_for_good(kind)} |"
        )
    return "\n".join([*lines, ""])


def _endpoint(kind: Kind) -> str:
    paths = [f"`{place.path}`" for place in kind.collections()]
    paths += [f"`{kind.path}/{{id}}/{beside.path}`" for beside in kind.attached.values()]
    return ", ".join(paths)


def _for_good(kind: Kind) -> str:
    fields = [f"`{key}`" for key in sorted(kind.immutable)]
    for value, keys in kind.immutable_by.items():
        fields += [f"`{key}` ({value})" for key in sorted(keys)]
    return ", ".join(fields)


def _parts() -> str:
    lines = ["## Parts of others", "", "| kind | types | fields | unions |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {_names(facts()['roots'][name])} | {_counts(name)} |" for name in PARTS]
    return "\n".join([*lines, ""])


def _bodies(name: str) -> str:
    entry = facts()["roots"][name]
    return ", ".join(_names(entry[operation]) for operation in ("create", "update"))


def _names(target: Any) -> str:
    """A type by its name; a union by how many there are and how they are told apart."""
    return f"`{target}`" if isinstance(target, str) else f"{len(target['variants'])} by `{target['by']}`"


def _counts(name: str) -> str:
    types = facts()["types"]
    node = root(name, "manifest")
    own = {key for type_ in _types_of(node) for key in types[type_]["fields"]}
    reached = {type_ for _, type_ in _walk(node)}
    unions = [
        union for type_ in reached for field in types[type_]["fields"].values() for union in _unions(field)
    ] + list(_unions(node))
    variants = {type_ for union in unions for type_ in _types_of(union)}
    inside = sum(len(types[type_]["fields"]) for type_ in reached)
    return f"{len(own)}, {inside} in all | " + (f"{len(unions)}, {len(variants)} types" if unions else "none")


def _unions(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if node["type"] == "union":
        yield node
    for inner in [*node.get("options", []), *node.get("others", [])]:
        yield from _unions(inner)
    for key in ("items", "values"):
        if key in node:
            yield from _unions(node[key])


def _types_of(node: Mapping[str, Any]) -> list[str]:
    """The types that a node may mean, those of lists aside."""
    if node["type"] == "object":
        return [node["of"]] if "of" in node else []
    if node["type"] == "union":
        return [*node["variants"].values(), *node.get("patterns", {}).values()]
    return []


def _walk(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every type that a body may hold, with every path to it of up to DEPTH steps, or else with the shortest one."""
    waiting: deque[tuple[str, Mapping[str, Any], frozenset[str]]] = deque([("", node, frozenset())])
    seen: set[str] = set()
    while waiting:
        path, here, trail = waiting.popleft()
        for type_ in _types_of(here):
            if type_ in trail or (type_ in seen and path.count(".") >= DEPTH):
                continue
            seen.add(type_)
            yield path, type_
            for key, field in facts()["types"][type_]["fields"].items():
                waiting.append((f"{path}.{key}" if path else key, field, trail | {type_}))
        if here["type"] == "array":
            waiting.append((f"{path}[]", here.get("items", {"type": "any"}), trail))
        elif "values" in here:
            waiting.append((f"{path}.*", here["values"], trail))
        waiting.extend((path, option, trail) for option in [*here.get("options", []), *here.get("others", [])])


def _references() -> Iterator[str]:
    for name in [*KINDS, *PARTS]:
        rows = dict(_places(name))
        if rows:
            yield "\n".join([f"### {name}", "", "| where | a name of |", "|---|---|"])
            yield "\n".join([*(f"| `{path}` | {what} |" for path, what in rows.items()), ""])


def _places(name: str) -> Iterator[tuple[str, str]]:
    """Where a name may stand, and for what; from the outside in."""
    for path, type_ in _walk(root(name, "manifest")):
        for key, field in facts()["types"][type_]["fields"].items():
            here = (f"{path}.{key}" if path else key) + ("[]" if field["type"] == "array" else "")
            if (type_, key) == MOCKED:
                yield here, "`Tool`, sent as its function name"
            elif kind := field.get("reference"):
                yield here, f"`{kind}`" + (", sent as its live name" if field.get("referenceBy") == "name" else "")
            elif kind := field.get("mayReference"):
                yield here, f"`{kind}`, sent as its `{field['attribute']}`"
            elif beside := field.get("follows"):
                yield here, f"none: the newest one of `{beside}`, unless it is given"


if __name__ == "__main__":
    sys.exit(main())
