"""Running a handler: async ones on the loop, sync ones in a thread, each within its time, each failure as data.

Knows functions and deadlines; knows nothing of messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import traceback
import types
from collections.abc import Coroutine, Generator, Mapping
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
        if seconds <= 0:
            return Failure("timeout")
        bound = handler.bound(arguments)
        try:
            if handler.is_async:
                work = handler.function(call, **bound) if handler.takes_call else handler.function(**bound)
                return await _driven(work, seconds)
            return await self._in_thread(handler, call, bound, seconds)
        except Exception as error:
            if isinstance(error, TypeError) and _not_entered(error):
                return Failure("misused", str(error))
            return Failure("failed", _told(error))

    async def _in_thread(self, handler: Handler, call: Call | None, bound: Mapping[str, Any], seconds: float) -> Any:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        context = contextvars.copy_context()
        given = (call,) if handler.takes_call else ()
        work = loop.run_in_executor(self._threads, lambda: context.run(handler.function, *given, **bound))
        done, _ = await asyncio.wait([work], timeout=seconds)
        if not done:
            work.cancel()
            work.add_done_callback(_forget)
            return Failure("timeout")
        value = work.result()
        if inspect.isawaitable(value):  # a plain function that gave a coroutine
            return await _driven(_awaited(value), until - loop.time())
        return value


async def _driven(work: Coroutine[Any, Any, Any], seconds: float) -> Any:
    """Run a coroutine in this task, and no longer than so; one that waits for nothing costs no timer."""
    try:
        waiting = work.send(None)
    except StopIteration as done:
        return done.value
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await _rest(work, waiting, limit)
    except TimeoutError:
        if limit.expired():
            return Failure("timeout")
        raise


@types.coroutine
def _rest(work: Coroutine[Any, Any, Any], waiting: Any, limit: asyncio.Timeout | None) -> Generator[Any, Any, Any]:
    """Go on with a coroutine that waits. Once its time is over, one that goes on all the same is left to itself."""
    while True:
        try:
            sent = yield waiting
        except GeneratorExit:
            work.close()
            raise
        except BaseException as error:
            if limit is None:  # the server ends, and this one would not
                raise
            try:
                waiting = work.throw(error)
            except StopIteration as done:
                return done.value
            if limit.expired():
                task = asyncio.get_running_loop().create_task(_left_alone(work, waiting))
                _abandoned.add(task)
                task.add_done_callback(_abandoned.discard)
                raise
        else:
            try:
                waiting = work.send(sent)
            except StopIteration as done:
                return done.value


_abandoned: set[asyncio.Task[None]] = set()


async def _left_alone(work: Coroutine[Any, Any, Any], waiting: Any) -> None:
    with contextlib.suppress(Exception):
        await _rest(work, waiting, None)


async def _awaited(value: Any) -> Any:
    return await value


def _forget(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def _not_entered(error: BaseException) -> bool:
    """Was it raised by the call itself, before the handler's first line?"""
    return all(
        f.filename.endswith(("calling.py", "loading.py", "thread.py"))
        for f in traceback.extract_tb(error.__traceback__)
    )


def _told(error: BaseException) -> str:
    """Kind and place of an error: its text may hold what a caller said."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
