"""What a write does to a live object: the body that is sent, and every field that will be different afterwards.

There is one way to know it: the body is built, laid over the live object, and compared with it. Whoever plans shows
these fields; whoever applies builds the body by the same function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from voiceops.engine.fields.body import Kept, laid_over, update_body
from voiceops.engine.fields.diff import (
    NOTHING_APPLIED,
    Another,
    Applied,
    Difference,
    Outcome,
    differences,
)
from voiceops.engine.fields.equality import as_set, same
from voiceops.engine.fields.pairing import in_place, pairs
from voiceops.engine.options import Options, live_differs
from voiceops.kinds.base import SERVER_KEYS, Kind
from voiceops.kinds.nodes import body_node, entries_of, field_of, fields_of, is_set, items_of, variant_key
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import Node
from voiceops.model.graph import Resource
from voiceops.model.state import Entry
from voiceops.model.values import (
    ABSENT,
    JSON,
    Fingerprint,
    Path,
    Ref,
    Secret,
    Template,
    empty,
    get_path,
    identical,
    leaves,
    map_leaves,
    set_path,
)
from voiceops.model.values import copy as copied

_OTHER_SECRET = Fingerprint(("another",), "")  # equal to none: no secret of a manifest has this name


@dataclass(frozen=True, slots=True)
class Write:
    """One update. `fields` are all that changes live, in the order of the body.

    `owned` are the owned fields that made it necessary, `drift` those whose live edit stays.
    """

    body: dict[str, Any]
    fields: tuple[Difference, ...]
    owned: tuple[Difference, ...] = ()
    drift: tuple[Difference, ...] = ()
    kept: Kept = field(default_factory=Kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What an update is decided from: what is wanted (nulls taken out), what was applied, what is live."""

    desired: dict[str, Any]
    applied: Applied
    live: dict[str, Any]
    ignore: tuple[Path, ...] = ()
    refused: tuple[Path, ...] = ()  # live fields that the API does not take back
    another: Another | None = None  # is a live text another than a secret?


def sides_of(
    kind: Kind,
    resource: Resource,
    desired: dict[str, Any],
    live: dict[str, Any],
    entry: Entry | None,
    options: Options,
) -> Sides:
    """The sides of a resource's update; `entry` is what the state holds of it, None while it is not managed."""

    def compared(body: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in body.items() if key not in kind.create_only}

    wanted = compared(desired)
    for key in kind.caseless & wanted.keys():
        if str(wanted[key]).casefold() == str(live.get(key)).casefold():
            wanted[key] = live[key]
    return Sides(
        desired=wanted,
        applied=_applied(compared(entry.owned), entry, options) if entry is not None else NOTHING_APPLIED,
        live=live,
        ignore=resource.ignore,
        refused=entry.refused if entry is not None else (),
        another=partial(live_differs, options),
    )


def _applied(owned: dict[str, Any], entry: Entry, options: Options) -> Applied:
    """What was applied; of an object whose secrets are to be sent again, as if they had been others."""
    if entry.address in options.resend:
        owned = map_leaves(owned, lambda leaf: _OTHER_SECRET if isinstance(leaf, Fingerprint) else leaf)
    return Applied(owned, entry.stored)


def update(kind: Kind, sides: Sides, keeps: Callable[[Path], bool]) -> Write:
    """The update that brings live to what is wanted. `keeps(path)`: does drift of this field stay?"""
    node = body_node(kind)
    found = differences(sides.desired, sides.applied, sides.live, sides.ignore, node, sides.another)
    drift = tuple(d for d in found if d.outcome is Outcome.DRIFT and keeps(d.path))
    owned = tuple(d for d in found if d not in drift)
    kept = Kept((*sides.ignore, *(d.path for d in drift)), sides.refused)
    if not owned:
        return Write({}, (), (), drift, kept)
    body = update_body(kind, sides.desired, sides.applied, sides.live, owned, kept)
    fields = tuple(_changes(body, sides, owned, node))
    return Write(body if fields else {}, fields, owned, drift, kept)


def replacement(kind: Kind, sides: Sides, desired: dict[str, Any]) -> Write:
    """The object that takes a live one's place: what is wanted, over what the dashboard had added and it can take.

    `desired` also holds what a creation alone says.
    """
    node = body_node(kind, "create")
    owned = tuple(differences(sides.desired, sides.applied, sides.live, (), node, sides.another))
    if kind.upload is not None:
        return Write(desired, owned, owned)  # other bytes: another object
    entries = entries_of(node, sides.desired)
    live = {key: value for key, value in sides.live.items() if entries.get(key) is not None}
    body = laid_over((), sides.desired, sides.applied.owned, live, node, Kept((), sides.refused))
    before = {key: value for key, value in sides.live.items() if key not in SERVER_KEYS}
    differing = (*exact(before, body, node), *filter(_is_secret, owned))
    found = tuple(replace(d, outcome=_outcome(d, sides, owned, node)) for d in differing)
    return Write({**desired, **body}, tuple({d.path: d for d in found}.values()), owned)


def is_replaced(resource: Resource, applied: Applied, live: dict[str, Any]) -> bool:
    """Is there a difference that no update can remove, so that another object has to take the live one's place?

    Of an object that we didn't make it isn't known which fields the API leaves out.
    """
    kind = KINDS[resource.kind]
    if resource.type != kind.type:
        return False
    owned = applied.owned if isinstance(applied.owned, dict) else {}
    fixed = [key for key in kind.fixed({**live, **resource.body}) if key in resource.body or key in owned]
    if not applied.stored and all(identical(resource.body.get(key), live.get(key)) for key in fixed):
        return False

    def only(body: Mapping[str, JSON]) -> dict[str, JSON]:
        return {key: body[key] for key in fixed if key in body}

    def is_plain(value: JSON) -> bool:
        return not any(isinstance(leaf, (Ref, Secret, Template, Fingerprint)) for _, leaf in leaves(value))

    node = body_node(kind, "create")
    found = differences(only(resource.body), Applied(only(owned), applied.stored), only(live), resource.ignore, node)
    return any((owned or not empty(d.before)) and is_plain(d.after) for d in found)


def exact(before: JSON, after: JSON, node: Node | None, path: Path = ()) -> Iterator[Difference]:
    """Where two live objects differ, field by field; a list whose items moved differs as a whole."""
    if identical(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        entries = entries_of(node, after, before)
        for key in [*after, *(key for key in before if key not in after)]:
            yield from exact(before.get(key, ABSENT), after.get(key, ABSENT), entries.get(key), (*path, key))
        return
    if isinstance(before, list) and isinstance(after, list):
        items = items_of(node)
        if is_set(node):
            if as_set(before) != as_set(after):
                yield Difference(path, before, after, Outcome.CARRIED)
            return
        if len(before) == len(after) and in_place(pairs(after, before, node)):
            for index, (old, new) in enumerate(zip(before, after, strict=True)):
                yield from exact(old, new, items, (*path, index))
        else:
            yield Difference(path, before, after, Outcome.CARRIED)
        return
    if not _equal(before, after):
        yield Difference(path, before, after, Outcome.CARRIED)


def _equal(before: JSON, after: JSON) -> bool:
    if empty(before) and empty(after):
        return True
    if isinstance(after, (Fingerprint, Secret)) or isinstance(before, Fingerprint):
        return True  # whether a secret changes is told by fingerprints, not by what is shown
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    return bool(before == after)


def _changes(body: Mapping[str, JSON], sides: Sides, owned: tuple[Difference, ...], node: Node) -> Iterator[Difference]:
    """The fields that the body changes, with the reason of each."""
    live = _with_hidden(sides)
    touched = {key: live.get(key, ABSENT) for key in body}
    found = [d for d in exact(touched, dict(body), node) if not _is_servers(d, node, sides)]
    found = [changed for d in found if (changed := _as_stored(d, sides)) is not None]
    secrets = [d for d in owned if _is_secret(d) and not any(_touch(d.path, f.path) for f in found)]
    order = {key: index for index, key in enumerate(body)}
    for difference in sorted((*found, *secrets), key=lambda d: order.get(str(d.path[0]), 0)):
        yield replace(difference, outcome=_outcome(difference, sides, owned, node))


def _with_hidden(sides: Sides) -> dict[str, Any]:
    """Live with the maps that the server never shows (they hold secrets), as they were applied."""
    live = sides.live
    for path, stored in sides.applied.stored.items():
        applied = get_path(sides.applied.owned, path)
        if empty(stored) and isinstance(applied, dict) and empty(get_path(live, path)):
            live = copied(live) if live is sides.live else live
            parent = get_path(live, path[:-1])
            if isinstance(parent, dict):
                set_path(live, path, copied(applied))
    return live


def _is_servers(difference: Difference, node: Node, sides: Sides) -> bool:
    """A key that the server gives to nested objects by itself: it is not sent, and comes again."""
    key = difference.path[-1]
    if key not in SERVER_KEYS or len(difference.path) < 2 or not empty(difference.after):
        return False
    here: Node | None = node
    desired: JSON = sides.desired
    live: JSON = sides.live
    for step in difference.path[:-1]:
        if isinstance(step, int):
            here = items_of(here)
            desired = desired[step] if isinstance(desired, list) and step < len(desired) else ABSENT
            live = live[step] if isinstance(live, list) and step < len(live) else ABSENT
        else:
            here = field_of(here, step, desired, live)
            desired = desired.get(step, ABSENT) if isinstance(desired, dict) else ABSENT
            live = live.get(step, ABSENT) if isinstance(live, dict) else ABSENT
    known = fields_of(here, desired, live)
    return bool(known) and key not in known and key not in fields_of(here, live)  # of what it was, it may be a field


def _as_stored(difference: Difference, sides: Sides) -> Difference | None:
    """The difference as the server will store it: what it kept in a form of its own, it keeps so again."""
    path = difference.path
    stored = sides.applied.stored.get(path, None)
    if path not in sides.applied.stored:
        return difference
    if not same(get_path(sides.desired, path), get_path(sides.applied.owned, path)):
        return difference
    if empty(stored) and empty(difference.before):
        return None
    return None if _equal(difference.before, stored) else replace(difference, after=stored)


def _is_secret(difference: Difference) -> bool:
    return isinstance(difference.after, Fingerprint) or isinstance(difference.before, Fingerprint)


def _touch(one: Path, other: Path) -> bool:
    return one[: len(other)] == other or other[: len(one)] == one


def _outcome(difference: Difference, sides: Sides, owned: tuple[Difference, ...], node: Node) -> Outcome:
    """Why a field changes: the reason of the owned field that it is, or holds; else why it is carried along."""
    near = [d.outcome for d in owned if _touch(d.path, difference.path)]
    for outcome in (Outcome.CONFLICT, Outcome.MANIFEST, Outcome.UNSET, Outcome.DRIFT):
        if outcome in near:
            return outcome
    if difference.path in sides.refused:
        return Outcome.REFUSED
    here: Node | None = node
    for depth, step in enumerate(difference.path):
        if isinstance(step, int):
            here = items_of(here)
            continue
        desired, live = get_path(sides.desired, difference.path[:depth]), get_path(sides.live, difference.path[:depth])
        by = variant_key(here, desired, live)
        if by is not None and isinstance(desired, dict) and isinstance(live, dict) and desired.get(by) != live.get(by):
            return Outcome.LEAVES
        here = field_of(here, step, desired, live)
    return Outcome.CARRIED
