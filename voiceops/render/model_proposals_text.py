"""A model that is going to be retired, and its replacement, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from voiceops.render.estimate_rows import currency_sign, latency, money
from voiceops.upgrade.retiring_model import ModelProposal


def proposal_lines(one: ModelProposal, today: str, currency: str, written: bool, reason: str) -> Iterator[str]:
    """What retires and where it stands, what takes its place, and what changes. `today` is `YYYY-MM-DD`, in UTC."""
    where = f"{one.mark.place}: " if one.mark and one.mark.file else ""
    yield f"{where}{one.title}: {one.retirement.words(today)}"
    if not one.retirement.replacement:
        yield "    Vapi names no replacement (manual-action-required): choose another model."
        return
    yield f"    {'Written' if written else 'Vapi recommends'}: {one.retirement.replacement}" + (
        f". Not written: {reason}" if reason else ""
    )
    if one.before is not None and one.after is not None:
        sign = currency_sign(currency)
        cost = [money(estimate.cost_per_minute, sign) for estimate in (one.before, one.after)]
        yield (
            f"    next answer {latency(one.before)} → {latency(one.after)}, a minute {cost[0]} → {cost[1]} (estimated"
            + (f", {' and '.join(one.after.assumed)} assumed)" if one.after.assumed else ")")
        )
