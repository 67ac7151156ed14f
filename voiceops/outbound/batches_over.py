"""Batches of which nobody knows any more whom they called: `privacy.calls` had it deleted, and they call nobody."""

from __future__ import annotations

from voiceops.calls.database import Database
from voiceops.calls.store import CallStore
from voiceops.model.instants import to_millisecond
from voiceops.model.privacy import Privacy
from voiceops.outbound.claims import SINGLE, Claims


def drop_old_batches(database: Database, privacy: Privacy, now: float) -> None:
    """Delete who was called in batches whose last call is no longer kept, and note that these batches are over."""
    store, claims = CallStore(database), Claims(database)
    claims.prepare()

    def note(batch: str) -> None:
        if not batch.startswith(SINGLE):
            store.note(_over(batch), to_millisecond(now))

    claims.drop_batches(privacy.calls_before(now), note)


def over_since(store: CallStore, batch: str) -> str:
    """When the claims of a batch were deleted (ISO 8601); empty where they were not."""
    return store.fact(_over(batch))


def _over(batch: str) -> str:
    return f"batch over: {batch}"
