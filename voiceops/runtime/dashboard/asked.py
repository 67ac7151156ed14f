"""What an address asks for: which calls, from the filters in its query. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from voiceops.calls.store import CallFilter
from voiceops.model.instants import instant_of
from voiceops.model.time_spans import seconds_of

_MOST = 4_102_444_800.0  # the year 2100
_LONGEST = 200  # characters of a value
_TEXTS = ("since", "until", "agent", "phone", "version", "revision", "text")
_SIGNS = ("failed", "simulated")


@dataclass(frozen=True, slots=True)
class AskedCalls:
    """`fields` are the filters as they were written; `problems` says of which nothing could be made."""

    wanted: CallFilter
    fields: Mapping[str, str]
    problems: tuple[str, ...] = ()
    before: tuple[float, str] | None = None  # the page of a list

    def link(self, path: str, **changed: str) -> str:
        """An address with these filters, some of them changed; an empty one is taken out."""
        return link(path, **{**self.fields, **changed})


def link(path: str, **fields: str) -> str:
    """An address with those fields that are not empty."""
    query = urlencode({name: value for name, value in fields.items() if value}, errors="replace")
    return f"{path}?{query}" if query else path


def asked_for(query: Mapping[str, str], now: float, **defaults: str) -> AskedCalls:
    """Read a query; `defaults` stand for what it lacks. What makes no sense is a problem, and leaves its filter out."""
    given = {**defaults, **{name: query[name].strip()[:_LONGEST] for name in (*_TEXTS, *_SIGNS) if name in query}}
    fields = {name: value for name, value in given.items() if value}
    problems: list[str] = []
    values: dict[str, Any] = {name: fields[name] for name in ("agent", "phone", "version", "text") if name in fields}
    for name in ("since", "until"):
        if name in fields:
            at = time_of(fields[name], now)
            if at is None:
                problems.append(f"“{name}” is no time: write 24h, 7d, 2026-11-01 or 2026-11-01T09:30.")
            values[name] = at
    if "revision" in fields:
        number = fields["revision"].removeprefix("r")
        if number.isascii() and number.isdigit() and len(number) < 10:
            values["revision"] = int(number)
        else:
            problems.append("“revision” is a number, as `history` lists them.")
    values |= {name: bool(fields.get(name)) for name in _SIGNS}
    return AskedCalls(CallFilter(**values), fields, tuple(problems), _before(query.get("before", "")))


def time_of(text: str, now: float) -> float | None:
    """Epoch seconds: a span before now, or a date with or without a time, in UTC. None: it is none."""
    if (ago := seconds_of(text)) is not None:
        return max(0.0, now - ago)
    seconds = instant_of(text)
    return seconds if seconds is not None and 0 <= seconds <= _MOST else None


def _before(text: str) -> tuple[float, str] | None:
    at, separator, id_ = text.partition(",")
    try:
        seconds = float(at)
    except ValueError:
        return None
    return (seconds, id_[:_LONGEST]) if separator and 0 <= seconds <= _MOST else None
