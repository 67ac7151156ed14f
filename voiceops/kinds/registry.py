"""Every kind by name. A file of this folder with a `KIND` in it is a kind: it is found, not listed.

A kind stands after those that it names in `after`, else by its name. Knows nothing of what a kind is for.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module

from voiceops import kinds as _folder
from voiceops.kinds.base import Kind
from voiceops.model.address import is_twilio_side, kind_of

# What stands in this folder beside the kinds, and reads them or their facts.
_NO_KINDS = frozenset(
    {"base", "fits", "json_schema", "named_objects", "nodes", "own_facts", "patterns", "places", "registry", "schema"}
)


def discovered(package: str, folders: Iterable[str]) -> dict[str, Kind]:
    """The kinds of a package by name, in their order. Its folders may be inside a zip.

    Raises TypeError: a file there holds no kind. Raises ValueError: the kinds don't fit together.
    """
    found: list[Kind] = []
    for module in pkgutil.iter_modules(folders):
        if module.name in _NO_KINDS:
            continue
        kind = getattr(import_module(f"{package}.{module.name}"), "KIND", None)
        if not isinstance(kind, Kind):
            raise TypeError(
                f"{package}.{module.name} has no `KIND = Kind(…)`: every file in voiceops/kinds/ is a kind, "
                "save those that _NO_KINDS in voiceops/kinds/registry.py names"
            )
        found.append(kind)
    return {kind.name: kind for kind in in_order(found)}


def in_order(kinds: Iterable[Kind]) -> list[Kind]:
    """Each after those that it names in `after`, and by name where that leaves a choice.

    Raises ValueError: two kinds have one name, `after` names none of them, or it goes in a circle.
    """
    waiting = sorted(kinds, key=lambda kind: kind.name)
    names = [kind.name for kind in waiting]
    if double := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"two files in voiceops/kinds/ call their kind {double}")
    placed: dict[str, Kind] = {}
    while waiting:
        following = next((kind for kind in waiting if all(name in placed for name in kind.after)), None)
        if following is None:
            lost = {kind.name: [name for name in kind.after if name not in placed] for kind in waiting}
            raise ValueError(f"these kinds wait for each other, or for one that does not exist, in `after`: {lost}")
        waiting.remove(following)
        placed[following.name] = following
    return list(placed.values())


_FOUND = discovered(_folder.__name__, _folder.__path__)

# What a manifest may be of.
KINDS: dict[str, Kind] = {name: kind for name, kind in _FOUND.items() if not kind.comes_with}

# Every kind of live object by its type, those that come with others' manifests included.
TYPES: dict[str, Kind] = {kind.type: kind for kind in _FOUND.values()}


@contextmanager
def also(*kinds: Kind) -> Iterator[None]:
    """Kinds of other packages beside ours, for as long as it lasts: plans, applies and states know them.

    Raises ValueError: a name or a type is taken.
    """
    for kind in kinds:
        if kind.name in KINDS or kind.type in TYPES:
            raise ValueError(f"there is a kind {kind.name}, or a type {kind.type}, already")
    KINDS.update({kind.name: kind for kind in kinds})
    TYPES.update({kind.type: kind for kind in kinds})
    try:
        yield
    finally:
        for kind in kinds:
            del KINDS[kind.name], TYPES[kind.type]


# Parts of others: they have no live object of their own.
PARTS = ("Voice", "Transcriber", "Model", "Server")

# Which part may stand by name at which key.
PART_KEYS = {"voice": "Voice", "transcriber": "Transcriber", "model": "Model", "server": "Server"}

ALL = [*KINDS, *PARTS]

# The kinds whose objects are lines: what callers dial.
LINES = tuple(kind.name for kind in KINDS.values() if kind.dialled)


def kind_of_type(type_: str) -> Kind | None:
    """The kind whose live objects have this type; None for what only stands beside one (a Twilio number)."""
    kind = TYPES.get(type_)
    return None if kind is None or kind.comes_with else kind


def type_at(address: str) -> str | None:
    """The type of the object under an address; None where nothing has such an address."""
    kind = KINDS.get(kind_of(address))
    if kind is None or not is_twilio_side(address):
        return kind.type if kind is not None else None
    return next((other.type for other in TYPES.values() if other.comes_with == kind.name), None)
