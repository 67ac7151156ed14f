"""Where a key stands in the bodies of a kind: for hints about keys that stand in the wrong place.

Deprecated fields are no places: nobody is sent to them. Neither is what stands in for something else (`fallbackPlan`),
which has the same fields as the thing itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from voiceops.kinds.registry import ALL
from voiceops.kinds.schema import Node, in_force, per_facts, root, type_of

_DEEPEST = 4
_TWINS = frozenset({"fallbackPlan", "credentials"})
# Keys that stand in so many places that none of them is meant.
_EVERYBODYS = frozenset({"content", "description", "enabled", "key", "message", "name", "title", "type", "value"})
# What Vapi adds to whatever has an id, at any depth.
_EVERYWHERE = frozenset({"id", "orgId", "createdAt", "updatedAt"})


def is_answered(type_name: str, key: str) -> bool:
    """Whether Vapi sets the key by itself, in what it answers: nobody writes it."""
    answered = in_force().answered
    if key in type_of(type_name)["fields"]:
        return False
    if key in _EVERYWHERE or key in answered.get(type_name, ()):
        return True
    body = type_name.startswith(("Create", "Update")) or type_name.endswith("Manifest")
    return body and key in answered["*"]


def known_place(type_name: str, key: str) -> str:
    """Where a key belongs that people write into this type: a path, a sentence, or nothing."""
    for pattern, found in in_force().elsewhere.items():
        fits = type_name.endswith(pattern[1:]) if pattern.startswith("*") else type_name == pattern
        if fits and key in found:
            return str(found[key])
    return ""


def deeper(type_name: str, key: str) -> list[tuple[str, ...]]:
    """The shortest paths below an object of this type that end with the key."""
    return _shortest([path for path in _paths(type_name) if path[-1] == key and len(path) > 1])


def around(body: str, here: tuple[str, ...], key: str, farthest: int = 3) -> list[tuple[str, ...]]:
    """The places of the key in a body of this type that are nearest to `here`, the path of the object that holds it."""
    found: dict[int, list[tuple[str, ...]]] = {}
    for path in _paths(body) if key not in _EVERYBODYS else ():
        if path[-1] != key:
            continue
        above = path[:-1]
        shared = _shared(here, above)
        distance = len(here) - shared + len(above) - shared
        if 0 < distance <= farthest:
            found.setdefault(distance, []).append(path)
    return found[min(found)] if found else []


def kinds_with(key: str, besides: str) -> list[str]:
    """The other kinds that have the key at the top of their spec."""
    if key in _EVERYBODYS:
        return []
    return [kind for kind in ALL if kind != besides and (key,) in _usual_paths(kind)]


@per_facts
def _usual_paths(kind: str) -> tuple[tuple[str, ...], ...]:
    """The paths of a kind's body; where there are variants, those that a good part of them has."""
    types = list(dict.fromkeys(_types_of(root(kind, "manifest"))))
    counts = Counter(path for name in types for path in _paths(name))
    return tuple(path for path, count in counts.items() if 4 * count >= len(types))


def _shared(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """How many steps two paths begin with together."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _shortest(paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    length = min(map(len, paths), default=0)
    return list(dict.fromkeys(path for path in paths if len(path) == length))


@per_facts
def _paths(type_name: str, depth: int = _DEEPEST) -> tuple[tuple[str, ...], ...]:
    """Every path below an object of the type, down to a depth."""
    return tuple(dict.fromkeys(_walk(type_name, depth)))


def _walk(type_name: str, depth: int) -> Iterator[tuple[str, ...]]:
    for key, node in type_of(type_name)["fields"].items():
        if node.get("deprecated") or key in _TWINS:
            continue
        yield (key,)
        for inner in dict.fromkeys(_types_of(node)) if depth > 1 else ():
            for path in _paths(inner, depth - 1):
                yield (key, *path)


def _types_of(node: Node) -> Iterator[str]:
    """The types of the maps that a node takes, in its items and its alternatives too."""
    if node["type"] == "object" and "of" in node:
        yield node["of"]
    elif node["type"] == "union":
        yield from node["variants"].values()
    inner: list[Any] = [node.get("items"), *node.get("options", ()), *node.get("others", ())]
    for part in inner:
        if part is not None:
            yield from _types_of(part)
