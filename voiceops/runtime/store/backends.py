"""From VOICEOPS_RUNTIME_DB to a store."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voiceops.errors import VoiceopsError
from voiceops.runtime.store.records import Backend


def backend_of(location: str, *, worker: bool = True, patience: float = 15.0) -> Backend:
    """SQLite for a path, PostgreSQL for `postgresql://…`. `worker` False: only to look at it; `patience`: the seconds
    for which others that use a file are waited for. Raises VoiceopsError."""
    scheme, separator, rest = location.partition("://")
    if separator and scheme in ("postgresql", "postgres"):
        try:
            from voiceops.runtime.store.postgres import PostgresBackend
        except ImportError:
            raise VoiceopsError(
                "a store in PostgreSQL needs the package psycopg",
                hint='Install it: pip install "voiceops-iac[postgres]"',
            ) from None
        return PostgresBackend(location, worker=worker)
    if separator and scheme != "sqlite":
        raise VoiceopsError(
            f"VOICEOPS_RUNTIME_DB names a {scheme}:// store, which this version doesn't have",
            hint="Use a file's path, or postgresql://…",
        )
    from voiceops.runtime.store.sqlite import SqliteBackend

    # As SQLAlchemy writes them: sqlite:///relative, sqlite:////absolute.
    path = rest.removeprefix("/") if separator else location
    return SqliteBackend(Path(path), worker=worker, patience=patience)


@contextmanager
def looking_into(backend: Backend) -> Iterator[Backend]:
    """The store, open for as long as the block runs: for a command, to which a store that fails is an error to be told.

    Raises VoiceopsError: it can't be opened, it is damaged, another process keeps it locked, or it went away.
    """
    backend.open()
    try:
        yield backend
    except Exception as error:
        if not isinstance(error, sqlite3.Error) and not isinstance(error, _of_postgres()):
            raise
        what = str(error).strip().splitlines()
        raise VoiceopsError(
            f"the store{_named(backend)} can't be used: {what[0] if what else type(error).__name__}",
            hint="Check that it is there, its rights, and room. What was written before is kept. Where it is damaged, "
            "docs/incidents.md says what to do.",
        ) from None
    finally:
        backend.close()


def _named(backend: Backend) -> str:
    path = getattr(backend, "path", None)
    return f" {path}" if path is not None else ""


def _of_postgres() -> tuple[type[Exception], ...]:
    """Its driver's errors, where it was imported."""
    driver = sys.modules.get("psycopg")
    return (driver.Error,) if driver is not None else ()
