"""State in a folder: reviewable JSON, written atomically and synced, locked by the kernel.

STATE/ENVIRONMENT/state.json       what was applied
                  states/          the last states, each under its serial
                  journal.jsonl    intents and results since then
                  lock             who is at work
                  revisions/       one file an apply
                  notes/           one file a refusal, a failure or a change of the state by hand
                  blobs/           bytes by SHA-256
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from voiceops.errors import StateError
from voiceops.model import json_in
from voiceops.state import sealed
from voiceops.state.batch import Batch
from voiceops.state.journal_file import JournalFile
from voiceops.state.lock_holder import locked_by, nobody_holds, taken_away, this_process, took_over, written_by_another
from voiceops.state.store import Lease, LockInfo
from voiceops.whole_file import sync_folder

_MOST = 4096  # bytes that say who holds the lock
_TRIES = 5  # to open a lock in a folder that others take away
_NAMELESS = 1.0  # seconds to wait for a holder to say who it is


class FolderStore:
    """The local back end. `root` is the state folder, `environment` the part of it that is ours."""

    def __init__(self, root: Path, environment: str) -> None:
        self._root = root
        self._held = False
        self._folder = root / environment
        self._journal = JournalFile(self._folder / "journal.jsonl")
        self._batch = Batch(self._append)  # one sync serves a whole wave of requests

    @property
    def place(self) -> str:
        return str(self._folder)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def read(self) -> dict[str, Any] | None:
        path = self._folder / "state.json"
        if not _is_there(path):
            return None
        data = sealed.opened(_parsed(path))
        if data is None:
            raise sealed.damaged(str(path), await self.states())
        return data

    async def write(
        self, data: dict[str, Any], *, if_serial: int | None, keep: list[dict[str, Any]] | None = None
    ) -> None:
        held = await self.read()
        serial = None if held is None else held.get("serial")
        if serial != if_serial:
            raise written_by_another(self.place, serial, if_serial)
        self._replace(data)
        if keep is not None:
            await self.cut_journal(keep)

    def _replace(self, data: dict[str, Any]) -> None:
        content = _dump(sealed.sealed(data))
        copies = self._folder / "states"
        _write_atomically(copies / f"{data.get('serial', 0):06}.json", *content)
        _write_atomically(self._folder / "state.json", *content)
        for path in sorted(copies.glob("*.json"))[: -sealed.KEPT_STATES]:
            path.unlink(missing_ok=True)

    async def states(self) -> list[dict[str, Any]]:
        found = [sealed.opened(_parsed(path)) for path in sorted((self._folder / "states").glob("*.json"))]
        return [data for data in found if data is not None]

    async def restore(self, serial: int) -> dict[str, Any]:
        kept = await self.states()
        data = sealed.chosen(self.place, serial, kept)
        data = {**data, "serial": max(sealed.serials(kept)) + 1}
        self._replace(data)
        return data

    async def append(self, records: list[dict[str, Any]], *, urgent: bool = True) -> None:
        if urgent or not self._held:
            await self._batch.add(records, urgent=True)
        else:
            with _written(self._journal.path):
                self._journal.write(_lines(records))

    async def _append(self, records: list[dict[str, Any]]) -> None:
        try:
            with _written(self._journal.path):
                await self._journal.append(_lines(records))
        finally:
            if not self._held:
                self._journal.close()

    async def journal(self) -> list[dict[str, Any]]:
        path = self._folder / "journal.jsonl"
        if not _is_there(path):
            return []
        records = []
        content = _content(path)
        lines = content.split(b"\n")
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            try:
                records.append(json_in.parsed(line))
            except ValueError:
                if number == len(lines):
                    break  # cut off in the middle of a write: that request was never sent
                raise StateError(
                    f"{path}: line {number} can't be read",
                    hint="Bring the file back from a copy: it holds what was under way.",
                ) from None
        return records

    async def cut_journal(self, keep: list[dict[str, Any]]) -> None:
        await self._batch.flush()
        self._journal.close()
        _write_atomically(self._folder / "journal.jsonl", _lines(keep))

    async def put_blob(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        path = self._folder / "blobs" / digest
        if not path.exists():
            _write_atomically(path, content)
        return digest

    async def get_blob(self, digest: str) -> bytes:
        try:
            return _content(self._folder / "blobs" / digest)
        except StateError:
            raise StateError(f"the state has no blob {digest}") from None

    async def blobs(self) -> list[str]:
        return sorted(path.name for path in (self._folder / "blobs").glob("[0-9a-f]*"))

    async def add_revision(self, number: int, data: dict[str, Any]) -> None:
        path = self._folder / "revisions" / f"{number:06}.json"
        if path.exists():
            raise StateError(f"revision {number} exists already in {self.place}")
        _write_atomically(path, *_dump(data))

    async def revisions(self) -> list[dict[str, Any]]:
        found = [_read_json(path) for path in sorted(self._revision_files(), key=lambda path: int(path.stem))]
        return [data for data in found if data is not None]

    def _revision_files(self) -> list[Path]:
        """Those that are ours by name; what else somebody put there is nobody's revision."""
        found = (self._folder / "revisions").glob("*.json")
        return [path for path in found if re.fullmatch(r"[0-9]{1,15}", path.stem)]

    async def revision(self, number: int) -> dict[str, Any] | None:
        return _read_json(self._folder / "revisions" / f"{number:06}.json")

    async def revision_numbers(self) -> list[int]:
        return sorted(int(path.stem) for path in self._revision_files())

    async def add_note(self, id_: str, data: dict[str, Any]) -> None:
        _write_atomically(self._folder / "notes" / f"{id_}.json", *_dump(data))

    async def notes(self) -> list[dict[str, Any]]:
        found = []
        for path in sorted((self._folder / "notes").glob("*.json")):
            with contextlib.suppress(StateError):
                found.append(_parsed(path))
        return [data for data in found if isinstance(data, dict)]

    async def forget(self, revisions: Iterable[int] = (), notes: Iterable[str] = ()) -> None:
        for number in revisions:
            (self._folder / "revisions" / f"{number:06}.json").unlink(missing_ok=True)
        for id_ in notes:
            (self._folder / "notes" / f"{id_}.json").unlink(missing_ok=True)

    async def remove(self) -> None:
        await self._batch.flush()
        self._journal.close()
        # The journal first: without its state it would bring back what is in it. The lock last: it is held.
        with _written(self._folder):
            for name in ("journal.jsonl", "revisions", "notes", "blobs", "states", "state.json", "lock"):
                path = self._folder / name
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # somebody else's files, or another one that waits for the lock
            self._folder.rmdir()

    async def siblings(self) -> list[dict[str, Any]]:
        folders = [path.parent for path in sorted(self._root.glob("*/state.json")) if path.parent != self._folder]
        found = []
        for folder in folders:
            try:
                found.append(await FolderStore(self._root, folder.name).read())
            except StateError:
                if _is_there(folder / "state.json"):  # else it was taken away while we looked
                    raise
        return [data for data in found if data is not None]

    async def sibling_journals(self) -> list[list[dict[str, Any]]]:
        folders = [path.parent for path in self._root.glob("*/journal.jsonl") if path.parent != self._folder]
        found = []
        for folder in sorted(folders):
            try:
                found.append(await FolderStore(self._root, folder.name).journal())
            except StateError:
                if _is_there(folder / "journal.jsonl"):  # else it was taken away while we looked
                    raise
        return found

    @asynccontextmanager
    async def lock(self, operation: str, timeout: float) -> AsyncIterator[Lease]:
        path = self._folder / "lock"
        deadline = time.monotonic() + timeout
        descriptor = -1
        try:
            while True:
                with _written(path):
                    descriptor = _opened_lock(path)
                await self._wait(descriptor, deadline)
                if os.fstat(descriptor).st_nlink:
                    break
                os.close(descriptor)  # the file was taken away while we waited: the next one counts
                descriptor = -1
            note = _taken_over(descriptor)
            with _written(path):
                info = _write_holder(descriptor, operation)
            self._held = True
            try:
                async with self._batch.flushed():
                    yield _FolderLease(note, descriptor, os.pread(descriptor, _MOST, 0))
            finally:
                self._held = False
                self._journal.close()
                if _is_held_by(descriptor, info.id):
                    os.ftruncate(descriptor, 0)
        finally:
            if descriptor >= 0:
                os.close(descriptor)  # the kernel drops the lock with it, also when the process dies

    async def unlock(self, id_: str) -> None:
        path = self._folder / "lock"
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                if _is_held_by(descriptor, id_):
                    # The holder has the old file locked and notices at its next check; the next one gets a new file.
                    os.unlink(path)
                    return
            finally:
                os.close(descriptor)
        raise nobody_holds(id_, self.place)

    async def _wait(self, descriptor: int, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                holder = _holder(descriptor)
                # One that got it this moment has still to write down who it is.
                if time.monotonic() >= deadline + (0 if holder else _NAMELESS):
                    raise locked_by(holder) from None
            await asyncio.sleep(min(0.2, max(0.01, deadline - time.monotonic())))


@dataclass(frozen=True, slots=True)
class _FolderLease:
    """The kernel's lock on an open file: lost only when somebody takes the file away (`state unlock`)."""

    note: str
    descriptor: int
    written: bytes  # what the file says of the holder, us

    async def check(self) -> None:
        if os.fstat(self.descriptor).st_nlink == 0 or os.pread(self.descriptor, _MOST, 0) != self.written:
            raise taken_away()


def _opened_lock(path: Path) -> int:
    """The lock's file, made where it is not there; again where its folder is being taken away this moment."""
    for left in reversed(range(_TRIES)):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:
            if not left:
                raise
    raise AssertionError


def _is_held_by(descriptor: int, id_: str) -> bool:
    holder = _holder(descriptor)
    return holder is not None and holder.id == id_


def _holder(descriptor: int) -> LockInfo | None:
    try:
        return LockInfo(**json.loads(os.pread(descriptor, _MOST, 0)))
    except (ValueError, TypeError):
        return None


def _taken_over(descriptor: int) -> str:
    """A holder that is still written down, while the kernel gave us the lock, is dead."""
    dead = _holder(descriptor)
    return took_over(dead) if dead else ""


def _write_holder(descriptor: int, operation: str) -> LockInfo:
    info = this_process(operation)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(info.to_data()).encode(), 0)
    return info


def _dump(data: dict[str, Any]) -> tuple[bytes, ...]:
    """As `json.dumps(indent=2, sort_keys=True)` has it, which is twenty times slower: a revision has megabytes.

    In pieces, for joining them would make one more copy of it.
    """
    import msgspec

    try:
        return msgspec.json.format(msgspec.json.encode(data, order="sorted"), indent=2), b"\n"
    except UnicodeEncodeError:  # half a character, as a vendor may send one
        return json.dumps(data, indent=2, sort_keys=True).encode(), b"\n"


def _lines(records: list[dict[str, Any]]) -> bytes:
    import msgspec

    def line(record: dict[str, Any]) -> bytes:
        try:
            return msgspec.json.encode(record)
        except UnicodeEncodeError:
            return json.dumps(record).encode()

    return b"".join(line(record) + b"\n" for record in records)


def _parsed(path: Path) -> Any:
    return sealed.parsed(_content(path))


def _is_there(path: Path) -> bool:
    """A link that leads nowhere is there, and can't be read: what it stood for is not to be made anew."""
    return os.path.lexists(path)


def _content(path: Path) -> bytes:
    try:
        # Not blocking: what is no file, but a pipe, would be waited for for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise StateError(f"{path} is no file", hint="Take it away, and bring the state back from a copy.")
            return file.read()
    except OSError as error:
        raise StateError(f"{path} can't be read: {error.strerror}", hint="Check the folder and its rights.") from None


@contextlib.contextmanager
def _written(path: Path) -> Iterator[None]:
    """A full or read-only disk, said as what it is."""
    try:
        yield
    except OSError as error:
        raise StateError(
            f"{path} can't be written: {error.strerror}",
            hint="Make room, or check the folder and its rights, and run the command again: what was begun is found.",
        ) from None


def _read_json(path: Path) -> dict[str, Any] | None:
    if not _is_there(path):
        return None
    try:
        loaded = json_in.parsed(_content(path))
    except ValueError as error:
        raise StateError(f"{path} {error}", hint="Restore it from a copy, or from git.") from None
    if not isinstance(loaded, dict):
        raise StateError(f"{path} holds no revision", hint="Restore it from a copy, or from git.")
    return loaded


def _write_atomically(path: Path, *content: bytes) -> None:
    """The whole file or the old one, never half of it, also after a power cut."""
    with _written(path):
        _replace(path, *content)


def _replace(path: Path, *content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(path.parent)
