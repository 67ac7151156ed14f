"""What keeps an update from reaching callers: traffic splits, pins of a version, and models that are retired. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from voiceops.engine.lines.traffic_split import (
    AGENT,
    Pin,
    Retirement,
    day,
    pins,
    retirements,
    shares_in_words,
    split_of,
)
from voiceops.engine.planning.view import View
from voiceops.errors import Diagnostic, Mark
from voiceops.model.graph import Resource
from voiceops.model.live import Allocation
from voiceops.model.plan import UPDATE, Change
from voiceops.model.values import JSON, Path, leaves, parse_path

_PINNED = ("Agent", "Tool")  # kinds whose objects have versions that others name
_PINNING = ("Agent", "Squad", "Tool")


def traffic_warnings(view: View, changes: Iterable[Change]) -> Iterator[Diagnostic]:
    """Splits and pins that an update does not get past, and retirements, in the order of the changes."""
    by_address = {change.address: change for change in changes}
    for address, change in by_address.items():
        resource, found = view.graph.resources.get(address), view.found.get(address)
        if resource is None or found is None or found.entry is None:
            continue
        entry = found.entry
        live = view.snapshot.get(entry.type, entry.id) or {}
        split = split_of(view.snapshot.allocations, entry.id) if entry.type == AGENT else None
        if split is not None:
            yield _split(resource.mark, change, split, live)
        for retirement in retirements(live):
            if not _replaces(change, retirement):
                yield _retires(resource.mark, address, retirement, day(view.snapshot.date))
    yield from _pinned(view, by_address)


def _split(mark: Mark, change: Change, split: Allocation, live: Mapping[str, Any]) -> Diagnostic:
    lines = f" on {', '.join(change.affects)}" if change.affects else ""
    newest = live.get("latestVersion")
    known = f" The newest version is {newest}." if newest else ""
    return Diagnostic(
        code="traffic-split",
        severity="warning",
        mark=mark,
        address=change.address,
        summary=f"callers{lines} get {shares_in_words(split)}, by a traffic split"
        + (f" of {split.created_at[:10]}" if split.created_at else "")
        + ": an update alone reaches none of them",
        hint=f"Give the new version its share at Vapi afterwards, or end the split there (follow-latest).{known}",
    )


def _retires(mark: Mark, address: str, retirement: Retirement, today: str) -> Diagnostic:
    return Diagnostic(
        code="model-retirement",
        severity="warning",
        mark=mark,
        address=address,
        summary=retirement.words(today),
        hint=retirement.hint,
    )


def _replaces(change: Change, retirement: Retirement) -> bool:
    """Does the change put another model into the slot of a notice?"""
    try:
        slot: Path = parse_path(retirement.slot)
    except ValueError:
        return False
    model = (*slot, "model")
    return not change.is_no_op and any(
        field.path[: len(model)] in (slot, model) or slot[: len(field.path)] == field.path for field in change.fields
    )


def _pinned(view: View, changes: Mapping[str, Change]) -> Iterator[Diagnostic]:
    """Updates that reach nobody through a pin."""
    updated = {
        entry.id: address
        for address, change in changes.items()
        if change.actions == UPDATE
        and not change.adopts
        and change.kind in _PINNED
        and (entry := view.found[address].entry) is not None
    }
    if not updated:
        return
    for user in sorted(view.graph.resources):
        for pin in _pins_of(view, view.graph.resources[user]):
            if pin.target in updated:
                yield Diagnostic(
                    code="version-pinned",
                    severity="warning",
                    mark=view.graph.resources[user].mark,
                    address=updated[pin.target],
                    summary=f"{user} pins it to {pin.version}: this update reaches no caller through it",
                    hint="Name the new version there, or none, so that it follows the newest.",
                )


def _pins_of(view: View, resource: Resource) -> list[Pin]:
    """The pins of one object as they will be: the manifest's, and those that were set live beside it."""
    if resource.kind not in _PINNING:
        return []
    desired, live = view.desired[resource.address], view.found[resource.address].live or {}
    wanted = pins(resource.address, desired)
    beside = [(key, pin) for key, value in live.items() for pin in pins(resource.address, value)]
    named = set(_texts(desired)) if beside else set()
    taken = {pin.target for pin in wanted}
    kept = [pin for key, pin in beside if (key not in resource.body or pin.target in named) and pin.target not in taken]
    return list(dict.fromkeys([*wanted, *kept]))


def _texts(body: JSON) -> Iterator[str]:
    return (leaf for _, leaf in leaves(body) if isinstance(leaf, str))
