"""An apply that is killed at a chosen place: a process that forks one child for each line it reads.

A line is JSON: `{"arguments": ["-C", FOLDER, "apply", "--auto-approve"], "place": …, "nth": …}`; the answer is the
signal or exit code with which the child ended. The child runs the real use case; only its store and its transport
know when to die.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any, NoReturn

import httpx

from tests.support.forked import answering, ended, fork
from voiceops.cli.main import run
from voiceops.state.folder import FolderStore
from voiceops.state.journal_file import JournalFile
from voiceops.use.process_context import ProcessContext

PLACES = (
    "before the intent",
    "before the request",  # the intent is written, nothing sent
    "before the answer",  # executed, and nobody read that it was
    "before the record",  # answered, and not written down
    "within the record",  # half of the record is on disk
    "after the record",
)
STATE_PLACES = (
    "before the revision",
    "after the revision",
    "within the state",
    "after the state",
    "after the journal",
)


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit


class Dying:
    """Counts down to the moment."""

    def __init__(self, place: str, nth: int) -> None:
        self.place = place
        self.left = nth

    def now(self, place: str, times: int = 1) -> bool:
        if place != self.place:
            return False
        self.left -= times
        return self.left <= 0


class DyingJournal(JournalFile):
    """Nothing else is being written while it writes: a record that is cut off is always the journal's last."""

    def __init__(self, path: Path, moment: Dying) -> None:
        super().__init__(path)
        self.moment = moment

    def write(self, content: bytes) -> None:
        lines = content.splitlines()
        results = sum(json.loads(line)["record"] in ("done", "failed") for line in lines)
        if results and self.moment.now("within the record", results):
            super().write(content[: len(content) - len(lines[-1]) // 2])
            die()
        super().write(content)


class DyingStore(FolderStore):
    def __init__(self, inner: FolderStore, moment: Dying) -> None:
        super().__init__(inner._root, inner._folder.name)
        self.moment = moment
        self._journal = DyingJournal(inner._folder / "journal.jsonl", moment)

    async def append(self, records: list[dict[str, Any]], **more: Any) -> None:
        intents = sum(record["record"] == "intent" for record in records)
        results = sum(record["record"] in ("done", "failed") for record in records)
        if intents and self.moment.now("before the intent", intents):
            die()
        if results and self.moment.now("before the record", results):
            die()
        await super().append(records, **more)
        if intents and self.moment.now("before the request", intents):
            die()
        if results and self.moment.now("after the record", results):
            die()

    async def write(self, data: dict[str, Any], **more: Any) -> None:
        if self.moment.now("within the state"):
            (self._folder / ".state.json.1.half").write_text(json.dumps(data)[:100])
            die()
        await super().write(data, **more)

    async def cut_journal(self, keep: list[dict[str, Any]]) -> None:
        if self.moment.now("after the state"):
            die()
        await super().cut_journal(keep)
        if self.moment.now("after the journal"):
            die()

    async def add_revision(self, number: int, data: dict[str, Any]) -> None:
        if self.moment.now("before the revision"):
            die()
        await super().add_revision(number, data)
        if self.moment.now("after the revision"):
            die()


class DyingTransport(httpx.AsyncBaseTransport):
    def __init__(self, moment: Dying) -> None:
        self.inner = httpx.AsyncHTTPTransport()
        self.moment = moment

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.inner.handle_async_request(request)
        if request.method != "GET":
            await response.aread()
            if self.moment.now("before the answer"):
                die()
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


def child(arguments: list[str], place: str, nth: int) -> int:
    moment = Dying(place, nth)
    return run(
        arguments,
        ProcessContext(transport=lambda: DyingTransport(moment), around=lambda store: DyingStore(store, moment)),
    )


def killed(order: dict[str, Any]) -> int:
    """The real command, in a child: the signal or exit code with which it ended."""
    return ended(fork(order["output"], lambda: child(order["arguments"], order["place"], order["nth"])))


if __name__ == "__main__":
    answering(killed)
