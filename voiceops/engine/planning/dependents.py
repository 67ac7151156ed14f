"""What would be left pointing at nothing: live objects, managed or not, that refer to one that is to be deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from voiceops.engine.planning.guards import is_destroyed
from voiceops.kinds.registry import kind_of_type
from voiceops.model.live import Snapshot
from voiceops.model.plan import Change
from voiceops.model.values import leaves
from voiceops.model.wording import some_of

_MOST_NAMED = 5


def naming_dependents(changes: Iterable[Change], snapshot: Snapshot, managed: Iterable[str]) -> list[Change]:
    """The changes, each deletion with a note on what still refers to the object.

    Managed objects are changed by the same plan so that they don't; those that nobody here manages are named.
    """
    found = list(changes)
    doomed = {change.id for change in found if is_destroyed(change) and change.id and kind_of_type(change.type)}
    if not doomed:
        return found
    users: dict[str, list[str]] = {}
    skipped = {*managed, *doomed}
    for type_, objects in snapshot.objects.items():
        kind = kind_of_type(type_)
        if kind is None:
            continue
        for id_, live in objects.items():
            if id_ in skipped:
                continue
            for hit in {leaf for _, leaf in leaves(live) if isinstance(leaf, str)} & doomed:
                users.setdefault(hit, []).append(
                    f"the {kind.title} {kind.name_of(live) or ''} ({id_})".replace("  ", " ")
                )
    return [_noted(change, users.get(change.id or "", [])) for change in found]


def _noted(change: Change, users: list[str]) -> Change:
    if not users or not is_destroyed(change):
        return change
    note = f"still used, and not managed here: {some_of(sorted(users), _MOST_NAMED)}"
    return replace(change, notes=(*change.notes, note))
