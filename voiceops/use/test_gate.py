"""Tests as a gate: results are kept when tests have run, and a plan is held against them before it is applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from voiceops.apply.history_notes import HistoryNote, keep_note
from voiceops.apply.job import Job
from voiceops.apply.revisions import graph_of
from voiceops.errors import Diagnostic, Severity
from voiceops.state.store import Store
from voiceops.testing.cases import Chosen
from voiceops.testing.changed import is_needed
from voiceops.testing.digest import Content
from voiceops.testing.gate import TestGate
from voiceops.testing.kept import OPERATION, KeptResult, kept_in, to_keep
from voiceops.testing.outcome import TestReport
from voiceops.use.known_tests import content_of, known_tests
from voiceops.use.list_previews import base_of
from voiceops.use.load_project import Loaded
from voiceops.use.open_state import open_ledger, store_of
from voiceops.use.opened import Opened
from voiceops.use.origin import origin
from voiceops.use.results_elsewhere import KnownResults, results_elsewhere

_PATIENCE = 60.0  # seconds for an apply that holds the lock


async def keep_results(loaded: Loaded, report: TestReport) -> None:
    """Keep what came of tests beside the revisions of the environment; a preview's with the one it is made of.

    Raises StateError, Refused, and Locked where somebody holds the lock for longer than a minute.
    """
    results = to_keep(report)
    if not results:
        return
    store = results_store(loaded)
    passed = sum(1 for result in results.values() if result["passed"])
    note = HistoryNote(
        operation=OPERATION,
        result="ok" if passed == len(results) else "failed",
        summary=f"{passed} of {len(results)} tests passed in {report.environment}",
        origin=origin(loaded.project.root, loaded.environ),
        more={"tests": results},
    )
    async with store, store.lock(OPERATION, _PATIENCE):
        await keep_note(store, note)


def results_store(opened: Opened) -> Store:
    """Where results are kept: in a preview, with the environment that it is made of. Raises StateError, Refused."""
    return store_of(base_of(opened))


async def changed_tests(loaded: Loaded, tests: Sequence[Chosen]) -> tuple[tuple[Chosen, ...], tuple[Chosen, ...]]:
    """Those that a change needs, and the others.

    What is live is the revision in force of the environment, or of the one that a preview is made of. Raises
    StateError, Refused, InvalidProject.
    """
    base = base_of(loaded)
    async with open_ledger(base) as ledger:
        number = ledger.state.in_force or ledger.state.revision
        revision = await ledger.revisions.get(number) if number else None
        kept = kept_in(await ledger.store.notes())
    if revision is None:
        return tuple(tests), ()
    known = await _known(base, tests, kept)
    live = Content(graph=graph_of(revision), runtime=base.project.runtime_url or "")
    min_pass = loaded.project.trials.min_pass
    now = Content(graph=loaded.graph, runtime=loaded.project.runtime_url or "")
    needed = tuple(test for test in tests if is_needed(test, now, live, known.results, min_pass))
    return needed, tuple(test for test in tests if test not in needed)


async def gated(job: Job, loaded: Loaded, *, only_said: bool = False) -> Job:
    """The job with the gate; `only_said`: it warns, as for a rollback. Raises StateError, Refused, InvalidProject."""
    gate = await gate_of(job, loaded, "warning" if only_said else "error")
    return replace(job, checks=replace(job.checks, gate=replace(gate, returning=only_said))) if gate else job


async def gate_of(job: Job, loaded: Loaded, severity: Severity) -> TestGate | None:
    """What tests have to say of a plan of the job. A preview has no gate: it is where tests run.

    Raises StateError, Refused, InvalidProject.
    """
    if loaded.project.preview:
        return None
    state = job.ledger.state
    revision = await job.ledger.revisions.get(state.in_force or state.revision) if state.revision else None
    unplayable: list[Diagnostic] = []
    tests = known_tests(loaded, wrong=unplayable)
    known = await _known(loaded, tests, kept_in(await job.store.notes()))
    return TestGate(
        content=replace(content_of(loaded), graph=job.graph),
        before=graph_of(revision) if revision is not None else None,
        tests=tests,
        kept=known.results,
        environment=loaded.project.environment,
        severity=severity,
        min_pass=loaded.project.trials.min_pass,
        unread=known.unread,
        unplayable=unplayable,
    )


async def _known(opened: Opened, tests: Sequence[Chosen], own: Mapping[str, KeptResult]) -> KnownResults:
    """What is known of tests: in the environment itself, and of those that have not passed there in the others.

    Of two results on one content the newer one counts.
    """
    min_pass = opened.project.trials.min_pass
    missing = {d for test in tests if (d := test.case.digest) and not (d in own and own[d].counts(min_pass))}
    others = await results_elsewhere(opened, missing, min_pass)
    newer = {digest: one for digest, one in others.results.items() if digest not in own or own[digest].at < one.at}
    return KnownResults({**own, **newer}, others.unread)
