"""A value with its place in a resource's body, and what a lint says of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from voiceops.errors import Mark
from voiceops.model.graph import Resource
from voiceops.model.values import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place that a lint points at. `via` is where a manifest brings the text in that `mark` lies in."""

    mark: Mark
    summary: str
    hint: str = ""
    address: str = ""
    via: Mark | None = None


class Spot(NamedTuple):
    """A value somewhere in a resource's body. There are many: a tuple is made in half the time of a dataclass."""

    resource: Resource
    path: Path
    value: Any

    def get(self, *steps: str | int) -> Any:
        """The value below, or None."""
        value = self.value
        for step in steps:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def at(self, *steps: str | int) -> Spot:
        """The place below, with None as its value where nothing stands there."""
        return Spot(self.resource, (*self.path, *steps), self.get(*steps))

    def items(self, *steps: str | int) -> list[Spot]:
        """The items of a list below; none where there is no list."""
        found = self.get(*steps)
        if not isinstance(found, list):
            return []
        above = (*self.path, *steps)
        return [Spot(self.resource, (*above, index), item) for index, item in enumerate(found)]

    def mark(self, *steps: str | int) -> Mark:
        """Where the manifest sets the value below."""
        return self.resource.source_of((*self.path, *steps))

    def finding(self, summary: str, *steps: str | int, hint: str = "") -> Finding:
        """A finding about the value below."""
        return Finding(mark=self.mark(*steps), summary=summary, hint=hint, address=self.resource.address)


def body_of(resource: Resource) -> Spot:
    """A resource's whole body."""
    return Spot(resource, (), resource.body)


def walk(spot: Spot) -> Iterator[Spot]:
    """Every value below, the value itself first."""
    yield spot
    if isinstance(spot.value, dict):
        inside: Iterable[tuple[str | int, Any]] = spot.value.items()
    elif isinstance(spot.value, list):
        inside = enumerate(spot.value)
    else:
        return
    for step, value in inside:
        below = Spot(spot.resource, (*spot.path, step), value)
        if isinstance(value, (dict, list)):
            yield from walk(below)
        else:  # most of all there is: no generator for each
            yield below
