"""What references and secrets in a body are at this moment of planning; what is not known yet stays a marker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from voiceops.engine.fields.body import set_values
from voiceops.engine.fields.diff import NOTHING_APPLIED, Applied, Outcome, differences
from voiceops.engine.options import policy_for
from voiceops.engine.planning.view import Inputs, Matched
from voiceops.kinds.nodes import body_node
from voiceops.kinds.registry import KINDS, kind_of_type
from voiceops.model.address import kind_of, twilio_side
from voiceops.model.graph import Resource
from voiceops.model.state import Entry
from voiceops.model.values import JSON, Fingerprint, Outside, Ref, Secret, Template, is_plain


@dataclass(frozen=True, slots=True)
class KnownIds:
    """What a reference is answered from: the live objects that were found, and the addresses that are still `new`."""

    inputs: Inputs
    found: Mapping[str, Matched]
    new: Set[str] = frozenset()


def wanted(known: KnownIds, resource: Resource) -> dict[str, Any]:
    """What a resource sets, as far as it is known now."""
    body: dict[str, Any] = resolved(known, resource.body)
    kind = kind_of_type(resource.type)
    return body if kind is None else set_values(kind, body)


def resolved(known: KnownIds, body: JSON) -> JSON:
    """Live ids for references, fingerprints for secrets; what is not known yet stays a marker."""
    inputs = known.inputs

    def leaf(item: JSON) -> JSON:
        if isinstance(item, Ref):
            return _reference(known, item)
        if isinstance(item, Outside):
            return inputs.externals.value(item)
        if isinstance(item, Template):
            parts = [leaf(part) for part in item.parts]
            return "".join(parts) if all(isinstance(part, str) for part in parts) else item
        if isinstance(item, Secret):
            return inputs.options.fingerprints.get(item, Fingerprint(item.names, ""))
        return item

    return _mapped(body, leaf)


def _mapped(value: JSON, change: Callable[[JSON], JSON]) -> JSON:
    """The tree with every marker replaced by `change(marker)`; what holds none is not even copied."""
    if is_plain(value):
        return value
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    return change(value)


def _reference(known: KnownIds, ref: Ref) -> JSON:
    graph, kind = known.inputs.graph, KINDS[kind_of(ref.address)]
    if ref.attribute == "name" and ref.address in graph.resources:
        return graph.resources[ref.address].name
    if ref.attribute in kind.attributes:
        return _attribute(known, ref)
    if ref.attribute in kind.beside:
        entry = known.inputs.entries.get(twilio_side(ref.address))
        if entry is None or ref.address in known.new:
            return ref
        return (entry.imported or {}).get(ref.attribute, ref)
    found = known.found.get(ref.address)
    if ref.address in known.new or found is None:
        return ref
    if found.entry is not None:
        return found.entry.id
    return found.twins[0] if found.twins else ref


def _attribute(known: KnownIds, ref: Ref) -> JSON:
    """What the server gave the object; unknown as long as an update is about to change it."""
    resource, found = known.inputs.graph.resources.get(ref.address), known.found.get(ref.address)
    if ref.address in known.new or resource is None or found is None:
        return ref
    if found.entry is not None:
        live = found.live
    else:
        live = known.inputs.snapshot.get(resource.type, found.twins[0]) if found.twins else None
    value = (live or {}).get(ref.attribute) or (found.entry.attributes.get(ref.attribute) if found.entry else None)
    moves = ref.attribute in KINDS[resource.kind].volatile and _will_change(known, resource, found.entry, live or {})
    return ref if value is None or moves else value


def _will_change(known: KnownIds, resource: Resource, entry: Entry | None, live: dict[str, Any]) -> bool:
    applied = Applied(entry.owned, entry.stored) if entry else NOTHING_APPLIED
    node = body_node(KINDS[resource.kind])
    found = differences(wanted(known, resource), applied, live, resource.ignore, node)
    return any(
        d.outcome is not Outcome.DRIFT or policy_for(known.inputs.options, resource, d.path) != "keep" for d in found
    )
