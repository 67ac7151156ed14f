"""Points in time as text: ISO 8601, in UTC. Everywhere else they are epoch seconds. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def to_second(at: float) -> str:
    """As people and pipelines are told: `2026-11-01T09:30:00Z`."""
    return _text(at, "seconds")


def to_millisecond(at: float) -> str:
    """As Vapi writes a time, and takes one: `2026-11-01T09:30:00.000Z`."""
    return _text(at, "milliseconds")


def instant_of(text: Any) -> float | None:
    """The epoch seconds that a text means; None of what is no time. One that names no zone is in UTC."""
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _text(at: float, timespec: str) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
