"""What references and secrets in a body are at this moment of planning; what is not known yet stays a marker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voiceops.engine.fields.diff import NOTHING_APPLIED, Applied, Outcome, differences
from voiceops.kinds.nodes import body_node
from voiceops.kinds.registry import KINDS
from voiceops.model.address import kind_of, twilio_side
from voiceops.model.graph import Resource
from voiceops.model.state import Entry
from voiceops.model.values import JSON, Fingerprint, Outside, Ref, Secret, Template, map_leaves

if TYPE_CHECKING:
    from voiceops.engine.planning.planner import Planner


def resolved(planner: Planner, body: JSON) -> JSON:
    """Live ids for references, fingerprints for secrets; what is not known yet stays a marker."""

    def leaf(item: JSON) -> JSON:
        if isinstance(item, Ref):
            return _resolve_ref(planner, item)
        if isinstance(item, Outside):
            return planner.externals.value(item)
        if isinstance(item, Template):
            parts = [leaf(part) for part in item.parts]
            return "".join(parts) if all(isinstance(part, str) for part in parts) else item
        if isinstance(item, Secret):
            return planner.options.fingerprints.get(item, Fingerprint(item.names, ""))
        return item

    return map_leaves(body, leaf)


def _resolve_ref(planner: Planner, ref: Ref) -> JSON:
    if ref.attribute == "name" and ref.address in planner.graph.resources:
        return planner.graph.resources[ref.address].name
    if ref.attribute in KINDS[kind_of(ref.address)].attributes:
        return _attribute(planner, ref)
    if ref.attribute.startswith("voice_"):
        entry = planner.entries.get(twilio_side(ref.address))
        if entry is None or ref.address in planner.new:
            return ref
        return (entry.imported or {}).get(ref.attribute, ref)
    if ref.address in planner.new:
        return ref
    found = planner.found.get(ref.address)
    if found is None:
        return ref
    if found.entry is not None:
        return found.entry.id
    return found.twins[0] if found.twins else ref


def _attribute(planner: Planner, ref: Ref) -> JSON:
    """What the server gave the object; unknown as long as an update is about to change it."""
    resource, found = planner.graph.resources.get(ref.address), planner.found.get(ref.address)
    if ref.address in planner.new or resource is None or found is None:
        return ref
    live = found.live if found.entry else planner.snapshot.get(resource.type, found.twins[0])
    value = (live or {}).get(ref.attribute) or (found.entry.attributes.get(ref.attribute) if found.entry else None)
    moves = ref.attribute in KINDS[resource.kind].volatile and _will_change(planner, resource, found.entry, live or {})
    return ref if value is None or moves else value


def _will_change(planner: Planner, resource: Resource, entry: Entry | None, live: dict[str, Any]) -> bool:
    applied = Applied(entry.owned, entry.stored) if entry else NOTHING_APPLIED
    node = body_node(KINDS[resource.kind])
    found = differences(planner.wanted(resource), applied, live, resource.ignore, node)
    return any(d.outcome is not Outcome.DRIFT or planner.policy(resource, d.path) != "keep" for d in found)
