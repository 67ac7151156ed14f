"""Who holds a lock: this process as others will read of it, and what every back end says about holders."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from voiceops.errors import Locked, StateError
from voiceops.state.store import LockInfo

T = TypeVar("T")

_PATIENCE = 5.0  # seconds for a request that is under way when its process is told to stop


def this_process(operation: str) -> LockInfo:
    """What is written down when this process takes a lock."""
    return LockInfo(
        id=secrets.token_hex(8),
        who=f"{os.environ.get('USER') or os.getuid()}@{socket.gethostname()} (pid {os.getpid()})",
        operation=operation,
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        pid=os.getpid(),
        started=_process_start(),
        boot=_boot_id(),
    )


class Shared(Generic[T]):
    """A question that many ask at once: one at a time is under way, and who comes meanwhile shares its answer."""

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)


async def seen_through(doing: Coroutine[Any, Any, T]) -> T:
    """Wait until it is done even when told to stop meanwhile: what a server was asked for, it does all the same."""
    task = asyncio.ensure_future(doing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_PATIENCE)
        if not task.done():
            task.cancel()
        elif not task.cancelled():
            task.exception()  # looked at, so that nobody hears of it
        raise


async def wait_for(
    attempt: Callable[[], Coroutine[Any, Any, LockInfo | None]],
    timeout: float,
    pause: float,
    give_back: Callable[[], Awaitable[object]] | None = None,
) -> None:
    """Try until `attempt` returns None (the lock is ours) instead of its holder. Raises Locked after `timeout`.

    Who is told to stop in the middle of an attempt may have the lock without knowing: then `give_back` is called.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            held = await seen_through(attempt())
        except asyncio.CancelledError:
            if give_back is not None:
                with contextlib.suppress(StateError, Locked):
                    await give_back()
            raise
        if held is None:
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise locked_by(held)
        await asyncio.sleep(min(pause, left))


def locked_by(held: LockInfo | None) -> Locked:
    """The error of whoever meets a lock: who holds it, and since when."""
    who = f"{held.who} since {held.since} ({held.operation}, lock {held.id})" if held else "another process"
    return Locked(
        f"the state of this environment is locked by {who}",
        hint="Wait for it to end, or give --lock-timeout SECONDS.",
    )


def took_over(dead: LockInfo) -> str:
    """The sentence of whoever takes over from a holder that is dead."""
    return f"took over the lock of {dead.who} (since {dead.since}), which is no longer running"


def taken_away() -> Locked:
    """The error of a holder whose lock somebody took (`state unlock`)."""
    return Locked("the lock of this state was taken away", hint="Find out who did it, then plan again.")


def nobody_holds(id_: str, place: str) -> StateError:
    """The error of whoever unlocks what nobody holds."""
    return StateError(f"nobody holds the lock {id_} in {place}")


def written_by_another(place: str, held: object, expected: object) -> StateError:
    """The error of a writer that finds another serial than the one it read."""
    return StateError(
        f"the state in {place} was written by somebody else (serial {held}, expected {expected})",
        hint="Plan again.",
    )


def _process_start() -> str:
    with contextlib.suppress(OSError, IndexError):
        return Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    return ""


def _boot_id() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""
