"""The tables of calls, the same in SQLite and in PostgreSQL, made where they are missing.

`calls`: one row a call, with what is filtered and counted by; `call_bodies`: the whole call as JSON. `call_tools`: one
row a tool call. `call_sums`: the sums of an hour or of a day by agent, phone, version and revision, again of those with
each reason and of those with each tool, and of all calls together. `call_dirty`: the hours that changed since they were
summed. `call_forgotten`: digests of numbers whose calls are not to come back.
"""

from __future__ import annotations

from voiceops.calls.database import Database
from voiceops.errors import VoiceopsError

VERSION = 1
_SUMMED_AS = "3"  # how the sums are made: a store whose sums were made otherwise sums its hours anew

_CALLS = {
    "id": "text PRIMARY KEY",
    "began": "number NOT NULL",
    "agent": "text NOT NULL",
    "assistant_id": "text NOT NULL",
    "version": "text NOT NULL",
    "revision": "integer",
    "phone": "text NOT NULL",
    "phone_id": "text NOT NULL",
    "direction": "text NOT NULL",
    "customer": "text NOT NULL",
    "reason": "text NOT NULL",
    "status": "text NOT NULL",
    "failed": "integer NOT NULL",
    "transferred": "integer NOT NULL",
    "success": "integer",
    "duration": "number",
    "cost": "number",
    "turn_ms": "number",
    "tools": "integer NOT NULL",
    "tools_failed": "integer NOT NULL",
    "simulated": "integer NOT NULL",
    "waits": "bytes NOT NULL",
}
COLUMNS = tuple(_CALLS)
_BODIES = {"id": "text PRIMARY KEY", "body": "bytes NOT NULL"}  # apart: what is searched stays small
_TOOLS = {
    "call": "text NOT NULL",
    "n": "integer NOT NULL",
    "name": "text NOT NULL",
    "ms": "number",
    "outcome": "text NOT NULL",
    "PRIMARY KEY (call, n)": "",
}
_SUMS = {
    "span": "integer NOT NULL",
    "start": "integer NOT NULL",
    "part": "text NOT NULL",
    "value": "text NOT NULL",
    "agent": "text NOT NULL",
    "phone": "text NOT NULL",
    "version": "text NOT NULL",
    "revision": "integer",
    "sums": "bytes NOT NULL",
}
_TABLES = {
    "calls": _CALLS,
    "call_bodies": _BODIES,
    "call_tools": _TOOLS,
    "call_sums": _SUMS,
    "call_dirty": {"hour": "integer PRIMARY KEY"},
    "call_forgotten": {"customer": "text PRIMARY KEY", "at": "number NOT NULL"},
    "call_facts": {"name": "text PRIMARY KEY", "value": "text NOT NULL"},
}
_INDEXES = {
    "calls_began": ("calls", "began, id"),
    "calls_agent": ("calls", "agent, began"),
    "calls_phone": ("calls", "phone, began"),
    "calls_customer": ("calls", "customer"),
    "calls_failed": ("calls", "began) WHERE (failed = 1"),
    "call_sums_start": ("call_sums", "span, part, start"),
}
_TYPES = ("text", "number", "integer", "bytes")


def prepare(database: Database) -> None:
    """Make what is missing. Raises VoiceopsError: a newer voiceops made these tables."""
    prefix = database.prefix
    with database.transaction():
        for table, columns in _TABLES.items():
            inside = ", ".join(f"{name} {_type(database, kind)}".strip() for name, kind in columns.items())
            database.change(f"CREATE TABLE IF NOT EXISTS {prefix}{table} ({inside})")
        for name, (table, inside) in _INDEXES.items():
            database.change(f"CREATE INDEX IF NOT EXISTS {prefix}{name} ON {prefix}{table} ({inside})")
        facts = f"{prefix}call_facts"
        found = database.rows(f"SELECT value FROM {facts} WHERE name = 'version'")
        if not found:
            database.change(f"INSERT INTO {facts} (name, value) VALUES ('version', ?)", (str(VERSION),))
            database.change(f"INSERT INTO {facts} (name, value) VALUES ('sums', ?)", (_SUMMED_AS,))
        elif int(found[0][0]) > VERSION:
            raise VoiceopsError(
                "the calls in this store were written by a newer voiceops", hint="Use that version, or a newer one."
            )
        elif not database.rows(f"SELECT 1 FROM {facts} WHERE name = 'sums' AND value = ?", (_SUMMED_AS,)):
            database.change(f"DELETE FROM {facts} WHERE name = 'sums'")
            database.change(f"INSERT INTO {facts} (name, value) VALUES ('sums', ?)", (_SUMMED_AS,))
            database.change(
                f"INSERT INTO {prefix}call_dirty (hour) SELECT DISTINCT start FROM {prefix}call_sums "
                f"WHERE span = 1 AND start NOT IN (SELECT hour FROM {prefix}call_dirty)"
            )


def _type(database: Database, kind: str) -> str:
    word, _, rest = kind.partition(" ")
    return f"{database.type_of(word)} {rest}" if word in _TYPES else kind
