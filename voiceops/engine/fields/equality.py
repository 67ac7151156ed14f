"""When two values are equal: as far as one of them speaks; null and absent are one, secrets have fingerprints.

Whoever compares values asks here, so that a plan, a write and a recovery after a crash all mean the same by "equal".
"""

from __future__ import annotations

from voiceops.kinds.nodes import entries_of, is_set, items_of
from voiceops.kinds.schema import Node
from voiceops.model.values import ABSENT, JSON, Fingerprint, Secret, canonical, empty, identical


def same(wanted: JSON, found: JSON, node: Node | None = None) -> bool:
    """Equal as far as `wanted` speaks: what `found` has beyond it is the server's. `node`: the facts of the value."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        entries = entries_of(node, wanted, found)
        return all(same(value, found.get(key, ABSENT), entries.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        if is_set(node):
            return as_set(wanted) == as_set(found)
        items = items_of(node)
        return len(wanted) == len(found) and all(same(a, b, items) for a, b in zip(wanted, found, strict=True))
    if isinstance(wanted, dict) and empty(found):
        return all(same(value, ABSENT) for value in wanted.values())
    if empty(wanted) and empty(found):
        return True
    if isinstance(wanted, (Fingerprint, Secret)):
        return not isinstance(found, Fingerprint) or same_secret(wanted, found)
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    return bool(wanted == found)


def owns_same(owned: JSON, desired: JSON, node: Node | None = None) -> bool:
    """Would recording `desired` leave what is owned as it is? Nothing beyond it, on either side."""
    return identical(owned, desired) or (same(owned, desired, node) and same(desired, owned, node))


def same_secret(desired: JSON, applied: JSON) -> bool:
    """Are two fingerprints of one secret? Where the texts can't be compared, by their names."""
    if empty(desired) and empty(applied):
        return True
    if not (isinstance(desired, Fingerprint) and isinstance(applied, Fingerprint)):
        return False
    if not desired.digest or not applied.digest or desired.key != applied.key:
        return desired.names == applied.names  # not at hand, or under another key: the names are all there is
    return desired.digest == applied.digest


def as_set(items: JSON) -> frozenset[str]:
    """The items of a list whose order means nothing."""
    return frozenset(canonical(item) for item in items) if isinstance(items, list) else frozenset()
