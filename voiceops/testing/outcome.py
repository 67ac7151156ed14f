"""What comes of tests: turns of a conversation, attempts, a verdict for each test, and a report of them all.

Pure. Knows no vendor and no manifest: whoever runs tests writes it, whoever prints, keeps or gates reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

Role = Literal["user", "assistant", "tool", "system"]
TestKind = Literal["suite", "eval", "script", "replay"]
Verdict = Literal["passed", "failed", "flaky", "not run"]

PASSED, FAILED, NOT_RUN = 0, 1, 3  # what a report ends a process with


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that was said in a conversation; `at` is seconds from its start, where that is known."""

    role: Role
    text: str
    at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A test, run once. `passed` is None where it could not be run, or not to its end."""

    passed: bool | None
    reason: str = ""  # why it did not pass
    turn: int | None = None  # where it went wrong: the turn of `transcript`, from 1
    seconds: float = 0.0
    transcript: tuple[Turn, ...] = ()
    run: str = ""  # the vendor's id of what ran
    cost: float | None = None  # US dollars


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCase:
    """A test: what it is called, what it is about, and where in the files that stands."""

    __test__: ClassVar[bool] = False  # pytest collects what begins with Test

    name: str  # of a suite "SUITE" or "SUITE / SIMULATION"; of an eval or a script its own
    kind: TestKind
    agents: tuple[str, ...] = ()  # addresses of the agents and squads under test
    manifest: str = ""  # file:line of the test
    agent_at: str = ""  # file:line of the agent
    lines: tuple[str, ...] = ()  # addresses of the phone lines that reach it
    digest: str = ""  # of all that it tests; "" where nobody computed it


@dataclass(frozen=True, slots=True)
class TestResult:
    """A test and its attempts; `min_pass` is the share of them that has to pass."""

    __test__: ClassVar[bool] = False

    case: TestCase
    attempts: tuple[Attempt, ...] = ()
    min_pass: float = 1.0

    @property
    def verdict(self) -> Verdict:
        """`flaky`: some attempts passed and some failed, whether or not enough of them passed."""
        known = [attempt.passed for attempt in self.attempts if attempt.passed is not None]
        if not known or (len(known) < len(self.attempts) and self._enough(known)):
            return "not run"
        if all(known):
            return "passed"
        return "flaky" if any(known) else "failed"

    @property
    def passed(self) -> bool:
        """Did enough attempts pass, of those that were asked for?"""
        known = [attempt.passed for attempt in self.attempts if attempt.passed is not None]
        return self.verdict != "not run" and self._enough(known)

    @property
    def seconds(self) -> float:
        """How long all attempts took together."""
        return sum(attempt.seconds for attempt in self.attempts)

    @property
    def cost(self) -> float | None:
        """What all attempts cost, in US dollars; None where no attempt says so."""
        costs = [attempt.cost for attempt in self.attempts if attempt.cost is not None]
        return sum(costs) if costs else None

    @property
    def worst(self) -> Attempt | None:
        """The attempt to look at: the first that failed, else the first that could not be run, else the first."""
        for wanted in (False, None, True):
            for attempt in self.attempts:
                if attempt.passed is wanted:
                    return attempt
        return None

    def _enough(self, known: list[bool]) -> bool:
        return is_enough(sum(known), len(known), self.min_pass)


def is_enough(passes: int, attempts: int, min_pass: float) -> bool:
    """Did the share of attempts pass that has to?"""
    # Shares are written as decimals: two thirds of three attempts are 0.67, or 0.66.
    return attempts > 0 and passes / attempts + 0.005 >= min_pass


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReport:
    """What came of a run of tests in one environment."""

    __test__: ClassVar[bool] = False

    environment: str
    started: datetime  # UTC
    seconds: float
    results: tuple[TestResult, ...]
    min_pass: float = 1.0
    warnings: tuple[str, ...] = ()

    @property
    def failing(self) -> tuple[TestResult, ...]:
        """The tests that failed, flaky ones that passed too seldom among them."""
        return tuple(r for r in self.results if r.verdict in ("failed", "flaky") and not r.passed)

    @property
    def exit_code(self) -> int:
        """0: all passed; 1: something failed; 3: something could not be run, and nothing failed."""
        if self.failing:
            return FAILED
        return NOT_RUN if any(result.verdict == "not run" for result in self.results) else PASSED
