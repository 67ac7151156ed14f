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
from dataclasses import dataclass
from typing import Any

from voiceops.runtime.handlers import loading, threads
from voiceops.runtime.handlers.call import Call
from voiceops.runtime.handlers.failure_text import kind_and_place, message_of_error
from voiceops.runtime.handlers.loading import Handler
from voiceops.runtime.handlers.threads import NoThread, Threads

THREADS = 64


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a handler gave no value.

    `reason` is failed, timeout, busy (no thread came free) or misused. `detail` is its kind and place, which
    may be kept; `said` the error's own words, which are for the log alone.
    """

    reason: str
    detail: str = ""
    said: str = ""

    @property
    def whole(self) -> str:
        """For the log."""
        return ": ".join(part for part in (self.detail, self.said) if part)


def _failed(error: BaseException, arguments: Mapping[str, Any]) -> Failure:
    return Failure("failed", kind_and_place(error), message_of_error(error, arguments))


class Invoker:
    """Runs handlers; `close` forgets the threads of those that hang."""

    def __init__(self) -> None:
        self._threads = Threads(THREADS, "voiceops-handler")

    def close(self) -> None:
        """Forget the threads; one in which a handler hangs ends with the process."""
        self._threads.close()

    async def invoke(self, handler: Handler, call: Call | None, arguments: Mapping[str, Any], seconds: float) -> Any:
        """The handler's value, or a Failure; after `seconds` always a Failure, whatever the handler does."""
        if seconds <= 0:
            return Failure("timeout")
        bound = handler.bound(arguments)
        try:
            if handler.is_async:
                work = handler.function(call, **bound) if handler.takes_call else handler.function(**bound)
                return await _driven(work, seconds)
            return await self._in_thread(handler, call, bound, seconds)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # it is we who are to end, and not something that the handler waited for
            return _failed(error, arguments)
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # a handler ends no server
            if isinstance(error, TypeError) and _not_entered(error):
                return Failure("misused", message_of_error(error, arguments))
            return _failed(error, arguments)

    async def _in_thread(self, handler: Handler, call: Call | None, bound: Mapping[str, Any], seconds: float) -> Any:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        context = contextvars.copy_context()
        given = (call,) if handler.takes_call else ()
        try:
            value, error = await self._threads.run(
                lambda: context.run(handler.function, *given, **bound), seconds, handler.function
            )
        except NoThread:
            return Failure("busy", "all threads that it may hold hang")
        except TimeoutError:
            return Failure("timeout")
        if error is not None:
            if isinstance(error, (asyncio.CancelledError, StopIteration)):  # which mean something to those above us
                return _failed(error, bound)
            raise error
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
    with contextlib.suppress(Exception, SystemExit, KeyboardInterrupt):
        await _rest(work, waiting, None)


async def _awaited(value: Any) -> Any:
    return await value


_OURS = frozenset((__file__, str(loading.__file__), str(threads.__file__)))


def _not_entered(error: BaseException) -> bool:
    """Was it raised by the call itself, before the handler's first line?"""
    return all(frame.filename in _OURS for frame in traceback.extract_tb(error.__traceback__))
