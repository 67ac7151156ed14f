"""A verdict from attempts, and an exit code from verdicts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from voiceops.testing.outcome import Attempt, TestCase, TestReport, TestResult

CASE = TestCase(name="orders", kind="suite")


def result(*passed: bool | None, min_pass: float = 1.0) -> TestResult:
    return TestResult(CASE, tuple(Attempt(passed=each, seconds=2.0) for each in passed), min_pass)


@pytest.mark.parametrize(
    ("attempts", "min_pass", "verdict", "passed"),
    [
        ((True,), 1.0, "passed", True),
        ((True, True), 1.0, "passed", True),
        ((False,), 1.0, "failed", False),
        ((False, False), 0.5, "failed", False),
        ((True, False), 1.0, "flaky", False),
        ((True, False), 0.5, "flaky", True),
        ((True, True, False), 0.67, "flaky", True),
        ((True, True, False), 0.7, "flaky", False),
        ((), 1.0, "not run", False),
        ((None,), 1.0, "not run", False),
        ((True, None), 1.0, "not run", False),  # it was asked for twice
        ((False, None), 1.0, "failed", False),  # a failure stands, whatever the rest would have been
        ((True, False, None), 1.0, "flaky", False),
        ((True, False, None), 0.5, "not run", False),
    ],
)
def test_verdict(attempts: tuple[bool | None, ...], min_pass: float, verdict: str, passed: bool) -> None:
    found = result(*attempts, min_pass=min_pass)
    assert (found.verdict, found.passed) == (verdict, passed)


def report(*results: TestResult) -> TestReport:
    return TestReport(environment="dev", started=datetime(2026, 1, 1, tzinfo=UTC), seconds=1.0, results=results)


def test_exit_code() -> None:
    assert report().exit_code == 0
    assert report(result(True)).exit_code == 0
    assert report(result(True, False, min_pass=0.5)).exit_code == 0
    assert report(result(True), result(None)).exit_code == 3
    assert report(result(None), result(True, False)).exit_code == 1
    assert report(result(None), result(False)).failing == (result(False),)


def test_what_attempts_say_together() -> None:
    attempts = (
        Attempt(passed=True, seconds=1, cost=0.5),
        Attempt(passed=None, reason="cut off", seconds=2),
        Attempt(passed=False, reason="no refund", seconds=3, cost=0.25),
    )
    found = TestResult(CASE, attempts)
    assert (found.seconds, found.cost) == (6, 0.75)
    assert found.worst is not None
    assert found.worst.reason == "no refund"
    assert TestResult(CASE).worst is None
    assert TestResult(CASE).cost is None
