"""Which live object is which resource's: by the state's id, as far as the lists can be believed; else by its twins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voiceops.engine.planning.strategies import strategy_of
from voiceops.engine.planning.view import Inputs, Matched
from voiceops.kinds.registry import KINDS
from voiceops.model.state import Entry
from voiceops.model.values import ABSENT, JSON, copy, delete_path, set_path


def match(inputs: Inputs) -> dict[str, Matched]:
    """What is held and live of every resource and entry, by address."""
    resources = inputs.graph.resources
    # Nameless objects are known by what they refer to: what that is has to be known first.
    nameless = {a for a, r in resources.items() if r.name is None}
    found: dict[str, Matched] = {}
    for address in sorted({**resources, **inputs.entries}, key=lambda a: a in nameless):
        entry = inputs.entries.get(address)
        if entry is not None:
            found[address] = _managed(inputs, entry, resources[address].body if address in resources else {})
        else:
            resource = resources[address]
            found[address] = strategy_of(resource.type).unmanaged(inputs, resource, found)
    return found


def _managed(inputs: Inputs, entry: Entry, desired: Mapping[str, JSON]) -> Matched:
    strategy = strategy_of(entry.type)
    entry = strategy.held(entry)
    live = inputs.snapshot.get(entry.type, entry.id)
    fresh = inputs.snapshot.date - entry.recorded_at < inputs.options.settle
    if live is None and not fresh:
        return Matched(entry, None)
    # The list may still show the object as it was before our last write, or not at all.
    settling = fresh and (live is None or strategy.lags(entry, live))
    shown = remembered(entry, live) if settling or live is None else live
    return Matched(entry, completed(entry, shown, desired), settling)


def remembered(entry: Entry, live: dict[str, Any] | None) -> dict[str, Any]:
    """A live object as our last write left it, for as long as the lists lag behind."""
    value: dict[str, Any] = copy(live or {}) | copy(entry.owned)
    for path, stored in entry.stored.items():
        if stored is ABSENT:
            delete_path(value, path)
        else:
            set_path(value, path, copy(stored))
    return value | {**entry.attributes, "id": entry.id, "updatedAt": entry.updated_at}


def completed(entry: Entry, live: dict[str, Any], desired: Mapping[str, JSON]) -> dict[str, Any]:
    """A live object with what the API doesn't show of it: as it was applied; of an adopted one, as it should be."""
    kind = KINDS[entry.kind]
    return kind.completed(live, {**desired, **entry.owned}) if kind.unseen else live
