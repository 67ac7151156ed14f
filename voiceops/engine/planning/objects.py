"""Planning whole objects: made, taken over, updated, replaced, deleted; or let go, where they stay with the vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from voiceops.engine.fields.diff import (
    NOTHING_APPLIED,
    Applied,
    Difference,
    Outcome,
    drifted,
    reason_for,
    still_drifted,
)
from voiceops.engine.fields.masking import after_as_seen, before_as_seen, project, visible, with_values
from voiceops.engine.fields.write import Write, is_replaced, replacement, sides_of, update
from voiceops.engine.options import policy_for
from voiceops.engine.planning.changes import change_of, drift_of, field_changes, settled
from voiceops.engine.planning.references import KnownIds, wanted
from voiceops.engine.planning.reports import existing_twins, unchecked_secrets
from voiceops.engine.planning.twins import left_behind, twins_of
from voiceops.engine.planning.view import Decision, Inputs, Matched, View
from voiceops.kinds.base import Kind
from voiceops.kinds.nodes import body_node
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Resource
from voiceops.model.plan import CREATE, NO_OP, UPDATE, Change, Drift, FieldChange
from voiceops.model.state import Entry


class WholeObjects:
    """The strategy of everything that a plan makes and deletes as a whole."""

    def held(self, entry: Entry) -> Entry:
        return entry

    def lags(self, entry: Entry, live: dict[str, Any]) -> bool:
        return str(live.get("updatedAt") or "") < entry.updated_at

    def unmanaged(self, inputs: Inputs, resource: Resource, found: Mapping[str, Matched]) -> Matched:
        twins = twins_of(inputs, resource, lambda: wanted(KnownIds(inputs, found), resource))
        return Matched(None, None, twins=twins or left_behind(inputs, resource))

    def is_new(self, inputs: Inputs, resource: Resource, found: Matched, *, contested: bool) -> bool:
        if found.entry is None:
            return not _is_adopted(inputs, resource, found, contested=contested)
        applied = Applied(found.entry.owned, found.entry.stored)
        return found.live is None or is_replaced(resource, applied, found.live)

    def decide(self, view: View, resource: Resource) -> Decision:
        found = view.found[resource.address]
        if found.entry is None:
            return _unmanaged(view, resource, found)
        decision = _managed(view, resource, found, found.entry)
        unchecked = unchecked_secrets(resource, view.desired[resource.address])
        return replace(decision, diagnostics=(*unchecked, *decision.diagnostics)) if unchecked else decision

    def remove(self, base: Change, entry: Entry, live: dict[str, Any] | None) -> Change:
        if live is None:
            return replace(base, actions=NO_OP, reason="forgotten", state_only=True, before=None)
        kind = KINDS[entry.kind]
        if kind.stays is None or entry.release or not kind.outlives(entry.owned):
            return base
        unbound = tuple(
            FieldChange(path=(key,), source="", before=live.get(key), after=None, reason="unbound")
            for key in kind.stays.bound_by
            if live.get(key) is not None
        )
        return replace(
            base,
            actions=UPDATE if unbound else NO_OP,
            reason="unbound",
            fields=unbound,
            state_only=not unbound,
            after=dict.fromkeys(kind.stays.bound_by),
            notes=(f"the {kind.stays.called} stays with Vapi: release: true would give it back",),
        )


def _is_adopted(inputs: Inputs, resource: Resource, found: Matched, *, contested: bool) -> bool:
    """Does the resource take its one twin over?"""
    was_ours = bool(found.twins) and found.twins[0] in (inputs.options.returning or {}).values()
    if len(found.twins) != 1 or contested or not (resource.adopt or inputs.options.adopt or was_ours):
        return False
    live = inputs.snapshot.get(resource.type, found.twins[0]) or {}
    return not is_replaced(resource, NOTHING_APPLIED, live)


# not managed


def _unmanaged(view: View, resource: Resource, found: Matched) -> Decision:
    if not found.twins:
        return Decision(_created(view, resource, "manifest_changed"))
    if resource.address in view.new:
        change = _created(view, resource, "exists_unmanaged")
        said = existing_twins(view, resource, found.twins)
        return Decision(replace(change, id=found.twins[0]), diagnostics=(said,))
    return Decision(_adopted(view, resource, found.twins[0]))


def _created(view: View, resource: Resource, reason: str) -> Change:
    desired = view.desired[resource.address]
    every = [Difference((key,), None, value, Outcome.MANIFEST) for key, value in desired.items() if value is not None]
    fields = field_changes(resource, every)
    return change_of(view, resource, CREATE, reason, before=None, after=desired, fields=fields)


def _adopted(view: View, resource: Resource, id_: str) -> Change:
    kind, desired = KINDS[resource.kind], view.desired[resource.address]
    live = kind.completed(view.snapshot.get(resource.type, id_) or {}, desired)
    seen = visible(resource.kind, live, desired)
    write = update(kind, sides_of(kind, resource, desired, live, None, view.options), lambda path: False)
    fields = _written(resource, write, seen, desired)
    before = with_values(project(seen, desired), fields)
    change = change_of(
        view,
        resource,
        UPDATE if fields else NO_OP,
        "adopt",
        before=before,
        after=desired if fields else before,
        fields=fields,
        id_=id_,
    )
    return replace(change, state_only=not fields, adopts=True)


# managed


def _managed(view: View, resource: Resource, found: Matched, entry: Entry) -> Decision:
    if found.live is None:
        gone = Drift(
            address=resource.address,
            kind=resource.kind,
            type=resource.type,
            id=entry.id,
            fields=(),
            applied_at=entry.recorded_at,
            deleted=True,
        )
        return Decision(_created(view, resource, "deleted_outside"), (gone,))
    return _compared(view, resource, found, entry, found.live)


def _compared(view: View, resource: Resource, found: Matched, entry: Entry, live: dict[str, Any]) -> Decision:
    """An update, a replacement, or nothing: what the manifest wants, against what was applied and what is live."""
    kind, desired = KINDS[resource.kind], view.desired[resource.address]
    replaced = resource.address in view.new
    sides = sides_of(kind, resource, desired, live, entry, view.options)
    write = update(kind, sides, lambda path: policy_for(view.options, resource, path) == "keep")
    seen = visible(resource.kind, live, entry.owned, desired)
    drift: tuple[Drift, ...] = ()
    if differing := [*write.owned, *write.drift]:
        edited = drifted(sides.applied, live, resource.ignore, body_node(kind), sides.another)
        shown = [after_as_seen(d, seen) for d in still_drifted(edited, differing)]
        drift = drift_of(resource, entry, shown, str(seen.get("updatedAt") or ""))
    if replaced:
        write = replacement(kind, sides, desired)
    elif not write.fields:
        kept, settling = bool(write.drift), found.settling
        return Decision(settled(view, resource, entry, seen, desired, kept=kept, settling=settling), drift)
    fields = _written(resource, write, seen, desired)
    change = change_of(
        view,
        resource,
        kind.replace_order if replaced else UPDATE,
        reason_for(list(write.owned)) if write.owned else "manifest_changed",
        before=with_values(project(seen, {**entry.owned, **desired}), fields),
        after=desired,
        fields=fields,
        id_=entry.id,
    )
    decision = Decision(replace(change, previous_address=view.previous.get(resource.address)), drift)
    return _other_one(view, resource, kind, entry, decision) if replaced and kind.unique else decision


def _other_one(view: View, resource: Resource, kind: Kind, entry: Entry, decision: Decision) -> Decision:
    """A line that gets another number: the new one may be somebody's, and one that stays with the vendor is kept."""
    desired = view.desired[resource.address]
    if twins := tuple(id_ for id_ in twins_of(view, resource, lambda: desired) if id_ != entry.id):
        decision = replace(decision, diagnostics=(existing_twins(view, resource, twins),))
    if kind.stays is None or entry.release or not kind.outlives(entry.owned):
        return decision
    notes = (f"the old {kind.stays.called} stays with Vapi, bound to nobody",)
    return replace(decision, change=replace(decision.change, keeps_old=True, notes=notes))


def _written(
    resource: Resource, write: Write, seen: dict[str, Any], desired: dict[str, Any]
) -> tuple[FieldChange, ...]:
    """A write's fields as a plan may show them: what others put beside ours may hold secrets, too."""
    after = visible(resource.kind, write.body, desired)
    return field_changes(resource, [after_as_seen(before_as_seen(field, seen), after) for field in write.fields])
