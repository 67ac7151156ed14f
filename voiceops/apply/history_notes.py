"""What the history tells beside the revisions: refused and failed applies, and changes of the state by hand.

A note has an id that sorts by time, and no number: revisions are counted by what they changed. Notes are written while
the lock is held, and one that can't be written never fails what it tells of.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from voiceops.apply.job import Retention
from voiceops.apply.revisions import returns_to
from voiceops.errors import Locked, Refused, VoiceopsError
from voiceops.model.state import State
from voiceops.model.values import map_leaves
from voiceops.state.read_revisions import Revisions
from voiceops.state.store import Store

NOTE_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryNote:
    """`operation` is the command, `result` ok, refused or failed, `summary` what it was about, `more` further keys."""

    operation: str
    result: str
    summary: str
    origin: Mapping[str, Any]
    message: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


async def write_note(store: Store, note: HistoryNote) -> None:
    """Keep a note where that is possible: what it tells of does not fail with it."""
    with suppress(VoiceopsError):
        await keep_note(store, note)


async def keep_note(store: Store, note: HistoryNote) -> None:
    """Keep a note. Raises StateError.

    Results of tests (`tests` in `more`) say so in their id: a store that keeps few notes counts them apart.
    """
    at = datetime.now(UTC)
    id_ = f"{at:%Y%m%dT%H%M%S}{at.microsecond // 1000:03}Z-{secrets.token_hex(2)}"
    id_ += "-tests" if "tests" in note.more else ""
    kept: dict[str, Any] = {
        "version": NOTE_VERSION,
        "id": id_,
        "at": at.isoformat(timespec="seconds"),
        "operation": note.operation,
        "result": note.result,
        "message": note.message,
        "origin": dict(note.origin),
        "summary": note.summary,
        # After which revision: where it stands in the history, also within one second.
        "after": max(await store.revision_numbers(), default=0),
    }
    await store.add_note(id_, kept | dict(note.more))


async def note_failure(
    store: Store,
    operation: str,
    message: str,
    origin: Mapping[str, Any],
    error: VoiceopsError,
    redact: Callable[[str], str],
) -> None:
    """A refused or failed apply that changed nothing. Nothing is kept where the lock was lost."""
    if isinstance(error, Locked):
        return
    told = map_leaves(error.to_data(), lambda leaf: redact(leaf) if isinstance(leaf, str) else leaf)
    note = HistoryNote(
        operation=operation,
        result="refused" if isinstance(error, Refused) else "failed",
        summary=redact(error.summary),
        origin=origin,
        message=message,
        more={"error": told},
    )
    await write_note(store, note)


async def forget_old(revisions: Revisions, state: State, retention: Retention, now: datetime | None = None) -> None:
    """Delete what is beyond the retention, but nothing that a rollback without REV returns to. Never raises.

    A revision may have megabytes, and there are hundreds: only those in question are read.
    """
    with suppress(VoiceopsError):
        oldest = (now or datetime.now(UTC)) - timedelta(days=retention.days)
        numbers = await revisions.numbers()
        old = numbers[: -retention.keep]
        for number in numbers[len(old) :]:
            if number == state.revision or not _is_before(oldest, await revisions.get(number)):
                break
            old.append(number)
        if old:
            needed = await _needed(revisions, numbers, state)
            old = [number for number in old if number not in needed]
        store = revisions.store
        gone = [id_ for some in _sorts(await store.notes()) for id_ in _too_many(some, retention.keep, oldest)]
        if old or gone:
            await store.forget(old, gone)


def _sorts(notes: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Results of tests, and the rest: a busy pipeline's tests push no refusal out of the history, nor the other way."""
    return [note for note in notes if note.get("tests")], [note for note in notes if not note.get("tests")]


def _too_many(notes: list[dict[str, Any]], keep: int, oldest: datetime) -> Iterator[str]:
    cut = len(notes) - keep
    return (str(note["id"]) for index, note in enumerate(notes) if index < cut or _is_before(oldest, note))


def _is_before(oldest: datetime, entry: dict[str, Any] | None) -> bool:
    return entry is not None and datetime.fromisoformat(entry["at"]) < oldest


async def _needed(revisions: Revisions, numbers: list[int], state: State) -> set[int]:
    """The revisions that stay whatever their age: the newest, the one in force, the one before it by `rollback` (looked
    for from the newest on, until it is found), and what these stand for."""

    async def with_original(number: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
        revision = await revisions.get(number)
        if revision is None:
            return None
        target = revision.get("target")
        return revision, (await revisions.get(target or 0)) or revision

    needed = {state.in_force, state.revision}
    for number in reversed(numbers):
        if number < (state.in_force or state.revision):
            found = await with_original(number)
            if found is not None and returns_to(*found, state):
                needed.add(int(found[1]["number"]))
                break
    originals = [await with_original(number) for number in needed]
    return needed | {int(found[1]["number"]) for found in originals if found is not None}
