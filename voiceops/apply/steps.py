"""The single steps of an apply: each looks again where needed, writes its intent, calls, and records.

intend → call → record      a create that got no answer is looked for, never sent again blindly
"""

from __future__ import annotations

import asyncio
import re
import secrets as random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from voiceops.apply.events import Event
from voiceops.apply.ready import content_of, wait_until_usable
from voiceops.apply.recover import Recovery, recover
from voiceops.apply.session import Session
from voiceops.engine.body import additions, create_body, holds_secret, stored_otherwise, update_body
from voiceops.engine.diff import Applied, Difference, Outcome, same
from voiceops.engine.matching import equals
from voiceops.engine.planner import remembered
from voiceops.engine.schedule import Operation
from voiceops.errors import Ambiguous, NotFound, ProviderError, Refused, Rejected, Stale
from voiceops.kinds.base import Kind
from voiceops.kinds.registry import KINDS
from voiceops.model.address import owner_of
from voiceops.model.graph import Resource
from voiceops.model.live import SEND_WINDOW, Snapshot
from voiceops.model.plan import Change
from voiceops.model.state import Entry, Intent
from voiceops.model.values import (
    ABSENT,
    JSON,
    Path,
    delete_path,
    digest,
    format_path,
    get_path,
    parse_path,
    refs_in,
)
from voiceops.providers.live import read_live

MAX_AGE = 2.0  # seconds after which an object of the snapshot is looked at again before it is written
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
READY_TIMEOUT = 30.0
MOST_SENDS = 3  # of one create, each only after it is certain that the one before made nothing
_POLL = (0.1, 0.2, 0.4, 0.8, 1.0)


async def create(session: Session, operation: Operation) -> str:
    """POST a new object; with `leaving_out`, without the lists that its link step sends. Returns the id."""
    change = operation.change
    resource = session.graph.resources[change.address]
    kind = KINDS[resource.kind]
    if resource.kind == "Phone":
        await wait_until_ready(session, resource)
    await wait_until_usable(session, resource)
    desired = session.with_ids(create_body(kind, resource.body, operation.leaving_out))
    replaced = session.entry(change.address)
    entry = _entry(session, resource, "", desired)
    if replaced is not None and change.actions == ("create", "delete"):
        entry = replace(entry, deposed=(*replaced.deposed, replaced.id))
    nonce, live, date = await _create_once(session, resource, desired, entry)
    if replaced is not None:
        session.overwritten[f"{change.address}#replaced"] = replaced.to_data()
    await _record(session, nonce, resource, entry, desired, live, date)
    session.created.add(resource.address)
    return str(live["id"])


async def _create_once(
    session: Session, resource: Resource, desired: dict[str, Any], entry: Entry
) -> tuple[str, dict[str, Any], float]:
    """Send a create until the object is known to exist, looking for it whenever the answer was lost.

    Every request has an intent of its own. Returns the intent that came true, the object, and the server's clock.
    """
    kind = KINDS[resource.kind].at(resource.body)
    body = session.secrets.revealed(desired, resource.address)
    content = await content_of(session, resource)
    before = tuple(sorted(session.snapshot.all(resource.type)))
    for _ in range(MOST_SENDS):
        intent = _intent(session, resource, "create", desired, entry, before=before)
        await session.begin(intent)
        send_by = time.monotonic() + SEND_WINDOW

        async def send(intent: Intent = intent, send_by: float = send_by) -> tuple[dict[str, Any], float]:
            live, date = await session.accounts.vapi.create(kind, body, send_by, content)
            if _is_anothers(session, kind, intent, live):
                raise Ambiguous(
                    f"Vapi answered the creation of {resource.address} for another object", endpoint=f"POST {kind.path}"
                )
            return live, date

        try:
            live, date = await _when_visible(session, send, intent.body)
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
    id_ = str(live["id"])
    held = {entry.id for entry in session.ledger.state.entries.values()}
    name = kind.name_of(live)
    return (
        id_ in intent.before
        or id_ in held
        or UUID.match(id_) is None
        or (intent.name is not None and name is not None and name != intent.name)
    )


async def look_for(session: Session, intent: Intent) -> tuple[dict[str, Any] | None, Snapshot]:
    """The object that a create without an answer made, or None once it is certain that it made none.

    Closes the intent where nothing was made. Raises Refused when several objects could be it.
    """
    settle = session.options.settle
    since = session.accounts.date
    session.looking.add(intent.nonce)
    while True:
        snapshot = await read_live(session.accounts, [intent.type])
        intents = {n: i for n, i in session.ledger.intents.items() if i.action in ("create", "purchase")}
        recovery = recover(
            session.ledger.state, {**intents, intent.nonce: intent}, snapshot, since=since, settle=settle
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
        await asyncio.sleep(min(0.5, settle / 4))


def _may_be_anothers(session: Session, intent: Intent, live: dict[str, Any]) -> bool:
    """Is an equal create still under way here? Its answer will tell whose the object is: wait for it."""
    return any(
        other.nonce != intent.nonce
        and other.nonce not in session.looking
        and other.type == intent.type
        and other.action == intent.action
        and equals(other.body, live)
        for other in session.ledger.intents.values()
    )


def ambiguous(intent: Intent, recovery: Recovery) -> Refused:
    ids = ", ".join(recovery.ambiguous[intent.nonce])
    return Refused(
        f"{intent.address}: the answer to its creation was lost, and more than one object could be it: {ids}",
        hint=f"Look at them, delete what is not wanted, then `voiceops import {intent.address} ID`.",
    )


async def _when_visible(
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
    kept_entry = _entry(session, resource, id_, desired, entry)
    intent = _intent(session, resource, "update", body, kept_entry, id_=id_)
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
    await _record(session, intent.nonce, resource, kept_entry, desired, answer, date, previous=entry, left=drift)
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
            return await _when_visible(session, lambda: session.accounts.vapi.update(kind, id_, sent, live), sent)
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
    await _look_before_delete(session, change, kind, id_)
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


async def _look_before_delete(session: Session, change: Change, kind: Kind, id_: str) -> None:
    """An object that was edited since the plan is not what the reviewer saw go."""
    if time.monotonic() - session.snapshot.taken <= MAX_AGE:
        return
    seen, now = session.snapshot.get(change.type, id_), await session.accounts.vapi.get(kind, id_)
    if seen is not None and now is not None and seen.get("updatedAt") != now.get("updatedAt"):
        raise Stale(f"{change.address} was edited since the plan", hint="Plan again.")


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
        new = _observed(
            session, _entry(session, resource, str(change.id), desired, entry), desired, live, session.snapshot.date
        )
        entry = replace(new, deposed=entry.deposed if entry else ())
    entry = replace(entry, address=change.address, protected=resource.prevent_destroy, release=resource.release)
    if change.previous_address:
        await session.ledger.record("", change.previous_address, None)
    await session.ledger.record("", change.address, entry)
    return entry.id


# looking


async def look_again(session: Session, change: Change, kind: Kind, id_: str, entry: Entry | None) -> dict[str, Any]:
    """The live object right before it is written: the snapshot's if that is young, else read again.

    Raises Stale when somebody changed what this change touches since the plan.
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
    if known is None:
        for key in {field.path[0] for field in change.fields}:
            if not same(before.get(str(key)), now.get(str(key))) or not same(now.get(str(key)), before.get(str(key))):
                raise Stale(
                    f"{change.address}: {key} was edited since the plan",
                    hint="Plan again to see what changed.",
                )
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
        entry = session.entry(ref)
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


# recording


def _entry(
    session: Session, resource: Resource, id_: str, desired: dict[str, Any], previous: Entry | None = None
) -> Entry:
    return Entry(
        address=resource.address,
        kind=resource.kind,
        type=resource.type,
        id=id_,
        name=resource.name,
        owned=session.fingerprinted(desired, known=previous.owned if previous else None),
        depends=session.graph.dependencies(resource.address),
        protected=resource.prevent_destroy,
        release=resource.release,
        attributes=previous.attributes if previous is not None and previous.id == id_ else {},
    )


def _intent(
    session: Session,
    resource: Resource,
    action: str,
    body: dict[str, Any],
    entry: Entry,
    *,
    id_: str = "",
    before: tuple[str, ...] = (),
) -> Intent:
    kind = KINDS[resource.kind]
    kept = session.fingerprinted({key: value for key, value in body.items() if key not in kind.unseen})
    return Intent(
        nonce=random.token_hex(8),
        address=resource.address,
        kind=resource.kind,
        type=resource.type,
        action=action,
        id=id_,
        # A new object has the name that its creation gives it, which may not be its last one.
        name=kind.name_of(body) if action == "create" else resource.name,
        body=kept,
        digest=digest(kept),
        before=before,
        sent_at=session.accounts.date,
        entry=entry.to_data(),
    )


async def _record(
    session: Session,
    nonce: str,
    resource: Resource,
    entry: Entry,
    desired: dict[str, Any],
    live: dict[str, Any],
    date: float,
    previous: Entry | None = None,
    left: tuple[Path, ...] = (),
) -> None:
    """Keep what was written. `left` are edits that stay live: they are nobody's form of what was sent."""
    live = KINDS[resource.kind].completed(live, desired)
    session.fresh[str(live["id"])] = (live, time.monotonic())
    entry = _observed(session, entry, desired, live, date)
    if left:
        before = previous.stored if previous else {}
        stored = {path: value for path, value in entry.stored.items() if not _is_under(path, left)}
        entry = replace(entry, stored=stored | {p: value for p, value in before.items() if _is_under(p, left)})
    now = session.entry(resource.address)
    if now is not None and now.id == entry.id:  # a user of the object may have asked for them meanwhile
        entry = replace(entry, attributes={**now.attributes, **entry.attributes})
    for path, value in entry.stored.items():
        wanted = get_path(desired, path)
        if _dropped(wanted, value) and not holds_secret(wanted) and (previous is None or path not in previous.stored):
            mark = resource.source_of(path)
            session.emit(
                Event(
                    type="warning",
                    address=resource.address,
                    message=f"the API did not keep {format_path(path)} ({mark})",
                )
            )
    if previous is not None:
        entry = replace(entry, deposed=previous.deposed)
        if previous.address != entry.address:
            await session.ledger.record("", previous.address, None)
    await session.ledger.record(nonce, resource.address, entry)


def _is_under(path: Path, others: tuple[Path, ...]) -> bool:
    return any(path[: len(other)] == other for other in others)


def _dropped(wanted: JSON, value: JSON) -> bool:
    """Did the API leave out what was sent? Another form of the same is no loss."""
    return value is ABSENT or (isinstance(wanted, list) and isinstance(value, list) and len(value) < len(wanted))


def _observed(session: Session, entry: Entry, desired: dict[str, Any], live: dict[str, Any], date: float) -> Entry:
    """The entry with what the answer shows: the id, the time, and where the server stores something else."""
    stored = {
        path: _visible(get_path(desired, path), value)
        for path, value in stored_otherwise(session.fingerprinted(desired), live)
    }
    return replace(
        entry,
        id=str(live["id"]),
        stored=stored,
        updated_at=str(live.get("updatedAt") or ""),
        recorded_at=date,
        attributes={**entry.attributes, **KINDS[entry.kind].attributes_of(live)},
        digest=digest({key: value for key, value in live.items() if key != "modelDeprecations"}),
    )


def _visible(wanted: JSON, value: JSON) -> JSON:
    """Whatever surrounds a secret may hold its echo: only that it differs is kept."""
    return ABSENT if holds_secret(wanted) else value
