"""Running a handler: async ones on the loop, sync ones in a thread, each within its time, each failure as data.

Knows functions and deadlines; knows nothing of messages.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceops.runtime.call import Call
from voiceops.runtime.loading import Handler

THREADS = 64


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a handler gave no value. `reason` is failed, timeout or misused; `detail` is for the log."""

    reason: str
    detail: str = ""


class Caller:
    """Runs handlers; `close` forgets the threads of those that hang."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="voiceops-handler")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def call(self, handler: Handler, call: Call | None, arguments: Mapping[str, Any], seconds: float) -> Any:
        """The handler's value, or a Failure; after `seconds` always a Failure, whatever the handler does."""
        given = (call,) if handler.takes_call else ()
        if seconds <= 0:
            return Failure("timeout")
        loop = asyncio.get_running_loop()
        try:
            if handler.is_async:
                work: asyncio.Future[Any] = loop.create_task(handler.function(*given, **handler.bound(arguments)))
            else:
                context = contextvars.copy_context()
                bound = handler.bound(arguments)
                work = loop.run_in_executor(self._threads, lambda: context.run(handler.function, *given, **bound))
        except TypeError as error:
            return Failure("misused", str(error))
        except Exception as error:
            return Failure("failed", _told(error))
        # Not wait_for: a handler that swallows its cancellation must not hold the answer back.
        woken = loop.create_future()
        timer = loop.call_later(seconds, _wake, woken)
        work.add_done_callback(lambda _: _wake(woken))
        try:
            await woken
        finally:
            timer.cancel()
            if not work.done():
                work.cancel()
                work.add_done_callback(_forget)
        if not work.done():
            return Failure("timeout")
        if work.cancelled():
            return Failure("failed", "it was cancelled")
        error = work.exception()
        if error is not None:
            if isinstance(error, TypeError) and _only_ours(error):
                return Failure("misused", str(error))
            return Failure("failed", _told(error))
        value = work.result()
        if inspect.isawaitable(value):  # a plain function that gave a coroutine
            return await self.call(_awaited(value, handler.name), None, {}, timer.when() - loop.time())
        return value


def _awaited(value: Any, name: str) -> Handler:
    async def wait() -> Any:
        return await value

    return Handler(wait, name, True, False, None)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _forget(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def _only_ours(error: BaseException) -> bool:
    """Was it raised by the call itself, before the handler's first line?"""
    frames = traceback.extract_tb(error.__traceback__)
    return len(frames) <= 1 or all(frame.filename.endswith(("calling.py", "thread.py")) for frame in frames)


def _told(error: BaseException) -> str:
    """Kind and place of an error: its text may hold what a caller said."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
