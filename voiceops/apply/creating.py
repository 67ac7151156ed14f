"""Creating an object once: an intent a request, and a search by complete lists when an answer was lost."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from voiceops.apply.file_content import content_of
from voiceops.apply.recording import entry_for, intent_for, record
from voiceops.apply.recover import ambiguous, recover
from voiceops.apply.session import Session
from voiceops.apply.waiting import wait_until_ready, wait_until_usable, when_visible
from voiceops.engine.fields.body import create_body
from voiceops.engine.fields.write import replacement, sides_of
from voiceops.engine.ordering.schedule import Operation
from voiceops.engine.planning.sameness import equals, node_of
from voiceops.errors import Ambiguous, ProviderError
from voiceops.kinds.base import Kind
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Resource
from voiceops.model.live import SEND_WINDOW, Snapshot
from voiceops.model.plan import Change
from voiceops.model.state import Entry, Intent
from voiceops.net.until import until
from voiceops.providers.snapshot_reader import read_live
from voiceops.state.elsewhere import elsewhere

MOST_SENDS = 3  # of one create, each only after it is certain that the one before made nothing


async def create(session: Session, operation: Operation) -> str:
    """POST a new object; with `leaving_out`, without the lists that its link step sends. Returns the id."""
    change = operation.change
    resource = session.graph.resources[change.address]
    kind = KINDS[resource.kind]
    await wait_until_ready(session, resource, kind.targets)
    await wait_until_usable(session, resource)
    desired = session.wanted(resource, operation.leaving_out)
    replaced = session.entry(change.previous_address or change.address)
    entry = entry_for(session, resource, "", desired)
    body = create_body(kind, desired)
    if replaced is not None and change.is_replacement:
        body = create_body(kind, await _in_place_of(session, change, kind, desired, replaced))
    if replaced is not None and change.actions == ("create", "delete"):
        entry = replace(entry, deposed=(*replaced.deposed, replaced.id))
    nonce, live, date = await _create_once(session, resource, body, entry)
    if replaced is not None:
        session.overwritten[f"{change.address}#replaced"] = replaced.to_data()
    await record(session, nonce, resource, entry, desired, live, date)
    session.created.add(resource.address)
    return kind.id_of(live)


async def _in_place_of(
    session: Session, change: Change, kind: Kind, desired: dict[str, Any], replaced: Entry
) -> dict[str, Any]:
    """What the new object holds: also what the dashboard had added to the old one, as far as the plan shows it."""
    live = session.snapshot.get(replaced.type, replaced.id) or {}
    live = kind.completed(live, replaced.owned)
    resource = session.graph.resources[change.address]
    return replacement(kind, sides_of(kind, resource, desired, live, replaced, session.options), desired).body


async def _create_once(
    session: Session, resource: Resource, desired: dict[str, Any], entry: Entry
) -> tuple[str, dict[str, Any], float]:
    """Send a create until the object is known to exist, looking for it whenever the answer was lost.

    Every request has an intent of its own. Returns the intent that came true, the object, and the server's clock.
    """
    kind = KINDS[resource.kind].at(resource.body)
    body = session.secrets.revealed(desired, resource.address)
    content = await content_of(session, resource)
    before = session.listed(resource.type)
    for _ in range(MOST_SENDS):
        intent = intent_for(session, resource, "create", desired, entry, before=before)
        await session.begin(intent)
        send_by = time.monotonic() + SEND_WINDOW

        async def send(intent: Intent = intent, send_by: float = send_by) -> tuple[dict[str, Any], float]:
            live, date = await session.accounts.of(kind).create(kind, body, send_by, content)
            if _is_anothers(session, kind, intent, live):
                raise Ambiguous(
                    f"the creation of {resource.address} was answered for another object", endpoint=f"POST {kind.path}"
                )
            return live, date

        try:
            live, date = await when_visible(session, send, intent.body)
        except Ambiguous:
            found, snapshot = await look_for(session, intent)
            if found is not None:
                return intent.nonce, found, session.accounts.date
            before = tuple(sorted(snapshot.all(resource.type)))
        except ProviderError:
            await session.ledger.record_failed(intent.nonce)
            raise
        else:
            return intent.nonce, live, date
    raise ProviderError(
        f"{resource.address} could not be created: {MOST_SENDS} requests got no answer and had no effect",
        hint="Nothing was made. Try again later.",
    )


def _is_anothers(session: Session, kind: Kind, intent: Intent, live: dict[str, Any]) -> bool:
    """Does an answer speak of an object that this create can't have made? Then the lists have to tell."""
    id_ = kind.id_of(live)
    return (
        id_ in intent.before
        or session.ledger.holds(id_)
        or (intent.name is not None and kind.name_of(live) is not None and not kind.bears(live, intent.name))
    )


async def look_for(session: Session, intent: Intent) -> tuple[dict[str, Any] | None, Snapshot]:
    """The object that a create without an answer made, or None once it is certain that it made none.

    Closes the intent where nothing was made. Raises Refused when several objects could be it.
    """
    settle = session.options.settle
    since = session.accounts.date
    session.looking.add(intent.nonce)

    async def found() -> tuple[dict[str, Any] | None, Snapshot] | None:
        snapshot = await read_live(session.accounts, [intent.type])
        intents = {n: i for n, i in session.ledger.intents.items() if i.action in ("create", "purchase")}
        recovery = recover(
            session.ledger.state,
            {**intents, intent.nonce: intent},
            snapshot,
            since=since,
            settle=settle,
            others=await elsewhere(session.ledger.store),
        )
        if intent.nonce in recovery.ambiguous:
            raise ambiguous(intent, recovery)
        entry = recovery.entries.get(intent.nonce)
        live = snapshot.get(intent.type, entry.id) if entry is not None else None
        if live is not None and not _may_be_anothers(session, intent, live):
            return live, snapshot
        if live is None and (intent.nonce in recovery.without_effect):
            await session.ledger.record_lost(intent.nonce, snapshot.date)
            return None, snapshot
        return None

    answer = await until(found, every=(min(0.5, settle / 4),))
    assert answer is not None  # there is no limit: it is certain once `settle` has passed
    return answer


def _may_be_anothers(session: Session, intent: Intent, live: dict[str, Any]) -> bool:
    """Is an equal create still under way here? Its answer will tell whose the object is: wait for it."""
    return any(
        other.nonce != intent.nonce
        and other.nonce not in session.looking
        and other.type == intent.type
        and other.action == intent.action
        and equals(other.body, live, node_of(other.kind, other.type))
        for other in session.ledger.intents.values()
    )
