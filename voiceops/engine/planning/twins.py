"""Unmanaged live objects that a resource could be: known by their names; nameless ones by being equal to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from voiceops.engine.options import Options
from voiceops.engine.planning.sameness import equals, nothing_beyond
from voiceops.engine.planning.view import Inputs, Matched
from voiceops.kinds.base import is_stock
from voiceops.kinds.nodes import body_node
from voiceops.kinds.registry import KINDS, kind_of_type
from voiceops.model.graph import Resource
from voiceops.model.live import SETTLE, Snapshot
from voiceops.model.state import State
from voiceops.model.values import leaves

NAMELESS = ""  # under which an object stands that has no name


def strangers(
    types: Iterable[str], state: State, snapshot: Snapshot, managed: frozenset[str], options: Options
) -> dict[str, dict[str, tuple[str, ...]]]:
    """The live ids of these types that the state does not hold, by each of their names in small letters, in order.

    Left out are the vendor's own objects, and what was deleted a moment ago, for the lists may not know that yet.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for type_ in types:
        kind = kind_of_type(type_)
        if kind is None:
            continue
        by_name: dict[str, list[str]] = {}
        for id_, live in sorted(snapshot.all(type_).items()):
            deleted = snapshot.date - state.gone.get(id_, -SETTLE) < options.settle
            if id_ in managed or deleted or is_stock(live):
                continue
            for name in {name.casefold() for name in kind.names_of(live)} | {NAMELESS}:
                by_name.setdefault(name, []).append(id_)
        found[type_] = {name: tuple(ids) for name, ids in by_name.items()}
    return found


def twins_of(inputs: Inputs, resource: Resource, desired: Callable[[], dict[str, Any]]) -> tuple[str, ...]:
    """Unmanaged objects that a resource could be; `desired` gives what it sets: a nameless one is known by that."""
    if inputs.options.marked not in (resource.name or ""):
        return ()  # so it is called in every other preview, too: nothing tells which of them is whose
    return _equal_twins(inputs, resource, desired()) if resource.name is None else _named_twins(inputs, resource)


def _named_twins(inputs: Inputs, resource: Resource) -> tuple[str, ...]:
    """Unmanaged objects that bear the resource's name."""
    kind = KINDS[resource.kind]
    name = kind.name_of(resource.body)
    if name is None:
        return ()
    # Another environment of this project may own an object of the same name, but never the same number.
    alone = any(resource.body.get(key) for key in kind.unique)
    return tuple(
        id_
        for id_ in inputs.strangers.get(resource.type, {}).get(name.casefold(), ())
        if (alone or id_ not in inputs.options.siblings)
        and kind.is_called_as(inputs.snapshot.get(resource.type, id_), resource.body)
    )


def _equal_twins(inputs: Inputs, resource: Resource, desired: dict[str, Any]) -> tuple[str, ...]:
    """Unmanaged objects that are just what a nameless resource asks for: there is nothing else to know them by."""
    node = body_node(KINDS[resource.kind], "create")
    objects = inputs.snapshot.all(resource.type)
    return tuple(
        id_
        for id_ in inputs.strangers.get(resource.type, {}).get(NAMELESS, ())
        if id_ not in inputs.options.siblings
        and equals(desired, objects[id_], node)
        and nothing_beyond(desired, objects[id_], node)
    )


def left_behind(inputs: Inputs, resource: Resource) -> tuple[str, ...]:
    """An object that left management and stayed with the vendor: the one to take back, though it has no name."""
    id_ = (inputs.options.returning or {}).get(resource.address)
    stayed = KINDS[resource.kind].stays is not None and id_ is not None and id_ not in inputs.managed
    return (id_,) if id_ and stayed and inputs.snapshot.get(resource.type, id_) else ()


def claims_of(found: Mapping[str, Matched]) -> dict[str, tuple[str, ...]]:
    """Which addresses could each be an unmanaged live object: of several none may take it without being told to."""
    claims: dict[str, tuple[str, ...]] = {}
    for address, each in found.items():
        if each.entry is None:
            for id_ in each.twins:
                claims[id_] = (*claims.get(id_, ()), address)
    return claims


def users_of(ids: Iterable[str], snapshot: Snapshot) -> dict[str, list[str]]:
    """The live objects that mention each of these ids, as people know them."""
    found: dict[str, list[str]] = {id_: [] for id_ in ids}
    if found:
        for kind in KINDS.values():
            for other_id, other in snapshot.all(kind.type).items():
                for id_ in {leaf for _, leaf in leaves(other) if isinstance(leaf, str)} & found.keys() - {other_id}:
                    found[id_].append(f"{kind.title} {kind.name_of(other) or other_id}")
    return found
