"""From graph, state and snapshot to the view that a plan is decided from: everything is found out once, here."""

from __future__ import annotations

from collections.abc import Mapping

from voiceops.engine.options import Options
from voiceops.engine.planning.externals import externals_of, reached_through
from voiceops.engine.planning.match import match
from voiceops.engine.planning.references import KnownIds, wanted
from voiceops.engine.planning.strategies import strategy_of
from voiceops.engine.planning.twins import claims_of, strangers, users_of
from voiceops.engine.planning.view import Inputs, View
from voiceops.kinds.registry import KINDS, LINES
from voiceops.model.address import owner_of
from voiceops.model.graph import Graph, reaching
from voiceops.model.live import Snapshot
from voiceops.model.state import Entry, State


def observe(graph: Graph, state: State, snapshot: Snapshot, options: Options) -> View:
    """What is desired, held and live, which of it belongs together, and what references are known to be."""
    inputs = _inputs(graph, state, snapshot, options)
    found = match(inputs)
    claims = claims_of(found)
    new = frozenset(
        address
        for address, resource in graph.resources.items()
        if strategy_of(resource.type).is_new(
            inputs, resource, found[address], contested=any(len(claims[id_]) > 1 for id_ in found[address].twins[:1])
        )
    )
    known = KnownIds(inputs, found, new)
    edges = edges_of(graph, inputs.entries) | _through_others(inputs)
    return View(
        graph=graph,
        state=state,
        snapshot=snapshot,
        options=options,
        externals=inputs.externals,
        entries=inputs.entries,
        moved=inputs.moved,
        managed=inputs.managed,
        strangers=inputs.strangers,
        found=found,
        claims=claims,
        users=users_of(claims, snapshot),
        new=new,
        desired={address: wanted(known, resource) for address, resource in graph.resources.items()},
        edges=edges,
        affects=reaching(edges, *LINES),
        previous={new: old for old, new in inputs.moved.items()},
    )


def _through_others(inputs: Inputs) -> dict[str, tuple[str, ...]]:
    """The edges of objects that somebody else manages: what callers reach through them is reached, too."""
    if not inputs.externals.found:
        return {}
    managed = {entry.id: owner_of(address) for address, entry in inputs.entries.items()}
    return reached_through(inputs.externals, inputs.snapshot, managed)


def _inputs(graph: Graph, state: State, snapshot: Snapshot, options: Options) -> Inputs:
    moved = {
        r.moved_from: a
        for a, r in graph.resources.items()
        if r.moved_from and r.moved_from in state.entries and a not in state.entries
    }
    entries = {moved.get(address, address): entry for address, entry in state.entries.items()}
    managed = frozenset(id_ for entry in state.entries.values() for id_ in (entry.id, *entry.deposed))
    types = {r.type for a, r in graph.resources.items() if a not in entries or KINDS[r.kind].unique}
    return Inputs(
        graph=graph,
        state=state,
        snapshot=snapshot,
        options=options,
        externals=externals_of(graph, snapshot),
        entries=entries,
        moved=moved,
        managed=managed,
        strangers=strangers(types, state, snapshot, managed, options),
    )


def edges_of(graph: Graph, entries: Mapping[str, Entry]) -> dict[str, tuple[str, ...]]:
    """Who refers to whom, by the addresses of manifests: as the graph wants it, and as it was applied."""
    edges: dict[str, list[str]] = {owner_of(address): [] for address in (*graph.resources, *entries)}
    for address in graph.resources:
        edges[owner_of(address)] += map(owner_of, graph.dependencies(address))
        edges[owner_of(address)] += graph.outside(address)
    for address, entry in entries.items():
        edges[owner_of(address)] += map(owner_of, entry.depends)
    return {address: tuple(found) for address, found in edges.items()}
