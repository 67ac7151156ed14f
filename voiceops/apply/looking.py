"""Looking at live objects right before they are written, and waiting until they can be referred to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from voiceops.apply.apply_events import Event
from voiceops.apply.session import Session
from voiceops.engine.planning.match import remembered
from voiceops.errors import NotFound, ProviderError, Rejected, Stale
from voiceops.kinds.base import Kind
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Resource
from voiceops.model.plan import Change
from voiceops.model.state import Entry
from voiceops.model.values import (
    JSON,
    refs_in,
)

MAX_AGE = 2.0  # seconds after which an object of the snapshot is looked at again before it is written
READY_TIMEOUT = 30.0
_POLL = (0.1, 0.2, 0.4, 0.8, 1.0)


async def when_visible(
    session: Session, call: Callable[[], Awaitable[tuple[dict[str, Any], float]]], body: JSON
) -> tuple[dict[str, Any], float]:
    """Objects made a moment ago may not be visible to the API's own checks yet: wait for them, then try again."""
    settle = session.options.settle
    deadline = time.monotonic() + settle
    attempt = 0
    while True:
        try:
            return await call()
        except (Rejected, NotFound) as error:
            young = [
                id_ for id_, (_, at) in session.fresh.items() if time.monotonic() - at < settle and id_ in str(body)
            ]
            missing = any(id_ in error.summary for id_ in young) or (
                young and any(word in error.summary.lower() for word in ("not found", "does not exist", "not exist"))
            )
            if not missing or time.monotonic() > deadline:
                raise
        await asyncio.sleep(_POLL[min(attempt, len(_POLL) - 1)])
        attempt += 1


async def look_before_delete(session: Session, change: Change, kind: Kind, id_: str) -> None:
    """An object that was edited since the plan is not what the reviewer saw go."""
    if time.monotonic() - session.snapshot.taken <= MAX_AGE:
        return
    seen, now = session.snapshot.get(change.type, id_), await session.accounts.vapi.get(kind, id_)
    if seen is not None and now is not None and seen.get("updatedAt") != now.get("updatedAt"):
        raise Stale(f"{change.address} was edited since the plan", hint="Plan again.")


async def look_again(session: Session, change: Change, kind: Kind, id_: str, entry: Entry | None) -> dict[str, Any]:
    """The live object right before it is written: the snapshot's if that is young, else read again.

    Raises Stale when it is gone.
    """
    seen = session.snapshot.get(change.type, id_)
    known = session.fresh.get(id_)
    if known is not None and time.monotonic() - known[1] <= MAX_AGE:
        return known[0]
    if seen is None and entry is not None and known is None:
        seen = remembered(entry, None)
    if known is None and seen is not None and time.monotonic() - session.snapshot.taken <= MAX_AGE:
        return _newest(entry, seen, session)
    now = await session.accounts.vapi.get(kind, id_)
    if now is None:
        if known is not None:
            return known[0]
        raise Stale(f"{change.address} ({id_}) was deleted since the plan", hint="Plan again.")
    before = known[0] if known else seen or {}
    if str(now.get("updatedAt") or "") < str(before.get("updatedAt") or ""):
        return before  # a replica that lags behind what was read before
    return now


def _newest(entry: Entry | None, seen: dict[str, Any], session: Session) -> dict[str, Any]:
    if (
        entry is not None
        and str(seen.get("updatedAt") or "") < entry.updated_at
        and (session.snapshot.date - entry.recorded_at < session.options.settle)
    ):
        return remembered(entry, seen)
    return seen


async def wait_until_ready(session: Session, phone: Resource) -> None:
    """A number is bound only once whom it routes to answers GET by id. Raises ProviderError after 30 s."""
    for ref in {ref.address for ref in refs_in({k: phone.body.get(k) for k in ("assistantId", "squadId")})}:
        entry = session.target(ref)
        if entry is None:
            continue
        deadline = time.monotonic() + READY_TIMEOUT
        attempt = 0
        while await session.accounts.vapi.get(KINDS[entry.kind], entry.id) is None:
            if time.monotonic() > deadline:
                raise ProviderError(
                    f"{ref} does not become ready: Vapi still does not know {entry.id}",
                    hint="The number was not bound. Run apply again.",
                )
            if attempt == 0:
                session.emit(
                    Event(type="apply_progress", address=phone.address, message=f"waiting for {ref} to be ready")
                )
            await asyncio.sleep(_POLL[min(attempt, len(_POLL) - 1)])
            attempt += 1
