"""The smallest whole back end: state in this process's memory. Who writes another may begin here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from voiceops.errors import StateError
from voiceops.state import sealed
from voiceops.state.lock_holder import nobody_holds, taken_away, this_process, wait_for, written_by_another
from voiceops.state.store import Lease, LockInfo


@dataclass(slots=True)
class Shelf:
    """What is kept of one environment, as texts: nobody changes what another one holds."""

    state: str | None = None
    states: dict[int, str] = field(default_factory=dict)  # by serial
    journal: list[str] = field(default_factory=list)
    revisions: dict[int, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    holder: LockInfo | None = None


class MemoryStore:
    """`shelves` are the environments of one place, shared by all its stores."""

    def __init__(self, shelves: dict[str, Shelf], environment: str) -> None:
        self._shelves = shelves
        self._environment = environment
        self._mine = shelves.setdefault(environment, Shelf())

    @property
    def place(self) -> str:
        return f"memory ({self._environment})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def read(self) -> dict[str, Any] | None:
        if self._mine.state is None:
            return None
        data = sealed.opened(json.loads(self._mine.state))
        if data is None:
            raise sealed.damaged(self.place, await self.states())
        return data

    async def write(
        self, data: dict[str, Any], *, if_serial: int | None, keep: list[dict[str, Any]] | None = None
    ) -> None:
        held = await self.read()
        serial = None if held is None else held["serial"]
        if serial != if_serial:
            raise written_by_another(self.place, serial, if_serial)
        self._replace(data)
        if keep is not None:
            await self.cut_journal(keep)

    def _replace(self, data: dict[str, Any]) -> None:
        kept = self._mine.states
        kept[data["serial"]] = self._mine.state = sealed.dumps(sealed.sealed(data))
        for serial in sorted(kept)[: -sealed.KEPT_STATES]:
            del kept[serial]

    async def states(self) -> list[dict[str, Any]]:
        found = [sealed.opened(json.loads(text)) for _, text in sorted(self._mine.states.items())]
        return [data for data in found if data is not None]

    async def restore(self, serial: int) -> dict[str, Any]:
        kept = await self.states()
        data = sealed.chosen(self.place, serial, kept) | {"serial": max(sealed.serials(kept)) + 1}
        self._replace(data)
        return data

    async def append(self, records: list[dict[str, Any]], *, urgent: bool = True) -> None:
        self._mine.journal += [json.dumps(record) for record in records]

    async def journal(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self._mine.journal]

    async def cut_journal(self, keep: list[dict[str, Any]]) -> None:
        self._mine.journal = [json.dumps(record) for record in keep]

    async def put_blob(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self._mine.blobs[digest] = content
        return digest

    async def get_blob(self, digest: str) -> bytes:
        if digest not in self._mine.blobs:
            raise StateError(f"the state has no blob {digest}")
        return self._mine.blobs[digest]

    async def blobs(self) -> list[str]:
        return sorted(self._mine.blobs)

    async def add_revision(self, number: int, data: dict[str, Any]) -> None:
        if number in self._mine.revisions:
            raise StateError(f"revision {number} exists already in {self.place}")
        self._mine.revisions[number] = json.dumps(data)

    async def revisions(self) -> list[dict[str, Any]]:
        return [json.loads(text) for _, text in sorted(self._mine.revisions.items())]

    async def revision(self, number: int) -> dict[str, Any] | None:
        return json.loads(self._mine.revisions[number]) if number in self._mine.revisions else None

    async def revision_numbers(self) -> list[int]:
        return sorted(self._mine.revisions)

    async def add_note(self, id_: str, data: dict[str, Any]) -> None:
        self._mine.notes[id_] = json.dumps(data)

    async def notes(self) -> list[dict[str, Any]]:
        return [json.loads(text) for _, text in sorted(self._mine.notes.items())]

    async def forget(self, revisions: Iterable[int] = (), notes: Iterable[str] = ()) -> None:
        for number in revisions:
            self._mine.revisions.pop(number, None)
        for id_ in notes:
            self._mine.notes.pop(id_, None)

    async def remove(self) -> None:
        self._mine.state = None
        for kept in (self._mine.states, self._mine.journal, self._mine.revisions, self._mine.notes, self._mine.blobs):
            kept.clear()

    async def siblings(self) -> list[dict[str, Any]]:
        others = [MemoryStore(self._shelves, name) for name in sorted(self._shelves) if name != self._environment]
        found = [await other.read() for other in others]
        return [data for data in found if data is not None]

    async def sibling_journals(self) -> list[list[dict[str, Any]]]:
        others = [MemoryStore(self._shelves, name) for name in sorted(self._shelves) if name != self._environment]
        return [await other.journal() for other in others]

    @asynccontextmanager
    async def lock(self, operation: str, timeout: float) -> AsyncIterator[Lease]:
        me = this_process(operation)

        async def attempt() -> LockInfo | None:
            if self._mine.holder is None:
                self._mine.holder = me
            return None if self._mine.holder is me else self._mine.holder

        await wait_for(attempt, timeout, pause=0.01)
        try:
            yield _MemoryLease(self._mine, me)
        finally:
            if self._mine.holder is me:
                self._mine.holder = None

    async def unlock(self, id_: str) -> None:
        if self._mine.holder is None or self._mine.holder.id != id_:
            raise nobody_holds(id_, self.place)
        self._mine.holder = None


@dataclass(frozen=True, slots=True)
class _MemoryLease:
    shelf: Shelf
    info: LockInfo
    note: str = ""  # a dead process takes its memory with it: nothing is ever taken over

    async def check(self) -> None:
        if self.shelf.holder is not self.info:
            raise taken_away()
