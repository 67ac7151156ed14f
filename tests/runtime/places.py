"""Databases for a runtime: a SQLite file, or one of its own in a real PostgreSQL."""

from __future__ import annotations

import uuid
from pathlib import Path

from tests.state.backends import postgres_url


def place_of(kind: str, folder: Path) -> str:
    """`sqlite` or `postgres`, as VOICEOPS_RUNTIME_DB names it."""
    if kind == "sqlite":
        return str(folder / "runtime.db")
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    base, _, query = postgres_url().partition("?")
    return base.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")
