"""Times as people give them: `7d`, `24h`, or a date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from voiceops.model.instants import instant_of
from voiceops.model.time_spans import seconds_of

F = TypeVar("F", bound=Callable[..., Any])

_LEAST, _MOST = 0.0, 253_402_300_799.0  # the years that a date can be in


class Span(click.ParamType[float]):
    """How long: `30s`, `30m`, `24h`, `7d`. Gives seconds."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds; a text that is no length of time ends the command with one line."""
        if isinstance(value, float):
            return value
        if not (seconds := seconds_of(str(value))):
            self.fail(f"{value!r} is no length of time: write 30s, 30m, 24h or 7d.", param, ctx)
        return seconds


class When(click.ParamType[float]):
    """When: a span before now, or a date with or without a time (UTC, unless it says another zone). Epoch seconds."""

    name = "time"

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Epoch seconds; a text that is no time ends the command with one line."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        if (ago := seconds_of(text)) is not None:
            return max(_LEAST, self._now() - ago)
        if (seconds := instant_of(text)) is None:
            self.fail(f"{value!r} is no time: write 24h, 7d, 2026-11-01 or 2026-11-01T09:30+01:00.", param, ctx)
        if not _LEAST <= seconds <= _MOST:
            self.fail(f"{value!r} is no time that a call can have.", param, ctx)
        return seconds


class TimeToCome(click.ParamType[float]):
    """A time to come: a span from now, or a date and time (UTC, unless it says another zone). Epoch seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Epoch seconds; a text that is no time ends the command with one line."""
        if isinstance(value, float):
            return value
        if (ahead := seconds_of(str(value))) is not None:
            return now() + ahead
        return When(now).convert(value, param, ctx)


def now() -> float:
    """Epoch seconds."""
    import time

    return time.time()


def period(command: F) -> F:
    """`--since` and `--until`."""
    command = click.option("--until", type=When(now), metavar="T", help="Only calls that began before; as --since.")(
        command
    )
    return click.option(
        "--since", type=When(now), metavar="T", help="Only calls that began since: 24h, 7d, or a date and time."
    )(command)


def database(command: F) -> F:
    """`--db`."""
    return click.option(
        "--db", default="", metavar="URL", help="Another store of calls: a SQLite file, or postgresql://…"
    )(command)
