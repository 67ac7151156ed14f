"""What the journal and the lock cost: the same apply with the folder store, and with one that keeps nothing."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.core import Row
from benchmarks.measure import sandbox
from benchmarks.projects import write_project
from voiceops import use
from voiceops.sandbox.client import SandboxClient
from voiceops.state.folder import FolderStore

LATENCY = 0.02
ROUNDS = 8


class Forgetful(FolderStore):
    """Keeps nothing on disk and locks nothing: what an apply would take without a state."""

    async def append(self, records: list[dict[str, Any]], **more: Any) -> None:
        return None

    async def write(self, data: dict[str, Any], **more: Any) -> None:
        return None

    async def add_revision(self, number: int, data: dict[str, Any]) -> None:
        return None

    @asynccontextmanager
    async def lock(self, operation: str, timeout: float) -> AsyncIterator[Any]:
        yield _Held()


class _Held:
    note = ""

    async def check(self) -> None:
        return None


def journal() -> Iterator[Row]:
    """300 creates at 20 ms latency, with and without a state, alternately; the best of each counts."""
    times: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as root, sandbox() as environ:
        os.environ.update(environ)
        with SandboxClient(environ["VAPI_BASE_URL"] + "/_sandbox") as control:
            for number in range(ROUNDS * 2):
                kept = number % 2 == 0
                folder = Path(root) / str(number)
                write_project(folder, tools=100, agents=200)
                control.reset()
                control.switches(latency=LATENCY)
                times[kept].append(asyncio.run(_apply(folder, kept=kept)))
    yield Row(
        "journal and lock: 300 creates at 20 ms, over the same without",
        min(times[True]) / min(times[False]),
        1.1,
        "times",
    )


async def _apply(folder: Path, *, kept: bool) -> float:
    started = 0.0

    async def yes(_: use.Plan) -> bool:
        nonlocal started
        started = time.perf_counter()
        return True

    def around(store: Any) -> Any:
        return store if kept else Forgetful(folder / "state", "live")

    loaded = use.load(folder, context=use.ProcessContext(around=around))
    outcome = await use.apply(loaded, terms=use.Terms(local_state=True), confirm=yes)
    assert outcome.result is not None
    assert outcome.result.complete
    return time.perf_counter() - started
