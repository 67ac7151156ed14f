"""What handlers remember between the tool calls of one phone call: small JSON values in the store, for a while.

One row a value, shared by every worker. The writer thread does the SQL; this module says what it is, for both
databases. Knows nothing of messages or handlers.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, NamedTuple

from voiceops.runtime.store.inbox import Inbox
from voiceops.runtime.store.keys import whole
from voiceops.runtime.store.records import Backend

MAX_BYTES = 65_536  # of one call's values, as JSON in UTF-8
MAX_VALUES = 100  # of one call
MAX_KEY = 100  # characters
_TRIES = 100  # of a change that others keep overtaking
_LATER = "CASE WHEN {0} >= {1} THEN {0} + 1 ELSE {2} END"
_SECONDS = 30.0  # that a handler in a thread waits for the store


class SessionError(ValueError):
    """The value can't be kept: it is no JSON, or the call holds too much already. The session is as it was."""


class Kept(NamedTuple):
    """A value's JSON, and its version, which differs after every write."""

    text: str
    version: int


class Sessions:
    """Makes the session of each call; `seconds` is how long a value is kept after it was written last."""

    def __init__(self, inbox: Inbox, seconds: float) -> None:
        self.inbox = inbox
        self.seconds = seconds

    def of(self, call: str) -> Session:
        """Raises RuntimeError for a message without a call."""
        if not call:
            raise RuntimeError("this message belongs to no call, and so has no session")
        return Session(self, whole(call))


class Session:
    """What one call's handlers remember. In an async handler every method is awaited; in a plain one it just returns.

    Values are JSON: text, numbers, booleans, None, lists, and maps with text as keys.
    """

    __slots__ = ("_call", "_sessions")

    def __init__(self, sessions: Sessions, call: str) -> None:
        self._sessions = sessions
        self._call = call

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` where there is none or its time is over."""
        return self._given(self._get(_checked(key), default))

    def set(self, key: str, value: Any) -> Any:
        """Keep a value. Raises SessionError."""
        text = _text(key, value)
        return self._given(self._put(_checked(key), text, None))

    def delete(self, key: str) -> Any:
        """Forget a value, if there is one."""
        return self._given(self._delete(_checked(key)))

    def change(self, key: str, function: Callable[[Any], Any], default: Any = None) -> Any:
        """Put `function(value)` in a value's place, and give it back; `default` stands in where there is none.

        No other change gets lost, for the function is called again when somebody was faster: it should do nothing
        else. Raises SessionError, and what the function raises.
        """
        _checked(key)
        if _loop() is None:
            return self._changed_in_thread(key, function, default)
        return self._given(self._changed(key, function, default))

    def clear(self) -> Any:
        """Forget everything."""
        return self._given(self._clear())

    async def _get(self, key: str, default: Any) -> Any:
        kept = await self._kept(key)
        return json.loads(kept.text) if kept is not None else default

    async def _kept(self, key: str) -> Kept | None:
        call, now = self._call, time.time()
        return await self._sessions.inbox.run(lambda backend: find(backend, call, key, now))

    async def _put(self, key: str, text: str, version: int | None) -> bool:
        call, now = self._call, time.time()
        until = now + self._sessions.seconds
        return await self._sessions.inbox.run(lambda backend: keep(backend, call, key, text, version, now, until))

    async def _delete(self, key: str) -> None:
        call = self._call
        await self._sessions.inbox.run(lambda backend: forget(backend, call, key))

    async def _clear(self) -> None:
        call = self._call
        await self._sessions.inbox.run(lambda backend: forget(backend, call, None))

    async def _changed(self, key: str, function: Callable[[Any], Any], default: Any) -> Any:
        for _ in range(_TRIES):
            kept = await self._kept(key)
            value = function(json.loads(kept.text) if kept is not None else default)
            if await self._put(key, _text(key, value), kept.version if kept is not None else 0):
                return value
        raise SessionError(f"{key} is changed by too many at once")

    def _changed_in_thread(self, key: str, function: Callable[[Any], Any], default: Any) -> Any:
        """The same, with the function in the handler's own thread."""
        for _ in range(_TRIES):
            kept = self._wait(self._kept(key))
            value = function(json.loads(kept.text) if kept is not None else default)
            if self._wait(self._put(key, _text(key, value), kept.version if kept is not None else 0)):
                return value
        raise SessionError(f"{key} is changed by too many at once")

    def _given(self, work: Coroutine[Any, Any, Any]) -> Any:
        """To be awaited by who is in a loop; done already for who is in a thread."""
        loop = _loop()
        if loop is None:
            return self._wait(work)
        if loop is self._sessions.inbox.loop:
            return work
        return asyncio.wrap_future(self._sent(work))  # a loop that a handler has made in its thread

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._sent(work).result(_SECONDS)

    def _sent(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Start it on the server's loop."""
        loop = self._sessions.inbox.loop
        if loop is None:  # a handler that goes on after the server's end
            work.close()
            raise RuntimeError("the store is closed")
        return asyncio.run_coroutine_threadsafe(work, loop)


def _loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs in this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def find(backend: Backend, call: str, key: str, now: float) -> Kept | None:
    """The value that is kept under a key, if its time is not over."""
    rows = backend.rows(
        f"SELECT value, version FROM {backend.prefix}sessions WHERE call = ? AND key = ? AND expires > ?",
        (call, key, now),
    )
    return Kept(*rows[0]) if rows else None


def keep(backend: Backend, call: str, key: str, text: str, version: int | None, now: float, until: float) -> bool:
    """Write a value. With a version (0: none is there) only over that one; False when it is another by now.

    Raises SessionError when the call would hold too much.
    """
    table = f"{backend.prefix}sessions"
    # Another worker may add to the same call right now: the limit guards the store, and a value too many is no harm.
    ((values, size),) = backend.rows(
        f"SELECT count(*), coalesce(sum(length(key) + length(value)), 0) FROM {table} "
        "WHERE call = ? AND key <> ? AND expires > ?",
        (call, key, now),
    )
    if values >= MAX_VALUES or size + len(key) + len(text) > MAX_BYTES:
        raise SessionError(f"a call's session holds at most {MAX_VALUES} values and {MAX_BYTES:,} bytes")
    # A version is the time of its writing in microseconds, and larger than the one before.
    wrote = int(now * 1_000_000)
    if version:  # an insertion would bring back what was deleted in between
        return bool(
            backend.change(
                f"UPDATE {table} SET value = ?, expires = ?, version = {_LATER.format('version', '?', '?')} "
                "WHERE call = ? AND key = ? AND version = ?",
                (text, until, wrote, wrote, call, key, version),
            )
        )
    # One that is over is as good as none.
    only, condition = ("", ()) if version is None else (f" WHERE {table}.expires <= ?", (now,))
    later = _LATER.format(f"{table}.version", "excluded.version", "excluded.version")
    return bool(
        backend.change(
            f"INSERT INTO {table} (call, key, value, version, expires) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (call, key) DO UPDATE SET value = excluded.value, expires = excluded.expires, "
            f"version = {later}{only}",
            (call, key, text, wrote, until, *condition),
        )
    )


def forget(backend: Backend, call: str, key: str | None) -> None:
    """Delete a value; without a key all that the call has."""
    only, more = ("", ()) if key is None else (" AND key = ?", (key,))
    backend.change(f"DELETE FROM {backend.prefix}sessions WHERE call = ?{only}", (call, *more))


def _checked(key: str) -> str:
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise SessionError(f"a key is a text of 1 to {MAX_KEY} characters that can be printed, not {key!r:.120}")
    return key


def _text(key: str, value: Any) -> str:
    """A value as JSON that comes back as what it was; in ASCII, which every database takes, a character a byte."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        same = json.loads(text) == value
    except (TypeError, ValueError, RecursionError) as error:
        raise SessionError(f"{key}: the value is no JSON: {type(error).__name__}") from None
    if not same:
        raise SessionError(f"{key}: the value is no JSON: it would come back as something else")
    return text
