"""The runtime's queue from outside: what it was told and still has to do, and the way to do it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from voiceops.errors import VoiceopsError
from voiceops.manifest.project import Project
from voiceops.runtime.store.backends import backend_of, looking_into
from voiceops.runtime.store.records import DEAD, STATES, Backend, Stats, Stored
from voiceops.runtime.store.sqlite import SqliteBackend
from voiceops.use.allowed_hosts import check_database
from voiceops.use.opened import Opened

DATABASE = "VOICEOPS_RUNTIME_DB"


def default_database(project: Project) -> str:
    """Where the runtime keeps what it is told, unless VOICEOPS_RUNTIME_DB says otherwise."""
    return str(project.root / ".voiceops" / "runtime" / f"{project.environment}.db")


async def queued_events(
    opened: Opened, *, state: str = "", type_: str = "", limit: int = 50
) -> tuple[list[Stored], Stats | None]:
    """The newest messages, without what they hold, and how many wait, are worked on and are dead.

    `state`: waiting, working, done or dead, or all of them. The figures are None where nothing was served yet. Raises
    VoiceopsError where a database that is named is not there, and Refused.
    """
    with _queue(opened) as queue:
        if queue is None:
            return [], None
        return queue.find(state=STATES[state] if state else None, type_=type_, limit=limit), queue.stats()


async def queued_event(opened: Opened, event_id: int) -> Stored:
    """One message with all that it holds. Raises VoiceopsError where there is none."""
    with _queue(opened) as queue:
        found = queue.get(event_id) if queue is not None else None
    if found is None:
        raise VoiceopsError(f"there is no event {event_id}", hint="See `voiceops events list`.")
    return found


async def replay_events(opened: Opened, ids: tuple[int, ...] = (), *, type_: str = "") -> tuple[int, int]:
    """Let the handlers work on messages again, with all their attempts: on `ids`, or on all that failed too often.

    Gives how many will run, and how many were meant. Raises VoiceopsError, Refused.
    """
    with _queue(opened) as queue:
        if queue is None:
            return 0, len(ids)
        chosen = list(ids) or [found.id for found in queue.find(state=DEAD, type_=type_, limit=1_000_000)]
        return queue.replay(chosen), len(chosen)


@contextmanager
def _queue(opened: Opened) -> Iterator[Backend | None]:
    """None where the environment's own one is not there yet: nothing is made by looking."""
    named = opened.environ.get(DATABASE)
    check_database(named or "", DATABASE, opened.context.environ)
    backend = backend_of(named or default_database(opened.project), worker=False)
    if isinstance(backend, SqliteBackend) and not backend.path.exists():
        if named:
            raise VoiceopsError(
                f"there is no database {backend.path}",
                hint=f"{DATABASE} names it; a runtime that is started with it makes it.",
            )
        yield None
        return
    with looking_into(backend):
        yield backend
