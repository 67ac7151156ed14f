"""The composition root with short waits: for tests that send many requests into faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

from voiceops.cli import wiring

SETTLE = 1.5  # seconds; the server's Date has whole seconds
TIMEOUT = 1.0
HANGS = 1.6  # seconds: longer than the time-out, and still executed within SETTLE of it


@contextmanager
def quick(settle: float = SETTLE, pace: float = 0.01) -> Iterator[None]:
    """Every job opened meanwhile waits `settle` for lost answers, and hardly at all between tries."""
    opened = wiring.open_job

    @asynccontextmanager
    async def quick_job(*given: Any, **more: Any) -> Any:
        async with opened(*given, pace=pace, timeout=TIMEOUT, **more) as job:
            yield replace(job, options=replace(job.options, settle=settle))

    wiring.open_job = quick_job  # type: ignore[assignment]
    try:
        yield
    finally:
        wiring.open_job = opened
