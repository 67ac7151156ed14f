"""What Vapi found of a test: the item of a simulation run, or a whole eval run, as an attempt. Pure.

https://docs.vapi.ai/api-reference: SimulationRunItem and EvalRun.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from voiceops.model.instants import instant_of
from voiceops.model.json_in import as_number, maps_in
from voiceops.model.safe_text import flowed
from voiceops.model.wording import cut, some_of
from voiceops.testing.outcome import Attempt, Turn
from voiceops.testing.turns import numbered, turns_of

ITEM_ENDED = frozenset({"passed", "failed", "canceled"})
_REASONS = 3  # that are told of one attempt
_LONGEST = 600  # characters of a reason
_DONE = "mockConversation.done"


def attempt_of_item(item: Mapping[str, Any], run: str) -> Attempt:
    """A simulation that was played once. It passed only where Vapi says so."""
    status = str(item.get("status"))
    metadata = item.get("metadata")
    transcript = turns_of(metadata.get("call")) if isinstance(metadata, Mapping) else ()
    id_ = str(item.get("id") or run)
    seconds = _between(item.get("startedAt"), item.get("completedAt") or item.get("failedAt") or item.get("canceledAt"))
    if status == "passed":
        return Attempt(passed=True, seconds=seconds, transcript=transcript, run=id_)
    if status == "failed" and not isinstance(item.get("results"), Mapping):
        reason = _short(f"Vapi could not play it: {_why_failed(item)}")
        return Attempt(passed=None, reason=reason, seconds=seconds, transcript=transcript, run=id_)
    if status == "failed":
        reason = _why_failed(item)
        return Attempt(passed=False, reason=reason, seconds=seconds, transcript=transcript, run=id_)
    reason = "it was cancelled at Vapi" if status == "canceled" else f"the run ended while it was {flowed(status)}"
    return Attempt(passed=None, reason=reason, seconds=seconds, transcript=transcript, run=id_)


def _why_failed(item: Mapping[str, Any]) -> str:
    results = item.get("results")
    evaluations = results.get("evaluations") if isinstance(results, Mapping) else None
    wrong = [
        _unmet(one)
        for one in maps_in(evaluations)
        if one.get("passed") is not True and one.get("required") is not False
        if one.get("isSkipped") is not True
    ]
    told = item.get("failureReason")
    if isinstance(told, str) and told.strip():
        wrong.append(flowed(told))
    return _short(some_of(wrong, _REASONS, "; ")) if wrong else "Vapi says that it failed, and not why"


def _unmet(evaluation: Mapping[str, Any]) -> str:
    """`refunded is false, should be true`."""
    name = flowed(str(evaluation.get("name") or "an evaluation"))
    if path := evaluation.get("path"):
        name += f".{flowed(str(path))}"
    if error := evaluation.get("error"):
        return f"{name} could not be told: {flowed(str(error))}"
    comparator = str(evaluation.get("comparator") or "=")
    wanted = _value(evaluation.get("expectedValue"))
    should = wanted if comparator == "=" else f"{flowed(comparator)} {wanted}"
    return f"{name} is {_value(evaluation.get('extractedValue'))}, should be {should}"


def attempt_of_eval(run: Mapping[str, Any], evaluations: Sequence[Any]) -> Attempt:
    """An eval that was run once; `evaluations` are the messages of the eval, which say where the agent is judged."""
    results = run.get("results")
    result = results[0] if isinstance(results, list) and results and isinstance(results[0], Mapping) else {}
    transcript = turns_of(result)
    messages = result.get("messages")
    id_ = str(run.get("id") or "")
    known = as_number(run.get("cost"))
    seconds = _between(run.get("startedAt"), run.get("endedAt"))
    reason, status = str(run.get("endedReason") or ""), result.get("status")
    if status == "pass" and reason in ("", _DONE):
        return Attempt(passed=True, seconds=seconds, transcript=transcript, run=id_, cost=known)
    if status == "fail":
        turn, why = _judged_bad(messages) or _where_it_failed(transcript, evaluations)
        return Attempt(passed=False, reason=why, turn=turn, seconds=seconds, transcript=transcript, run=id_, cost=known)
    told = flowed(str(run.get("endedMessage") or "")) or {
        "timeout": "Vapi gave it up: it took too long",
        "cancelled": "it was cancelled at Vapi",
        "aborted": "Vapi broke it off",
    }.get(reason, f"Vapi ended it ({flowed(reason)})" if reason else "Vapi says nothing of how it went")
    return Attempt(passed=None, reason=_short(told), seconds=seconds, transcript=transcript, run=id_, cost=known)


def _judged_bad(messages: Any) -> tuple[int, str] | None:
    """The first turn that a judge does not accept, where Vapi says with each message what its judge found."""
    for turn, (place, _) in enumerate(numbered(messages), 1):
        judge = messages[place].get("judge")
        if isinstance(judge, Mapping) and judge.get("status") == "fail":
            why = flowed(str(judge.get("failureReason") or "")) or "the judge does not accept the agent's answer"
            return turn, _short(why)
    return None


def _where_it_failed(transcript: Sequence[Turn], evaluations: Sequence[Any]) -> tuple[int | None, str]:
    """The first answer that is not as the eval wants it, so far as that can be told without a judge: the whole is only
    said to have failed. An eval that ends at its first failure fails at its last answer."""
    judged = [item for item in evaluations if isinstance(item, Mapping) and item.get("role") == "assistant"]
    said = [number for number, turn in enumerate(transcript, 1) if turn.role == "assistant"]
    for number, message in zip(said, judged, strict=False):
        plan = message.get("judgePlan")
        if not isinstance(plan, Mapping):
            continue
        wanted, kind = plan.get("content"), plan.get("type")
        if isinstance(wanted, str) and kind in ("exact", "regex") and not _fits(transcript[number - 1].text, plan):
            verb = "should be" if kind == "exact" else "should match"
            return number, _short(f"the agent's answer {verb} {flowed(wanted)!r}")
    checks = [message for message in judged if "judgePlan" in message]
    if said and (len(checks) == 1 or len(said) < len(judged)):
        return said[-1], "the judge does not accept the agent's answer"
    return None, "an answer of the agent is not as the eval wants it; Vapi does not say which"


def _fits(text: str, plan: Mapping[str, Any]) -> bool:
    wanted = str(plan.get("content"))
    if plan.get("type") == "exact":
        return text.strip().casefold() == wanted.strip().casefold()
    slashed = re.fullmatch(r"/(.*)/([a-z]*)", wanted, re.DOTALL)
    pattern, flags = (slashed[1], slashed[2]) if slashed else (wanted, "")
    if len(pattern) > 500:
        return True
    try:
        return re.search(pattern, text, re.IGNORECASE if "i" in flags else 0) is not None
    except (re.error, RecursionError):
        return True  # JavaScript's: nothing is claimed of it


def _between(start: Any, end: Any) -> float:
    begun, ended = instant_of(start), instant_of(end)
    return 0.0 if begun is None or ended is None else max(0.0, ended - begun)


def _value(value: Any) -> str:
    return flowed(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return cut(text, _LONGEST)
