"""What a rollback took away, and whether a plan would bring it back. Pure.

A hold knows values by digest. Of each address that the rollback changed, by path: what the rolled-back revisions had
there (`was`) and what the rollback put in its place (`is`, absent where the whole object went); of each one that they
had deleted: that (`deleted`). Items of a list count wherever they stand in it; what is null is not there.

A hold lasts until an apply with --release-hold, or until somebody decided anew: the field has another value than
the one that was rolled back and the one that was put in its place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.errors import Diagnostic
from voiceops.model.graph import Graph, Resource
from voiceops.model.plan import DELETE, Change, FieldChange, Plan
from voiceops.model.values import JSON, Path, canonical, format_path, leaves, parse_path
from voiceops.model.wording import some_of

MOST_VALUES = 2_000  # of one rollback: the longest first, for a prompt does more harm than a number
MOST_HOLDS = 20
_MOST_NAMED = 5
_TEXT = 20  # characters from which on a word is a text

Holds = Mapping[str, Mapping[str, Any]]  # by the digest of the manifests that were rolled back
_ANYWHERE = "*"  # in place of an item's place in its list


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """One resource's leaves by path, and which of them are new in it."""

    digests: Mapping[str, list[str]]
    texts: frozenset[str]  # digests of those that are texts
    words: frozenset[tuple[str, str]]  # path and digest of those that are strings
    fields: Sequence[FieldChange] = field(default=())


def with_holds(plan: Plan, graph: Graph, holds: Holds, *, hint: str = "", released: bool = False) -> Plan:
    """The plan with what it would bring back: refusals, or warnings where the hold is released.

    `hint` says how to take the very manifests back that were rolled back.
    """
    found = []
    same = holds.get(graph.digest)
    if same is not None:
        found.append(
            Diagnostic(
                code="held",
                summary=f"held after the rollback of revision {same['revision']}: these manifests were rolled back",
                hint=hint or "Change them, or apply with --release-hold if they are wanted after all.",
            )
        )
    for hold in holds.values():
        for change in plan.changes:
            entry = hold.get("values", {}).get(change.address)
            if entry is not None and change.matters:
                found += _brought_back(change, graph.resources.get(change.address), entry, hold)
    if released:
        warnings = tuple(replace(d, severity="warning", hint="") for d in found)
        return replace(plan, diagnostics=(*plan.diagnostics, *warnings))
    return replace(plan, refusals=(*plan.refusals, *found))


def _brought_back(
    change: Change, resource: Resource | None, entry: Mapping[str, Any], hold: Mapping[str, Any]
) -> Iterator[Diagnostic]:
    by = f"rolled back in revision {hold['by']}"
    hint = "Leave it as it is, or apply with --release-hold if it is wanted after all."
    if resource is None:
        if entry.get("deleted") and (change.actions == DELETE or change.reason == "unbound"):
            yield Diagnostic(code="rolled-back", address=change.address, summary=f"its removal was {by}", hint=hint)
        return
    wanted = _wanted(resource, change.fields)
    hits = dict(_hits(wanted, entry))
    if "is" not in entry and not _is_the_same(wanted, entry):
        hits = {key: found for key, found in hits.items() if set(wanted.digests.get(key, ())) & wanted.texts & found}
    if not hits:
        return
    keys = sorted(hits)
    if len(keys) <= _MOST_NAMED and "is" in entry:
        for key in keys:
            touching = _touching(wanted.fields, key)
            yield Diagnostic(
                code="rolled-back",
                address=change.address,
                path=format_path(touching.path) if touching else key,
                mark=resource.source_of(touching.path) if touching else resource.mark,
                summary=f"would bring back a value that was {by}",
                hint=hint,
            )
        return
    yield Diagnostic(
        code="rolled-back",
        address=change.address,
        mark=resource.mark._replace(path=""),
        summary=f"would bring back values that were {by}: {some_of(keys, _MOST_NAMED)}",
        hint=hint,
    )


def _wanted(resource: Resource, fields: Sequence[FieldChange]) -> _Wanted:
    texts, words = set(), set()
    for path, leaf in leaves(resource.body):
        if isinstance(leaf, str):
            words.add((_anywhere(path), _digest(leaf)))
            if len(leaf) >= _TEXT or " " in leaf.strip():
                texts.add(_digest(leaf))
    return _Wanted(
        digests=_digests(resource.body), texts=frozenset(texts), words=frozenset(words), fields=tuple(fields)
    )


def _hits(wanted: _Wanted, entry: Mapping[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """The held paths that the change touches and where it has what was rolled back."""
    for key, was in entry.get("was", {}).items():
        now = wanted.digests.get(key, [])
        found = {*now, _whole(now)} & set(was)
        if found and _touching(wanted.fields, key) is not None:
            yield key, found


def _is_the_same(wanted: _Wanted, entry: Mapping[str, Any]) -> bool:
    """Of an object that the rollback deleted: does what comes back say nothing new?"""
    return all(digest in entry.get("was", {}).get(key, ()) for key, digest in wanted.words)


def _touching(fields: Sequence[FieldChange], key: str) -> FieldChange | None:
    path = parse_path(key)
    for change in fields:
        here = _starred(change.path)
        if path[: len(here)] == here or here[: len(path)] == path:
            return change
    return None


# what a rollback leaves in the state


def taken_back(rolled: Iterable[Graph], after: Graph) -> dict[str, dict[str, Any]]:
    """What the rolled-back manifests had otherwise than those in force afterwards, by address."""
    sizes: dict[tuple[str, str, str], int] = {}
    values: dict[str, dict[str, Any]] = {}
    for graph in rolled:
        for address in {*graph.resources, *after.resources}:
            old, new = graph.resources.get(address), after.resources.get(address)
            if old is None:
                values.setdefault(address, {})["deleted"] = True
            elif new is None or canonical(old.body) != canonical(new.body):  # false is not 0
                sizes |= {(address, key, digest): size for key, digest, size in _otherwise(old, new)}
    for address, key, digest in sorted(sorted(sizes), key=lambda item: -sizes[item])[:MOST_VALUES]:
        values.setdefault(address, {}).setdefault("was", {}).setdefault(key, []).append(digest)
    for address, entry in values.items():
        if "was" in entry and address in after.resources:
            there = _digests(after.resources[address].body)
            entry["is"] = {key: there.get(key, []) for key in entry["was"]}
    return values


def _otherwise(old: Resource, new: Resource | None) -> Iterator[tuple[str, str, int]]:
    """Path, digest and size of what the older one has and the newer one lacks. Where it has nothing of its own, but
    fewer, or in another order: all that it has there as one."""
    had, has = _digests(old.body), _digests(new.body) if new is not None else {}
    sizes = {_digest(leaf): len(leaf) for _, leaf in leaves(old.body) if isinstance(leaf, str)}
    for key in {**had, **has}:
        before, after = had.get(key, []), has.get(key, [])
        for digest in {*before} - {*after}:
            yield key, digest, sizes.get(digest, 0)
        if new is not None and before != after and {*before} <= {*after}:
            yield key, _whole(before), 0


def still_held(holds: Holds, now: Graph) -> dict[str, dict[str, Any]]:
    """The holds that outlive an apply after which `now` is in force; one without values is over with it."""
    found: dict[str, dict[str, Any]] = {}
    for digest, hold in holds.items():
        values = {
            address: rest
            for address, entry in hold.get("values", {}).items()
            if (rest := _undecided(entry, now.resources.get(address)))
        }
        if values:
            found[digest] = {**hold, "values": values}
    # Manifests that went in the same rollback are held for as long as any of its values is.
    alive = {hold["by"] for hold in found.values()}
    return {digest: found.get(digest, dict(hold)) for digest, hold in holds.items() if hold.get("by") in alive}


def bounded(holds: Holds) -> dict[str, dict[str, Any]]:
    """The newest holds."""
    newest = sorted(holds, key=lambda digest: int(holds[digest].get("by") or holds[digest]["revision"]))[-MOST_HOLDS:]
    return {digest: dict(hold) for digest, hold in holds.items() if digest in newest}


def _undecided(entry: Mapping[str, Any], resource: Resource | None) -> dict[str, Any]:
    """What of an address is still as the rollback left it."""
    rest: dict[str, Any] = {}
    if entry.get("deleted") and resource is not None:
        rest["deleted"] = True
    if "was" in entry and "is" not in entry and resource is None:
        rest["was"] = entry["was"]
    if "is" in entry and resource is not None:
        there = _digests(resource.body)
        kept = {
            key for key, put in entry["is"].items() if set(put) & set(there.get(key, ())) or not (put or there.get(key))
        }
        if kept:
            rest |= {side: {k: found for k, found in entry[side].items() if k in kept} for side in ("was", "is")}
    return rest


def _digests(body: JSON) -> dict[str, list[str]]:
    """By path, in their order. A null field is not there; in a list it is an item."""
    found: dict[str, list[str]] = {}
    for path, leaf in leaves(body):
        if leaf is not None or (path and isinstance(path[-1], int)):
            found.setdefault(_anywhere(path), []).append(_digest(leaf))
    return found


def _digest(leaf: JSON) -> str:
    return hashlib.sha256(canonical(leaf).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _whole(digests: Iterable[str]) -> str:
    """All values of a path as one: what was taken out of a list, or out of a body, is told by what is left."""
    return "=" + hashlib.sha256(" ".join(digests).encode()).hexdigest()[:15]


def _starred(path: Path) -> Path:
    return tuple(_ANYWHERE if isinstance(step, int) else step for step in path)


def _anywhere(path: Path) -> str:
    """A path without the places in lists."""
    return format_path(_starred(path))
