"""The one event loop of a command."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


def completed(work: Coroutine[Any, Any, T]) -> T:
    """Run a use case to its end. Raises whatever it raises.

    SIGTERM and SIGHUP mean what Ctrl-C means, also to commands that listen to neither: a cancelled pipeline
    sends the one, a terminal that is closed the other.
    """
    results: list[T] = []

    async def keep() -> None:
        results.append(await work)

    # The task itself gives None: when asyncio puts the signal handler back it asks for the task's text, result and all,
    # and the text of a plan of 10,000 objects costs seconds and a hundred megabytes.
    with _as_ctrl_c():
        asyncio.run(keep())
    return results[0]


@contextmanager
def _as_ctrl_c() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return
    # One that nobody has to listen to stays so: `nohup` ignores SIGHUP.
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])
