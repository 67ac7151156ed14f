"""Results of tests as they are kept: by the digest of what was tested, as notes beside the revisions.

A note is written while the lock is held, on every back end; the newest results count. A preview's results are kept with
the environment that it was made of, and outlive it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.testing.outcome import TestReport, is_enough

OPERATION = "test"  # of the notes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResult:
    """What came of one test on one content; `at` in ISO 8601, UTC.

    `attempts` of it ended, `passes` well; 0 where nobody counted them.
    """

    name: str
    kind: str
    passed: bool
    at: str
    environment: str = ""
    run: str = ""
    attempts: int = 0
    passes: int = 0

    def counts(self, min_pass: float) -> bool:
        """Has it passed for whoever asks for this share? An environment may ask for more than where it ran."""
        return self.passed and (not self.attempts or is_enough(self.passes, self.attempts, min_pass))


def to_keep(report: TestReport) -> dict[str, dict[str, Any]]:
    """The results that are worth keeping, by digest: of tests that were run, on content that is known."""
    return {
        result.case.digest: {
            "name": result.case.name,
            "kind": result.case.kind,
            "passed": result.passed,
            "environment": report.environment,
            "run": next((attempt.run for attempt in result.attempts if attempt.run), ""),
            "attempts": sum(attempt.passed is not None for attempt in result.attempts),
            "passes": sum(attempt.passed is True for attempt in result.attempts),
        }
        for result in report.results
        if result.case.digest and result.verdict != "not run"
    }


def kept_in(notes: Iterable[Mapping[str, Any]]) -> dict[str, KeptResult]:
    """The results in notes, the oldest first, by digest: the newest counts."""
    found: dict[str, KeptResult] = {}
    for note in notes:
        if note.get("operation") != OPERATION:
            continue
        for digest, told in note.get("tests", {}).items():
            found[digest] = KeptResult(
                name=told["name"],
                kind=told["kind"],
                passed=told["passed"],
                at=str(note["at"]),
                environment=told.get("environment", ""),
                run=told.get("run", ""),
                attempts=told.get("attempts", 0),
                passes=told.get("passes", 0),
            )
    return found
