"""What a finished plan is held against beyond the planner's own rules: estimates, budgets and policies. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from voiceops.engine.review.estimate import Table, estimates
from voiceops.engine.review.policy import Policy, broken
from voiceops.errors import Diagnostic, Mark
from voiceops.model.estimates import AgentEstimate, Estimates
from voiceops.model.graph import Graph
from voiceops.model.plan import Change, Plan


@dataclass(frozen=True, slots=True)
class Budgets:
    """`safety:` of the project; None: no limit."""

    turn_latency_ms: float | None = None
    cost_per_minute: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The figures, limits and rules of one project."""

    table: Table = field(default_factory=Table.of)
    budgets: Budgets = field(default_factory=Budgets)
    policies: tuple[Policy, ...] = ()
    # Starts a clock for the rules; what it gives says, between rules, whether their time is over.
    timer: Callable[[], Callable[[], bool]] = lambda: lambda: False
    # What else speaks against a plan: tests, where they are a gate.
    gate: Callable[[Plan], Iterable[Diagnostic]] = lambda _: ()


def checked(plan: Plan, graph: Graph, checks: Checks, *, force: bool) -> Plan:
    """The plan with its estimates, and with what breaks a budget or a policy. `force` passes budgets only."""
    figures = estimates(plan, graph, checks.table)
    found = [
        *_over_budget(plan, figures, checks.budgets, force=force),
        *broken(plan, graph, checks.policies, checks.timer()),
        *checks.gate(plan),
    ]
    return replace(
        plan,
        estimates=figures,
        refusals=(*plan.refusals, *(d for d in found if d.severity == "error")),
        diagnostics=(*plan.diagnostics, *(d for d in found if d.severity == "warning")),
    )


def _over_budget(plan: Plan, figures: Estimates, budgets: Budgets, *, force: bool) -> Iterator[Diagnostic]:
    changes = {change.address: change for change in plan.changes if change.matters}
    for agent in figures.agents:
        change = changes.get(agent.address)
        if agent.after is None or change is None:
            continue
        for limit, value, before, key, text in _figures(agent, budgets, figures.currency):
            if limit is not None and value > limit:
                better = before is not None and value < before
                yield _diagnostic(change, key, text, refused=not better and not force)


def _figures(
    agent: AgentEstimate, budgets: Budgets, currency: str
) -> Iterator[tuple[float | None, float, float | None, str, str]]:
    """Each budget: the limit, the value after and before, its key, and the sentence."""
    after, before = agent.after, agent.before
    assert after is not None
    made_of = ", ".join(f"{part} {value}" for part, value in after.latency.items() if value)
    yield (
        budgets.turn_latency_ms,
        after.turn_latency_ms,
        before.turn_latency_ms if before else None,
        "maxTurnLatencyMs",
        f"a turn takes about {after.turn_latency_ms} ms ({made_of}); "
        f"safety.maxTurnLatencyMs allows {budgets.turn_latency_ms or 0:g}",
    )
    yield (
        budgets.cost_per_minute,
        after.cost_per_minute,
        before.cost_per_minute if before else None,
        "maxCostPerMinute",
        f"a minute costs about {after.cost_per_minute:.3f} {currency}; "
        f"safety.maxCostPerMinute allows {budgets.cost_per_minute or 0:g}",
    )


def _diagnostic(change: Change, key: str, text: str, *, refused: bool) -> Diagnostic:
    return Diagnostic(
        code="budget",
        severity="error" if refused else "warning",
        mark=Mark(change.file, change.line, 1) if change.file else None,
        address=change.address,
        summary=text,
        hint=f"Choose a quicker or cheaper part, raise safety.{key}, correct `estimates:`, or apply with --force."
        if refused
        else "",
    )
