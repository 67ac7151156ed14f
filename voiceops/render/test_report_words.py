"""What every form of a test report says in the same words: who spoke, where it went wrong, how it ended. Pure."""

from __future__ import annotations

from voiceops.calls.shown_numbers import without_numbers
from voiceops.testing.outcome import Attempt, TestReport, TestResult, Turn

SPEAKERS = {"user": "caller", "assistant": "agent", "tool": "tool", "system": "system"}
_COUNTED = ("failed", "flaky", "not run", "passed")


def speaker(turn: Turn) -> str:
    """Who said it, in a word."""
    return SPEAKERS.get(turn.role, turn.role)


def said(turn: Turn) -> str:
    """What was said, without whole phone numbers."""
    return without_numbers(turn.text)


def why(attempt: Attempt | None) -> str:
    """Why it did not pass, without whole phone numbers."""
    return without_numbers(attempt.reason) if attempt is not None and attempt.reason else "no reason was given"


def ended(result: TestResult) -> str:
    """How a test ended: `failed at turn 3`, `flaky: 2 of 3 passed`."""
    worst = result.worst
    at = f" at turn {worst.turn}" if worst is not None and worst.passed is False and worst.turn else ""
    if result.verdict == "flaky":
        passed = sum(attempt.passed is True for attempt in result.attempts)
        enough = ", which is enough" if result.passed else ""
        return f"flaky: {passed} of {len(result.attempts)} passed{enough}"
    return f"{result.verdict}{at}"


def to_look_at(report: TestReport) -> list[TestResult]:
    """What did not simply pass, the gravest first: failed, flaky under its share, not run, flaky."""
    order = {"failed": 0, "flaky": 1, "not run": 2}
    found = [result for result in report.results if result.verdict != "passed"]
    return sorted(found, key=lambda result: 3 if result.passed else order[result.verdict])


def summary(report: TestReport) -> str:
    """One sentence: `1 failed, 4 passed (62 s, $0.41)`."""
    verdicts = [result.verdict for result in report.results]
    counts = [f"{verdicts.count(word)} {word}" for word in _COUNTED if word in verdicts]
    costs = [result.cost for result in report.results if result.cost is not None]
    spent = f", ${sum(costs):.2f}" if costs else ""
    return f"{', '.join(counts) or 'no test had to run'} ({report.seconds:.0f} s{spent})"
