"""Short waits: for tests that send many requests into faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support import bench

SETTLE = 1.5  # seconds; the server's Date has whole seconds
TIMEOUT = 1.0
HANGS = 1.3  # seconds: longer than the time-out, and still executed within SETTLE of it


@contextmanager
def quick(settle: float = SETTLE, pace: float = 0.01) -> Iterator[None]:
    """Every command run meanwhile waits `settle` for lost answers, and hardly at all between tries."""
    before = dict(bench.SURROUNDED)
    bench.SURROUNDED.update(settle=settle, pace=pace, timeout=TIMEOUT)
    try:
        yield
    finally:
        bench.SURROUNDED.clear()
        bench.SURROUNDED.update(before)
