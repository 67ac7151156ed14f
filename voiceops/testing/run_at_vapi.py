"""Suites and evals, run at Vapi: no more at once than the account may, each within its time, all within the budget.

Whatever ends it early (a time limit, the budget, Ctrl-C), what runs at Vapi is cancelled: calls cost money.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.errors import ProviderError, Unauthorized
from voiceops.model.safe_text import flowed
from voiceops.model.wording import some_of
from voiceops.net.together import together
from voiceops.providers.http import Api
from voiceops.testing.cases import Chosen
from voiceops.testing.judged import ITEM_ENDED, attempt_of_eval, attempt_of_item
from voiceops.testing.outcome import Attempt
from voiceops.testing.polling import Poller
from voiceops.testing.slots import Slots
from voiceops.testing.vendor_runs import EVALS, SIMULATIONS, VendorRuns, can_start

EVALS_AT_ONCE = 5  # Vapi publishes no limit
_CANCEL_SECONDS = 15.0  # that everything which is cancelled has together
_ITEMS_LAG = 5  # looks at a run's items, where they are behind the run
_PAYMENT = 402

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One run at Vapi: what is sent, how many calls it makes at once, and the tests that it answers.

    `tests` by the live id of the simulation; of an eval the one by "". `judged` are an eval's messages.
    """

    path: str
    body: Mapping[str, Any]
    calls: int
    tests: Mapping[str, Chosen]
    judged: Sequence[Any] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBounds:
    """`timeout` seconds for a run; nothing goes on after `until` (monotonic seconds; None: no budget)."""

    timeout: float = 900.0
    until: float | None = None
    budget: str = ""  # how the budget is said
    pace: float = 1.0
    settle: float = 30.0


@dataclass(slots=True)
class AtVapi:
    """Runs works, and tells each test's attempts to `ended` as they come."""

    api: Api
    bounds: RunBounds
    ended: Callable[[Chosen, Attempt], None]
    told: Told
    _refused: dict[str, str] = field(default_factory=dict)  # why nothing more of a sort is started
    _open: dict[str, VendorRuns] = field(default_factory=dict)  # runs that nobody has seen end
    _cut_off: str = ""

    async def run(self, works: Iterable[Work]) -> None:
        """All of them, to their end or that of the budget. What can't be run is an attempt that says why."""
        sorted_works = sorted(works, key=lambda work: -work.calls)  # the largest first: they fill what is left least
        sorts = [(path, [work for work in sorted_works if work.path == path]) for path in (SIMULATIONS, EVALS)]
        await together(self._of_one_sort(path, mine) for path, mine in sorts if mine)

    async def _of_one_sort(self, path: str, works: list[Work]) -> None:
        runs = VendorRuns(self.api, path, self.bounds.settle)
        slots = Slots(EVALS_AT_ONCE)

        async def resized() -> None:
            """What others in the account use is not ours; while something waits, it is asked again."""
            if path == SIMULATIONS and slots.waited_for:
                with suppress(ProviderError):
                    most, free = await can_start(self.api)
                    slots.resize(min(most, slots.used + free))

        try:
            await runs.look_before()
        except ProviderError as error:
            self._refuse(works[0], error)
            for work in works:
                self._none(work, _said(error))
            return
        if path == SIMULATIONS:
            most, free = await self._capacity()
            slots.resize(min(most, free))
            works = [piece for work in works for piece in pieces(work, most)]
            if free < most and free < sum(work.calls for work in works):
                self.told(f"Vapi lets {free} of {most} simulations start now: others run in this account")
        poller = Poller(runs, pace=self.bounds.pace, told=self.told, beside=resized)
        starting: set[asyncio.Task[str]] = set()
        tasks = [asyncio.create_task(self._one(work, runs, slots, poller, starting)) for work in works]
        async with _beside(poller.watch()), self._cancelling(runs, starting):
            try:
                until = self.bounds.until
                rest = None if until is None else max(0.0, until - time.monotonic())
                _, late = await asyncio.wait(tasks, timeout=rest)
                if late:
                    self._cut_off = f"{self.bounds.budget} was over"
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled() and (broken := task.exception()) is not None:
                raise broken

    async def _capacity(self) -> tuple[int, int]:
        try:
            return await can_start(self.api)
        except Unauthorized as error:
            self._refused[SIMULATIONS] = _said(error)
            return 1, 1
        except ProviderError as error:
            self.told(f"Vapi does not tell how many simulations may run at once, so it is one: {error}")
            return 1, 1

    async def _one(
        self, work: Work, runs: VendorRuns, slots: Slots, poller: Poller, starting: set[asyncio.Task[str]]
    ) -> None:
        """One run, from the wait for a place to the attempts of its tests."""
        begun = 0.0
        try:
            async with slots.taken(work.calls):
                if why := self._refused.get(work.path):
                    self._none(work, why)
                    return
                begun = time.monotonic()
                self.told(f"started: {_names(work)}")
                attempts = await self._attempts(work, runs, poller, starting)
        except asyncio.CancelledError:
            if not self._cut_off:
                raise  # Ctrl-C: nobody reads attempts any more
            verb = "cancelled" if begun else "not started"
            self._none(work, f"{verb}: {self._cut_off}", time.monotonic() - begun if begun else 0.0)
            return
        except ProviderError as error:
            self._refuse(work, error)
            self._none(work, _said(error))
            return
        for test, attempt in attempts:
            self.ended(test, attempt)

    async def _attempts(
        self, work: Work, runs: VendorRuns, poller: Poller, starting: set[asyncio.Task[str]]
    ) -> list[tuple[Chosen, Attempt]]:
        since = self.api.now()
        start = asyncio.create_task(self._started(runs, work.body))
        starting.add(start)
        id_ = await asyncio.shield(start)
        try:
            async with asyncio.timeout(self.bounds.timeout):
                state = await poller.ended(id_, since)
        except TimeoutError:
            await self._cancel([id_])
            reason = f"it took longer than {self.bounds.timeout:g} s (tests.timeoutSeconds), and was cancelled"
            late = Attempt(passed=None, reason=reason, seconds=self.bounds.timeout, run=id_)
            return await self._in_time(work, runs, late)
        self._open.pop(id_, None)
        if work.path == EVALS:
            return [(test, attempt_of_eval(state.body, work.judged)) for test in work.tests.values()]
        return await self._of_items(work, runs, id_)

    async def _in_time(self, work: Work, runs: VendorRuns, late: Attempt) -> list[tuple[Chosen, Attempt]]:
        """Of a run that took too long: a simulation of it that had ended counts, the others are late."""
        items: dict[str, dict[str, Any]] = {}
        if work.path == SIMULATIONS:
            with suppress(ProviderError):
                items = {str(item.get("simulationId")): item for item in await runs.items(late.run)}
        ended = {known: item for known, item in items.items() if item.get("status") in ("passed", "failed")}
        return [
            (test, attempt_of_item(ended[known], late.run) if known in ended else late)
            for known, test in work.tests.items()
        ]

    async def _of_items(self, work: Work, runs: VendorRuns, id_: str) -> list[tuple[Chosen, Attempt]]:
        items: dict[str, dict[str, Any]] = {}
        for look in range(_ITEMS_LAG):
            items = {str(item.get("simulationId")): item for item in await runs.items(id_)}
            if all(items.get(known, {}).get("status") in ITEM_ENDED for known in work.tests):
                break
            await asyncio.sleep(self.bounds.pace * 0.5 * (look + 1))
        missing = Attempt(passed=None, reason="Vapi's run has no such simulation in it", run=id_)
        return [
            (test, attempt_of_item(items[known], id_) if known in items else missing)
            for known, test in work.tests.items()
        ]

    async def _started(self, runs: VendorRuns, body: Mapping[str, Any]) -> str:
        """A run is there from now on, whoever still waits for it."""
        id_ = await runs.start(body)
        self._open[id_] = runs
        return id_

    @asynccontextmanager
    async def _cancelling(self, runs: VendorRuns, starting: set[asyncio.Task[str]]) -> AsyncIterator[None]:
        """At the end none of these runs is under way at Vapi any more, what was just being started included. Those of
        the other sort go on: each sort ends by itself."""
        try:
            yield
        finally:
            under_way = [task for task in starting if not task.done()]
            if under_way:
                await asyncio.wait(under_way, timeout=_CANCEL_SECONDS)
                for task in under_way:
                    task.cancel()
                await asyncio.gather(*under_way, return_exceptions=True)
            if ours := [id_ for id_, of in self._open.items() if of is runs]:
                await self._cancel(ours)

    async def _cancel(self, ids: Sequence[str]) -> None:
        async def one(id_: str) -> None:
            runs = self._open.pop(id_, None)
            if runs is None:  # the other sort of runs, which ends at the same time, cancels it
                return
            try:
                await runs.cancel(id_)
            except ProviderError as error:
                self.told(f"the run {id_} could not be cancelled at Vapi, and may go on: {error}")

        known = [id_ for id_ in ids if id_ in self._open]
        try:
            async with asyncio.timeout(_CANCEL_SECONDS):
                await together(one(id_) for id_ in known)
        except TimeoutError:
            self.told(f"Vapi did not answer when runs were to be cancelled; they may go on: {', '.join(known)}")

    def _refuse(self, work: Work, error: ProviderError) -> None:
        """What Vapi refuses for the account, it refuses for every test."""
        if error.status in (_PAYMENT, 401, 403) or not error.status:
            if work.path not in self._refused:
                self.told(_said(error))
            self._refused[work.path] = _said(error)

    def _none(self, work: Work, why: str, seconds: float = 0.0) -> None:
        for test in work.tests.values():
            self.ended(test, Attempt(passed=None, reason=why, seconds=seconds))


def pieces(work: Work, most: int) -> list[Work]:
    """The same in runs of at most so many calls: Vapi plays all of a run at once."""
    ids = list(work.tests)
    if len(ids) <= most:
        return [work]
    return [
        replace(
            work,
            body={**work.body, "simulations": [{"type": "simulation", "simulationId": id_} for id_ in some]},
            calls=len(some),
            tests={id_: work.tests[id_] for id_ in some},
        )
        for some in (ids[start : start + most] for start in range(0, len(ids), most))
    ]


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _names(work: Work) -> str:
    return some_of([test.case.name for test in work.tests.values()], 1)


def _said(error: ProviderError) -> str:
    """Why Vapi does not run it, in a sentence."""
    if error.status == _PAYMENT:
        return flowed(f"Vapi asks for money before it runs simulations (402): {error.summary}")
    if error.status in (401, 403):
        return flowed(f"Vapi does not let this key run tests: {error.summary}")
    return flowed(str(error))
