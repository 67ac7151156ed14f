"""What the other environments in the same place have of an account that several of them may share.

An object that one of them made is not another's, though it may look just as what that one made: tools bear the names
that models call them by, in every environment the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from voiceops.model.state import Intent
from voiceops.state.store import Store


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The ids of others' objects, and the creations of which others don't know yet what came of them."""

    ids: frozenset[str] = frozenset()
    creations: tuple[Intent, ...] = ()


NOWHERE = Elsewhere()


async def elsewhere(store: Store) -> Elsewhere:
    """As it is this moment: their states, and what their journals say since. Raises StateError."""
    journals = [_read(records) for records in await store.sibling_journals()]
    # The states after the journals: what left a journal meanwhile is in its state by now.
    entries = [entry for data in await store.siblings() for entry in data.get("resources", {}).values()]
    ids = {str(id_) for entry in entries for id_ in (entry["id"], *entry.get("deposed", ()))}
    return Elsewhere(
        frozenset(ids.union(*(made for made, _ in journals))),
        tuple(intent for _, creations in journals for intent in creations),
    )


def _read(records: Iterable[dict[str, Any]]) -> tuple[set[str], list[Intent]]:
    """The ids that a journal holds, and its open creations."""
    ids: set[str] = set()
    intents: dict[str, Intent] = {}
    for record in records:
        match record["record"]:
            case "intent" if record["action"] in ("create", "purchase"):
                intents[record["nonce"]] = Intent.from_data(record, ())
            case "done":
                intents.pop(record.get("nonce", ""), None)
                if record["entry"] is not None:
                    ids |= {record["entry"]["id"], *record["entry"].get("deposed", ())}
            case "failed" | "lost":
                intents.pop(record["nonce"], None)
    return ids, list(intents.values())
