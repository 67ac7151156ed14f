"""A command that is killed at its nth write: of a file, of a record, or of a request, before it or right after it.

A process that forks children for each line it reads, all at once: `[{"arguments": […], "nth": N}, …]`; 0 dies nowhere.
The answer is each child's exit code, or the signal that ended it, and how many writes it came to. A child runs the real
command.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import httpx

from tests.support.forked import answering, ended, fork
from voiceops.cli.main import run
from voiceops.state.folder import FolderStore
from voiceops.state.store import Store
from voiceops.state.wrapper import StoreWrapper
from voiceops.use.process_context import ProcessContext

_CHANGES = ("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree")


class Count:
    """Counts writes, and dies at the nth. What it came to is in a file that the parent reads."""

    def __init__(self, nth: int, folder: str, told: int) -> None:
        self.nth = nth
        self.folder = folder
        self.told = told
        self.at = 0

    def one(self) -> None:
        self.at += 1
        os.pwrite(self.told, f"{self.at:>12}".encode(), 0)
        if self.at == self.nth:  # never at 0
            os.kill(os.getpid(), signal.SIGKILL)

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python's own audit: every file below the project that is opened to be written, renamed or removed."""
        if event == "open":
            flags = arguments[2]
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR):
                return
        elif event not in _CHANGES:
            return
        if self.folder in str(arguments[0]):
            self.one()


class CountingStore(FolderStore):
    def __init__(self, inner: FolderStore, count: Count) -> None:
        super().__init__(inner._root, inner._folder.name)
        self.count = count

    async def append(self, records: list[dict[str, Any]], **more: Any) -> None:
        self.count.one()
        await super().append(records, **more)
        self.count.one()


class CountingWrapper(StoreWrapper):
    """Over a store that writes no files."""

    def __init__(self, inner: Store, count: Count) -> None:
        super().__init__(inner)
        self.count = count

    async def append(self, records: list[dict[str, Any]], **more: Any) -> None:
        self.count.one()
        await super().append(records, **more)
        self.count.one()

    async def write(self, data: dict[str, Any], **more: Any) -> None:
        self.count.one()
        await super().write(data, **more)
        self.count.one()

    async def remove(self) -> None:
        self.count.one()
        await super().remove()
        self.count.one()


class CountingTransport(httpx.AsyncBaseTransport):
    def __init__(self, count: Count) -> None:
        self.inner = httpx.AsyncHTTPTransport()
        self.count = count

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return await self.inner.handle_async_request(request)
        self.count.one()
        response = await self.inner.handle_async_request(request)
        await response.aread()
        self.count.one()
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


def _counting(store: Store, count: Count) -> Store:
    return CountingStore(store, count) if isinstance(store, FolderStore) else CountingWrapper(store, count)


def _run(arguments: list[str], count: Count) -> int:
    sys.addaudithook(count.heard)
    context = ProcessContext(
        transport=lambda: CountingTransport(count),
        around=lambda store: _counting(store, count),
    )
    return run(arguments, context)


def _begun(order: dict[str, Any]) -> tuple[int, int]:
    """A child at work: its pid, and the file that says how many writes it came to."""
    told = os.memfd_create("writes")
    return fork(order["output"], lambda: _run(order["arguments"], Count(order["nth"], order["folder"], told))), told


def _ended(pid: int, told: int) -> tuple[int, int]:
    code = ended(pid)
    writes = int(os.pread(told, 12, 0) or b"0")
    os.close(told)
    return code, writes


def at_once(orders: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """A child for each; how each ended, and how many writes it came to."""
    at_work = [_begun(order) for order in orders]
    return [_ended(*one) for one in at_work]


if __name__ == "__main__":
    answering(at_once)
