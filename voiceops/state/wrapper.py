"""A store around another store: every call passes through, so that a wrapper says only what it does otherwise.

Knows the interface of a store and nothing of what is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

from voiceops.state.store import Lease, Store


class StoreWrapper:
    """The whole interface of `Store` over `inner`; what each call means is said there."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.place: str = inner.place

    async def __aenter__(self) -> Self:
        await self.inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.inner.__aexit__(kind, error, trace)

    async def read(self) -> dict[str, Any] | None:
        return await self.inner.read()

    async def write(
        self, data: dict[str, Any], *, if_serial: int | None, keep: list[dict[str, Any]] | None = None
    ) -> None:
        await self.inner.write(data, if_serial=if_serial, keep=keep)

    async def append(self, records: list[dict[str, Any]], *, urgent: bool = True) -> None:
        await self.inner.append(records, urgent=urgent)

    async def journal(self) -> list[dict[str, Any]]:
        return await self.inner.journal()

    async def cut_journal(self, keep: list[dict[str, Any]]) -> None:
        await self.inner.cut_journal(keep)

    async def put_blob(self, content: bytes) -> str:
        return await self.inner.put_blob(content)

    async def get_blob(self, digest: str) -> bytes:
        return await self.inner.get_blob(digest)

    async def blobs(self) -> list[str]:
        return await self.inner.blobs()

    async def add_revision(self, number: int, data: dict[str, Any]) -> None:
        await self.inner.add_revision(number, data)

    async def revisions(self) -> list[dict[str, Any]]:
        return await self.inner.revisions()

    async def revision(self, number: int) -> dict[str, Any] | None:
        return await self.inner.revision(number)

    async def revision_numbers(self) -> list[int]:
        return await self.inner.revision_numbers()

    async def add_note(self, id_: str, data: dict[str, Any]) -> None:
        await self.inner.add_note(id_, data)

    async def notes(self) -> list[dict[str, Any]]:
        return await self.inner.notes()

    async def forget(self, revisions: Iterable[int] = (), notes: Iterable[str] = ()) -> None:
        await self.inner.forget(revisions, notes)

    async def states(self) -> list[dict[str, Any]]:
        return await self.inner.states()

    async def restore(self, serial: int) -> dict[str, Any]:
        return await self.inner.restore(serial)

    async def remove(self) -> None:
        await self.inner.remove()

    async def siblings(self) -> list[dict[str, Any]]:
        return await self.inner.siblings()

    async def sibling_journals(self) -> list[list[dict[str, Any]]]:
        return await self.inner.sibling_journals()

    def lock(self, operation: str, timeout: float) -> AbstractAsyncContextManager[Lease]:
        return self.inner.lock(operation, timeout)

    async def unlock(self, id_: str) -> None:
        await self.inner.unlock(id_)
