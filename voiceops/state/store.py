"""The one interface that every state back end implements; it knows what is stored, not what it means.

A store belongs to one environment. `write` is conditional on the serial that was read, so that a second writer
notices; `append` is durable when it returns; the lock is held by one process at a time; the last states that were
written are kept beside the current one.

Every call works by itself. Inside `async with store:`, and while the lock is held, a back end on the network keeps
its connection.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self


@dataclass(frozen=True, slots=True)
class LockInfo:
    """Who holds the lock, and since when (ISO 8601, UTC)."""

    id: str
    who: str
    operation: str
    since: str
    pid: int = 0
    started: str = ""  # of the process, so that a reused pid is not taken for the holder
    boot: str = ""

    def to_data(self) -> dict[str, Any]:
        """As a lock's file or row holds it."""
        return {
            "id": self.id,
            "who": self.who,
            "operation": self.operation,
            "since": self.since,
            "pid": self.pid,
            "started": self.started,
            "boot": self.boot,
        }


class Lease(Protocol):
    """A lock while it is held."""

    @property
    def note(self) -> str:
        """A sentence when a dead holder's lock was taken over, else empty."""

    async def check(self) -> None:
        """Before each request that changes something: is the lock still ours? Raises Locked when it was lost."""


class Store(Protocol):
    """One environment's state."""

    @property
    def place(self) -> str:
        """Where it is, for messages: nothing secret."""

    async def __aenter__(self) -> Self:
        """Keep what is costly to open."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """And let it go."""

    async def read(self) -> dict[str, Any] | None:
        """The state as it was written last, or None before the first write. Raises StateError, also when the
        state's checksum is not that of its content."""

    async def write(
        self, data: dict[str, Any], *, if_serial: int | None, keep: list[dict[str, Any]] | None = None
    ) -> None:
        """Replace the state, if its serial still is `if_serial` (None: there is none yet). Raises StateError.

        With `keep` the journal becomes those records in the same step, where the back end can do that; else after it.
        """

    async def append(self, records: list[dict[str, Any]], *, urgent: bool = True) -> None:
        """Add records to the journal; durable when this returns.

        While the lock is held, what is not urgent may be written up to a second later, but before anything added
        after it, and before the lock is given back.
        """

    async def journal(self) -> list[dict[str, Any]]:
        """Every record since the journal was last cut; a record that a crash cut off is left out."""

    async def cut_journal(self, keep: list[dict[str, Any]]) -> None:
        """Replace the journal by the records to keep."""

    async def put_blob(self, content: bytes) -> str:
        """Keep bytes under their SHA-256, and return it."""

    async def get_blob(self, digest: str) -> bytes:
        """The bytes again. Raises StateError."""

    async def blobs(self) -> list[str]:
        """The digests of all blobs."""

    async def add_revision(self, number: int, data: dict[str, Any]) -> None:
        """Keep a revision; its number must be new. Raises StateError."""

    async def revisions(self) -> list[dict[str, Any]]:
        """Every revision, oldest first."""

    async def revision(self, number: int) -> dict[str, Any] | None:
        """One revision, or None."""

    async def revision_numbers(self) -> list[int]:
        """The numbers of all revisions, in order; none of them is read for it."""

    async def add_note(self, id_: str, data: dict[str, Any]) -> None:
        """Keep what is worth telling beside the revisions, under an id of `[0-9A-Za-z-]`; only while the lock is held.
        Ids sort by time."""

    async def notes(self) -> list[dict[str, Any]]:
        """Every note, oldest first; one that can't be read is left out."""

    async def forget(self, revisions: Iterable[int] = (), notes: Iterable[str] = ()) -> None:
        """Delete revisions and notes; those that are not there are fine. Only while the lock is held."""

    async def states(self) -> list[dict[str, Any]]:
        """The kept states whose checksums are right, oldest first; normally the last of them is the current one."""

    async def restore(self, serial: int) -> dict[str, Any]:
        """Make a kept state the current one, under a serial of its own, also when the current one is damaged; the
        journal stays. Returns it. Raises StateError."""

    async def remove(self) -> None:
        """Let go of everything that is kept of this environment, its history included. Only while the lock is held, and
        the last thing that is done under it. What a crash in the middle of it leaves brings nothing back."""

    async def siblings(self) -> list[dict[str, Any]]:
        """The states of this project's other environments in the same place."""

    async def sibling_journals(self) -> list[list[dict[str, Any]]]:
        """The journals of this project's other environments in the same place, also where no state is written yet."""

    def lock(self, operation: str, timeout: float) -> AbstractAsyncContextManager[Lease]:
        """Hold the lock, waiting up to `timeout` seconds for it. Raises Locked, saying who holds it since when."""

    async def unlock(self, id_: str) -> None:
        """Take a lock away from whoever holds it under this id. Raises StateError when nobody does."""
