"""A report of tests as data. Pure."""

from __future__ import annotations

from typing import Any

from voiceops.testing.outcome import Attempt, TestReport, TestResult


def test_report_data(report: TestReport) -> dict[str, Any]:
    """For `test --format json`: keys are only added."""
    verdicts = [result.verdict for result in report.results]
    return {
        "environment": report.environment,
        "started": report.started.isoformat(),
        "seconds": round(report.seconds, 3),
        "minPass": report.min_pass,
        "exitCode": report.exit_code,
        "counts": {word: verdicts.count(word) for word in ("passed", "failed", "flaky", "not run")},
        "warnings": list(report.warnings),
        "results": [_result(result) for result in report.results],
    }


def _result(result: TestResult) -> dict[str, Any]:
    case = result.case
    return {
        "name": case.name,
        "kind": case.kind,
        "verdict": result.verdict,
        "passed": result.passed,
        "agents": list(case.agents),
        "manifest": case.manifest,
        "agentAt": case.agent_at,
        "lines": list(case.lines),
        "digest": case.digest,
        "seconds": round(result.seconds, 3),
        "cost": result.cost,
        "attempts": [_attempt(attempt) for attempt in result.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "passed": attempt.passed,
        "reason": attempt.reason,
        "turn": attempt.turn,
        "seconds": round(attempt.seconds, 3),
        "run": attempt.run,
        "cost": attempt.cost,
        "transcript": [{"role": turn.role, "text": turn.text, "at": turn.at} for turn in attempt.transcript],
    }
