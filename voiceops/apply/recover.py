"""After a crash or a lost answer: find out, from complete lists, what was made of each open intent.

A create is found again when an object is listed now that was not before, that no entry and no other intent
holds, and that equals what was sent. An update is done when it shows; one with a secret in it never shows, and is
sent again. The matching is pure; waiting for the lists to settle is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.engine.planning.sameness import equals, holds_secret, interchangeable, node_of
from voiceops.errors import Refused
from voiceops.kinds.registry import KINDS, TYPES
from voiceops.model.live import SEND_WINDOW, SETTLE, Snapshot
from voiceops.model.state import Entry, Intent, State
from voiceops.model.values import digest
from voiceops.state.elsewhere import NOWHERE, Elsewhere

ANSWER = 30.0  # seconds within which whoever sent a request has its answer, or knows that there is none


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of the open intents: entries to keep, addresses gone, requests that had no effect.

    `waiting` may still turn up; `ambiguous` names, by nonce, the ids that could each be ours.
    """

    entries: dict[str, Entry | None] = field(default_factory=dict)  # by nonce
    without_effect: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    ambiguous: dict[str, tuple[str, ...]] = field(default_factory=dict)


def recover(
    state: State,
    intents: Mapping[str, Intent],
    snapshot: Snapshot,
    *,
    since: float,
    settle: float = SETTLE,
    others: Elsewhere = NOWHERE,
) -> Recovery:
    """Decide every open intent as far as this snapshot tells.

    `since` is a time by the server's clock at which nothing was being sent any more. A request is sent within
    SEND_WINDOW of its intent or not at all, so that an old intent needs no waiting. `others` are the environments that
    may have made the like in the same account.
    """
    entries: dict[str, Entry | None] = {}
    gone: list[str] = []
    waiting: list[str] = []
    ambiguous: dict[str, tuple[str, ...]] = {}
    taken = {entry.id for entry in state.entries.values()}
    for intent in sorted(intents.values(), key=lambda i: (i.sent_at, i.nonce)):
        settled = snapshot.date - min(since, intent.sent_at + SEND_WINDOW) >= settle
        if intent.action in ("create", "purchase"):
            found = candidates(intent, snapshot, taken | others.ids)
            rivals = _rivals(intent, found, others, snapshot)
            if any(snapshot.date - rival.sent_at < SEND_WINDOW + settle + ANSWER for rival in rivals):
                waiting.append(intent.nonce)
                continue
            found = _ours(intent, found, rivals, snapshot)
            if len(found.equal) > 1 and not interchangeable([snapshot.all(intent.type)[id_] for id_ in found.equal]):
                ambiguous[intent.nonce] = found.equal
            elif found.equal:
                taken.add(found.equal[0])
                entries[intent.nonce] = entry_of(intent, snapshot.all(intent.type)[found.equal[0]], snapshot.date)
            elif found.alike:
                ambiguous[intent.nonce] = found.alike
            elif settled:
                gone.append(intent.nonce)
            else:
                waiting.append(intent.nonce)
            continue
        live = snapshot.get(intent.type, intent.id)
        if intent.action == "delete":
            if live is None:
                entries[intent.nonce] = state.after_delete(intent.address, intent.id)
            elif settled:
                gone.append(intent.nonce)
            else:
                waiting.append(intent.nonce)
        elif live is not None and _shows(intent, live):
            entries[intent.nonce] = entry_of(intent, live, snapshot.date) if intent.entry else None
        elif settled or live is None:
            gone.append(intent.nonce)
        else:
            waiting.append(intent.nonce)
    return Recovery(entries, tuple(gone), tuple(waiting), ambiguous)


def _rivals(intent: Intent, found: Candidates, others: Elsewhere, snapshot: Snapshot) -> list[Intent]:
    """The open creations of other environments that one of the candidates may have come from."""
    node, live = node_of(intent.kind, intent.type), snapshot.all(intent.type)
    return [
        rival
        for rival in others.creations
        if rival.type == intent.type
        and any(equals(rival.body, live[id_], node) for id_ in (*found.equal, *found.alike))
    ]


def _ours(intent: Intent, found: Candidates, rivals: list[Intent], snapshot: Snapshot) -> Candidates:
    """The candidates without those that are the rivals': of some that are alike everybody takes one, in the order in
    which they were asked for, so that no two take the same."""
    node, live = node_of(intent.kind, intent.type), snapshot.all(intent.type)
    earlier = sum((rival.sent_at, rival.nonce) < (intent.sent_at, intent.nonce) for rival in rivals)
    alike = tuple(id_ for id_ in found.alike if not any(equals(rival.body, live[id_], node) for rival in rivals))
    return Candidates(found.equal[earlier:] if rivals else found.equal, alike)


def _shows(intent: Intent, live: dict[str, Any]) -> bool:
    """Does the live object show that an update was done? One with a secret in it never does."""
    return not holds_secret(intent.body) and equals(intent.body, live, node_of(intent.kind, intent.type))


@dataclass(frozen=True, slots=True)
class Candidates:
    """Ids that equal what was sent; failing those, new ones that only have its name."""

    equal: tuple[str, ...]
    alike: tuple[str, ...] = ()


def candidates(intent: Intent, snapshot: Snapshot, taken: set[str]) -> Candidates:
    """The new objects of the kind that may have come from this intent."""
    before = set(intent.before)
    new = {id_: live for id_, live in snapshot.all(intent.type).items() if id_ not in before and id_ not in taken}
    kind = TYPES[intent.type]
    alike = tuple(sorted(id_ for id_, live in new.items() if intent.name is not None and kind.bears(live, intent.name)))
    if kind.comes_with:  # there is one of its name
        return Candidates(alike)
    node = node_of(intent.kind, intent.type)
    equal = tuple(sorted(id_ for id_, live in new.items() if equals(intent.body, live, node)))
    return Candidates(equal, () if equal else alike)


def entry_of(intent: Intent, live: dict[str, Any], date: float) -> Entry:
    """The entry that the intent foresaw, with the id and the time that turned up."""
    entry = Entry.from_data(intent.address, intent.entry or {})
    return replace(
        entry,
        id=TYPES[intent.type].id_of(live),
        updated_at=str(live.get("updatedAt") or ""),
        recorded_at=date,
        attributes=KINDS[intent.kind].attributes_of(live) if intent.kind in KINDS else {},
        digest=digest({k: v for k, v in live.items() if k != "modelDeprecations"}),
    )


def ambiguous(intent: Intent, recovery: Recovery) -> Refused:
    """The refusal to guess which of several live objects a lost creation made."""
    ids = ", ".join(recovery.ambiguous[intent.nonce])
    return Refused(
        f"{intent.address}: the answer to its creation was lost, and more than one object could be it: {ids}",
        hint=f"Look at them, delete what is not wanted, then `voiceops import {intent.address} ID`.",
    )
