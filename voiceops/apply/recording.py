"""What is written down of a request: the intent before it, and afterwards the entry with what the server stored."""

from __future__ import annotations

import secrets as random
import time
from dataclasses import replace
from typing import Any

from voiceops.apply.apply_events import Event
from voiceops.apply.session import Session
from voiceops.engine.fields.body import holds_secret, stored_otherwise
from voiceops.kinds.nodes import body_node
from voiceops.kinds.registry import KINDS, TYPES
from voiceops.model.graph import Resource
from voiceops.model.plan import Change
from voiceops.model.redactor import is_masked
from voiceops.model.state import Entry, Intent
from voiceops.model.values import (
    ABSENT,
    JSON,
    Fingerprint,
    Path,
    Secret,
    digest,
    empty,
    format_path,
    get_key,
    get_path,
)


def new_entry(resource: Resource, id_: str, owned: dict[str, Any], depends: tuple[str, ...]) -> Entry:
    """What the state holds of a resource's object: every entry begins here. Secrets in `owned` are fingerprints."""
    return Entry(
        address=resource.address,
        kind=resource.kind,
        type=resource.type,
        id=id_,
        name=resource.name,
        owned=owned,
        depends=depends,
        protected=resource.prevent_destroy,
        release=resource.release,
    )


def entry_for(
    session: Session, resource: Resource, id_: str, desired: dict[str, Any], previous: Entry | None = None
) -> Entry:
    """The entry of an object that is to hold `desired`. What `previous` knows of the same object stays known."""
    owned = session.fingerprinted(desired, known=previous.owned if previous else None)
    entry = new_entry(resource, id_, owned, session.graph.dependencies(resource.address))
    if previous is None or previous.id != id_:
        return entry
    return replace(entry, attributes=previous.attributes)


def imported(resource: Resource, live: dict[str, Any], date: float, depends: tuple[str, ...]) -> Entry:
    """An entry that owns nothing yet: the next plan shows what the manifest would change."""
    entry = new_entry(resource, TYPES[resource.type].id_of(live), {}, depends)
    return replace(entry, protected=False, release=False, updated_at=str(live.get("updatedAt") or ""), recorded_at=date)


def unseen_secrets(resource: Resource, live: dict[str, Any]) -> dict[str, Any]:
    """The secrets of a body that the API doesn't show, as what is owned: with no fingerprint, since none was seen.

    An object that is taken over has them already, or nothing tells that it has not.
    """

    def unseen(body: JSON, shown: JSON) -> JSON:
        if isinstance(body, Secret):
            return Fingerprint(body.names, "") if body.names and (empty(shown) or is_masked(shown)) else ABSENT
        if isinstance(body, list) and isinstance(shown, list) and len(body) == len(shown):
            hidden = [unseen(item, other) for item, other in zip(body, shown, strict=True)]
            return _as_shown(body, shown) if any(item is not ABSENT for item in hidden) else ABSENT
        if not isinstance(body, dict):
            return ABSENT
        inside = {key: unseen(item, get_key(shown, key)) for key, item in body.items()}
        return {key: item for key, item in inside.items() if item is not ABSENT} or ABSENT

    found = unseen(resource.body, live)
    return found if isinstance(found, dict) else {}


def _as_shown(body: JSON, shown: JSON) -> JSON:
    """A list that is owned as a whole: what the body sets, as it is live, its secrets unseen."""
    if isinstance(body, Secret):
        return Fingerprint(body.names, "")
    if isinstance(body, dict):
        return {key: _as_shown(item, get_key(shown, key)) for key, item in body.items()}
    if isinstance(body, list) and isinstance(shown, list) and len(body) == len(shown):
        return [_as_shown(item, other) for item, other in zip(body, shown, strict=True)]
    return body if empty(shown) else shown


def new_intent(
    session: Session,
    action: str,
    about: Resource | Entry | Change,
    *,
    address: str = "",
    id_: str = "",
    name: str | None = None,
    body: dict[str, Any] | None = None,
    before: tuple[str, ...] = (),
    entry: Entry | None = None,
) -> Intent:
    """A request that is about to be sent: every intent begins here.

    `entry` is what the state holds once it has worked; `before` are the ids that were listed before a creation.
    Secrets in `body` become fingerprints.
    """
    return Intent(
        nonce=random.token_hex(8),
        address=address or about.address,
        kind=about.kind,
        type=about.type,
        action=action,
        id=id_,
        name=name,
        body=session.fingerprinted(body or {}),
        before=before,
        sent_at=session.accounts.date,
        entry=None if entry is None else entry.to_data(),
    )


def intent_for(
    session: Session,
    resource: Resource,
    action: str,
    body: dict[str, Any],
    entry: Entry,
    *,
    id_: str = "",
    before: tuple[str, ...] = (),
) -> Intent:
    """The intent to write a resource's object; what the API never shows of it is left out, for nothing tells it."""
    kind = KINDS[resource.kind]
    return new_intent(
        session,
        action,
        resource,
        id_=id_,
        # A new object has the name that its creation gives it, which may not be its last one.
        name=kind.name_of(body) if action == "create" else resource.name,
        body={key: value for key, value in body.items() if key not in kind.unseen},
        before=before,
        entry=entry,
    )


async def record(
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
    session.fresh[KINDS[resource.kind].id_of(live)] = (live, time.monotonic())
    entry = observed(session, entry, desired, live, date)
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
            await session.ledger.record_moved(previous.address, entry.address)
    await session.ledger.record(nonce, resource.address, entry)


def _is_under(path: Path, others: tuple[Path, ...]) -> bool:
    return any(path[: len(other)] == other for other in others)


def _dropped(wanted: JSON, value: JSON) -> bool:
    """Did the API leave out what was sent? Another form of the same is no loss."""
    return value is ABSENT or (isinstance(wanted, list) and isinstance(value, list) and len(value) < len(wanted))


def observed(session: Session, entry: Entry, desired: dict[str, Any], live: dict[str, Any], date: float) -> Entry:
    """The entry with what the answer shows: the id, the time, and where the server stores something else."""
    stored = {
        path: _visible(get_path(desired, path), value)
        for path, value in stored_otherwise(
            session.fingerprinted(desired), live, body_node(KINDS[entry.kind], "create")
        )
    }
    return replace(
        entry,
        id=KINDS[entry.kind].id_of(live),
        stored=stored,
        updated_at=str(live.get("updatedAt") or ""),
        recorded_at=date,
        attributes={**entry.attributes, **KINDS[entry.kind].attributes_of(live)},
        digest=digest({key: value for key, value in live.items() if key != "modelDeprecations"}),
    )


def _visible(wanted: JSON, value: JSON) -> JSON:
    """Whatever surrounds a secret may hold its echo: only that it differs is kept."""
    return ABSENT if holds_secret(wanted) else value
