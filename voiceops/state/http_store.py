"""State on a server of Terraform's HTTP protocol: everything is in the one document that the protocol knows.

The document is a valid, empty Terraform state with a part of our own, so that whatever takes Terraform's states takes
it. Its serial grows with every write, because GitLab keeps each version under it. The protocol has no conditional
write: only the lock keeps others out, so that every write names it and the holder asks for it before each request.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from voiceops.errors import Locked, StateError
from voiceops.state import sealed
from voiceops.state.batch import Batch
from voiceops.state.lock_holder import (
    Shared,
    nobody_holds,
    seen_through,
    taken_away,
    this_process,
    wait_for,
    written_by_another,
)
from voiceops.state.store import Lease, LockInfo
from voiceops.state.tf_server import Server

KEPT_REVISIONS = 50
KEPT_NOTES = 50
_PAUSE = 1.0  # between two tries for the lock
_TRIES = 3  # to write the document, while nothing says that it was taken


def _sort_of(note: str) -> str:
    """What the id of a note ends with, after time and chance: each sort of notes is bounded apart."""
    return note.partition("-")[2].partition("-")[2]


@dataclass(frozen=True, slots=True)
class _Document:
    """What the server holds. Revisions, old states and blobs are packed: they are many, and alike."""

    serial: int = 0
    lineage: str = field(default_factory=lambda: str(uuid4()))
    writer: str = ""  # of this very version
    state: dict[str, Any] | None = None  # sealed
    states: tuple[str, ...] = ()
    journal: tuple[dict[str, Any], ...] = ()
    revisions: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        ours = {
            "format": 1,
            "writer": self.writer,
            "state": self.state,
            "states": list(self.states),
            "journal": list(self.journal),
            "revisions": self.revisions,
            "blobs": self.blobs,
            "notes": self.notes,
        }
        data = {
            "version": 4,
            "terraform_version": "1.0.0",
            "serial": self.serial,
            "lineage": self.lineage,
            "outputs": {},
            "resources": [],
            "check_results": None,
            "voiceops": ours,
        }
        return json.dumps(data, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes, place: str) -> _Document:
        data = sealed.parsed(content)
        ours = data.get("voiceops") if isinstance(data, dict) else None
        if not isinstance(ours, dict):
            raise StateError(
                f"{place} holds something that is no state of voiceops",
                hint="Another program's state may be there: use an address of its own. "
                "If it is ours and damaged, bring an older version back on the server.",
            )
        return cls(
            serial=data["serial"],
            lineage=data["lineage"],
            writer=ours["writer"],
            state=ours["state"],
            states=tuple(ours["states"]),
            journal=tuple(ours["journal"]),
            revisions=ours["revisions"],
            blobs=ours["blobs"],
            notes=ours.get("notes", {}),
        )

    @property
    def good_states(self) -> list[dict[str, Any]]:
        found = (sealed.opened(sealed.unpacked(text)) for text in self.states)
        return [data for data in found if data is not None]

    def with_state(self, data: dict[str, Any]) -> _Document:
        whole = sealed.sealed(data)
        return replace(self, state=whole, states=(*self.states, sealed.packed(whole))[-sealed.KEPT_STATES :])


class HttpStore:
    """One environment's document."""

    def __init__(self, server: Server, place: str) -> None:
        self._server = server
        self._place = place
        self._batch = Batch(self._append)
        self._changing = asyncio.Lock()
        self._held: LockInfo | None = None
        self._known: _Document | None = None  # while the lock is held nobody else writes
        self._stack = AsyncExitStack()

    @property
    def place(self) -> str:
        return self._place

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._server.connected())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _fetch(self) -> _Document:
        content = await self._server.get()
        return _Document() if content is None else _Document.from_bytes(content, self.place)

    async def _document(self) -> _Document:
        return self._known or await self._fetch()

    async def _change(self, edit: Callable[[_Document], _Document]) -> None:
        """Read, edit, write; one change at a time."""
        async with self._changing:
            old = await self._document()
            new = replace(edit(old), serial=old.serial + 1, writer=secrets.token_hex(8))
            self._known = None  # until it is certain what the server has
            await self._post(new)
            self._known = new if self._held else None

    async def _post(self, new: _Document) -> None:
        """Write the document; when the answer was lost, look whether it was taken."""
        content = new.to_bytes()
        for left in reversed(range(_TRIES)):
            try:
                await self._server.post(content, self._held.id if self._held else None)
                return
            except StateError:
                if (await self._fetch()).writer == new.writer:
                    return
                if not left:
                    raise

    async def read(self) -> dict[str, Any] | None:
        document = await self._document()
        if document.state is None:
            return None
        data = sealed.opened(document.state)
        if data is None:
            raise sealed.damaged(self.place, document.good_states)
        return data

    async def write(
        self, data: dict[str, Any], *, if_serial: int | None, keep: list[dict[str, Any]] | None = None
    ) -> None:
        await self._batch.flush()
        if self._known is not None and (await self._fetch()).writer != self._known.writer:
            raise written_by_another(self.place, "unknown", if_serial)
        held = await self.read()
        serial = None if held is None else held.get("serial")
        if serial != if_serial:
            raise written_by_another(self.place, serial, if_serial)

        def edit(document: _Document) -> _Document:
            new = document.with_state(data)
            return new if keep is None else replace(new, journal=tuple(keep))

        await self._change(edit)

    async def states(self) -> list[dict[str, Any]]:
        return (await self._document()).good_states

    async def restore(self, serial: int) -> dict[str, Any]:
        kept = (await self._document()).good_states
        data = {**sealed.chosen(self.place, serial, kept), "serial": max(sealed.serials(kept)) + 1}
        await self._change(lambda document: document.with_state(data))
        return data

    async def append(self, records: list[dict[str, Any]], *, urgent: bool = True) -> None:
        await self._batch.add(records, urgent=urgent or self._held is None)

    async def _append(self, records: list[dict[str, Any]]) -> None:
        await self._change(lambda document: replace(document, journal=(*document.journal, *records)))

    async def journal(self) -> list[dict[str, Any]]:
        return list((await self._document()).journal)

    async def cut_journal(self, keep: list[dict[str, Any]]) -> None:
        await self._batch.flush()
        await self._change(lambda document: replace(document, journal=tuple(keep)))

    async def put_blob(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        if digest not in (await self._document()).blobs:
            text = sealed.packed(base64.b64encode(content).decode())
            await self._change(lambda document: replace(document, blobs={**document.blobs, digest: text}))
        return digest

    async def get_blob(self, digest: str) -> bytes:
        text = sealed.unpacked((await self._document()).blobs.get(digest))
        if text is None:
            raise StateError(f"the state has no blob {digest}")
        return base64.b64decode(text)

    async def blobs(self) -> list[str]:
        return sorted((await self._document()).blobs)

    async def add_revision(self, number: int, data: dict[str, Any]) -> None:
        def edit(document: _Document) -> _Document:
            if str(number) in document.revisions:
                raise StateError(f"revision {number} exists already in {self.place}")
            kept = {**document.revisions, str(number): sealed.packed(data)}
            return replace(document, revisions={key: kept[key] for key in sorted(kept, key=int)[-KEPT_REVISIONS:]})

        await self._change(edit)

    async def revisions(self) -> list[dict[str, Any]]:
        document = await self._document()
        found = [(key, sealed.unpacked(document.revisions[key])) for key in sorted(document.revisions, key=int)]
        for key, data in found:
            if not isinstance(data, dict):
                raise StateError(f"revision {key} in {self.place} is damaged")
        return [data for _, data in found]

    async def revision(self, number: int) -> dict[str, Any] | None:
        found = sealed.unpacked((await self._document()).revisions.get(str(number)))
        return found if isinstance(found, dict) else None

    async def revision_numbers(self) -> list[int]:
        return sorted(map(int, (await self._document()).revisions))

    async def add_note(self, id_: str, data: dict[str, Any]) -> None:
        def edit(document: _Document) -> _Document:
            kept = {**document.notes, id_: sealed.packed(data)}
            same = sorted(key for key in kept if _sort_of(key) == _sort_of(id_))
            return replace(document, notes={key: kept[key] for key in kept.keys() - set(same[:-KEPT_NOTES])})

        await self._change(edit)

    async def notes(self) -> list[dict[str, Any]]:
        document = await self._document()
        found = [sealed.unpacked(document.notes[key]) for key in sorted(document.notes)]
        return [data for data in found if isinstance(data, dict)]

    async def forget(self, revisions: Iterable[int] = (), notes: Iterable[str] = ()) -> None:
        old, gone = set(map(str, revisions)), set(notes)

        def edit(document: _Document) -> _Document:
            return replace(
                document,
                revisions={key: text for key, text in document.revisions.items() if key not in old},
                notes={key: text for key, text in document.notes.items() if key not in gone},
            )

        if old or gone:
            await self._change(edit)

    async def remove(self) -> None:
        await self._batch.flush()
        # An empty document stays: its serial has to go on growing.
        await self._change(lambda document: _Document(lineage=document.lineage))

    async def siblings(self) -> list[dict[str, Any]]:
        return []  # the protocol knows one document, and not where the others are

    async def sibling_journals(self) -> list[list[dict[str, Any]]]:
        return []  # as for their states

    @asynccontextmanager
    async def lock(self, operation: str, timeout: float) -> AsyncIterator[Lease]:
        info = this_process(operation)
        async with self._server.connected():
            await wait_for(
                lambda: self._server.lock(info), timeout, _PAUSE, give_back=lambda: self._server.unlock(info)
            )
            lease = _HttpLease(self._server, info)
            try:
                await self._start(lease, info)
                async with self._batch.flushed():
                    yield lease
            except BaseException:
                self._held = self._known = None
                with contextlib.suppress(StateError):
                    await seen_through(self._give_back(lease, info))
                raise
            self._held = self._known = None
            await seen_through(self._give_back(lease, info))

    async def _start(self, lease: _HttpLease, info: LockInfo) -> None:
        if not await lease.is_kept():
            lease.lost = True
            raise StateError(
                f"{self.place} does not keep locks: it gave the same one twice",
                hint="Set TF_HTTP_LOCK_ADDRESS, TF_HTTP_LOCK_METHOD and TF_HTTP_UNLOCK_METHOD as for Terraform.",
            )
        self._held, self._known = info, await self._fetch()

    async def _give_back(self, lease: _HttpLease, info: LockInfo) -> None:
        await lease.settled()
        if lease.lost:
            return  # it may be another's by now
        try:
            await self._server.unlock(info)
        except StateError as error:
            raise StateError(
                f"the lock of {self.place} could not be given back: {error.summary}",
                hint=f"When the server is back: `voiceops state unlock {info.id}`.",
            ) from None

    async def unlock(self, id_: str) -> None:
        async with self._server.connected():
            probe = this_process("unlock")
            held = await self._server.lock(probe)
            if held is None:
                await self._server.unlock(probe)
            elif held.id == id_ and await self._server.unlock(held):
                return
        raise nobody_holds(id_, self.place)


class _HttpLease:
    """The protocol has no question for a lock's holder: trying for it under another id gives the answer."""

    note = ""

    def __init__(self, server: Server, info: LockInfo) -> None:
        self._server = server
        self._info = info
        self._ask = Shared(self.is_kept)
        self._asking: asyncio.Task[bool] | None = None
        self.lost = False

    async def check(self) -> None:
        if self.lost or not await self._ask():
            self.lost = True
            raise taken_away()

    async def settled(self) -> None:
        """Until no question is under way: one that came after our UNLOCK would take the lock itself."""
        if self._asking is not None:
            await asyncio.wait([self._asking])

    async def is_kept(self) -> bool:
        self._asking = asyncio.ensure_future(self._is_kept())
        return await asyncio.shield(self._asking)

    async def _is_kept(self) -> bool:
        probe = this_process("check")
        held = await self._server.lock(probe)
        if held is None:  # it was free: not for us to keep
            with contextlib.suppress(StateError, Locked):
                await self._server.unlock(probe)
            return False
        return held.id in (self._info.id, "unknown")
