"""Which item of one list is which item of another: one answer for whoever compares lists, and for whoever writes them.

An item is known by its key (a tool by its function's name, a destination by its agent). Where two items share a key,
or have none, equal ones belong together; what is left pairs by its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from voiceops.engine.fields.equality import same
from voiceops.kinds.nodes import ITEM_KEYS, item_keys, items_of
from voiceops.kinds.schema import Node
from voiceops.model.values import JSON, Ref, Template, canonical, identical


def item_name(item: JSON, keys: Sequence[tuple[str, ...]] = ITEM_KEYS) -> str | None:
    """What tells an item apart, as `key=value`; None where it sets none of the keys."""
    if not isinstance(item, dict):
        return None
    for steps in keys:
        value: JSON = item
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, (str, Ref, Template)):
            return f"{'.'.join(steps)}={canonical(value)}"
    return None


def pairs(wanted: Sequence[JSON], found: Sequence[JSON], node: Node | None) -> list[int | None]:
    """For each item of a wanted list the index of the found one that it is, or None for a new one.

    `node` is the schema's facts of the list. Each found item is given once.
    """
    if identical(wanted, found):
        return list(range(len(wanted)))
    if not any(isinstance(item, (dict, list)) for item in (*wanted, *found)):
        # Plain values have no inside: only their places say anything.
        return list(range(len(wanted))) if len(wanted) == len(found) else [None] * len(wanted)
    keys, items = item_keys(node), items_of(node)
    wanted_names = [item_name(item, keys) for item in wanted]
    found_names = [item_name(item, keys) for item in found]
    if wanted_names == found_names and None not in wanted_names and len(set(wanted_names)) == len(wanted_names):
        return list(range(len(wanted)))
    result: list[int | None] = [None] * len(wanted)
    free = dict.fromkeys(range(len(found)))

    def give(index: int, other: int) -> None:
        result[index] = other
        free.pop(other, None)

    often, often_found = Counter(wanted_names), Counter(found_names)
    place = {name: index for index, name in enumerate(found_names)}
    for index, name in enumerate(wanted_names):
        if name is not None and often[name] == 1 and often_found[name] == 1:
            give(index, place[name])
    for index, item in enumerate(wanted):
        if result[index] is None:
            name = wanted_names[index]
            candidates = [other for other in free if name is None or found_names[other] == name]
            # An equal item in the same place first: of several alike ones each stays where it is.
            candidates.sort(key=lambda other: other != index)
            if (other := next((o for o in candidates if same(item, found[o], items)), None)) is not None:
                give(index, other)
    for index, name in enumerate(wanted_names):
        if result[index] is not None or not isinstance(wanted[index], dict):
            continue
        if name is not None:
            if (other := next((o for o in free if found_names[o] == name), None)) is not None:
                give(index, other)
        elif len(wanted) == len(found) and index in free and isinstance(found[index], dict):
            give(index, index)
    return result


def in_place(paired: Sequence[int | None]) -> bool:
    """Does every item stay where it is?"""
    return all(index == other for index, other in enumerate(paired))
