"""What stands for a resource: its entry in the state and its live object, as far as the lists can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.engine.fields.diff import (
    Applied,
    differences,
    empty,
)
from voiceops.kinds.nodes import body_node
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Resource
from voiceops.model.state import Entry
from voiceops.model.values import (
    ABSENT,
    JSON,
    Fingerprint,
    Ref,
    Secret,
    Template,
    copy,
    delete_path,
    leaves,
    set_path,
)


@dataclass(frozen=True, slots=True)
class Found:
    """A resource's entry and live object. `settling`: too new to be believed missing."""

    entry: Entry | None
    live: dict[str, Any] | None
    settling: bool = False
    twins: tuple[str, ...] = ()  # unmanaged live objects of the same name


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
    return KINDS[entry.kind].completed(live, {**desired, **entry.owned})


def differs_for_good(resource: Resource, applied: Applied, live: dict[str, Any]) -> bool:
    """Is there a difference that no update can remove?

    Of an object that we didn't make it isn't known which fields the API leaves out.
    """
    kind = KINDS[resource.kind]
    if resource.type != kind.type:
        return False
    fixed = kind.fixed({**live, **resource.body})
    owned = applied.owned if isinstance(applied.owned, dict) else {}

    def only(body: Mapping[str, JSON]) -> dict[str, JSON]:
        return {key: body[key] for key in fixed if key in body}

    def is_plain(value: JSON) -> bool:
        return not any(isinstance(leaf, (Ref, Secret, Template, Fingerprint)) for _, leaf in leaves(value))

    node = body_node(kind, "create")
    found = differences(only(resource.body), Applied(only(owned), applied.stored), only(live), resource.ignore, node)
    return any((owned or not empty(d.before)) and is_plain(d.after) for d in found)
