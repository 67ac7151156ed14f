"""The parts of a decision that every strategy makes alike: a change, its fields, and one that has nothing to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from voiceops.engine.fields.diff import Difference
from voiceops.engine.fields.equality import owns_same
from voiceops.engine.fields.masking import before_masked, project
from voiceops.engine.lines.rerouted import rerouted
from voiceops.engine.planning.view import View
from voiceops.kinds.nodes import body_node
from voiceops.kinds.registry import kind_of_type
from voiceops.model.address import owner_of
from voiceops.model.graph import Resource
from voiceops.model.plan import NO_OP, Change, Drift, FieldChange
from voiceops.model.state import Entry


def change_of(
    view: View,
    resource: Resource,
    actions: tuple[str, ...],
    reason: str,
    *,
    before: Any,
    after: Any,
    fields: tuple[FieldChange, ...] = (),
    id_: str | None = None,
) -> Change:
    """The change of a resource: where its manifest is, and which lines it reaches, comes from the view."""
    return Change(
        address=resource.address,
        kind=resource.kind,
        type=resource.type,
        name=resource.name,
        id=id_,
        actions=actions,
        reason=reason,
        file=resource.mark.file,
        line=resource.mark.line,
        before=before,
        after=after,
        fields=fields,
        affects=view.affects.get(owner_of(resource.address), ()),
        answers=rerouted(resource, view.found[resource.address].entry, view.entries, view.moved),
    )


def field_changes(resource: Resource, found: Iterable[Difference]) -> tuple[FieldChange, ...]:
    """Differences with the place in the manifest that each comes from."""
    changes = []
    for difference in found:
        mark = resource.source_of(difference.path)
        changes.append(
            FieldChange(
                path=difference.path,
                source=mark.path,
                before=before_masked(difference),
                after=difference.after,
                reason=difference.outcome.value,
                file=mark.file,
                line=mark.line,
            )
        )
    return tuple(changes)


def drift_of(resource: Resource, entry: Entry, found: Iterable[Difference], updated_at: str) -> tuple[Drift, ...]:
    """What was edited live, as a plan tells it; nothing where nothing was."""
    fields = field_changes(resource, found)
    if not fields:
        return ()
    return (
        Drift(
            address=resource.address,
            kind=resource.kind,
            type=resource.type,
            id=entry.id,
            fields=fields,
            updated_at=updated_at,
            applied_at=entry.recorded_at,
        ),
    )


def settled(
    view: View,
    resource: Resource,
    entry: Entry,
    seen: dict[str, Any],
    desired: dict[str, Any],
    *,
    kept: bool,
    settling: bool,
) -> Change:
    """Live is as it should be; the state may still have something to learn.

    `seen` is live without secrets; `kept`: there is drift that the project keeps; `settling`: the lists lag behind.
    """
    previous = view.previous.get(resource.address)
    reason, state_only = "unchanged", False
    if previous:
        reason, state_only = "moved", True
    elif entry.protected != resource.prevent_destroy:
        reason, state_only = "protected" if resource.prevent_destroy else "unprotected", True
    elif entry.release != resource.release:
        reason, state_only = "release_changed", True
    elif not _owns_same(resource, entry.owned, desired):
        # Live is what the manifest wants, though not by our doing: an edit that was taken over into the file.
        reason, state_only = "recorded", True
    elif rerouted(resource, entry, view.entries, view.moved):
        reason, state_only = "rerouted", True
    elif kept:
        reason = "drift_kept"
    elif settling:
        reason = "settling"
    shown = project(seen, {**entry.owned, **desired})
    change = change_of(view, resource, NO_OP, reason, before=shown, after=shown, id_=entry.id)
    return replace(change, state_only=state_only, previous_address=previous) if state_only else change


def _owns_same(resource: Resource, owned: dict[str, Any], desired: dict[str, Any]) -> bool:
    """Is what the state says is ours what the manifest makes ours?"""
    kind = kind_of_type(resource.type)
    if kind is None:
        return owns_same(owned, desired)
    return owns_same(_without(owned, kind.create_only), _without(desired, kind.create_only), body_node(kind))


def _without(body: dict[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in keys} if keys else body
