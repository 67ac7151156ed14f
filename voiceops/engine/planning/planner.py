"""Graph + State + Snapshot → Plan. Everything that plans is this function with another desired graph.

1. find each resource's live object: by the state's id; by name only to notice unmanaged twins
2. decide what is created or replaced, so that references know which ids are still unknown
3. compare field by field, and say why each object changes, or why not
4. delete what the state holds and nothing wants any more
5. guard: protection, shares of deletes (engine/planning/guards.py)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from voiceops.engine.fields.body import set_values
from voiceops.engine.fields.diff import (
    NOTHING_APPLIED,
    Applied,
    Difference,
    Outcome,
    drifted,
    owns_same,
    reason_for,
    still_drifted,
)
from voiceops.engine.fields.seen import after_as_seen, before_as_seen, masked, project, with_values, without
from voiceops.engine.fields.visible import visible
from voiceops.engine.fields.write import Sides, Write, replacement, sides_of, update
from voiceops.engine.lines.rerouted import rerouted
from voiceops.engine.lines.traffic_split import report_traffic
from voiceops.engine.lines.twilio_number import plan_number
from voiceops.engine.options import Options, policy_for
from voiceops.engine.ordering.dependents import naming_dependents
from voiceops.engine.planning.externals import externals_of
from voiceops.engine.planning.finding import contested, find, twins_of
from voiceops.engine.planning.found import Found, differs_for_good
from voiceops.engine.planning.guards import guard
from voiceops.engine.planning.removal import leftovers, removal
from voiceops.engine.planning.reports import drift_refusals, note_drift, report_twins, report_unchecked
from voiceops.engine.planning.resolve import resolved
from voiceops.engine.planning.rollback_losses import without_lost
from voiceops.engine.planning.selection import selected
from voiceops.errors import Diagnostic
from voiceops.kinds.nodes import body_node
from voiceops.kinds.phone import TWILIO_TYPE
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import Node
from voiceops.model.address import is_twilio_side, owner_of
from voiceops.model.graph import Graph, Resource, reaching
from voiceops.model.live import Snapshot
from voiceops.model.plan import CREATE, NO_OP, UPDATE, Change, Drift, FieldChange, Plan
from voiceops.model.state import Entry, State
from voiceops.model.values import (
    JSON,
    Path,
)


def make_plan(graph: Graph, state: State, snapshot: Snapshot, options: Options) -> Plan:
    """The plan that brings what is live to what the graph asks for."""
    return Planner(graph, state, snapshot, options).plan()


class Planner:
    """One planning: what is desired, held and live, and what was found so far. Its parts are in the modules beside."""

    def __init__(self, graph: Graph, state: State, snapshot: Snapshot, options: Options) -> None:
        self.graph = graph
        self.state = state
        self.snapshot = snapshot
        self.options = options
        self.externals = externals_of(graph, snapshot)
        self.diagnostics: list[Diagnostic] = list(self.externals.diagnostics)
        self.drift: list[Drift] = []
        self.moved = {
            r.moved_from: a
            for a, r in graph.resources.items()
            if r.moved_from and r.moved_from in state.entries and a not in state.entries
        }
        self.entries = {self.moved.get(address, address): entry for address, entry in state.entries.items()}
        self.managed = {id_ for entry in state.entries.values() for id_ in (entry.id, *entry.deposed)}
        self.new: set[str] = set()  # whose id is only known after apply
        # Nameless objects are known by what they refer to: what that is has to be known first.
        nameless = {a for a, r in graph.resources.items() if r.name is None and r.type != TWILIO_TYPE}
        self.found: dict[str, Found] = {}
        for address in sorted({**graph.resources, **self.entries}, key=lambda a: a in nameless):
            self.found[address] = find(self, address)
        self.contested = contested(self.found)
        self.edges = self._edges()
        self.affects = reaching(self.edges, "Phone")

    def plan(self) -> Plan:
        for address in self._in_creation_order():
            if self._will_be_new(address):
                self.new.add(address)
        changes = [self._change(self.graph.resources[a]) for a in self.graph.resources]
        changes += [removal(self, a) for a in self.entries if a not in self.graph.resources]
        changes += leftovers(self)
        report_traffic(self, changes)
        changes.sort(key=lambda change: change.address)
        if self.options.returning is not None:
            changes, self.diagnostics = without_lost(changes, self.diagnostics, self.graph)
        changes = naming_dependents(selected(self, changes), self.snapshot, self.managed)
        if self.options.refresh_only:
            changes = []
        refusals = guard(changes, self.state, self.options.safety, force=self.options.force)
        if self.drift and not self.options.refresh_only:
            refusals += drift_refusals(self)
        numbers = {address: str(name) for address, name in self._phone_numbers()}
        return Plan(
            project=self.graph.project,
            environment=self.graph.environment,
            org=self.snapshot.org or self.state.binding.vapi_org,
            org_empty=self.snapshot.empty,
            account=self.options.account,
            changes=tuple(changes),
            drift=tuple(sorted(self.drift, key=lambda d: d.address)),
            diagnostics=tuple(self.diagnostics),
            numbers=numbers,
            refusals=tuple(refusals),
            destroy=self.options.destroy,
            refresh_only=self.options.refresh_only,
        )

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
        was_ours = bool(found.twins) and found.twins[0] in (self.options.returning or {}).values()
        if len(found.twins) != 1 or not (resource.adopt or self.options.adopt or was_ours):
            return False
        if found.twins[0] in self.contested:
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
        return resolved(self, body)

    def wanted(self, resource: Resource) -> dict[str, Any]:
        """What a resource sets, as far as it is known now."""
        body: dict[str, Any] = self.resolved(resource.body)
        return body if resource.type == TWILIO_TYPE else set_values(KINDS[resource.kind], body)

    def _node(self, resource: Resource) -> Node | None:
        return None if resource.type == TWILIO_TYPE else body_node(KINDS[resource.kind])

    def _change(self, resource: Resource) -> Change:
        found = self.found[resource.address]
        if resource.type == TWILIO_TYPE:
            return plan_number(self, resource, found)
        desired = self.wanted(resource)
        report_unchecked(self, resource, found.entry, desired)
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
            report_twins(self, resource, found.twins)
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
            kind = KINDS[resource.kind]
            live = kind.completed(self.snapshot.get(resource.type, found.twins[0]) or {}, desired)
            seen = visible(resource.kind, live, desired)
            write = update(kind, self._sides(resource, desired, live, None), lambda path: False)
            changes = self._written(resource, write, seen, desired)
            before = with_values(project(seen, desired), changes)
            change = self.change(
                resource,
                UPDATE if changes else NO_OP,
                "adopt",
                before=before,
                after=desired if changes else before,
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

    def _compared(self, resource: Resource, found: Found, desired: dict[str, Any], actions: tuple[str, ...]) -> Change:
        entry, live = found.entry, found.live
        assert entry is not None
        assert live is not None
        kind = KINDS[resource.kind]
        sides = self._sides(resource, desired, live, entry)
        seen = visible(resource.kind, live, entry.owned, desired)
        write = update(kind, sides, lambda path: self.policy(resource, path) == "keep")
        edited = drifted(sides.applied, live, resource.ignore, body_node(kind), sides.another)
        note_drift(self, resource, entry, still_drifted(edited, [*write.owned, *write.drift]), seen)
        if actions != UPDATE:
            write = replacement(kind, sides, desired)
        elif not write.fields:
            return self.settled(resource, found, seen, desired, kept=bool(write.drift))
        fields = self._written(resource, write, seen, desired)
        change = self.change(
            resource,
            actions,
            reason_for(list(write.owned)) if write.owned else "manifest_changed",
            before=with_values(project(seen, {**entry.owned, **desired}), fields),
            after=desired,
            fields=fields,
            id_=entry.id,
        )
        if actions == kind.replace_order and resource.kind == "Phone":
            change = self._other_number(resource, entry, change)
        return replace(change, previous_address=self.previous(resource.address))

    def _sides(self, resource: Resource, desired: dict[str, Any], live: dict[str, Any], entry: Entry | None) -> Sides:
        return sides_of(KINDS[resource.kind], resource, desired, live, entry, self.options)

    def _written(
        self, resource: Resource, write: Write, seen: dict[str, Any], desired: dict[str, Any]
    ) -> tuple[FieldChange, ...]:
        """A write's fields as a plan may show them: what strangers put beside ours may hold secrets, too."""
        after = visible(resource.kind, write.body, desired)
        return self.field_changes(
            resource, [after_as_seen(before_as_seen(field, seen), after) for field in write.fields]
        )

    def _other_number(self, resource: Resource, entry: Entry, change: Change) -> Change:
        """A line that gets another number: the new one may be somebody's, and Vapi's own old one is not given away."""
        if twins := tuple(id_ for id_ in twins_of(self, resource) if id_ != entry.id):
            report_twins(self, resource, twins)
        if entry.owned.get("provider") != "vapi" or entry.release:
            return change
        return replace(change, keeps_old=True, notes=("the old number stays with Vapi, bound to nobody",))

    def settled(
        self, resource: Resource, found: Found, seen: dict[str, Any], desired: dict[str, Any], *, kept: bool
    ) -> Change:
        """Live is as it should be; the state may still have something to learn. `seen` is live without secrets."""
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
        elif not owns_same(*self._owned(resource, entry, desired), self._node(resource)):
            # Live is what the manifest wants, though not by our doing: an edit that was taken over into the file.
            reason, state_only = "recorded", True
        elif rerouted(resource, entry, self.entries, self.moved):
            reason, state_only = "rerouted", True
        elif kept:
            reason = "drift_kept"
        elif found.settling:
            reason = "settling"
        shown = project(seen, {**entry.owned, **desired})
        change = self.change(resource, NO_OP, reason, before=shown, after=shown, id_=entry.id)
        return replace(change, state_only=state_only, previous_address=previous)

    def _owned(
        self, resource: Resource, entry: Entry, desired: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the state says is ours, and what the manifest makes ours."""
        if resource.type == TWILIO_TYPE:
            return entry.owned, desired
        create_only = KINDS[resource.kind].create_only
        return without(entry.owned, create_only), without(desired, create_only)

    def previous(self, address: str) -> str | None:
        return next((old for old, new in self.moved.items() if new == address), None)

    def policy(self, resource: Resource, path: Path) -> str:
        return policy_for(self.options, resource, path)

    def _all_fields(self, resource: Resource, desired: dict[str, Any]) -> tuple[FieldChange, ...]:
        return self.field_changes(
            resource,
            [Difference((key,), None, value, Outcome.MANIFEST) for key, value in desired.items() if value is not None],
        )

    # 4. removing

    # shared with engine/lines/twilio_number.py

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
            answers=rerouted(resource, self.found[resource.address].entry, self.entries, self.moved),
        )

    def field_changes(self, resource: Resource, found: Iterable[Difference]) -> tuple[FieldChange, ...]:
        changes = []
        for difference in found:
            mark = resource.source_of(difference.path)
            changes.append(
                FieldChange(
                    path=difference.path,
                    source=mark.path,
                    before=masked(difference),
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
