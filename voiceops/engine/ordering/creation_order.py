"""In which order new objects can come to be, and which references have to wait for a second step.

A circle (agent → handoff tool → agent) is made by creating one object without the list that closes it, then
sending that list whole: a shortened list is never sent. Only lists, or keys that Vapi doesn't require, can wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from voiceops.kinds.nodes import select
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import root, type_of
from voiceops.model.graph import Graph, Resource
from voiceops.model.values import Path, leaves, refs_in


class CircleError(Exception):
    """References run in a circle that no second step can close."""

    def __init__(self, circle: tuple[str, ...]) -> None:
        super().__init__(" → ".join(circle))
        self.circle = circle


@dataclass(frozen=True, slots=True)
class Creation:
    """`needs`: what must be live before an object is created; `deferred`: paths that its creation leaves out."""

    needs: dict[str, frozenset[str]]
    deferred: dict[str, tuple[Path, ...]]


def plan_creation(graph: Graph, new: set[str]) -> Creation:
    """Order the creation of `new`. Raises CircleError."""
    needs = {address: set(graph.dependencies(address)) & new for address in new}
    for address in new:
        # A reference to oneself: the id is known only afterwards.
        if any(ref.address == address and ref.attribute == "id" for ref in graph.references(address)):
            needs[address].add(address)
    deferred: dict[str, list[Path]] = {}
    while circle := _circle(needs):
        address, path, targets = _weakest(graph, circle, needs)
        deferred.setdefault(address, []).append(path)
        kept = _targets(graph.resources[address], leaving_out=deferred[address])
        needs[address] -= targets - kept
    return Creation(
        {address: frozenset(found) for address, found in needs.items()},
        {address: tuple(paths) for address, paths in deferred.items()},
    )


def _targets(resource: Resource, leaving_out: list[Path]) -> set[str]:
    found = set(resource.routes)
    for path, leaf in leaves(resource.body):
        if not any(path[: len(out)] == out for out in leaving_out):
            found.update(ref.address for ref in refs_in(leaf))
    return found


def _weakest(graph: Graph, circle: tuple[str, ...], needs: dict[str, set[str]]) -> tuple[str, Path, set[str]]:
    members = set(circle)
    for address in sorted(circle, key=lambda a: (KINDS[graph.resources[a].kind].waits, a)):
        for path, targets in _openings(graph.resources[address]):
            if targets & members & needs[address]:
                return address, path, targets
    raise CircleError((*circle, circle[0]))


def _openings(resource: Resource) -> Iterator[tuple[Path, set[str]]]:
    """The lists and keys of a body that hold references and may be left out at creation."""
    node = root(resource.kind) if resource.type.startswith("vapi_") else {"type": "any"}
    name = select(node, resource.body)
    required = set(type_of(name)["required"]) if name else set()
    found: dict[Path, set[str]] = {}
    for path, leaf in leaves(resource.body):
        targets = {ref.address for ref in refs_in(leaf)}
        if not targets:
            continue
        cut = next((position for position, step in enumerate(path) if isinstance(step, int)), None)
        opening = path[:cut] if cut is not None else path[:1]
        if opening[0] in required and len(opening) == 1:
            continue
        found.setdefault(opening, set()).update(targets)
    yield from found.items()


def _circle(needs: dict[str, set[str]]) -> tuple[str, ...] | None:
    """Some circle in the graph of needs, smallest address first; None without one."""
    done: set[str] = set()
    for start in sorted(needs):
        if start in done:
            continue
        trail: list[str] = [start]
        on_trail = {start}
        branches = [iter(sorted(needs[start]))]
        while trail:
            following = next(branches[-1], None)
            if following is None:
                done.add(trail[-1])
                on_trail.discard(trail.pop())
                branches.pop()
            elif following in on_trail:
                circle = trail[trail.index(following) :]
                smallest = circle.index(min(circle))
                return tuple(circle[smallest:] + circle[:smallest])
            elif following not in done and following in needs:
                trail.append(following)
                on_trail.add(following)
                branches.append(iter(sorted(needs[following])))
    return None
