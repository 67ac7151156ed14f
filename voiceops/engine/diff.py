"""The three-way comparison by field: what the manifest wants, what was applied, what is live.

A field is owned when the manifest sets it or did so before. Everything else is the server's or somebody
else's: it is neither compared nor ever removed. Lists are owned whole, lists of ids are sets. Null, absent and
empty at the vendor mean the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from voiceops.model.values import ABSENT, JSON, Fingerprint, Path, Ref, Template, canonical


class Outcome(Enum):
    """Why a field differs."""

    MANIFEST = "manifest_changed"  # the manifest changed, live is as it was applied
    DRIFT = "drift"  # the manifest is as it was applied, live was edited
    CONFLICT = "conflict"  # both changed
    UNSET = "manifest_removed"  # the manifest no longer sets it


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

# By which key the items of a list are the same item, first found.
_ITEM_KEYS = (
    ("function", "name"),
    ("assistantId",),
    ("assistantName",),
    ("squadId",),
    ("toolId",),
    ("number",),
    ("sipUri",),
    ("structuredOutputId",),
    ("name",),
    ("key",),
)


def differences(desired: JSON, applied: Applied, live: JSON, ignore: tuple[Path, ...] = ()) -> list[Difference]:
    """Every owned field that is not as desired, in the order of the body."""
    return list(_compare((), desired, applied.owned, live, applied.stored, ignore))


def drifted(applied: Applied, live: JSON, ignore: tuple[Path, ...] = ()) -> list[Difference]:
    """Owned fields that were edited live since they were applied: `before` as applied, `after` live."""
    return [
        Difference(found.path, found.after, found.before, Outcome.DRIFT)
        for found in _compare((), applied.owned, applied.owned, live, applied.stored, ignore)
    ]


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


def _compare(
    path: Path,
    desired: JSON,
    applied: JSON,
    live: JSON,
    stored: Mapping[Path, JSON],
    ignore: tuple[Path, ...],
) -> Iterator[Difference]:
    if any(path[: len(out)] == out for out in ignore if out) and live is not ABSENT:
        return
    if path in stored:
        # The server keeps this value in a form of its own: as long as both sides stand still, it is fine.
        if same(stored[path], live) and same(desired, applied):
            return
        if same(desired, live):
            return
        if isinstance(desired, dict) and isinstance(applied, dict) and empty(live) and empty(stored[path]):
            # The server never shows this map (it holds a secret): what was applied stands for what is live.
            yield from _compare(path, desired, applied, applied, {}, ignore)
            return
        yield Difference(path, live, desired, _outcome(desired, applied, same(stored[path], live)))
        return
    if isinstance(desired, dict) and isinstance(live, dict):
        for key in [*desired, *(key for key in _keys(applied) if key not in desired)]:
            yield from _compare(
                (*path, key),
                desired.get(key, ABSENT),
                _get(applied, key),
                live.get(key, ABSENT),
                stored,
                ignore,
            )
        return
    if isinstance(desired, list) and isinstance(live, list):
        if _ids_only(desired):
            if _as_set(desired) != _as_set(live):
                yield Difference(path, live, desired, _outcome(desired, applied, _as_set(applied) == _as_set(live)))
            return
        if len(desired) == len(live) and _same_names(desired, live):
            for index, item in enumerate(desired):
                was = applied[index] if isinstance(applied, list) and len(applied) == len(desired) else ABSENT
                yield from _compare((*path, index), item, was, live[index], stored, ignore)
            return
        yield Difference(path, live, desired, _outcome(desired, applied, _unmoved(applied, live)))
        return
    if isinstance(desired, Fingerprint) or isinstance(applied, Fingerprint):
        if not _same_secret(desired, applied):
            yield Difference(path, live, desired, Outcome.UNSET if desired is ABSENT else Outcome.MANIFEST)
        return
    if desired is ABSENT:
        # Nothing wants it any more: what we set before is taken back, what we never set stays.
        if applied is not ABSENT and not empty(applied) and not empty(live):
            for here, was, now in _owned_leaves(path, applied, live):
                yield Difference(here, now, ABSENT, Outcome.UNSET if same(was, now) else Outcome.CONFLICT)
        return
    if same(desired, live):
        return
    yield Difference(path, live, desired, _outcome(desired, applied, _unmoved(applied, live)))


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


def _unmoved(applied: JSON, live: JSON) -> bool:
    return applied is ABSENT or same(applied, live)


def same(wanted: JSON, found: JSON) -> bool:
    """Equal as far as `wanted` speaks: what `found` has beyond it is the server's."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(same(value, found.get(key, ABSENT)) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        if _ids_only(wanted):
            return _as_set(wanted) == _as_set(found)
        return len(wanted) == len(found) and all(map(same, wanted, found))
    if isinstance(wanted, dict) and empty(found):
        return all(same(value, ABSENT) for value in wanted.values())
    if empty(wanted) and empty(found):
        return True
    if isinstance(wanted, Fingerprint):
        return not isinstance(found, Fingerprint) or _same_secret(wanted, found)
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    return bool(wanted == found)


def owns_same(owned: JSON, desired: JSON) -> bool:
    """Would recording `desired` change what is owned? Nothing beyond it, on either side."""
    return same(owned, desired) and same(desired, owned)


def empty(value: JSON) -> bool:
    """Null and absent are one."""
    return value is None or value is ABSENT


def _same_secret(desired: JSON, applied: JSON) -> bool:
    if empty(desired) and empty(applied):
        return True
    if not (isinstance(desired, Fingerprint) and isinstance(applied, Fingerprint)):
        return False
    if not desired.digest or not applied.digest or desired.key != applied.key:
        return desired.names == applied.names  # not at hand, or under another key: the names are all there is
    return desired.digest == applied.digest


def _ids_only(items: list[JSON]) -> bool:
    """A list of references or of ids: its order says nothing."""
    return bool(items) and all(isinstance(item, Ref) or _is_id(item) for item in items)


def _is_id(item: JSON) -> bool:
    return isinstance(item, str) and len(item) == 36 and item.count("-") == 4


def _as_set(items: JSON) -> frozenset[str]:
    return frozenset(canonical(item) for item in items) if isinstance(items, list) else frozenset()


def item_name(item: JSON) -> str | None:
    """By what people tell the items of a list apart, where there is such a thing."""
    if not isinstance(item, dict):
        return None
    for keys in _ITEM_KEYS:
        value: Any = item
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, (str, Ref, Template)):
            return f"{'.'.join(keys)}={canonical(value)}"
    return None


def _same_names(desired: list[JSON], live: list[JSON]) -> bool:
    """Do they name the same items in the same order? Vapi gives names to some that have none."""
    wanted = [item_name(item) for item in desired]
    return all(one is None or one == item_name(item) for one, item in zip(wanted, live, strict=True))


def _keys(value: JSON) -> list[str]:
    return list(value) if isinstance(value, dict) else []


def _get(value: JSON, key: str) -> JSON:
    return value.get(key, ABSENT) if isinstance(value, dict) else ABSENT
