"""How long the stand-in takes for a turn, and what a scenario expects of that. It always takes as long."""

from __future__ import annotations

from voiceops.sandbox.store import Body

_TAKES = {"turn": 900, "model": 500, "voice": 200}  # milliseconds


def metrics(turns: int) -> Body:
    """The latencies of a call, as its results hold them."""
    return {"turnCount": turns, **{f"avg{name.title()}": taken for name, taken in _TAKES.items()}}


def expected(item: Body, turns: int, *, voice: bool) -> tuple[Body, str]:
    """The result of one expectation of a scenario, and why it is not met. Chats have no latencies: it is skipped."""
    metric, threshold = str(item.get("metric")), item.get("thresholdMs") or 0
    result: Body = {
        "metric": metric,
        "aggregation": item.get("aggregation"),
        "thresholdMs": threshold,
        "sampleCount": turns if voice else 0,
        "passed": True,
        "required": item.get("required") is not False,
    }
    if not voice:
        return {**result, "isSkipped": True, "skipReason": "Chats record no latency"}, ""
    if not turns:
        return {**result, "passed": False}, f"no turn measured the latency of {metric}"
    taken = _TAKES.get(metric, 0)
    passed = taken <= threshold
    why = "" if passed else f"the latency of {metric} is {taken} ms, over {threshold:g}"
    return {**result, "actualMs": taken, "passed": passed}, why
