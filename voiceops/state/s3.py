"""State in S3-compatible object storage, on nothing but conditional writes.

PREFIX/ENVIRONMENT/state.json   what was applied, and where the journal begins: replaced If-Match its ETag
                   states/      the last states, each under its serial
                   journal/     intents and results since then: one object a write, numbered, If-None-Match *
                   revisions/   one object an apply
                   notes/       one object a refusal, a failure or a change of the state by hand
                   blobs/       bytes by SHA-256
                   lock         who is at work (see s3_lock.py)

The state and the cut of the journal are one write: the state's object says at which number the journal begins.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from voiceops.errors import Locked, StateError
from voiceops.net.together import together
from voiceops.state import sealed
from voiceops.state.batch import Batch
from voiceops.state.bucket import Bucket
from voiceops.state.lock_holder import written_by_another
from voiceops.state.s3_lock import S3Lock, Timing
from voiceops.state.store import Lease

_LOOKS = 3  # at a journal that loses objects while it is read without the lock
_TRIES = 20  # at a journal number, against others that write without the lock


@dataclass(frozen=True, slots=True)
class _Head:
    """The state's object: the state, and the journal's first number with what was kept from before it."""

    state: dict[str, Any] | None = None
    first: int = 1
    kept: tuple[dict[str, Any], ...] = ()

    def to_bytes(self) -> bytes:
        data = {"format": 1, "state": self.state, "journal": {"first": self.first, "kept": list(self.kept)}}
        return json.dumps(sealed.sealed(data), indent=1, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> _Head | None:
        data = sealed.opened(sealed.parsed(content))
        if data is None:
            return None
        return cls(data["state"], data["journal"]["first"], tuple(data["journal"]["kept"]))


class S3Store:
    """One environment's state under `prefix` of a bucket."""

    def __init__(self, bucket: Bucket, place: str, prefix: str, environment: str, timing: Timing | None = None) -> None:
        self._bucket = bucket
        self._place = place
        self._root = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._prefix = f"{self._root}{environment}/"
        self._lock = S3Lock(bucket, self._prefix, place, timing or Timing())
        self._batch = Batch(self._append)
        self._next: int | None = None  # the journal's next number, once known
        self._held = False

    @property
    def place(self) -> str:
        return self._place

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def read(self) -> dict[str, Any] | None:
        head, _ = await self._head()
        return head.state

    async def _head(self) -> tuple[_Head, str | None]:
        """With its ETag; None where there is no object yet. Raises StateError when it is damaged."""
        found = await self._bucket.get(self._prefix + "state.json")
        if found is None:
            return _Head(), None
        head = _Head.from_bytes(found.content)
        if head is None:
            raise sealed.damaged(self.place, await self.states())
        return head, found.etag

    async def write(
        self, data: dict[str, Any], *, if_serial: int | None, keep: list[dict[str, Any]] | None = None
    ) -> None:
        await self._batch.flush()
        head, etag = await self._head()
        serial = None if head.state is None else head.state.get("serial")
        if serial != if_serial:
            raise written_by_another(self.place, serial, if_serial)
        await self._write(replace(head, state=data), etag, keep)

    async def cut_journal(self, keep: list[dict[str, Any]]) -> None:
        await self._batch.flush()
        head, etag = await self._head()
        await self._write(head, etag, keep)

    async def _write(self, head: _Head, etag: str | None, keep: list[dict[str, Any]] | None) -> None:
        old: list[str] = []
        if keep is not None:
            old = await self._bucket.keys(self._prefix + "journal/")
            last = max([head.first - 1, *map(_number, old)])
            head = replace(head, first=last + 1, kept=tuple(keep))
        content = head.to_bytes()
        if head.state is not None:
            await self._keep_copy(head.state["serial"], content)
        key = self._prefix + "state.json"
        done = await (self._bucket.create(key, content) if etag is None else self._bucket.replace(key, content, etag))
        if done is None:
            raise written_by_another(self.place, "unknown", head.state and head.state.get("serial"))
        await self._bucket.delete(old)  # they count no more, gone or not

    async def _keep_copy(self, serial: int, content: bytes) -> None:
        await self._bucket.put(f"{self._prefix}states/{serial:09}.json", content)
        copies = await self._bucket.keys(self._prefix + "states/")
        await self._bucket.delete(copies[: -sealed.KEPT_STATES])

    async def states(self) -> list[dict[str, Any]]:
        return [head.state for head in await self._copies() if head.state is not None]

    async def _copies(self) -> list[_Head]:
        found = await together(map(self._bucket.get, await self._bucket.keys(self._prefix + "states/")))
        heads = (_Head.from_bytes(copy.content) for copy in found if copy is not None)
        return [head for head in heads if head is not None]

    async def restore(self, serial: int) -> dict[str, Any]:
        await self._batch.flush()
        copies = await self._copies()
        kept = [head.state for head in copies if head.state is not None]
        data = {**sealed.chosen(self.place, serial, kept), "serial": max(sealed.serials(kept)) + 1}
        found = await self._bucket.get(self._prefix + "state.json")
        current = _Head.from_bytes(found.content) if found else None
        await self._write(replace(current or copies[-1], state=data), found.etag if found else None, None)
        return data

    async def append(self, records: list[dict[str, Any]], *, urgent: bool = True) -> None:
        await self._batch.add(records, urgent=urgent or not self._held)

    async def _append(self, records: list[dict[str, Any]]) -> None:
        content = json.dumps(records, separators=(",", ":")).encode()
        for _ in range(_TRIES):
            if self._next is None:
                head, _ = await self._head()
                self._next = max([head.first - 1, *map(_number, await self._journal_keys())]) + 1
            number, self._next = self._next, None  # known again once this one is written
            if await self._bucket.create(f"{self._prefix}journal/{number:09}.json", content):
                self._next = number + 1
                return
            if self._held:
                raise Locked(
                    f"the journal in {self.place} was written by somebody else while this process held the lock",
                    hint="Plan again.",
                )
        raise StateError(f"the journal in {self.place} can't be written: others write without pause")

    async def journal(self) -> list[dict[str, Any]]:
        for left in reversed(range(_LOOKS)):
            keys = await self._journal_keys()
            found = await together(map(self._bucket.get, keys))
            head, _ = await self._head()  # last: what was cut since the list is in it, or counts no more
            last = max([head.first - 1, *map(_number, keys)])
            numbered = [(key, item) for key, item in zip(keys, found, strict=True) if _number(key) >= head.first]
            if not left or all(item is not None for _, item in numbered):
                break  # else the whole state was taken away meanwhile: then the list is empty by now
        records = list(head.kept)
        for key, item in numbered:
            batch = sealed.parsed(item.content) if item else None
            if not isinstance(batch, list):
                raise StateError(f"{key} in {self.place} can't be read", hint="Restore the object, or ask for help.")
            records += batch
        self._next = last + 1
        return records

    async def _journal_keys(self) -> list[str]:
        return await self._bucket.keys(self._prefix + "journal/")

    async def put_blob(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        await self._bucket.create(f"{self._prefix}blobs/{digest}", content)
        return digest

    async def get_blob(self, digest: str) -> bytes:
        found = await self._bucket.get(f"{self._prefix}blobs/{digest}")
        if found is None:
            raise StateError(f"the state has no blob {digest}")
        return found.content

    async def blobs(self) -> list[str]:
        return [key.rpartition("/")[2] for key in await self._bucket.keys(self._prefix + "blobs/")]

    async def add_revision(self, number: int, data: dict[str, Any]) -> None:
        content = json.dumps(data, indent=1, sort_keys=True).encode()
        if await self._bucket.create(f"{self._prefix}revisions/{number:06}.json", content) is None:
            raise StateError(f"revision {number} exists already in {self.place}")

    async def revisions(self) -> list[dict[str, Any]]:
        keys = await self._bucket.keys(self._prefix + "revisions/")
        found = await together(map(self._bucket.get, keys))
        parsed = [(key, sealed.parsed(item.content)) for key, item in zip(keys, found, strict=True) if item]
        for key, data in parsed:
            if not isinstance(data, dict):
                raise StateError(f"{key} in {self.place} can't be read", hint="Restore the object from a copy.")
        return [data for _, data in parsed]

    async def revision(self, number: int) -> dict[str, Any] | None:
        found = await self._bucket.get(f"{self._prefix}revisions/{number:06}.json")
        data = sealed.parsed(found.content) if found else None
        return data if isinstance(data, dict) else None

    async def revision_numbers(self) -> list[int]:
        return sorted(map(_number, await self._bucket.keys(self._prefix + "revisions/")))

    async def add_note(self, id_: str, data: dict[str, Any]) -> None:
        await self._bucket.put(f"{self._prefix}notes/{id_}.json", json.dumps(data, indent=1, sort_keys=True).encode())

    async def notes(self) -> list[dict[str, Any]]:
        found = await together(map(self._bucket.get, await self._bucket.keys(self._prefix + "notes/")))
        parsed = [sealed.parsed(item.content) for item in found if item is not None]
        return [data for data in parsed if isinstance(data, dict)]

    async def forget(self, revisions: Iterable[int] = (), notes: Iterable[str] = ()) -> None:
        await self._bucket.delete(
            [f"{self._prefix}revisions/{number:06}.json" for number in revisions]
            + [f"{self._prefix}notes/{id_}.json" for id_ in notes]
        )

    async def remove(self) -> None:
        await self._batch.flush()
        # The state last: without its first number old journals would count again.
        for part in ("journal/", "revisions/", "notes/", "blobs/", "states/", "state.json"):
            await self._bucket.delete(await self._bucket.keys(self._prefix + part))
        self._next = None

    async def siblings(self) -> list[dict[str, Any]]:
        names = [name for name in await self._bucket.folders(self._root) if f"{self._root}{name}/" != self._prefix]
        found = await together(self._bucket.get(f"{self._root}{name}/state.json") for name in names)
        heads = [_Head.from_bytes(item.content) for item in found if item is not None]
        if None in heads:
            raise StateError(f"the state of another environment beside {self.place} is damaged")
        return [head.state for head in heads if head is not None and head.state is not None]

    async def sibling_journals(self) -> list[list[dict[str, Any]]]:
        names = [name for name in await self._bucket.folders(self._root) if f"{self._root}{name}/" != self._prefix]
        others = [S3Store(self._bucket, self._place, self._root, name) for name in names]
        return list(await together(other.journal() for other in others))

    @asynccontextmanager
    async def lock(self, operation: str, timeout: float) -> AsyncIterator[Lease]:
        async with self._lock.hold(operation, timeout) as lease:
            self._held, self._next = True, None
            try:
                async with self._batch.flushed():
                    yield lease
            finally:
                self._held = False

    async def unlock(self, id_: str) -> None:
        await self._lock.take_away(id_)


def _number(key: str) -> int:
    return int(key.rpartition("/")[2].removesuffix(".json"))
