"""Step 1 of planning: each resource's live object, by the state's id; by name only to notice unmanaged twins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from voiceops.engine.lines.twilio_number import in_voice_mode, lags, number_of
from voiceops.engine.planning.found import Found, completed, remembered
from voiceops.engine.planning.sameness import equals, nothing_beyond
from voiceops.kinds.base import is_stock
from voiceops.kinds.nodes import body_node
from voiceops.kinds.phone import TWILIO_TYPE
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Resource
from voiceops.model.live import SETTLE
from voiceops.model.state import Entry

if TYPE_CHECKING:
    from voiceops.engine.planning.planner import Planner


def find(planner: Planner, address: str) -> Found:
    """What is held and live of the resource or entry at an address."""
    entry = planner.entries.get(address)
    if entry is not None:
        entry = in_voice_mode(entry) if entry.type == TWILIO_TYPE else entry
        found = _find_managed(planner, entry)
        known = planner.graph.resources[address].body if address in planner.graph.resources else {}
        return found if found.live is None else replace(found, live=completed(entry, found.live, known))
    resource = planner.graph.resources[address]
    if resource.type == TWILIO_TYPE:
        number = number_of(planner.snapshot, resource)
        return Found(None, number)
    return Found(None, None, twins=twins_of(planner, resource) or _left_behind(planner, resource))


def _find_managed(planner: Planner, entry: Entry) -> Found:
    live = planner.snapshot.get(entry.type, entry.id)
    fresh = planner.snapshot.date - entry.recorded_at < planner.options.settle
    if live is None:
        return Found(entry, remembered(entry, None), settling=True) if fresh else Found(entry, None)
    older = lags(entry, live) if entry.type == TWILIO_TYPE else str(live.get("updatedAt") or "") < entry.updated_at
    if fresh and older:
        # The list still shows the object as it was before our last write.
        return Found(entry, remembered(entry, live), settling=True)
    return Found(entry, live)


def twins_of(planner: Planner, resource: Resource) -> tuple[str, ...]:
    """Unmanaged objects that bear the resource's name; of a nameless one, those that are equal to it."""
    if resource.name is None:
        return equal_twins(planner, resource)
    kind = KINDS[resource.kind]
    # Another environment of this project may own an object of the same name, but never the same number.
    is_number = resource.kind == "Phone" and any(resource.body.get(key) for key in ("number", "sipUri"))
    known = planner.managed if is_number else planner.managed | planner.options.siblings
    return tuple(
        id_
        for id_, live in sorted(planner.snapshot.all(resource.type).items())
        if id_ not in known
        and not _just_deleted(planner, id_)
        and not is_stock(live)
        and kind.is_called_as(live, resource.body)
    )


def equal_twins(planner: Planner, resource: Resource) -> tuple[str, ...]:
    """Unmanaged objects that are just what a nameless resource asks for: there is nothing else to know them by."""
    kind = KINDS[resource.kind]
    node, desired = body_node(kind, "create"), planner.wanted(resource)
    known = planner.managed | planner.options.siblings
    return tuple(
        id_
        for id_, live in sorted(planner.snapshot.all(resource.type).items())
        if id_ not in known
        and not _just_deleted(planner, id_)
        and not is_stock(live)
        and equals(desired, live, node)
        and nothing_beyond(desired, live, node)
    )


def _left_behind(planner: Planner, resource: Resource) -> tuple[str, ...]:
    """A number of Vapi's own that left management and stayed: the one to take back, though it has no name."""
    id_ = (planner.options.returning or {}).get(resource.address)
    stayed = resource.kind == "Phone" and id_ is not None and id_ not in planner.managed
    return (id_,) if id_ and stayed and planner.snapshot.get(resource.type, id_) else ()


def _just_deleted(planner: Planner, id_: str) -> bool:
    """We deleted it, and the lists may not know yet."""
    return planner.snapshot.date - planner.state.gone.get(id_, -SETTLE) < planner.options.settle


def contested(found: Mapping[str, Found]) -> frozenset[str]:
    """Live objects that more than one resource could be: none of them may take it without being told to."""
    counted = Counter(id_ for each in found.values() if each.entry is None for id_ in each.twins)
    return frozenset(id_ for id_, count in counted.items() if count > 1)
