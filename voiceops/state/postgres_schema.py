"""The tables that keep states in PostgreSQL, and how a database gets them. Knows SQL and versions, no states."""

from __future__ import annotations

from typing import Any

from voiceops.errors import StateError

SCHEMA_VERSION = 1

# One row a state and serial: the newest is the current one, those before it are the kept ones. `json` and not `jsonb`:
# it keeps what it was given, to the letter.
_TABLES = """
CREATE SCHEMA IF NOT EXISTS voiceops;
CREATE TABLE voiceops.versions (version integer NOT NULL);
CREATE TABLE voiceops.states (
    project text, environment text, serial bigint,
    data json NOT NULL, checksum text NOT NULL, written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project, environment, serial)
);
CREATE TABLE voiceops.journal (
    project text, environment text, position bigint GENERATED ALWAYS AS IDENTITY,
    record json NOT NULL, written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project, environment, position)
);
CREATE TABLE voiceops.revisions (
    project text, environment text, number integer,
    data json NOT NULL, written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project, environment, number)
);
CREATE TABLE voiceops.notes (
    project text, environment text, id text,
    data json NOT NULL, written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project, environment, id)
);
CREATE TABLE voiceops.blobs (
    project text, environment text, digest text, content bytea NOT NULL,
    PRIMARY KEY (project, environment, digest)
);
CREATE TABLE voiceops.locks (
    project text, environment text, backend integer NOT NULL, holder json NOT NULL,
    PRIMARY KEY (project, environment)
);
"""


async def exists(connection: Any, place: str) -> bool:
    """Has this database our tables? Raises StateError when a newer voiceops made them."""
    # By a query, not to_regclass(): that may answer from a cache which a wait for the lock has made stale.
    cursor = await connection.execute(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'voiceops' AND tablename = 'versions')"
    )
    if not (await cursor.fetchone())[0]:
        return False
    cursor = await connection.execute("SELECT max(version) FROM voiceops.versions")
    version = (await cursor.fetchone())[0] or 0
    if version > SCHEMA_VERSION:
        raise StateError(
            f"the tables in {place} have version {version}; this voiceops knows up to {SCHEMA_VERSION}",
            hint="Use the newer voiceops that made them.",
        )
    return True


async def ensure(connection: Any, place: str) -> None:
    """Make what is missing, once, however many processes come at once."""
    if await exists(connection, place):
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('voiceops schema', 0))")
        if await exists(connection, place):
            return
        await connection.execute(_TABLES)
        await connection.execute("INSERT INTO voiceops.versions VALUES (%s)", [SCHEMA_VERSION])
