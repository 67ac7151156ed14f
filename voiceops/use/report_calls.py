"""How calls went: counted by agent, line, revision, day, …, and two revisions compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from voiceops.calls.alarm import Compared, compared
from voiceops.calls.counting import ReportRow, Reports
from voiceops.calls.store import CallFilter
from voiceops.errors import VoiceopsError
from voiceops.use.calls_database import calls_database
from voiceops.use.opened import Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """Two sets of calls, as they were asked for, and how many calls each has; `figures` of those that both tell."""

    a: str
    b: str
    calls: tuple[int, int]
    figures: tuple[Compared, ...]


async def report(opened: Opened, wanted: CallFilter, by: str = "", *, database: str = "") -> Sequence[ReportRow]:
    """A row for each value of `by` (one of `calls.counting.BY`; empty: one for all). Raises VoiceopsError, Refused."""
    with calls_database(opened, database) as found:
        return () if found is None else Reports(found).rows(wanted, by)


async def compare_calls(opened: Opened, wanted: CallFilter, a: str, b: str, *, database: str = "") -> Comparing:
    """Two revisions (`7`) or versions (`v7`), figure by figure.

    Raises VoiceopsError: one of them had no calls in this time, or nothing is kept here; Refused.
    """
    with calls_database(opened, database) as found:
        sides = [] if found is None else [Reports(found).measured(_only(wanted, name)) for name in (a, b)]
    for name, side in zip((a, b), sides or ([], []), strict=True):
        if not side:
            raise VoiceopsError(
                f"there are no calls of {'version' if _is_version(name) else 'revision'} {name} in this time",
                hint="`voiceops report --by revision` (or `--by version`) shows which there are.",
            )
    return Comparing(a=a, b=b, calls=(len(sides[0]), len(sides[1])), figures=tuple(compared(*sides)))


def _only(wanted: CallFilter, name: str) -> CallFilter:
    if _is_version(name):
        return replace(wanted, version=name)
    if not name.isdecimal() or len(name) > 9:
        raise VoiceopsError(
            f"{name} is no revision and no version", hint="Write a revision as 7, an agent's version as v7."
        )
    return replace(wanted, revision=int(name))


def _is_version(name: str) -> bool:
    return name.startswith("v") and name[1:].isdecimal()
