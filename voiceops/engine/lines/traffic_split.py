"""What callers get of a versioned object: traffic splits, pins, and models that are going to be retired. Pure.

Vapi keeps versions of assistants, tools and squads. Usually callers get the newest; where an explicit allocation
governs an assistant, or something pins a version, they don't, however well an update went.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from voiceops.errors import Diagnostic, Mark
from voiceops.model.live import Allocation
from voiceops.model.plan import Change
from voiceops.model.values import JSON, Path, parse_path

if TYPE_CHECKING:
    from voiceops.engine.planning.planner import Planner

AGENT = "vapi_assistant"
_TARGETS = (("assistantId", "assistantVersion"), ("toolId", "version"))


@dataclass(frozen=True, slots=True)
class Pin:
    """A place that names one version of another object."""

    user: str  # the address of who pins
    target: str  # the live id of what is pinned
    version: str


@dataclass(frozen=True, slots=True)
class Retirement:
    """A model that Vapi stops running as configured on a day (UTC, `YYYY-MM-DD`)."""

    slot: str
    provider: str
    model: str
    date: str
    replacement: str = ""

    def words(self, today: str) -> str:
        over = self.date <= today
        return (
            f"{self.model} ({self.provider}, {self.slot}) "
            + ("was retired on " if over else "is retired on ")
            + self.date
            + (": Vapi does not run it as configured" if over else ": from that day Vapi does not run it as configured")
        )

    @property
    def hint(self) -> str:
        return f"Vapi recommends {self.replacement}." if self.replacement else "Choose another model."


def shares_in_words(allocation: Allocation) -> str:
    """`v7 (90 %) and v8 (10 %)`; a version without a share is left out."""
    parts = [f"{version} ({share:g} %)" for version, share in allocation.shares if share]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "no version"


def split_of(allocations: Mapping[str, Allocation] | None, id_: str) -> Allocation | None:
    """The explicit allocation that governs an assistant, if one does."""
    found = (allocations or {}).get(id_)
    return found if found is not None and found.explicit else None


def retirements(live: Mapping[str, Any]) -> list[Retirement]:
    """The notices that an assistant or a squad carries; what has no date says nothing."""
    notices = live.get("modelDeprecations")
    found = []
    for notice in notices if isinstance(notices, list) else ():
        date = notice.get("retirementDate") if isinstance(notice, dict) else None
        if isinstance(date, str) and len(date) >= 10:
            slot, provider, model = (str(notice.get(key) or "?") for key in ("slot", "provider", "model"))
            found.append(Retirement(slot, provider, model, date[:10], str(notice.get("replacementModel") or "")))
    return found


def day(seconds: float) -> str:
    """The day of a moment, in UTC, as retirement dates are written."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def report_traffic(planner: Planner, changes: list[Change]) -> None:
    """Warnings of a plan: splits and pins that an update does not get past, and retirements."""
    by_address = {change.address: change for change in changes}
    for address, change in by_address.items():
        resource = planner.graph.resources.get(address)
        entry = planner.found[address].entry if address in planner.found else None
        if resource is None or entry is None:
            continue
        live = planner.snapshot.get(entry.type, entry.id) or {}
        split = split_of(planner.snapshot.allocations, entry.id) if entry.type == AGENT else None
        if split is not None:
            planner.diagnostics.append(_split(resource.mark, change, split, live))
        for retirement in retirements(live):
            if not _replaces(change, retirement):
                planner.diagnostics.append(_retires(resource.mark, address, retirement, day(planner.snapshot.date)))
    planner.diagnostics += _pinned(planner, by_address)


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


def _pinned(planner: Planner, changes: Mapping[str, Change]) -> Iterator[Diagnostic]:
    """Updates that reach nobody through a pin."""
    updated = {
        entry.id: address
        for address, change in changes.items()
        if change.actions == ("update",)
        and not change.adopts
        and change.kind in ("Agent", "Tool")
        and (entry := planner.found[address].entry) is not None
    }
    if not updated:
        return
    for user in sorted(planner.graph.resources):
        for pin in _pins_of(planner, user):
            if pin.target in updated:
                address = updated[pin.target]
                yield Diagnostic(
                    code="version-pinned",
                    severity="warning",
                    mark=planner.graph.resources[user].mark,
                    address=address,
                    summary=f"{user} pins it to {pin.version}: this update reaches no caller through it",
                    hint="Name the new version there, or none, so that it follows the newest.",
                )


def _pins_of(planner: Planner, address: str) -> list[Pin]:
    """The pins of one object as they will be: the manifest's, and those that were set live beside it."""
    resource, found = planner.graph.resources[address], planner.found[address]
    if resource.kind not in ("Agent", "Squad", "Tool"):
        return []
    desired = planner.resolved(resource.body)
    wanted = pins(address, desired)
    named = set(_ids(desired))
    live = found.live or {}
    kept = [
        pin
        for key, value in live.items()
        for pin in pins(address, value)
        if (key not in desired or pin.target in named) and pin.target not in {p.target for p in wanted}
    ]
    return list(dict.fromkeys([*wanted, *kept]))


def pins(user: str, body: JSON) -> list[Pin]:
    """Every place in a body that names a version of another object."""
    found = []
    if isinstance(body, dict):
        for id_key, version_key in _TARGETS:
            target, version = body.get(id_key), body.get(version_key)
            if isinstance(target, str) and isinstance(version, (str, int)) and not isinstance(version, bool):
                found.append(Pin(user, target, str(version)))
        for value in body.values():
            found += pins(user, value)
    elif isinstance(body, list):
        for item in body:
            found += pins(user, item)
    return found


def _ids(body: JSON) -> Iterator[str]:
    if isinstance(body, dict):
        for value in body.values():
            yield from _ids(value)
    elif isinstance(body, list):
        for item in body:
            yield from _ids(item)
    elif isinstance(body, str):
        yield body
