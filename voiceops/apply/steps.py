"""The single steps of an apply: each looks again where needed, writes its intent, calls, and records.

intend → call → record      a create that got no answer is looked for, never sent again blindly
"""

from __future__ import annotations

import secrets as random
from dataclasses import replace
from typing import Any

from voiceops.apply.looking import look_again, look_before_delete, wait_until_ready, when_visible
from voiceops.apply.ready import wait_until_usable
from voiceops.apply.recording import entry_for, intent_for, observed, record
from voiceops.apply.session import Session
from voiceops.engine.body import additions, holds_secret, update_body
from voiceops.engine.diff import Applied, Difference, Outcome
from voiceops.engine.schedule import Operation
from voiceops.errors import NotFound, Rejected
from voiceops.kinds.base import Kind
from voiceops.kinds.registry import KINDS
from voiceops.model.address import owner_of
from voiceops.model.graph import Resource
from voiceops.model.state import Entry, Intent
from voiceops.model.values import (
    ABSENT,
    Path,
    delete_path,
    get_path,
    parse_path,
)


async def update(session: Session, operation: Operation) -> str:
    """PATCH the changed top-level keys, each complete. Returns the id."""
    change = operation.change
    resource = session.graph.resources[change.address]
    kind = KINDS[resource.kind].at(resource.body)
    entry = session.entry(change.previous_address or change.address)
    id_ = entry.id if entry else change.id
    assert id_ is not None
    if resource.kind == "Phone":
        await wait_until_ready(session, resource)
    await wait_until_usable(session, resource)
    live = await look_again(session, change, kind, id_, entry)
    changed = [Difference(f.path, f.before, f.after, Outcome.MANIFEST) for f in change.fields]
    return await _patch(session, resource, kind, id_, entry, live, changed, change.adopts)


async def link(session: Session, operation: Operation) -> str:
    """The second step of a circle: the lists that the creation left out, now whole."""
    resource = session.graph.resources[operation.change.address]
    entry = session.entry(resource.address)
    assert entry is not None
    await wait_until_usable(session, resource)
    live = session.fresh[entry.id][0]
    changed = [
        Difference(path, ABSENT, get_path(resource.body, path), Outcome.MANIFEST) for path in operation.leaving_out
    ]
    kind = KINDS[resource.kind].at(resource.body)
    return await _patch(session, resource, kind, entry.id, entry, live, changed, False)


async def _patch(
    session: Session,
    resource: Resource,
    kind: Kind,
    id_: str,
    entry: Entry | None,
    live: dict[str, Any],
    changed: list[Difference],
    adopts: bool,
) -> str:
    desired = session.with_ids(resource.body)
    applied = Applied(entry.owned if entry else {}, entry.stored if entry else {})
    keep = _kept(session, resource, desired, applied, live, changed)
    body = update_body(kind, desired, applied, live, changed, keep)
    kept_entry = entry_for(session, resource, id_, desired, entry)
    intent = intent_for(session, resource, "update", body, kept_entry, id_=id_)
    await session.begin(intent)
    session.overwritten.setdefault(
        resource.address, {key: live.get(key) for key in body if not holds_secret(desired.get(key))}
    )
    extras = [path for path in additions(body, desired) if len(path) > 1]
    sent = session.secrets.revealed(body, resource.address)
    try:
        answer, date = await _patch_without_refused_extras(session, resource, kind, id_, sent, extras, live)
    except (Rejected, NotFound):
        await session.ledger.record_failed(intent.nonce)
        raise
    drift = tuple(path for path in keep if path not in resource.ignore)
    await record(session, intent.nonce, resource, kept_entry, desired, answer, date, previous=entry, left=drift)
    return id_


async def _patch_without_refused_extras(
    session: Session,
    resource: Resource,
    kind: Kind,
    id_: str,
    sent: dict[str, Any],
    extras: list[Path],
    live: dict[str, Any],
) -> tuple[dict[str, Any], float]:
    """What live holds beside our fields is sent back with them; what the API then refuses to take is left out."""
    while True:
        try:
            return await when_visible(session, lambda: session.accounts.vapi.update(kind, id_, sent, live), sent)
        except Rejected as error:
            refused = [path for path in extras if any(_names(field, path) for field, _ in error.fields)]
            if not refused:
                raise
            for path in refused:
                delete_path(sent, path)
                extras.remove(path)


def _names(field: str, path: Path) -> bool:
    try:
        return parse_path(field)[: len(path)] == path
    except ValueError:
        return False


def _kept(
    session: Session,
    resource: Resource,
    desired: dict[str, Any],
    applied: Applied,
    live: dict[str, Any],
    changed: list[Difference],
) -> tuple[Path, ...]:
    """Paths whose live value stays: ignoreChanges, and drift that the project keeps."""
    from voiceops.engine.diff import differences

    touched = {difference.path for difference in changed}
    found = differences(session.fingerprinted(desired), applied, live, resource.ignore)
    return (
        *resource.ignore,
        *(d.path for d in found if d.outcome is Outcome.DRIFT and d.path not in touched),
    )


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
    intent = Intent(
        nonce=random.token_hex(8),
        address=address,
        kind=change.kind,
        type=change.type,
        action="delete",
        id=id_,
        name=change.name,
        sent_at=session.accounts.date,
    )
    await session.begin(intent)
    await session.accounts.vapi.delete(kind, id_)
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
    intent = Intent(
        nonce=random.token_hex(8),
        address=change.address,
        kind=change.kind,
        type=change.type,
        action="update",
        id=change.id,
        body=body,
        sent_at=session.accounts.date,
        entry=None,
    )
    if body:
        await session.begin(intent)
        await session.accounts.vapi.update(kind, change.id, body)
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
        desired = session.with_ids(resource.body)
        live = KINDS[resource.kind].completed(live, desired)
        new = observed(
            session, entry_for(session, resource, str(change.id), desired, entry), desired, live, session.snapshot.date
        )
        entry = replace(new, deposed=entry.deposed if entry else ())
    entry = replace(entry, address=change.address, protected=resource.prevent_destroy, release=resource.release)
    if change.previous_address:
        await session.ledger.record("", change.previous_address, None)
    await session.ledger.record("", change.address, entry)
    return entry.id
