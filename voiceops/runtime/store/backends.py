"""From VOICEOPS_RUNTIME_DB to a store."""

from __future__ import annotations

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
