"""What a plan has to say beside its changes: drift, unmanaged twins, secrets that could not be compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from voiceops.engine.diff import (
    Difference,
)
from voiceops.engine.seen import after_as_seen
from voiceops.errors import Diagnostic
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Resource
from voiceops.model.plan import Drift
from voiceops.model.state import Entry
from voiceops.model.values import (
    SENSITIVE_UNCHECKED,
    Fingerprint,
    leaves,
)

if TYPE_CHECKING:
    from voiceops.engine.planner import Planner


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
    kind = KINDS[resource.kind]
    several = f" ({len(twins)} of them: {', '.join(twins)})" if len(twins) > 1 else ""
    planner.diagnostics.append(
        Diagnostic(
            code="exists_unmanaged",
            mark=resource.mark,
            address=resource.address,
            summary=f"the {kind.title} {resource.name!r} exists already and is not managed{several}",
            hint=f"Take it over with `voiceops import {resource.address} {twins[0]}`"
            + ("" if len(twins) > 1 else ", or with `apply --adopt`")
            + "; or give this one another name.",
        )
    )


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
                    summary=f"{len(fields)} field(s) were edited live, and this project refuses to overwrite that",
                    hint="Take the edit over into the manifest, or apply with drift: revert.",
                )
            )
    return found
