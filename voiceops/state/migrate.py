"""A state moves house: everything that one store holds, copied into an empty one and read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from voiceops.errors import Refused, StateError
from voiceops.state.store import Store


@dataclass(frozen=True, slots=True)
class Moved:
    """What was copied."""

    objects: int
    records: int
    revisions: int
    blobs: int


async def migrate(source: Store, target: Store, timeout: float = 0.0) -> Moved:
    """Copy states, journal, revisions and blobs under both locks, and check them. The source stays as it is.

    Raises Refused where the target is not empty, Locked, and StateError where something did not arrive.
    """
    if source.place == target.place:
        raise Refused(f"both states are in {source.place}")
    async with source, target, source.lock("migrate", timeout), target.lock("migrate", timeout):
        if await target.read() is not None or await target.journal() or await target.revision_numbers():
            raise Refused(
                f"there is a state in {target.place} already",
                hint="Migrate to an empty place; nothing is ever written over.",
            )
        state = await source.read()
        journal, revisions, blobs = await source.journal(), await source.revisions(), await source.blobs()
        if state is None and not journal and not revisions:
            raise StateError(f"there is no state in {source.place}", hint="Look at the place that you move from.")
        for digest in blobs:
            await target.put_blob(await source.get_blob(digest))
        for number, revision in _numbered(revisions):
            await target.add_revision(number, revision)
        for note in await source.notes():
            await target.add_note(note["id"], note)
        await _copy_states(target, await source.states(), state)
        await target.cut_journal(journal)
        await _verify(target, state, journal, [number for number, _ in _numbered(revisions)], blobs)
    return Moved(len((state or {}).get("resources", {})), len(journal), len(revisions), len(blobs))


def _numbered(revisions: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    return [(revision["number"], revision) for revision in revisions]


async def _copy_states(target: Store, kept: list[dict[str, Any]], state: dict[str, Any] | None) -> None:
    """The kept ones in their order, so that the target keeps them too, then the current one."""
    if state is None:
        return
    older = [data for data in kept if data["serial"] < state["serial"]]
    serial = None
    for data in (*older, state):
        await target.write(data, if_serial=serial)
        serial = data["serial"]


async def _verify(
    target: Store,
    state: dict[str, Any] | None,
    journal: list[dict[str, Any]],
    revisions: list[int],
    blobs: list[str],
) -> None:
    """What a rollback may still need is there: a back end that keeps fewer revisions keeps the newest."""
    arrived = [number for number, _ in _numbered(await target.revisions())]
    wanted = revisions[-len(arrived) :] if arrived else revisions
    if (
        await target.read() != state
        or await target.journal() != journal
        or arrived != wanted
        or await target.blobs() != blobs
    ):
        raise StateError(
            f"what arrived in {target.place} is not what was sent",
            hint="Empty it and try again; the old state is as it was.",
        )
