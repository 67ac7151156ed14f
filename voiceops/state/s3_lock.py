"""A lock on object storage: one object that names its holder, written only on the condition of what was read.

The holder writes it anew every `renew` seconds. Who finds it older than `void` seconds by the server's clock takes
it over, on the condition of the version that was seen; the holder counts itself out earlier than that. It is given
back by writing it empty, never by deleting it: a delete knows no condition.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from voiceops.errors import Locked, StateError
from voiceops.net.together import both
from voiceops.state import sealed
from voiceops.state.bucket import Bucket, Object
from voiceops.state.lock_holder import Shared, nobody_holds, seen_through, taken_away, this_process, took_over, wait_for
from voiceops.state.store import Lease, LockInfo

_FREE = b"{}"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds."""

    renew: float = 20.0
    void: float = 60.0
    pause: float = 1.0  # between two tries for the lock

    @property
    def safe(self) -> float:
        """How long the holder relies on a renewal: less than `void`, for a request that is under way."""
        return self.void * 5 / 6


class S3Lock:
    """The lock of one environment."""

    def __init__(self, bucket: Bucket, prefix: str, place: str, timing: Timing) -> None:
        self._bucket = bucket
        self._key = prefix + "lock"
        self._probe_key = prefix + "probe"
        self._place = place
        self._timing = timing

    @asynccontextmanager
    async def hold(self, operation: str, timeout: float) -> AsyncIterator[Lease]:
        """Hold the lock while the block runs. Raises Locked where it is not free within `timeout` seconds."""
        await self._probe()
        info = this_process(operation)
        lease = _S3Lease(self._bucket, self._key, info, self._timing)
        await wait_for(lambda: self._attempt(lease), timeout, self._timing.pause, lease.give_back)
        renewing = asyncio.create_task(lease.renew())
        try:
            yield lease
        finally:
            renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewing
            with contextlib.suppress(StateError):  # it is void by itself in a minute
                await lease.give_back()

    async def _attempt(self, lease: _S3Lease) -> LockInfo | None:
        """Take the lock if it is free or void: None. Otherwise its holder."""
        while True:
            found = await self._bucket.get(self._key)
            held = _holder(found)
            if found is not None and held is not None and found.age <= self._timing.void:
                return held
            if await lease.take(found.etag if found else None):
                if held is not None:
                    lease.note = took_over(held)
                return None

    async def take_away(self, id_: str) -> None:
        """Free the lock of whoever holds it under this id. Raises StateError: nobody does."""
        found = await self._bucket.get(self._key)
        held = _holder(found)
        while found is not None and held is not None and held.id == id_:
            if await self._bucket.replace(self._key, _FREE, found.etag):
                return
            found = await self._bucket.get(self._key)  # renewed a moment ago
            held = _holder(found)
        raise nobody_holds(id_, self._place)

    async def _probe(self) -> None:
        """Refuse a store that does not look at the conditions of writes: its lock would keep nobody out."""
        fresh = await self._bucket.create(self._probe_key, _unique())
        second, other = await both(
            self._bucket.create(self._probe_key, _unique()) if fresh else _nothing(),
            self._bucket.replace(self._probe_key, _unique(), f'"{secrets.token_hex(16)}"'),
        )
        if second is not None or other is not None:
            raise StateError(
                f"{self._bucket.endpoint} does not honour conditional writes "
                f"({'If-None-Match' if second is not None else 'If-Match'}), so that it can't keep a state safe",
                hint="Use another store, or a newer version of it; or PostgreSQL.",
            )


class _S3Lease:
    def __init__(self, bucket: Bucket, key: str, info: LockInfo, timing: Timing) -> None:
        self.note = ""
        self.etag = ""
        self._bucket = bucket
        self._key = key
        self._info = info
        self._timing = timing
        self._until = 0.0
        self._count = 0
        self._lost = False
        self._look = Shared(lambda: bucket.get(key))

    async def take(self, etag: str | None) -> bool:
        """Write ourselves down over the version that was seen; its ETag and time count from then on."""
        self._count += 1
        content = json.dumps(self._info.to_data() | {"renewed": self._count}, indent=1).encode()
        sent = time.monotonic()
        done = await (
            self._bucket.create(self._key, content) if etag is None else self._bucket.replace(self._key, content, etag)
        )
        if done is None:
            return False
        self.etag, self._until = done, sent + self._timing.safe
        return True

    async def _take_again(self) -> bool:
        """Over our own renewal, one that was done without our hearing of it."""
        found = await self._ours()
        return found is not None and await self.take(found.etag)

    async def _ours(self) -> Object | None:
        found = await self._bucket.get(self._key)
        held = _holder(found)
        return found if held is not None and held.id == self._info.id else None

    async def give_back(self) -> None:
        """Write it empty if it still is ours. Raises StateError when the store can't be reached."""
        if self.etag and await self._bucket.replace(self._key, _FREE, self.etag):
            return
        if (found := await self._ours()) is not None:
            await self._bucket.replace(self._key, _FREE, found.etag)

    async def renew(self) -> None:
        pause = self._timing.renew
        while not self._lost:
            await asyncio.sleep(pause)
            try:
                self._lost = not await seen_through(self._renewed())
                pause = self._timing.renew
            except StateError:
                pause = self._timing.renew / 10  # until the store is back, or the time is over

    async def _renewed(self) -> bool:
        return await self.take(self.etag) or await self._take_again()

    async def check(self) -> None:
        if time.monotonic() >= self._until:
            self._lost = True
            raise Locked(
                "the lock of this state ran out: it could not be renewed in time",
                hint="Check the network to the state's store, then plan again.",
            )
        held = _holder(await self._look())
        if self._lost or held is None or held.id != self._info.id:
            self._lost = True
            raise taken_away()


def _holder(found: Object | None) -> LockInfo | None:
    data = sealed.parsed(found.content) if found else None
    if not isinstance(data, dict):
        return None
    data.pop("renewed", None)
    try:
        return LockInfo(**data)
    except TypeError:
        return None


def _unique() -> bytes:
    return json.dumps({"probe": secrets.token_hex(8)}).encode()


async def _nothing() -> None:
    return None
