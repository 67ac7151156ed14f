"""What a plan has to say beside its changes: drift, unmanaged twins, secrets that could not be compared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from voiceops.engine.fields.diff import (
    Difference,
)
from voiceops.engine.fields.seen import after_as_seen
from voiceops.errors import Diagnostic
from voiceops.kinds.registry import KINDS
from voiceops.model.address import owner_of
from voiceops.model.graph import Resource
from voiceops.model.live import Snapshot
from voiceops.model.plan import Drift, FieldChange
from voiceops.model.state import Entry
from voiceops.model.values import (
    SENSITIVE_UNCHECKED,
    Fingerprint,
    format_path,
    leaves,
)

if TYPE_CHECKING:
    from voiceops.engine.planning.planner import Planner


_MOST_USERS = 3
_FIELDS = 6  # of a refusal that names them


def report_unchecked(planner: Planner, resource: Resource, entry: Entry | None, desired: dict[str, Any]) -> None:
    """Whether a secret changed can't be told where it isn't at hand."""
    unchecked = sorted(
        {
            name
            for _, leaf in leaves(desired)
            if isinstance(leaf, Fingerprint) and not leaf.digest
            for name in leaf.names
        }
    )
    if entry is not None and unchecked:
        planner.diagnostics.append(
            Diagnostic(
                code="secret-not-checked",
                severity="warning",
                mark=resource.mark,
                address=resource.address,
                summary=f"{SENSITIVE_UNCHECKED}: {', '.join(unchecked)} is not set here",
                hint="Whether it changed shows only where it is set; apply needs it only to send it.",
            )
        )


def report_twins(planner: Planner, resource: Resource, twins: tuple[str, ...]) -> None:
    """Live objects that a resource could be, each with what tells it apart and the command that takes it."""
    kind = KINDS[resource.kind]
    called = f"{kind.title} {resource.name!r}" if resource.name is not None else f"{kind.title} that equals this one"
    several = f" ({len(twins)} of them: {', '.join(twins)})" if len(twins) > 1 else ""
    others = [
        a for a, f in planner.found.items() if a != resource.address and f.entry is None and set(f.twins) & set(twins)
    ]
    if others and not several:
        several = f", and {', '.join(others)} could be it, too"
    about = {id_: described(planner.snapshot, resource.type, id_) for id_ in twins}
    if len(twins) == 1 and not others:
        hint = (
            f"Take it over with `voiceops import {resource.address} {twins[0]}`, or with `apply --adopt`; "
            f"or give this one another name. The live one: {about[twins[0]]}."
        )
    else:
        lines = [f"voiceops import {resource.address} {id_}  ({text})" for id_, text in about.items()]
        hint = "\n".join(["Take the one that is meant, or give this one another name:", *lines])
    planner.diagnostics.append(
        Diagnostic(
            code="exists_unmanaged",
            mark=resource.mark,
            address=resource.address,
            summary=f"the {called} exists already and is not managed{several}",
            hint=hint,
        )
    )


def described(snapshot: Snapshot, type_: str, id_: str) -> str:
    """What tells a live object from others of its name: its age, its number, who uses it."""
    live = snapshot.get(type_, id_) or {}
    made = str(live.get("createdAt") or "")
    found = [f"made {made[:10]}{_age(made, snapshot.date)}" if made else "made nobody knows when"]
    found += [str(live[key]) for key in ("number", "sipUri") if live.get(key)]
    users = sorted(
        f"{kind.title} {kind.name_of(other) or other_id}"
        for kind in KINDS.values()
        for other_id, other in snapshot.all(kind.type).items()
        if other_id != id_ and any(leaf == id_ for _, leaf in leaves(other))
    )
    named = ", ".join(users[:_MOST_USERS]) + (f" and {len(users) - _MOST_USERS} more" if users[_MOST_USERS:] else "")
    return ", ".join([*found, f"used by the {named}" if users else "used by nothing that was read"])


def _age(made: str, now: float) -> str:
    try:
        days = int((now - datetime.fromisoformat(made.replace("Z", "+00:00")).timestamp()) // 86_400)
    except ValueError:
        return ""
    return f", {days} day{'' if days == 1 else 's'} ago" if days > 0 else ", today"


def note_drift(
    planner: Planner, resource: Resource, entry: Entry, found: Iterable[Difference], seen: dict[str, Any]
) -> None:
    found = [after_as_seen(d, seen) for d in found]
    if found:
        planner.drift.append(
            Drift(
                address=resource.address,
                kind=resource.kind,
                type=resource.type,
                id=entry.id,
                fields=planner.field_changes(resource, found),
                updated_at=str(seen.get("updatedAt") or ""),
                applied_at=entry.recorded_at,
            )
        )


def _named(fields: list[FieldChange]) -> str:
    """The fields by name, as many as one reads, with their verb."""
    names = [format_path(field.path) for field in fields]
    more = f" and {len(names) - _FIELDS} more" if len(names) > _FIELDS else ""
    return f"{', '.join(names[:_FIELDS])}{more} {'was' if len(names) == 1 else 'were'}"


def drift_refusals(planner: Planner) -> list[Diagnostic]:
    found = []
    for drift in planner.drift:
        resource = planner.graph.resources.get(drift.address)
        if resource is None:
            continue
        fields = [f for f in drift.fields if planner.policy(resource, f.path) == "refuse"]
        if fields:
            found.append(
                Diagnostic(
                    code="drift",
                    mark=resource.mark,
                    address=drift.address,
                    summary=f"{_named(fields)} edited live, and this project refuses to overwrite that",
                    hint=f"Take it over with `voiceops drift --accept {owner_of(drift.address)}`, "
                    "or apply with drift: revert.",
                )
            )
    return found
