"""Where the calls are kept: the runtime's own store, or a file of the project where there is no runtime."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voiceops.calls.call_names import Names
from voiceops.calls.store import CallStore
from voiceops.errors import VoiceopsError
from voiceops.runtime.store.backends import backend_of, looking_into
from voiceops.runtime.store.records import Backend
from voiceops.runtime.store.sqlite import SqliteBackend
from voiceops.state.ledger import Ledger
from voiceops.state.read_revisions import in_force_from
from voiceops.use.allowed_hosts import check_database
from voiceops.use.opened import Opened
from voiceops.use.runtime_queue import DATABASE, default_database


@contextmanager
def calls_database(
    opened: Opened, location: str = "", *, make: bool = False, patience: float = 15.0
) -> Iterator[Backend | None]:
    """The database with the tables of calls, open for as long as the block runs.

    `location`: `--db`; else VOICEOPS_RUNTIME_DB, the runtime's own file where it is there, `.voiceops/calls.db`.
    None where there is none yet and `make` is false. `patience`: the seconds for which others that use it are waited
    for. Raises VoiceopsError: it can't be opened, or is of a newer version; Refused: it is at a host that is not
    allowed.
    """
    named = location or opened.environ.get(DATABASE, "")
    check_database(named, "--db" if location else DATABASE, opened.context.environ)
    backend = backend_of(named, worker=False, patience=patience) if named else _own(opened, patience)
    if isinstance(backend, SqliteBackend) and not backend.path.exists() and not make:
        if named:
            raise VoiceopsError(
                f"there is no database {backend.path}",
                hint="`voiceops calls sync` makes it, and so does a runtime that is started with it.",
            )
        yield None
        return
    with looking_into(backend):
        CallStore(backend).prepare()
        yield backend


def _own(opened: Opened, patience: float) -> SqliteBackend:
    """The runtime's own file, or the project's: there each environment has tables of its own."""
    runtime = SqliteBackend(Path(default_database(opened.project)), worker=False, patience=patience)
    if runtime.path.exists():
        return runtime
    own = SqliteBackend(opened.project.root / ".voiceops" / "calls.db", worker=False, patience=patience)
    own.prefix = opened.project.environment.replace("-", "_") + "_"
    return own


async def names_of(ledger: Ledger) -> Names:
    """The names of what was applied, and since when each revision was in force."""
    keys: list[tuple[str, str | None]] = []
    for address, entry in ledger.state.entries.items():
        number = entry.owned.get("number") or entry.attributes.get("number")
        keys += [(address, entry.id), (address, str(number) if number else entry.name)]
    return Names.of(keys, [in_force_from(entry) for entry in await ledger.store.revisions()])
