"""Graph + State + Snapshot → Plan. Everything that plans is this function with another desired graph.

1. find each resource's live object: by the state's id; by name only to notice unmanaged twins
2. decide what is created or replaced, so that references know which ids are still unknown
3. compare field by field, and say why each object changes, or why not
4. delete what the state holds and nothing wants any more
5. guard: protection, shares of deletes (engine/guards.py)
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.engine.dependents import naming_dependents
from voiceops.engine.diff import (
    NOTHING_APPLIED,
    Applied,
    Difference,
    Outcome,
    differences,
    drifted,
    empty,
    owns_same,
    reason_for,
    still_drifted,
)
from voiceops.engine.guards import Safety, guard
from voiceops.engine.returning import without_lost
from voiceops.engine.twilio import lags, number_of, plan_number, plan_release
from voiceops.engine.visible import visible
from voiceops.errors import Diagnostic
from voiceops.kinds.base import is_stock
from voiceops.kinds.phone import TWILIO_TYPE
from voiceops.kinds.registry import KINDS
from voiceops.model.address import deposed, is_twilio_side, kind_of, owner_of, twilio_side
from voiceops.model.graph import Graph, Resource, reaching
from voiceops.model.live import SETTLE, Snapshot
from voiceops.model.plan import CREATE, DELETE, NO_OP, UPDATE, Change, Drift, FieldChange, Plan
from voiceops.model.state import Entry, State
from voiceops.model.values import (
    ABSENT,
    JSON,
    SENSITIVE_UNCHECKED,
    Fingerprint,
    Path,
    Ref,
    Secret,
    Template,
    copy,
    delete_path,
    get_path,
    leaves,
    map_leaves,
    set_path,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to plan. `fingerprints` holds what is known of the secrets at hand; `siblings` ids of other environments."""

    adopt: bool = False
    drift: str = "revert"
    drift_fields: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    destroy: bool = False
    force: bool = False
    refresh_only: bool = False
    safety: Safety = field(default_factory=Safety)
    fingerprints: Mapping[Secret, Fingerprint] = field(default_factory=dict)
    siblings: frozenset[str] = frozenset()
    account: str = ""
    settle: float = SETTLE
    returning: frozenset[str] | None = None  # of a rollback: ids that were ours before, and are taken over again


@dataclass(frozen=True, slots=True)
class Found:
    """A resource's entry and live object. `settling`: too new to be believed missing."""

    entry: Entry | None
    live: dict[str, Any] | None
    settling: bool = False
    twins: tuple[str, ...] = ()  # unmanaged live objects of the same name


def make_plan(graph: Graph, state: State, snapshot: Snapshot, options: Options) -> Plan:
    """The plan that brings what is live to what the graph asks for."""
    return _Planner(graph, state, snapshot, options).plan()


class _Planner:
    def __init__(self, graph: Graph, state: State, snapshot: Snapshot, options: Options) -> None:
        self.graph = graph
        self.state = state
        self.snapshot = snapshot
        self.options = options
        self.diagnostics: list[Diagnostic] = []
        self.drift: list[Drift] = []
        self.moved = {
            r.moved_from: a
            for a, r in graph.resources.items()
            if r.moved_from and r.moved_from in state.entries and a not in state.entries
        }
        self.entries = {self.moved.get(address, address): entry for address, entry in state.entries.items()}
        self.managed = {id_ for entry in state.entries.values() for id_ in (entry.id, *entry.deposed)}
        self.found = {address: self._find(address) for address in [*graph.resources, *self.entries]}
        self.new: set[str] = set()  # whose id is only known after apply
        self.edges = self._edges()
        self.affects = reaching(self.edges, "Phone")

    def plan(self) -> Plan:
        for address in self._in_creation_order():
            if self._will_be_new(address):
                self.new.add(address)
        changes = [self._change(self.graph.resources[a]) for a in self.graph.resources]
        changes += [self._removal(a) for a in self.entries if a not in self.graph.resources]
        changes += self._leftovers()
        changes.sort(key=lambda change: change.address)
        if self.options.returning is not None:
            changes, self.diagnostics = without_lost(changes, self.diagnostics, self.graph)
        changes = naming_dependents(self._selected(changes), self.snapshot, self.managed)
        if self.options.targets or self.options.labels:
            self._only_about({owner_of(change.address) for change in changes})
        if self.options.refresh_only:
            changes = []
        refusals = guard(changes, self.state, self.options.safety, force=self.options.force)
        if self.drift and not self.options.refresh_only:
            refusals += self._drift_refusals()
        numbers = {address: str(name) for address, name in self._phone_numbers()}
        return Plan(
            project=self.graph.project,
            environment=self.graph.environment,
            org=self.snapshot.org or self.state.binding.vapi_org,
            account=self.options.account,
            changes=tuple(changes),
            drift=tuple(sorted(self.drift, key=lambda d: d.address)),
            diagnostics=tuple(self.diagnostics),
            numbers=numbers,
            refusals=tuple(refusals),
            destroy=self.options.destroy,
        )

    # 1. finding

    def _find(self, address: str) -> Found:
        entry = self.entries.get(address)
        if entry is not None:
            found = self._find_managed(entry)
            known = self.graph.resources[address].body if address in self.graph.resources else {}
            return found if found.live is None else replace(found, live=completed(entry, found.live, known))
        resource = self.graph.resources[address]
        if resource.type == TWILIO_TYPE:
            number = number_of(self.snapshot, resource)
            return Found(None, number)
        return Found(None, None, twins=self._twins(resource))

    def _find_managed(self, entry: Entry) -> Found:
        live = self.snapshot.get(entry.type, entry.id)
        fresh = self.snapshot.date - entry.recorded_at < self.options.settle
        if live is None:
            return Found(entry, remembered(entry, None), settling=True) if fresh else Found(entry, None)
        older = lags(entry, live) if entry.type == TWILIO_TYPE else str(live.get("updatedAt") or "") < entry.updated_at
        if fresh and older:
            # The list still shows the object as it was before our last write.
            return Found(entry, remembered(entry, live), settling=True)
        return Found(entry, live)

    def _twins(self, resource: Resource) -> tuple[str, ...]:
        if resource.name is None:
            return ()
        kind = KINDS[resource.kind]
        # Another environment of this project may own an object of the same name, but never the same number.
        known = self.managed if resource.kind == "Phone" else self.managed | self.options.siblings
        return tuple(
            id_
            for id_, live in sorted(self.snapshot.all(resource.type).items())
            if id_ not in known
            and not self._just_deleted(id_)
            and not is_stock(live)
            and kind.name_of(live) == resource.name
        )

    def _just_deleted(self, id_: str) -> bool:
        """We deleted it, and the lists may not know yet."""
        return self.snapshot.date - self.state.gone.get(id_, -SETTLE) < self.options.settle

    # 2. what is new

    def _in_creation_order(self) -> list[str]:
        return sorted(self.graph.resources, key=lambda a: (is_twilio_side(a), a))

    def _will_be_new(self, address: str) -> bool:
        resource, found = self.graph.resources[address], self.found[address]
        if resource.type == TWILIO_TYPE:
            return False
        if found.entry is None:
            return not self._adopts(resource, found)
        return found.live is None or self._replaces(resource, found)

    def _adopts(self, resource: Resource, found: Found) -> bool:
        was_ours = bool(found.twins) and found.twins[0] in (self.options.returning or ())
        if len(found.twins) != 1 or not (resource.adopt or self.options.adopt or was_ours):
            return False
        live = self.snapshot.get(resource.type, found.twins[0]) or {}
        return not differs_for_good(resource, NOTHING_APPLIED, live)

    def _replaces(self, resource: Resource, found: Found) -> bool:
        entry = found.entry
        applied = Applied(entry.owned, entry.stored) if entry else NOTHING_APPLIED
        return differs_for_good(resource, applied, found.live or {})

    # 3. comparing

    def resolved(self, body: JSON) -> JSON:
        """Live ids for references, fingerprints for secrets; what is not known yet stays a marker."""

        def leaf(item: JSON) -> JSON:
            if isinstance(item, Ref):
                return self._resolve_ref(item)
            if isinstance(item, Template):
                parts = [self._resolve_ref(part) if isinstance(part, Ref) else part for part in item.parts]
                return "".join(parts) if all(isinstance(part, str) for part in parts) else item
            if isinstance(item, Secret):
                return self.options.fingerprints.get(item, Fingerprint(item.names, ""))
            return item

        return map_leaves(body, leaf)

    def _resolve_ref(self, ref: Ref) -> JSON:
        if ref.attribute == "name" and ref.address in self.graph.resources:
            return self.graph.resources[ref.address].name
        if ref.attribute in KINDS[kind_of(ref.address)].attributes:
            return self._attribute(ref)
        if ref.attribute.startswith("voice_"):
            entry = self.entries.get(twilio_side(ref.address))
            if entry is None or ref.address in self.new:
                return ref
            return (entry.imported or {}).get(ref.attribute, ref)
        if ref.address in self.new:
            return ref
        found = self.found.get(ref.address)
        if found is None:
            return ref
        if found.entry is not None:
            return found.entry.id
        return found.twins[0] if found.twins else ref

    def _attribute(self, ref: Ref) -> JSON:
        """What the server gave the object; unknown as long as an update is about to change it."""
        resource, found = self.graph.resources.get(ref.address), self.found.get(ref.address)
        if ref.address in self.new or resource is None or found is None:
            return ref
        live = found.live if found.entry else self.snapshot.get(resource.type, found.twins[0])
        value = (live or {}).get(ref.attribute) or (found.entry.attributes.get(ref.attribute) if found.entry else None)
        moves = ref.attribute in KINDS[resource.kind].volatile and self._will_change(resource, found.entry, live or {})
        return ref if value is None or moves else value

    def _will_change(self, resource: Resource, entry: Entry | None, live: dict[str, Any]) -> bool:
        applied = Applied(entry.owned, entry.stored) if entry else NOTHING_APPLIED
        found = differences(self.resolved(resource.body), applied, live, resource.ignore)
        return any(d.outcome is not Outcome.DRIFT or self.policy(resource, d.path) != "keep" for d in found)

    def _change(self, resource: Resource) -> Change:
        found = self.found[resource.address]
        if resource.type == TWILIO_TYPE:
            return plan_number(self, resource, found)
        desired = self.resolved(resource.body)
        self._report_unchecked(resource, found.entry, desired)
        if found.entry is None:
            return self._unmanaged(resource, found, desired)
        if found.live is None:
            self.drift.append(
                Drift(
                    address=resource.address,
                    kind=resource.kind,
                    type=resource.type,
                    id=found.entry.id,
                    fields=(),
                    applied_at=found.entry.recorded_at,
                    deleted=True,
                )
            )
            return self.change(
                resource,
                CREATE,
                "deleted_outside",
                before=None,
                after=desired,
                fields=self._all_fields(resource, desired),
            )
        if self._replaces(resource, found):
            return self._compared(resource, found, desired, KINDS[resource.kind].replace_order)
        return self._compared(resource, found, desired, UPDATE)

    def _unmanaged(self, resource: Resource, found: Found, desired: dict[str, Any]) -> Change:
        if found.twins and not self._adopts(resource, found):
            self._report_twins(resource, found.twins)
            return self.change(
                resource,
                CREATE,
                "exists_unmanaged",
                before=None,
                after=desired,
                fields=self._all_fields(resource, desired),
                id_=found.twins[0],
            )
        if found.twins:
            live = self.snapshot.get(resource.type, found.twins[0]) or {}
            live = KINDS[resource.kind].completed(live, desired)
            seen = visible(resource.kind, live, desired)
            found_differences = differences(desired, NOTHING_APPLIED, live, resource.ignore)
            changes = self.field_changes(resource, [_before_as_seen(d, seen) for d in found_differences])
            change = self.change(
                resource,
                UPDATE if changes else NO_OP,
                "adopt",
                before=_project(seen, desired),
                after=desired,
                fields=changes,
                id_=found.twins[0],
            )
            return replace(change, state_only=not changes, adopts=True)
        return self.change(
            resource,
            CREATE,
            "manifest_changed",
            before=None,
            after=desired,
            fields=self._all_fields(resource, desired),
        )

    def _report_unchecked(self, resource: Resource, entry: Entry | None, desired: dict[str, Any]) -> None:
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
            self.diagnostics.append(
                Diagnostic(
                    code="secret-not-checked",
                    severity="warning",
                    mark=resource.mark,
                    address=resource.address,
                    summary=f"{SENSITIVE_UNCHECKED}: {', '.join(unchecked)} is not set here",
                    hint="Whether it changed shows only where it is set; apply needs it only to send it.",
                )
            )

    def _report_twins(self, resource: Resource, twins: tuple[str, ...]) -> None:
        kind = KINDS[resource.kind]
        several = f" ({len(twins)} of them: {', '.join(twins)})" if len(twins) > 1 else ""
        self.diagnostics.append(
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

    def _compared(self, resource: Resource, found: Found, desired: dict[str, Any], actions: tuple[str, ...]) -> Change:
        entry, live = found.entry, found.live
        assert entry is not None
        assert live is not None
        kind = KINDS[resource.kind]
        applied = Applied(_without(entry.owned, kind.create_only), entry.stored)
        wanted = _without(desired, kind.create_only)
        seen = visible(resource.kind, live, entry.owned, desired)
        found_differences = differences(wanted, applied, live, resource.ignore)
        self._note_drift(
            resource, entry, still_drifted(drifted(applied, live, resource.ignore), found_differences), seen
        )
        kept = [d for d in found_differences if d.outcome is Outcome.DRIFT and self.policy(resource, d.path) == "keep"]
        changes = [d for d in found_differences if d not in kept]
        if not changes and actions == UPDATE:
            return self.settled(resource, found, kept=bool(kept))
        fields = self.field_changes(resource, [_before_as_seen(d, seen) for d in changes])
        change = self.change(
            resource,
            actions,
            reason_for(changes),
            before=_project(seen, {**entry.owned, **desired}),
            after=desired,
            fields=fields,
            id_=entry.id,
        )
        if actions == kind.replace_order and resource.kind == "Phone":
            change = self._other_number(resource, entry, change)
        return replace(change, previous_address=self.previous(resource.address))

    def _other_number(self, resource: Resource, entry: Entry, change: Change) -> Change:
        """A line that gets another number: the new one may be somebody's, and Vapi's own old one is not given away."""
        if twins := tuple(id_ for id_ in self._twins(resource) if id_ != entry.id):
            self._report_twins(resource, twins)
        if entry.owned.get("provider") != "vapi" or entry.release:
            return change
        return replace(change, keeps_old=True, notes=("the old number stays with Vapi, bound to nobody",))

    def settled(self, resource: Resource, found: Found, *, kept: bool) -> Change:
        """Live is as it should be; the state may still have something to learn."""
        entry = found.entry
        assert entry is not None
        previous = self.previous(resource.address)
        reason, state_only = "unchanged", False
        if previous:
            reason, state_only = "moved", True
        elif entry.protected != resource.prevent_destroy:
            reason, state_only = "protected" if resource.prevent_destroy else "unprotected", True
        elif entry.release != resource.release:
            reason, state_only = "release_changed", True
        elif not owns_same(*self._owned(resource, entry)):
            # Live is what the manifest wants, though not by our doing: an edit that was taken over into the file.
            reason, state_only = "recorded", True
        elif kept:
            reason = "drift_kept"
        elif found.settling:
            reason = "settling"
        change = self.change(resource, NO_OP, reason, before=None, after=None, id_=entry.id)
        return replace(change, state_only=state_only, previous_address=previous)

    def _owned(self, resource: Resource, entry: Entry) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the state says is ours, and what the manifest makes ours."""
        desired: dict[str, Any] = self.resolved(resource.body)
        if resource.type == TWILIO_TYPE:
            return entry.owned, desired
        create_only = KINDS[resource.kind].create_only
        return _without(entry.owned, create_only), _without(desired, create_only)

    def previous(self, address: str) -> str | None:
        return next((old for old, new in self.moved.items() if new == address), None)

    def _note_drift(self, resource: Resource, entry: Entry, found: Iterable[Difference], seen: dict[str, Any]) -> None:
        found = [_after_as_seen(d, seen) for d in found]
        if found:
            self.drift.append(
                Drift(
                    address=resource.address,
                    kind=resource.kind,
                    type=resource.type,
                    id=entry.id,
                    fields=self.field_changes(resource, found),
                    updated_at=str(seen.get("updatedAt") or ""),
                    applied_at=entry.recorded_at,
                )
            )

    def policy(self, resource: Resource, path: Path) -> str:
        return policy_for(self.options, resource, path)

    def _drift_refusals(self) -> list[Diagnostic]:
        found = []
        for drift in self.drift:
            resource = self.graph.resources.get(drift.address)
            if resource is None:
                continue
            fields = [f for f in drift.fields if self.policy(resource, f.path) == "refuse"]
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

    def _all_fields(self, resource: Resource, desired: dict[str, Any]) -> tuple[FieldChange, ...]:
        return self.field_changes(
            resource,
            [Difference((key,), None, value, Outcome.MANIFEST) for key, value in desired.items() if value is not None],
        )

    # 4. removing

    def _removal(self, address: str) -> Change:
        entry, live = self.entries[address], self.found[address].live
        base = Change(
            address=address,
            kind=entry.kind,
            type=entry.type,
            name=entry.name,
            id=entry.id,
            actions=DELETE,
            reason="manifest_removed",
            before=entry.owned,
            after=None,
            affects=self.affects.get(owner_of(address), ()),
        )
        if entry.type == TWILIO_TYPE:
            return plan_release(base, entry, live)
        if live is None:
            return replace(base, actions=NO_OP, reason="forgotten", state_only=True, before=None)
        if entry.kind == "Phone" and entry.owned.get("provider") == "vapi" and not entry.release:
            unbound = tuple(
                FieldChange(path=(key,), source="", before=live.get(key), after=None, reason="unbound")
                for key in ("assistantId", "squadId")
                if live.get(key) is not None
            )
            return replace(
                base,
                actions=UPDATE if unbound else NO_OP,
                reason="unbound",
                fields=unbound,
                state_only=not unbound,
                after=dict.fromkeys(("assistantId", "squadId")),
                notes=("the number stays with Vapi: release: true would give it back",),
            )
        return base

    def _leftovers(self) -> Iterable[Change]:
        """Objects that were replaced by an apply that did not get to delete them."""
        for address, entry in self.entries.items():
            for id_ in entry.deposed:
                gone = self.snapshot.get(entry.type, id_) is None
                yield Change(
                    address=deposed(address, id_),
                    kind=entry.kind,
                    type=entry.type,
                    name=entry.name,
                    id=id_,
                    actions=NO_OP if gone else DELETE,
                    reason="forgotten" if gone else "replaced",
                    state_only=gone,
                    before=None if gone else {},
                    affects=(),
                )

    # shared with engine/twilio.py

    def change(
        self,
        resource: Resource,
        actions: tuple[str, ...],
        reason: str,
        *,
        before: Any,
        after: Any,
        fields: tuple[FieldChange, ...] = (),
        id_: str | None = None,
    ) -> Change:
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
            affects=self.affects.get(owner_of(resource.address), ()),
        )

    def field_changes(self, resource: Resource, found: Iterable[Difference]) -> tuple[FieldChange, ...]:
        changes = []
        for difference in found:
            mark = resource.source_of(difference.path)
            changes.append(
                FieldChange(
                    path=difference.path,
                    source=mark.path,
                    before=_masked(difference),
                    after=difference.after,
                    reason=difference.outcome.value,
                    file=mark.file,
                    line=mark.line,
                )
            )
        return tuple(changes)

    def _edges(self) -> dict[str, tuple[str, ...]]:
        edges: dict[str, tuple[str, ...]] = {owner_of(a): () for a in (*self.graph.resources, *self.entries)}
        for address in self.graph.resources:
            edges[owner_of(address)] = (
                *edges[owner_of(address)],
                *map(owner_of, self.graph.dependencies(address)),
            )
        for address, entry in self.entries.items():
            edges[owner_of(address)] = (*edges[owner_of(address)], *map(owner_of, entry.depends))
        return edges

    def _phone_numbers(self) -> Iterable[tuple[str, str]]:
        for address in sorted({*self.graph.resources, *self.entries}):
            if not address.startswith("Phone/") or is_twilio_side(address):
                continue
            resource = self.graph.resources.get(address)
            number = resource.body.get("number") if resource else self.entries[address].owned.get("number")
            live = self.found[address].live or {}
            yield address, str(number or live.get("number") or address)

    def _selected(self, changes: list[Change]) -> list[Change]:
        targets, labels = self.options.targets, self.options.labels
        if not targets and not labels:
            return changes
        chosen: set[str] = set()
        for address in {owner_of(change.address) for change in changes}:
            resource = self.graph.resources.get(address)
            family = address.partition("[")[0]
            if (
                address in targets
                or family in targets
                or (labels and resource is not None and all(resource.labels.get(k) == v for k, v in labels.items()))
            ):
                chosen.add(address)
        # What a chosen object refers to must exist first.
        waiting = list(chosen)
        while waiting:
            for following in self.edges.get(waiting.pop(), ()):
                if following not in chosen and following in self.new:
                    chosen.add(following)
                    waiting.append(following)
        return [change for change in changes if owner_of(change.address) in chosen]

    def _only_about(self, chosen: set[str]) -> None:
        """What is wrong or edited elsewhere is another plan's to say."""
        self.diagnostics = [d for d in self.diagnostics if not d.address or owner_of(d.address) in chosen]
        self.drift = [d for d in self.drift if owner_of(d.address) in chosen]


def policy_for(options: Options, resource: Resource, path: Path) -> str:
    """revert, keep or refuse for one field: the most specific of `drift.fields`, else the default."""
    source = resource.source_of(path).path
    found: list[tuple[bool, int, int, str]] = []
    for pattern, policy in options.drift_fields.items():
        address, _, field_pattern = pattern.partition(":")
        exact = resource.address == address  # also an instance, whose brackets are no pattern
        inside = source == field_pattern or source.startswith((f"{field_pattern}.", f"{field_pattern}["))
        if (exact or fnmatch.fnmatchcase(resource.address, address)) and (not field_pattern or inside):
            found.append((exact, len(field_pattern), len(address), policy))
    return max(found)[-1] if found else options.drift


def remembered(entry: Entry, live: dict[str, Any] | None) -> dict[str, Any]:
    """A live object as our last write left it, for as long as the lists lag behind."""
    value: dict[str, Any] = copy(live or {}) | copy(entry.owned)
    for path, stored in entry.stored.items():
        if stored is ABSENT:
            delete_path(value, path)
        else:
            set_path(value, path, copy(stored))
    return value | {**entry.attributes, "id": entry.id, "updatedAt": entry.updated_at}


def completed(entry: Entry, live: dict[str, Any], desired: Mapping[str, JSON]) -> dict[str, Any]:
    """A live object with what the API doesn't show of it: as it was applied; of an adopted one, as it should be."""
    return KINDS[entry.kind].completed(live, {**desired, **entry.owned})


def differs_for_good(resource: Resource, applied: Applied, live: dict[str, Any]) -> bool:
    """Is there a difference that no update can remove?

    Of an object that we didn't make it isn't known which fields the API leaves out.
    """
    kind = KINDS[resource.kind]
    if resource.type != kind.type:
        return False
    fixed = kind.fixed({**live, **resource.body})
    owned = applied.owned if isinstance(applied.owned, dict) else {}

    def only(body: Mapping[str, JSON]) -> dict[str, JSON]:
        return {key: body[key] for key in fixed if key in body}

    def is_plain(value: JSON) -> bool:
        return not any(isinstance(leaf, (Ref, Secret, Template, Fingerprint)) for _, leaf in leaves(value))

    found = differences(only(resource.body), Applied(only(owned), applied.stored), only(live), resource.ignore)
    return any((owned or not empty(d.before)) and is_plain(d.after) for d in found)


def _before_as_seen(difference: Difference, seen: JSON) -> Difference:
    value = get_path(seen, difference.path)
    return difference if value is ABSENT else replace(difference, before=value)


def _after_as_seen(difference: Difference, seen: JSON) -> Difference:
    value = get_path(seen, difference.path)
    return difference if value is ABSENT else replace(difference, after=value)


def _masked(difference: Difference) -> JSON:
    """A live value under a secret is as secret as what we send."""
    return (
        Fingerprint((), "live")
        if isinstance(difference.after, Fingerprint) and difference.before not in (None, ABSENT)
        else difference.before
    )


def _without(body: dict[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in keys} if keys else body


def _project(live: JSON, like: JSON) -> JSON:
    """The live value as far as `like` speaks of it: a plan shows owned fields only, and no secret."""
    if isinstance(like, dict) and isinstance(live, dict):
        return {key: _project(live[key], value) for key, value in like.items() if key in live}
    if isinstance(like, list) and isinstance(live, list) and len(like) == len(live):
        return [_project(a, b) for a, b in zip(live, like, strict=True)]
    return like if isinstance(like, (Fingerprint, Secret)) else live
