"""JSON made odd, from a seed: what a hand, a merge, a proxy or a stranger makes of good data."""

from __future__ import annotations

import copy
import os
from random import Random
from typing import Any

# How often each fuzz test tries: few in the suite, thousands with VOICEOPS_FUZZ=5000.
TIMES = int(os.environ.get("VOICEOPS_FUZZ", "0"))


def seeds(few: int) -> range:
    """The seeds to try: `few`, or as many as VOICEOPS_FUZZ says."""
    return range(TIMES or few)


def deep(count: int, odd: Any = 1) -> Any:
    for index in range(count):
        odd = [odd] if index % 2 else {"a": odd}
    return odd


ODD: list[Any] = [None, True, False, [], [None], [[]], ["x", 5], [{}], {}, {"": None}, {"a": {}}, {"id": 5}]
ODD += [0, -1, 1, 7.5, 10**30, -(10**30), 1e308]
ODD += ["", " ", "x", "0", "null", "a\nb", "\x1b[2J", "\u202e", "\ud83d", "../..", "[", "a[0", '["', "é" * 300]
ODD += ["Agent/", "Agent/x", "Nonsense/x", "::ref", "2026-13-45T99:99:99Z"]
ODD += [{"::ref": 5}, {"::ref": "Agent/x"}, {"::secret": 5}, {"::secret": ["A"], "parts": ["a"]}, {"::absent": True}]
ODD += [{"::template": [5]}, {"::template": "x"}, {"::secret": [], "fingerprint": 7}]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree but its root."""
    found = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found.append((*path, key))
        found += places(item, (*path, key))
    return found


def mutated(value: Any, random: Random) -> Any:
    """A copy with one to three places made odd."""
    if random.random() < 0.04:
        return random.choice([*ODD, deep(60), deep(150)])
    value = copy.deepcopy(value)
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        known = places(value)
        if not known:
            return random.choice(ODD)
        *way, last = random.choice(known)
        parent = value
        for step in way:
            parent = parent[step]
        _spoil(parent, last, random)
    return value


def _spoil(parent: Any, last: Any, random: Random) -> None:
    match random.choice(["odd", "odd", "odd", "drop", "wrap", "text", "number", "deep", "double", "rename"]):
        case "drop":
            del parent[last]
        case "wrap":
            parent[last] = [parent[last]] if random.random() < 0.5 else {"a": parent[last]}
        case "text":
            parent[last] = str(parent[last])
        case "number":
            parent[last] = len(str(parent[last]))
        case "deep":
            parent[last] = deep(random.choice([30, 80, 200]))
        case "double" if isinstance(parent, list):
            parent.append(copy.deepcopy(parent[last]))
        case "rename" if isinstance(parent, dict):
            parent[random.choice(["", "x", "Agent/", "a\nb", "[", "::ref", "id", "name"])] = parent.pop(last)
        case _:
            parent[last] = random.choice(ODD)
