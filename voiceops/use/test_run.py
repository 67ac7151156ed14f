"""Test: the environment's suites and evals at Vapi, and its call scripts against a runtime that is started for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from voiceops.apply.cut_off import types_needed
from voiceops.apply.job import Job
from voiceops.apply.run import plan as plan_now
from voiceops.engine.planning.externals import externals_of
from voiceops.errors import InvalidProject, VoiceopsError
from voiceops.kinds.schema import using
from voiceops.model.address import owner_of
from voiceops.model.graph import Graph
from voiceops.model.json_in import as_list
from voiceops.model.live import Snapshot
from voiceops.model.plan import Plan
from voiceops.model.wording import many, some_of
from voiceops.net.together import together
from voiceops.providers.snapshot_reader import read_live
from voiceops.testing.cases import Chosen, TestsWanted, closure
from voiceops.testing.digest import reached
from voiceops.testing.outcome import Attempt, TestCase, TestReport, TestResult
from voiceops.testing.play_scripts import ScriptStage, played
from voiceops.testing.run_at_vapi import AtVapi, RunBounds, Work
from voiceops.testing.vendor_runs import EVALS, SIMULATIONS
from voiceops.use.known_tests import SCRIPTS, known_tests, with_lines
from voiceops.use.load_project import Loaded
from voiceops.use.open_job import open_job
from voiceops.use.scope_and_terms import Scope, options_of
from voiceops.use.script_runtime import script_runtime
from voiceops.use.test_gate import changed_tests, keep_results

_DIFFERS = 3  # addresses that a warning names


def _silent(_: str) -> None:
    return None


async def run_tests(
    loaded: Loaded,
    wanted: TestsWanted | None = None,
    *,
    repeat: int | None = None,
    budget: float | None = None,
    changed: bool = False,
    told: Callable[[str], None] = _silent,
) -> TestReport:
    """Run the wanted tests; `repeat` times each (None: as `tests:` says), for at most `budget` minutes together.

    `changed`: only those that what changed needs, against what is live, or against the environment that a preview is
    made of. What came of them is kept. `told` hears how it goes. Suites and evals test what is live; call scripts run
    the project's own handlers. When it is cancelled, what runs at Vapi is cancelled first. Raises InvalidProject for a
    script that is none, VoiceopsError for a name that no test has and for a missing key, Refused for another account,
    StateError, ProviderError.
    """
    chosen = known_tests(loaded, wanted)
    if changed:
        chosen, left_out = await changed_tests(loaded, chosen)
        if left_out:
            told(f"not run, since nothing that they test changed: {', '.join(test.case.name for test in left_out)}")
    run = _Run(loaded, repeat or loaded.project.trials.repeat, budget, told)
    began, started = time.monotonic(), datetime.now(UTC)
    await run.all(chosen)
    report = TestReport(
        environment=loaded.project.environment,
        started=started,
        seconds=time.monotonic() - began,
        results=run.results(),
        min_pass=loaded.project.trials.min_pass,
        warnings=tuple(run.warnings) if chosen or changed else (_none_there(loaded, wanted or TestsWanted()),),
    )
    try:
        await keep_results(loaded, report)
    except VoiceopsError as error:
        return replace(report, warnings=(*report.warnings, f"the results could not be kept: {error.summary}"))
    return report


def _none_there(loaded: Loaded, wanted: TestsWanted) -> str:
    if there := len(known_tests(loaded)):
        asked = [f"of the sort {' or '.join(wanted.kinds)}"] if wanted.kinds else []
        asked += [f"about {wanted.agent}"] if wanted.agent else []
        return f"none of the {many(there, 'test')} of {loaded.project.environment} is {' and '.join(asked)}"
    return (
        f"the environment {loaded.project.environment} has no tests: write a SimulationSuite or an Eval beside the "
        f"agents, or a call script in {SCRIPTS}/"
    )


@dataclass(slots=True)
class _Run:
    """The tests under way, and what came of them so far."""

    loaded: Loaded
    repeat: int
    budget: float | None  # minutes
    told: Callable[[str], None]
    warnings: list[str] = field(default_factory=list)
    _tests: list[Chosen] = field(default_factory=list)
    _attempts: dict[int, list[Attempt]] = field(default_factory=dict)  # by place in `_tests`
    _otherwise: set[int] = field(default_factory=set)  # those whose live content is not the manifests'
    _until: float | None = None

    async def all(self, chosen: Sequence[Chosen]) -> None:
        """Run them, those at Vapi beside the scripts."""
        self._tests = list(chosen)
        self._until = None if self.budget is None else time.monotonic() + 60 * self.budget
        at_vapi = [test for test in chosen if test.case.kind != "script" and not test.why_not]
        scripts = [test for test in chosen if test.script is not None and not test.why_not]
        for test in chosen:
            if test.why_not:
                self._ended(test, Attempt(passed=None, reason=test.why_not))
        parts = [self._at_vapi(at_vapi)] if at_vapi else []
        parts += [self._play(scripts)] if scripts else []
        await together(parts)

    def results(self) -> tuple[TestResult, ...]:
        """A result for each test, in their order."""
        least = self.loaded.project.trials.min_pass
        return tuple(
            TestResult(self._case(number, test), tuple(self._attempts.get(number, ())), least)
            for number, test in enumerate(self._tests)
        )

    def _case(self, number: int, test: Chosen) -> TestCase:
        """Its digest says what was tested: where that was not what the manifests have, nobody knows."""
        return replace(test.case, digest="") if number in self._otherwise else test.case

    def _ended(self, test: Chosen, attempt: Attempt) -> None:
        number = self._tests.index(test)
        attempts = self._attempts.setdefault(number, [])
        attempts.append(attempt)
        word = {True: "passed", False: "failed", None: "not run"}[attempt.passed]
        of = f" ({len(attempts)} of {self.repeat})" if self.repeat > 1 and not test.why_not else ""
        why = f": {attempt.reason}" if attempt.reason else ""
        self.told(f"{word}: {test.case.name}{of}, {attempt.seconds:.0f} s{why}")

    async def _at_vapi(self, tests: Sequence[Chosen]) -> None:
        loaded, context = self.loaded, self.loaded.context
        async with open_job(loaded, options_of(loaded.project, Scope())) as job:
            snapshot, plan = await _live_now(job)
            self._warn(plan, tests)
            ids = {address: entry.id for address, entry in job.ledger.state.entries.items()}
            ids |= {a: str(live.get("id")) for a, live in externals_of(job.graph, snapshot).found.items()}
            ready = [test for test in tests if self._is_live(test, ids)]
            bounds = RunBounds(
                timeout=loaded.project.trials.timeout,
                until=self._until,
                budget=self._budget,
                pace=context.pace,
                settle=job.options.settle,
            )
            works = [work for work in _works(job.graph, ready, ids) for _ in range(self.repeat)]
            await AtVapi(job.accounts.vapi.api, bounds, self._ended, self.told).run(works)
            await self._look_again(job, ready)

    async def _look_again(self, job: Job, tests: Sequence[Chosen]) -> None:
        """Was it tested to the end on what the manifests have? Another command may have applied others meanwhile."""
        try:
            await job.ledger.refresh()
            _, plan = await _live_now(job)
            changed = _changed(plan)
            why = f"{some_of(sorted(changed), _DIFFERS)} changed meanwhile"
        except VoiceopsError as error:
            changed, why = (
                set(self.loaded.graph.resources),
                f"it can't be told what was live to the end: {error.summary}",
            )
        otherwise = {self._tests.index(t) for t in tests if reached(self.loaded.graph, t.needs) & changed}
        if otherwise <= self._otherwise:
            return
        self._otherwise |= otherwise
        self.warnings.append(f"what came of suites and evals is not kept: {why}")
        self.told(self.warnings[-1])

    def _is_live(self, test: Chosen, ids: Mapping[str, str]) -> bool:
        missing = [address for address in test.needs if address not in ids]
        if missing:
            reason = f"{', '.join(missing)} is not live yet: {self._to_apply}"
            self._ended(test, Attempt(passed=None, reason=reason))
        return not missing

    def _warn(self, plan: Plan, tests: Iterable[Chosen]) -> None:
        """What is tested at Vapi is what is live: say where the manifests have gone on."""
        changed = _changed(plan)
        self._otherwise |= {self._tests.index(t) for t in tests if reached(self.loaded.graph, t.needs) & changed}
        differing = sorted({address for test in tests for address in closure(self.loaded.graph, test)} & changed)
        if not differing:
            return
        self.warnings.append(
            f"{some_of(differing, _DIFFERS)} is not live as the manifests have it: what is tested is what is live. "
            f"First: {self._to_apply}"
        )
        self.told(self.warnings[-1])

    @property
    def _to_apply(self) -> str:
        """What makes live what is to be tested. Where tests are a gate, an apply waits for them."""
        project = self.loaded.project
        if project.preview:
            return f"voiceops preview up {project.preview}"
        in_preview = f"voiceops preview up NAME --from {project.environment}"
        return in_preview if project.safety.require_tests else f"voiceops -e {project.environment} apply"

    async def _play(self, tests: Sequence[Chosen]) -> None:
        """One after another: handlers may keep something between calls."""
        waiting = [(test, attempt) for test in tests for attempt in range(self.repeat)]
        try:
            async with script_runtime(with_lines(self.loaded), self.told) as stage:
                with using(self.loaded.project.facts):
                    while waiting:
                        self._ended(waiting[0][0], await self._script(waiting[0][0], stage))
                        del waiting[0]
        except InvalidProject:
            raise
        except VoiceopsError as error:  # it did not start
            for test, _ in waiting:
                self._ended(test, Attempt(passed=None, reason=error.summary))

    async def _script(self, test: Chosen, stage: ScriptStage) -> Attempt:
        assert test.script is not None
        timeout = self.loaded.project.trials.timeout
        late = f"it took longer than {timeout:g} s (tests.timeoutSeconds)"
        if self._until is not None and (rest := self._until - time.monotonic()) < timeout:
            if rest <= 0:
                return Attempt(passed=None, reason=f"not started: {self._budget} was over")
            timeout, late = rest, f"cancelled: {self._budget} was over"
        return await played(stage, test.script, timeout, late)

    @property
    def _budget(self) -> str:
        return "" if self.budget is None else f"the budget of {self.budget:g} min"


async def _live_now(job: Job) -> tuple[Snapshot, Plan]:
    """What is live, and what an apply of the manifests would change of it."""
    snapshot = await read_live(job.accounts, types_needed(job.graph, job.ledger), for_plan=True)
    return snapshot, await plan_now(job, snapshot)


def _changed(plan: Plan) -> set[str]:
    return {owner_of(change.address) for change in plan.changes if not change.is_no_op}


def _works(graph: Graph, tests: Iterable[Chosen], ids: Mapping[str, str]) -> list[Work]:
    """The runs at Vapi: one an eval, and one for all simulations of a suite against the same target."""
    suites: dict[tuple[str, str], list[Chosen]] = {}
    works: list[Work] = []
    body: dict[str, Any]
    for test in tests:
        if test.case.kind == "suite":
            suites.setdefault((test.suite, test.target), []).append(test)
            continue
        body = {"type": "eval", "evalId": ids[test.definition], "target": _target(test, ids)}
        judged = as_list(graph.resources[test.definition].body.get("messages"))
        works.append(Work(path=EVALS, body=body, calls=1, tests={"": test}, judged=judged))
    for (suite, _), some in suites.items():
        played_ones = {ids.get(test.definition, test.definition): test for test in some}
        of_suite = graph.resources[suite].body.get("simulationIds")
        if isinstance(of_suite, list) and len(of_suite) == len(played_ones):
            entries = [{"type": "simulationSuite", "simulationSuiteId": ids[suite]}]
        else:
            entries = [{"type": "simulation", "simulationId": id_} for id_ in played_ones]
        body = {"simulations": entries, "target": _target(some[0], ids)}
        works.append(Work(path=SIMULATIONS, body=body, calls=len(played_ones), tests=played_ones))
    return works


def _target(test: Chosen, ids: Mapping[str, str]) -> dict[str, str]:
    id_ = ids.get(test.target, test.target)
    return {"type": "squad", "squadId": id_} if test.on_squad else {"type": "assistant", "assistantId": id_}
