"""Estimates as rows of text, for every format; and the lines that the text format shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from voiceops.model.estimates import Estimate, Estimates
from voiceops.model.plan import Plan
from voiceops.render.style import Style

Row = tuple[str, str, str, str]  # subject, latency, money a minute, what it is made of


def rows(estimates: Estimates, touched: set[str]) -> Iterator[Row]:
    """One row an agent that the plan touches."""
    sign = currency_sign(estimates.currency)

    def cost(estimate: Estimate) -> str:
        return money(estimate.cost_per_minute, sign)

    for agent in estimates.agents:
        if agent.address not in touched and not agent.changed:
            continue
        shown = agent.after or agent.before
        if shown is None:
            continue
        yield (
            agent.address,
            _both(agent.before, agent.after, latency),
            _both(agent.before, agent.after, cost),
            parts(shown),
        )


def _both(before: Estimate | None, after: Estimate | None, text: Callable[[Estimate], str]) -> str:
    old = text(before) if before else "–"
    new = text(after) if after else "–"
    return new if old == new or before is None else f"{old} → {new}"


def latency(estimate: Estimate) -> str:
    """A turn's time, in milliseconds."""
    return f"{estimate.turn_latency_ms:,} ms"


def money(value: float, sign: str) -> str:
    """A sum with its sign, to the tenth of a cent where it is small."""
    return f"{sign}{value:.3f}" if value < 1 else f"{sign}{value:,.2f}"


def currency_sign(currency: str) -> str:
    """What stands before a sum: a sign, or the currency's code."""
    return {"USD": "$", "EUR": "€", "GBP": "£"}.get(currency, f"{currency} ")


def parts(estimate: Estimate) -> str:
    """`transcriber 200 + endpointing 260 + …`; a `~` where the table doesn't list what is used."""
    return " + ".join(
        f"{part} {'~' if part in estimate.assumed else ''}{value}" for part, value in estimate.latency.items() if value
    )


def rent(estimates: Estimates) -> str:
    """What the numbers cost a month, where a plan changes it; else nothing."""
    sign = currency_sign(estimates.currency)
    if estimates.numbers_before == estimates.numbers_after:
        return ""
    return f"{sign}{estimates.numbers_before:,.2f} → {sign}{estimates.numbers_after:,.2f} a month for numbers"


def touched_agents(plan: Plan) -> set[str]:
    """The addresses of the agents that the plan changes."""
    return {change.address for change in plan.active if change.kind == "Agent"}


def estimate_lines(plan: Plan, style: Style) -> list[str]:
    """The text format's paragraph; empty when the plan touches no agent's figures."""
    if plan.estimates is None:
        return []
    found = list(rows(plan.estimates, touched_agents(plan)))
    numbers = rent(plan.estimates)
    if not found and not numbers:
        return []
    width = max((len(address) for address, *_ in found), default=0)
    lines = [style("Estimated until an agent answers a turn, and a minute's cost:", "bold")]
    lines += [
        f"  {style(a.ljust(width), 'cyan')}  {ms} · {cost} {style(f'({made_of})', 'dim')}"
        for a, ms, cost, made_of in found
    ]
    return [*lines, *([f"  {numbers}"] if numbers else []), ""]
