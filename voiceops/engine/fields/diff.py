"""The three-way comparison by field: what the manifest wants, what was applied, what is live.

A field is owned when the manifest sets it or did so before. Everything else is the server's or somebody
else's: it is neither compared nor ever removed. Lists are owned whole; which of them are sets, and by what the items
of the others are told apart, the schema's facts say. Null and absent mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

from voiceops.engine.fields.equality import as_set, same, same_secret
from voiceops.engine.fields.pairing import in_place, pairs
from voiceops.kinds.nodes import entries_of, is_set, items_of
from voiceops.kinds.schema import Node
from voiceops.model.values import ABSENT, JSON, Fingerprint, Path, empty, get_key, identical


class Outcome(Enum):
    """Why a field differs."""

    MANIFEST = "manifest_changed"  # the manifest changed, live is as it was applied
    DRIFT = "drift"  # the manifest is as it was applied, live was edited
    CONFLICT = "conflict"  # both changed
    UNSET = "manifest_removed"  # the manifest no longer sets it
    LEAVES = "not_in_variant"  # nobody owns it, and the new provider or type does not have it
    REFUSED = "not_writable"  # nobody owns it, and the API shows it but does not take it back
    CARRIED = "carried_along"  # nobody owns it, and the write of its neighbours changes it


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: its value before (live) and after (desired; ABSENT: reset)."""

    path: Path
    before: JSON
    after: JSON
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Applied:
    """What was sent last, and where the server stored something else for it (`stored`, by path)."""

    owned: JSON
    stored: Mapping[Path, JSON]


NOTHING_APPLIED = Applied(ABSENT, {})

Another: TypeAlias = Callable[[Fingerprint, JSON], bool | None]

_MASK = re.compile(r"^[*•·]{3,}|[*•·]{4,}")  # how APIs write a secret that they don't show


def differences(
    desired: JSON,
    applied: Applied,
    live: JSON,
    ignore: tuple[Path, ...] = (),
    node: Node | None = None,
    another: Another | None = None,
) -> list[Difference]:
    """Every owned field that is not as desired, in the order of the body.

    `node` is the schema's facts of the body; `another(secret, live)` says whether a live text is another than a
    secret, or None where that can't be told.
    """
    context = _Context.of(applied.stored, ignore, another)
    return list(_compare((), desired, applied.owned, live, context, node))


def drifted(
    applied: Applied,
    live: JSON,
    ignore: tuple[Path, ...] = (),
    node: Node | None = None,
    another: Another | None = None,
) -> list[Difference]:
    """Owned fields that were edited live since they were applied: `before` as applied, `after` live."""
    found = differences(applied.owned, applied, live, ignore, node, another)
    return [Difference(each.path, each.after, each.before, Outcome.DRIFT) for each in found]


def still_drifted(edited: list[Difference], differing: list[Difference]) -> list[Difference]:
    """The edits that the manifest does not agree with: what was taken over into it is no drift any more.

    Where the manifest changed since, too, the edit is a conflict.
    """
    found = []
    for edit in edited:
        near = [o for o in differing if edit.path[: len(o.path)] == o.path or o.path[: len(edit.path)] == edit.path]
        if near:
            both = any(other.outcome in (Outcome.CONFLICT, Outcome.UNSET) for other in near)
            found.append(replace(edit, outcome=Outcome.CONFLICT) if both else edit)
    return found


def reason_for(changes: list[Difference]) -> str:
    """Why an object changes, of its fields' reasons."""
    outcomes = {change.outcome for change in changes}
    if Outcome.CONFLICT in outcomes:
        return "conflict"
    if outcomes == {Outcome.DRIFT}:
        return "drift"
    return "conflict" if Outcome.DRIFT in outcomes else "manifest_changed"


@dataclass(frozen=True, slots=True)
class _Context:
    """What a comparison has at hand at every depth: what the server stores otherwise, and what is not ours to see."""

    stored: Mapping[Path, JSON]
    ignore: tuple[Path, ...]
    another: Another | None
    around: frozenset[Path]  # the paths at and above those of `stored`

    @classmethod
    def of(cls, stored: Mapping[Path, JSON], ignore: tuple[Path, ...], another: Another | None = None) -> _Context:
        around = frozenset(path[:end] for path in stored for end in range(len(path) + 1))
        return cls(stored, ignore, another, around)


def _compare(
    path: Path, desired: JSON, applied: JSON, live: JSON, context: _Context, node: Node | None
) -> Iterator[Difference]:
    """The differences at and below a path: one way to compare for each form that the values have."""
    if context.ignore and is_left_alone(path, context.ignore, live):
        return iter(())
    compare = _compare_plain
    if path in context.stored:
        compare = _compare_stored
    elif isinstance(desired, dict) and isinstance(live, dict):
        compare = _compare_maps
    elif isinstance(desired, list) and isinstance(live, list):
        compare = _compare_lists
    elif isinstance(desired, Fingerprint) or isinstance(applied, Fingerprint):
        compare = _compare_secret
    elif desired is ABSENT:
        compare = _compare_unset
    return compare(path, desired, applied, live, context, node)


def _compare_maps(
    path: Path, desired: dict[str, JSON], applied: JSON, live: dict[str, JSON], context: _Context, node: Node | None
) -> Iterator[Difference]:
    """Key by key. What is identical on all sides is passed over, whatever is in it: it is most of most objects."""
    entries: dict[str, Node] | None = None
    for key in [*desired, *(key for key in _keys(applied) if key not in desired)]:
        here = (*path, key)
        wanted, was, now = desired.get(key, ABSENT), get_key(applied, key), live.get(key, ABSENT)
        if (
            here not in context.around
            and identical(wanted, now)
            and (not (path or context.around) or identical(was, now))
        ):
            continue
        if entries is None:
            entries = entries_of(node, desired, live)
        yield from _compare(here, wanted, was, now, context, entries.get(key))


def _compare_plain(
    path: Path, desired: JSON, applied: JSON, live: JSON, context: _Context, node: Node | None
) -> Iterator[Difference]:
    if not same(desired, live, node):
        yield Difference(path, live, desired, _outcome(desired, applied, _unmoved(applied, live, node)))


def _compare_unset(
    path: Path, desired: JSON, applied: JSON, live: JSON, context: _Context, node: Node | None
) -> Iterator[Difference]:
    """Nothing wants it any more: what we set before is taken back, what we never set stays."""
    if not empty(applied) and not empty(live):
        for here, was, now in _owned_leaves(path, applied, live):
            yield Difference(here, now, ABSENT, Outcome.UNSET if same(was, now) else Outcome.CONFLICT)


def is_left_alone(path: Path, ignore: tuple[Path, ...], live: JSON) -> bool:
    """Is a field left to the dashboard? Where it is not there at all it is set once."""
    return live is not ABSENT and any(path[: len(out)] == out for out in ignore if out)


def _compare_stored(
    path: Path, desired: JSON, applied: JSON, live: JSON, context: _Context, node: Node | None
) -> Iterator[Difference]:
    """The server keeps this value in a form of its own: as long as both sides stand still, it is fine."""
    stored = context.stored[path]
    if same(desired, live, node) or (same(stored, live, node) and same(desired, applied, node)):
        return
    if isinstance(desired, dict) and isinstance(applied, dict) and empty(live) and empty(stored):
        # The server never shows this map (it holds a secret): what was applied stands for what is live.
        yield from _compare(path, desired, applied, applied, _Context.of({}, context.ignore), node)
        return
    yield Difference(path, live, desired, _outcome(desired, applied, same(stored, live, node)))


def _compare_lists(
    path: Path, desired: list[JSON], applied: JSON, live: list[JSON], context: _Context, node: Node | None
) -> Iterator[Difference]:
    if is_set(node):
        if as_set(desired) != as_set(live):
            yield Difference(path, live, desired, _outcome(desired, applied, as_set(applied) == as_set(live)))
        return
    was = applied if isinstance(applied, list) else []
    paired = pairs(desired, live, node)
    if len(desired) == len(live) and in_place(paired):
        before = paired if identical(was, live) else pairs(desired, was, node)
        for index, item in enumerate(desired):
            other = before[index]
            old = was[other] if other is not None else ABSENT
            yield from _compare((*path, index), item, old, live[index], context, items_of(node))
        return
    yield Difference(path, live, desired, _outcome(desired, applied, _unmoved(applied, live, node)))


def _compare_secret(
    path: Path, desired: JSON, applied: JSON, live: JSON, context: _Context, node: Node | None
) -> Iterator[Difference]:
    """By fingerprints; and by what is live where the API shows it, as it does headers."""
    another = context.another(desired, live) if context.another and isinstance(desired, Fingerprint) else None
    if same_secret(desired, applied):
        hidden = node is not None and bool(node.get("secret"))
        edited = another is True and not _MASK.search(live)
        if not hidden and not empty(desired) and (edited or empty(live)):
            yield Difference(path, live, desired, Outcome.DRIFT)
    elif another is not False:
        unset = empty(desired)
        # What is taken away is shown as the secret that it was, also where the API shows nothing of it.
        before = applied if unset and empty(live) else live
        yield Difference(path, before, ABSENT if unset else desired, Outcome.UNSET if unset else Outcome.MANIFEST)


def _owned_leaves(path: Path, applied: JSON, live: JSON) -> Iterator[tuple[Path, JSON, JSON]]:
    """The leaves that we set and that are still there; a map that is all ours goes as one."""
    if isinstance(applied, dict) and isinstance(live, dict) and not _all_ours(applied, live):
        for key, was in applied.items():
            if not empty(live.get(key, ABSENT)):
                yield from _owned_leaves((*path, key), was, live[key])
    else:
        yield path, applied, live


def _all_ours(applied: JSON, live: JSON) -> bool:
    """Is there nothing live, at any depth, that we did not set?"""
    if not (isinstance(applied, dict) and isinstance(live, dict)):
        return True
    return all(empty(value) or (key in applied and _all_ours(applied[key], value)) for key, value in live.items())


def _outcome(desired: JSON, applied: JSON, unmoved: bool) -> Outcome:
    if applied is ABSENT or unmoved:
        return Outcome.MANIFEST
    return Outcome.DRIFT if same(desired, applied) else Outcome.CONFLICT


def _unmoved(applied: JSON, live: JSON, node: Node | None = None) -> bool:
    return applied is ABSENT or same(applied, live, node)


def _keys(value: JSON) -> list[str]:
    return list(value) if isinstance(value, dict) else []
