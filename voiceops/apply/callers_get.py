"""Who gets what an apply wrote: where a traffic split or a draft stands between, "applied" would not be true."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from voiceops.apply.apply_events import Event
from voiceops.apply.result import Result
from voiceops.apply.session import Session
from voiceops.engine.lines.traffic_split import shares_in_words, split_of
from voiceops.errors import ProviderError
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Resource
from voiceops.model.live import Allocation

VERSIONED = ("Agent", "Squad", "Tool")
_WRITES = ("create", "update", "link")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What callers get of one object that was just written."""

    address: str
    newest: str  # its newest version; empty where Vapi does not tell
    split: Allocation | None = None
    draft: bool = False  # the newest version did not move with the update

    def to_data(self) -> dict[str, Any]:
        """As `apply --format json` and `status` write it: shares in per cent, null where Vapi tells no version."""
        shares = self.split.shares if self.split is not None else ()
        return {
            "address": self.address,
            "latestVersion": self.newest or None,
            "draft": self.draft,
            "shares": [{"version": version, "percentage": share} for version, share in shares],
        }

    def words(self) -> str:
        """One sentence for people: what callers get instead of the newest."""
        parts = []
        if self.draft:
            parts.append(f"its newest version is still {self.newest}: Vapi may have kept the update as a draft")
        if self.split is not None:
            reached = dict(self.split.shares).get(self.newest, 0.0)
            newest = f"; the newest is {self.newest}" if self.newest else ""
            nobody = ", which nobody gets" if newest and not reached else ""
            parts.append(f"callers get {shares_in_words(self.split)} by a traffic split{newest}{nobody}")
        return f"{self.address}: {'; '.join(parts)}"

    @property
    def hint(self) -> str:
        """What to do so that callers get the newest."""
        if self.draft:
            return "Publish it at Vapi, and look at `voiceops status`."
        return "Give the newest version its share at Vapi, or end the split there (follow-latest)."


def note_draft(session: Session, resource: Resource, before: dict[str, Any], after: dict[str, Any]) -> None:
    """An update that is no new version may be a draft, which no caller gets: noted for the end, and said at once."""
    version = after.get("latestVersion")
    if resource.kind not in VERSIONED or not isinstance(version, str) or version != before.get("latestVersion"):
        return
    session.drafts[resource.address] = version
    session.emit(
        Event(
            type="warning",
            address=resource.address,
            message=f"the newest version is still {version} after the update: Vapi may have kept it as a draft",
        )
    )


async def served(session: Session, result: Result) -> tuple[Served, ...]:
    """Every written object that not all callers get as it was written. Raises nothing."""
    written = {
        operation.change.address: operation.change.kind for operation in result.done if operation.step in _WRITES
    }
    rows = session.snapshot.allocations
    if rows is not None and "Agent" in written.values():
        with suppress(ProviderError):  # then what was read before the apply is the best that is known
            agents = KINDS["Agent"]
            rows = await session.accounts.of(agents).allocations({agents.type})
    found = []
    for address in sorted(written):
        entry = session.entry(address)
        if entry is None:
            continue
        newest = (session.seen(entry) or {}).get("latestVersion")
        newest = newest if isinstance(newest, str) else ""
        split = split_of(rows, entry.id) if written[address] == "Agent" else None
        if split is not None and newest and dict(split.shares).get(newest, 0.0) >= 100:
            split = None
        draft = session.drafts.get(address) == newest != ""
        if split is not None or draft:
            found.append(Served(address=address, newest=newest, split=split, draft=draft))
    return tuple(found)
