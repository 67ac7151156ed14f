"""One walk over all bodies, for every lint: maps and texts by the key under which they stand.

A lint asks for the keys that it knows instead of looking at every value again. An item of a list stands under the
list's key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from voiceops.lints.spot import Spot
from voiceops.model.graph import Resource
from voiceops.model.values import Path, Secret, Template

_BETWEEN = "\n"  # of two lines in the text that holds them all: no lint looks for anything over lines


class Index:
    """The maps, texts and markers of some resources, each in the order of the resources and of their bodies."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._maps_at: dict[str, list[Spot]] = {}
        # A place is made of its parts when somebody asks for it: most texts are never asked for.
        self._leaves_at: dict[str, list[tuple[Resource, Path, str | int, Any]]] = {}
        self.literals: list[Spot] = []  # secrets without a name: somebody wrote the value itself
        for resource in resources:
            self._add(resource, (), "", resource.body)
        lines: set[str] = set()  # prompts of one project share many
        for found in self._leaves_at.values():
            for _, _, _, value in found:
                lines.update((value if type(value) is str else text_of(value)).split(_BETWEEN))
        self.haystack = _BETWEEN.join(lines)
        self.folded = self.haystack.casefold()

    def _add(self, resource: Resource, path: Path, key: str, value: dict[str, Any] | list[Any]) -> None:
        """A map, or a list: what stands in a list stands under the list's key."""
        steps: Iterable[tuple[str | int, Any]]
        if type(value) is dict:
            self._maps_at.setdefault(key, []).append(Spot(resource, path, value))
            steps = value.items()
        else:
            steps = enumerate(value)
        for step, item in steps:
            under = key if type(step) is int else str(step)
            kind = type(item)
            if kind is str:
                self._leaves_at.setdefault(under, []).append((resource, path, step, item))
            elif kind is dict or kind is list:
                self._add(resource, (*path, step), under, item)
            elif kind is Secret or kind is Template:
                self._marker(resource, path, step, under, item)

    def _marker(self, resource: Resource, path: Path, step: str | int, key: str, item: Secret | Template) -> None:
        if isinstance(item, Secret) and not item.names:
            self.literals.append(Spot(resource, (*path, step), item))
        else:
            self._leaves_at.setdefault(key, []).append((resource, path, step, item))

    def maps_at(self, *keys: str) -> list[Spot]:
        """The maps under one of these keys, and those in a list under one."""
        return [spot for key in keys for spot in self._maps_at.get(key, ())]

    def texts_at(self, key: str) -> Iterator[tuple[Spot, str]]:
        """The texts under a key, with the literal parts of those that hold secrets or references."""
        for resource, path, step, value in self._leaves_at.get(key, ()):
            yield Spot(resource, (*path, step), value), text_of(value)

    def keys_of_texts(self) -> Iterable[str]:
        """Every key under which a text stands."""
        return self._leaves_at.keys()

    def texts(self) -> Iterator[tuple[Spot, str]]:
        """Every text, with the literal parts of those that hold secrets or references; by keys, not by files."""
        for key in self._leaves_at:
            yield from self.texts_at(key)


def text_of(value: Any) -> str:
    """A text, or a marker that stands for one, as it is looked at: what is not known yet is no letter of it."""
    if isinstance(value, Secret):
        return "\0".join(value.parts)
    if isinstance(value, Template):
        return "".join(part if isinstance(part, str) else "\0" for part in value.parts)
    return str(value)
