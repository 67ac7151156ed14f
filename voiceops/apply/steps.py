"""The single steps of an apply: each looks again where needed, writes its intent, calls, and records.

intend → call → record      a create that got no answer is looked for, never sent again blindly
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from voiceops.apply.callers_get import note_draft
from voiceops.apply.recording import entry_for, imported, intent_for, new_intent, observed, record
from voiceops.apply.reread import look_again, look_before_delete
from voiceops.apply.session import Session
from voiceops.apply.waiting import wait_until_ready, wait_until_usable, when_visible
from voiceops.engine.fields.body import additions, holds_secret, update_body
from voiceops.engine.fields.equality import same
from voiceops.engine.fields.write import Write, sides_of
from voiceops.engine.fields.write import update as write_of
from voiceops.engine.ordering.schedule import Operation
from voiceops.errors import NotFound, Rejected, Stale, VoiceopsError
from voiceops.kinds.base import Kind
from voiceops.kinds.registry import KINDS
from voiceops.model.address import owner_of
from voiceops.model.graph import Resource
from voiceops.model.plan import Change
from voiceops.model.state import Entry
from voiceops.model.values import Path, format_path, parse_path


async def update(session: Session, operation: Operation) -> str:
    """PATCH the changed top-level keys, each complete. Returns the id."""
    change = operation.change
    resource = session.graph.resources[change.address]
    kind = KINDS[resource.kind].at(resource.body)
    entry = session.entry(change.previous_address or change.address)
    id_ = entry.id if entry else change.id
    assert id_ is not None
    await wait_until_ready(session, resource, kind.targets)
    await wait_until_usable(session, resource)
    live = await look_again(session, change, kind, id_, entry)
    return await _patch(session, resource, kind, id_, entry, live, change)


async def link(session: Session, operation: Operation) -> str:
    """The second step of a circle: the lists that the creation left out, now whole."""
    resource = session.graph.resources[operation.change.address]
    entry = session.entry(resource.address)
    assert entry is not None
    await wait_until_usable(session, resource)
    live = session.fresh[entry.id][0]
    kind = KINDS[resource.kind].at(resource.body)
    return await _patch(session, resource, kind, entry.id, entry, live, None)


async def _patch(
    session: Session,
    resource: Resource,
    kind: Kind,
    id_: str,
    entry: Entry | None,
    live: dict[str, Any],
    change: Change | None,
) -> str:
    """Send what differs. `change` is what the plan showed of it: nothing else is written. Raises Stale."""
    desired = session.wanted(resource)
    sides = sides_of(kind, resource, session.fingerprinted(desired), live, entry, session.options)
    write = write_of(kind, sides, lambda path: session.keeps(resource, path))
    if change is not None:
        check_shown(change, write)
    compared = {key: value for key, value in desired.items() if key not in kind.create_only}
    body = update_body(kind, compared, sides.applied, live, write.owned, write.kept) if write.fields else {}
    kept_entry = entry_for(session, resource, id_, desired, entry)
    if not body:  # somebody made it so meanwhile
        await record(session, "", resource, kept_entry, desired, live, session.accounts.date, previous=entry)
        return id_
    kept_entry = replace(kept_entry, refused=tuple(p for p in sides.refused if p[0] not in body))
    intent = intent_for(session, resource, "update", body, kept_entry, id_=id_)
    await session.begin(intent)
    session.overwritten.setdefault(
        resource.address, {key: live.get(key) for key in body if not holds_secret(desired.get(key))}
    )
    sent = session.secrets.revealed(body, resource.address)
    tries = 0

    async def renewed() -> dict[str, Any]:
        """The body over what is live by now: a wait leaves others time to edit what is not ours."""
        now = await session.accounts.of(kind).get(kind, id_)
        if now is None:
            raise Stale(f"{resource.address} ({id_}) was deleted since the plan", hint="Plan again.")
        now = kind.completed(now, desired)
        if change is not None:
            check_shown(change, write_of(kind, replace(sides, live=now), lambda path: session.keeps(resource, path)))
        again = update_body(kind, compared, sides.applied, now, write.owned, write.kept)
        revealed: dict[str, Any] = session.secrets.revealed(again, resource.address)
        return revealed

    async def send() -> tuple[dict[str, Any], float]:
        nonlocal tries
        tries += 1
        first = sent if tries == 1 else await renewed()
        return await session.accounts.of(kind).update(kind, id_, first, live, renewed)

    try:
        answer, date = await when_visible(session, send, sent)
    except (Rejected, NotFound) as error:
        await session.ledger.record_failed(intent.nonce)
        await _note_refused(session, resource, entry, live, id_, error, additions(body, desired))
        raise
    left = tuple(found.path for found in write.drift)
    await record(session, intent.nonce, resource, kept_entry, desired, answer, date, previous=entry, left=left)
    note_draft(session, resource, live, answer)
    return id_


def check_shown(change: Change, write: Write) -> None:
    """Is everything that the write does in the plan? Raises Stale where somebody edited the object since."""
    shown = {field.path: field for field in change.fields}
    for found in write.fields:
        planned = next((shown[found.path[:n]] for n in range(1, len(found.path) + 1) if found.path[:n] in shown), None)
        before = None if planned is None else planned.before
        if planned is not None and planned.path == found.path and not holds_secret(before):
            unmoved = same(before, found.before) and same(found.before, before)
        else:
            unmoved = planned is not None
        if not unmoved:
            raise Stale(
                f"{change.address}: {format_path(found.path)} was edited since the plan",
                hint="Plan again to see what changed.",
            )


async def _note_refused(
    session: Session,
    resource: Resource,
    entry: Entry | None,
    live: dict[str, Any],
    id_: str,
    error: VoiceopsError,
    extras: Iterable[Path],
) -> None:
    """What live holds beside our fields goes back with them; what the API then refuses to take would be lost.

    Nothing is lost unseen: it is noted, and the next plan shows it as leaving. Raises Stale.
    """
    named = getattr(error, "fields", ())
    refused = [path for path in extras if len(path) > 1 and any(_names(field, path) for field, _ in named)]
    if not refused:
        return
    held = entry or imported(resource, live, session.accounts.date, session.graph.dependencies(resource.address))
    paths = tuple(dict.fromkeys((*held.refused, *refused)))
    await session.ledger.record("", held.address, replace(held, id=id_, refused=paths))
    names = ", ".join(map(format_path, refused))
    raise Stale(
        f"{resource.address}: Vapi shows {names}, and refuses to take it back with this update",
        hint="Nothing was changed. Plan again: the plan shows what would leave, and the next apply sends it so.",
    )


def _names(field: str, path: Path) -> bool:
    try:
        return parse_path(field)[: len(path)] == path
    except ValueError:
        return False


async def delete(session: Session, operation: Operation) -> str:
    """DELETE; an object that is gone already is fine. Of a replacement: the old object."""
    change = operation.change
    id_ = change.id
    assert id_ is not None
    held = session.entry(change.previous_address or owner_of(change.address))
    kind = KINDS[change.kind].at(session.snapshot.get(change.type, id_) or (held.owned if held else {}))
    address = change.previous_address or owner_of(change.address)
    if session.entry(address) is None or change.is_replacement:
        address = owner_of(change.address)
    await look_before_delete(session, change, kind, id_)
    intent = new_intent(session, "delete", change, address=address, id_=id_, name=change.name)
    await session.begin(intent)
    await session.accounts.of(kind).delete(kind, id_)
    rest = session.ledger.state.after_delete(address, id_)
    await session.ledger.record(intent.nonce, address, rest, gone=(id_, session.accounts.date))
    return id_


async def unbind(session: Session, operation: Operation) -> str:
    """A Vapi number that leaves management without being given back: nobody answers it, it stays."""
    change = operation.change
    kind = KINDS[change.kind]
    assert change.id is not None
    live = session.snapshot.get(change.type, change.id) or {}
    body: dict[str, Any] = {key: None for key in ("assistantId", "squadId") if live.get(key) is not None}
    intent = new_intent(session, "update", change, id_=change.id, body=body)
    if body:
        await session.begin(intent)
        await session.accounts.of(kind).update(kind, change.id, body)
    await session.ledger.record(intent.nonce if body else "", change.address, None)
    return change.id


async def keep_in_state(session: Session, operation: Operation) -> str:
    """A change of the state alone: adopted, moved, forgotten, protected."""
    change = operation.change
    entry = session.entry(change.previous_address or change.address)
    resource = session.graph.resources.get(change.address)
    if resource is None or change.reason in ("forgotten", "unbound"):
        owner = owner_of(change.address) if "/deposed/" in change.address else change.address
        await session.ledger.record("", owner, session.ledger.state.after_delete(owner, change.id or ""))
        return change.id or ""
    if entry is None or change.reason == "recorded":
        live = session.snapshot.get(change.type, str(change.id)) or {}
        desired = session.wanted(resource)
        live = KINDS[resource.kind].completed(live, desired)
        new = observed(
            session, entry_for(session, resource, str(change.id), desired, entry), desired, live, session.snapshot.date
        )
        entry = replace(new, deposed=entry.deposed if entry else ())
    entry = replace(
        entry,
        address=change.address,
        protected=resource.prevent_destroy,
        release=resource.release,
        depends=session.graph.dependencies(resource.address),
    )
    if change.previous_address:
        await session.ledger.record_moved(change.previous_address, change.address)
    await session.ledger.record("", change.address, entry)
    return entry.id
