"""Do calls go worse since an apply? Looked at again and again, by a rule that is corrected for looking often."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

from voiceops.calls.alarm import Look, compared, look_at, worse_than
from voiceops.calls.call_names import Names
from voiceops.calls.counting import Reports
from voiceops.calls.store import CallFilter, CallStore
from voiceops.errors import VoiceopsError
from voiceops.runtime.store.records import Backend
from voiceops.state.ledger import Ledger
from voiceops.state.read_revisions import in_force_from
from voiceops.use.calls_database import calls_database, names_of
from voiceops.use.load_project import Loaded
from voiceops.use.open_job import open_job
from voiceops.use.read_calls import fetch
from voiceops.use.scope_and_terms import Scope, options_of

_BEFORE = 90 * 86_400.0  # seconds before the apply that are looked at, at most


async def watch(
    loaded: Loaded,
    *,
    after: int | None = None,
    seconds: float = 1800,
    interval: float = 30,
    least: int = 30,
    database: str = "",
) -> AsyncIterator[Look]:
    """A look each `interval` seconds, for so many seconds; the last one is the first that found something worse.

    `after` is a revision (None: the one in force), `least` the calls before the first look. Calls are fetched from
    Vapi's list each time. Raises VoiceopsError: there is no such revision, or it was no apply yet; ProviderError,
    Refused, StateError.
    """
    async with AsyncExitStack() as stack:
        backend = stack.enter_context(calls_database(loaded, database, make=True))
        assert backend is not None
        job = await stack.enter_async_context(open_job(loaded, options_of(loaded.project, Scope())))
        names = await names_of(job.ledger)
        revision, applied = _watched(names, after or job.ledger.state.in_force or job.ledger.state.revision)
        until = time.time() + seconds
        last, newest = 0, max(await job.ledger.revisions.numbers(), default=0)
        while True:
            names, newest = await _with_newer(names, newest, job.ledger)
            await fetch(
                CallStore(backend, loaded.project.privacy), job.accounts.vapi.api, names, since=applied - 86_400
            )
            found = _look(backend, revision, applied, least, last)
            last = max(last, found.number)
            yield found
            if found.worse or time.time() >= until:
                return
            await asyncio.sleep(min(interval, max(0.0, until - time.time())))


async def _with_newer(names: Names, newest: int, ledger: Ledger) -> tuple[Names, int]:
    """With the revisions that came since the one of this number: others apply while we watch."""
    numbers = [number for number in await ledger.revisions.numbers() if number > newest]
    found = [in_force_from(revision) for n in numbers if (revision := await ledger.revisions.get(n)) is not None]
    return replace(names, revisions=(*names.revisions, *found)), max(numbers, default=newest)


def _watched(names: Names, revision: int) -> tuple[int, float]:
    """The revision and when it last came into force. Raises VoiceopsError."""
    found = next((at for at, number in reversed(names.revisions) if number == revision), None)
    if found is None:
        raise VoiceopsError(
            f"there is no revision {revision}" if revision else "nothing was applied yet",
            hint="`voiceops history` lists the revisions; give --after REV.",
        )
    return revision, found


def _look(backend: Backend, revision: int, applied: float, least: int, last: int) -> Look:
    """At the newest size that the calls reached. A size that was looked at is not looked at again."""
    reports = Reports(backend)
    since = list(reversed(reports.measured(CallFilter(since=applied))))  # the oldest first: a look's calls stay its own
    number, size = look_at(len(since), least)
    sized = since[:size] if number else since
    before = reports.measured(CallFilter(since=applied - _BEFORE, until=applied), limit=max(1, len(sized)))
    look = Look(revision=revision, calls=len(since), before=len(before))
    if not number or len(before) < least:
        return look
    worse = worse_than(before, sized, number) if number > last else []
    return replace(
        look,
        number=number,
        size=size,
        figures=tuple(compared(before, sized)),
        worse=tuple(figure.name for figure in worse),
    )
