"""Looking at a live object again right before it is written: what was edited since the plan is seen first."""

from __future__ import annotations

import time
from typing import Any

from voiceops.apply.session import Session
from voiceops.engine.planning.match import remembered
from voiceops.errors import Stale
from voiceops.kinds.base import Kind
from voiceops.model.plan import Change
from voiceops.model.state import Entry

MAX_AGE = 2.0  # seconds after which an object of the snapshot is looked at again before it is written


async def look_before_delete(session: Session, change: Change, kind: Kind, id_: str) -> None:
    """Raises Stale: an object that was edited since the plan is not what the reviewer saw go."""
    if time.monotonic() - session.snapshot.taken <= MAX_AGE:
        return
    seen, now = session.snapshot.get(change.type, id_), await session.accounts.of(kind).get(kind, id_)
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
    now = await session.accounts.of(kind).get(kind, id_)
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
