"""A journal file that is kept open while it is appended to: one write and one sync serve a wave of records.

Knows lines and syncs, not what a record means.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from pathlib import Path

from voiceops.whole_file import sync_folder

_SLOW = 0.001  # seconds for a sync: about what a thread costs


class JournalFile:
    """Appends whole lines, durably. `close` before somebody replaces the file; the next append opens it again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1
        self._slow = self._unsynced = False

    async def append(self, content: bytes) -> None:
        """Lines, each with its end; they, and all before them, are on the disk when this returns. Raises OSError."""
        self.write(content)
        try:
            await self._sync(self._descriptor)
        except BaseException:
            self.close()
            raise

    def write(self, content: bytes) -> None:
        """Lines that outlive this process at once, a power cut with the next `append` or `close`. Raises OSError."""
        try:
            descriptor = self._opened()
            self._unsynced = True
            while content:
                content = content[os.write(descriptor, content) :]
        except BaseException:
            self.close()  # whatever is half written is found, and ended, by the next one that opens it
            raise

    def close(self) -> None:
        """Let the file go, with what is written on the disk; the next append opens it again."""
        if self._descriptor >= 0:
            if self._unsynced:
                with contextlib.suppress(OSError):
                    os.fdatasync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    async def _sync(self, descriptor: int) -> None:
        """A fast disk syncs in less time than a busy loop takes to hear from a thread; a slow one gets a thread."""
        self._unsynced = False
        started = time.perf_counter()
        if self._slow:
            await asyncio.to_thread(os.fdatasync, descriptor)
        else:
            os.fdatasync(descriptor)
        self._slow = time.perf_counter() - started > _SLOW

    def _opened(self) -> int:
        if self._descriptor >= 0 and not os.fstat(self._descriptor).st_nlink:
            self.close()  # replaced by somebody who took our lock away: what we know belongs into their file
        if self._descriptor < 0:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new = not self.path.exists()
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            if new:
                sync_folder(self.path.parent)
            else:
                _end_last_line(self.path, self._descriptor)
        return self._descriptor


def _end_last_line(path: Path, descriptor: int) -> None:
    """After a write that a crash cut off: a whole record gets its end, the rest of one goes."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return
    rest = path.read_bytes().rpartition(b"\n")[2]
    try:
        json.loads(rest)
    except ValueError:
        os.ftruncate(descriptor, size - len(rest))
    else:
        os.write(descriptor, b"\n")
