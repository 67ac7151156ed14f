"""Graph + State + Snapshot → Plan. Everything that plans is this function with another desired graph.

1. observe: which live object is which resource's, what is new, what references are known to be (planning/observe.py)
2. decide, address by address: compare field by field, and say why each object changes, or why not
3. gather the decisions, and what only shows in all of them: traffic splits, what a rollback can't bring back
4. select, where only some of it is asked for (planning/selection.py)
5. guard: protection, shares of deletes, drift that may not be overwritten (planning/guards.py)
"""

from __future__ import annotations

from collections.abc import Iterable

from voiceops.engine.options import Options
from voiceops.engine.planning.dependents import naming_dependents
from voiceops.engine.planning.guards import guard
from voiceops.engine.planning.observe import observe
from voiceops.engine.planning.removal import leftovers, removal
from voiceops.engine.planning.reports import drift_refusals
from voiceops.engine.planning.rollback_losses import without_lost
from voiceops.engine.planning.selection import selected
from voiceops.engine.planning.strategies import strategy_of
from voiceops.engine.planning.traffic_warnings import traffic_warnings
from voiceops.engine.planning.view import Decision, Draft, View
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Graph
from voiceops.model.live import Snapshot
from voiceops.model.plan import Plan
from voiceops.model.state import State


def make_plan(graph: Graph, state: State, snapshot: Snapshot, options: Options) -> Plan:
    """The plan that brings what is live to what the graph asks for. It asks nobody and changes nothing.

    Raises VoiceopsError: where `options` name a target or a label that is not there.
    """
    view = observe(graph, state, snapshot, options)
    decisions = [decide(view, address) for address in _addresses(view)]
    return guarded(view, selected(view, gathered(view, decisions)))


def decide(view: View, address: str) -> Decision:
    """What happens to the object at one address: wanted by a manifest, or only held by the state."""
    resource = view.graph.resources.get(address)
    if resource is None:
        return Decision(removal(view, address))
    return strategy_of(resource.type).decide(view, resource)


def _addresses(view: View) -> list[str]:
    return [*view.graph.resources, *(a for a in view.entries if a not in view.graph.resources)]


def gathered(view: View, decisions: Iterable[Decision]) -> Draft:
    """All decisions in one, by address, with what can only be said over all of them."""
    decisions = list(decisions)
    changes = [*(decision.change for decision in decisions), *leftovers(view)]
    diagnostics = [
        *view.externals.diagnostics,
        *(said for decision in decisions for said in decision.diagnostics),
        *traffic_warnings(view, changes),
    ]
    changes.sort(key=lambda change: change.address)
    if view.options.returning is not None:
        changes, diagnostics = without_lost(changes, diagnostics, view.graph)
    drift = tuple(drift for decision in decisions for drift in decision.drift)
    return Draft(tuple(changes), drift, tuple(diagnostics))


def guarded(view: View, draft: Draft) -> Plan:
    """The draft as a plan, with every rule that it breaks as a refusal."""
    options = view.options
    changes = naming_dependents(draft.changes, view.snapshot, view.managed)
    if options.refresh_only:
        changes = []
    refusals = guard(changes, view.state, options.safety, force=options.force)
    if not options.refresh_only:
        refusals += drift_refusals(view, draft.drift)
    return Plan(
        project=view.graph.project,
        environment=view.graph.environment,
        org=view.snapshot.org or view.state.binding.vapi_org,
        org_empty=view.snapshot.empty,
        account=options.account,
        changes=tuple(changes),
        drift=tuple(sorted(draft.drift, key=lambda drift: drift.address)),
        diagnostics=draft.diagnostics,
        numbers=_numbers(view),
        refusals=tuple(refusals),
        destroy=options.destroy,
        refresh_only=options.refresh_only,
    )


def _numbers(view: View) -> dict[str, str]:
    """What callers dial, by the line's address: as the manifest has it, else as applied, else as it is live."""
    found = {}
    for address in sorted({*view.graph.resources, *view.entries}):
        resource, entry = view.graph.resources.get(address), view.entries.get(address)
        held = resource or entry
        assert held is not None
        kind = KINDS[held.kind]
        if not kind.dialled or held.type != kind.type:
            continue
        body = resource.body if resource is not None else entry.owned if entry is not None else {}
        live = view.found[address].live or {}
        found[address] = str(body.get(kind.dialled) or live.get(kind.dialled) or address)
    for address, theirs in view.externals.found.items():
        if dialled := KINDS[view.externals.kinds[address]].dialled:
            found[address] = str(theirs.get(dialled) or address)
    return found
