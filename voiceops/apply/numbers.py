"""The steps on a Twilio number: buying, taking over, setting, giving back. Its own resource is written, never
the collection, except to buy."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from voiceops.apply.apply_events import Event
from voiceops.apply.creating import look_for
from voiceops.apply.recording import new_entry, new_intent
from voiceops.apply.reread import MAX_AGE
from voiceops.apply.session import Session
from voiceops.engine.lines.twilio_number import answers_today, restored, settings, without_ignored
from voiceops.engine.ordering.schedule import Operation
from voiceops.errors import Ambiguous, ProviderError, Stale
from voiceops.kinds.twilio import IMPORTED, TWILIO_STICKY
from voiceops.kinds.twilio import KIND as NUMBER
from voiceops.model.address import owner_of, twilio_side
from voiceops.model.graph import Resource
from voiceops.model.live import SEND_WINDOW
from voiceops.model.state import Entry, Intent
from voiceops.model.values import Path, digest


def _number(session: Session, resource: Resource) -> dict[str, Any] | None:
    return next(
        (o for o in session.snapshot.all(NUMBER.type).values() if o.get("phone_number") == resource.name),
        None,
    )


async def buy(session: Session, operation: Operation) -> str:
    """Buy the number, once: an unanswered purchase is looked up by its number.

    Raises ProviderError: it was not bought.
    """
    resource = session.graph.resources[operation.change.address]
    assert resource.name is not None
    entry = _entry(session, resource, "", {}, prior={})
    lost = session.entry(resource.address)  # a number that is bought again: what Vapi's import wrote is known
    entry = replace(entry, imported=lost.imported if lost is not None and lost.name == resource.name else None)
    before = session.listed(NUMBER.type)
    intent = _intent_of(session, entry, "purchase", before=before)
    await session.begin(intent)
    try:
        live, date = await session.accounts.of(NUMBER).create(
            NUMBER, {"phone_number": resource.name}, time.monotonic() + SEND_WINDOW
        )
    except Ambiguous:
        found, _ = await look_for(session, intent)
        if found is None:
            raise ProviderError(
                f"{resource.name} was not bought: Twilio did not answer, and the account has no such number",
                hint="Run apply again.",
            ) from None
        live, date = found, session.accounts.date
    except ProviderError:
        await session.ledger.record_failed(intent.nonce)
        raise
    session.fresh[live["sid"]] = (live, time.monotonic())
    await session.ledger.record(
        intent.nonce, resource.address, replace(entry, id=live["sid"], recorded_at=date, prior=settings(live))
    )
    return str(live["sid"])


async def claim(session: Session, operation: Operation) -> str:
    """Write down what answers a number before the import into Vapi rewrites it: nothing live is changed yet.

    Raises Stale: the account has the number no longer.
    """
    resource = session.graph.resources[operation.change.address]
    live = _number(session, resource)
    if live is not None and time.monotonic() - session.snapshot.taken > MAX_AGE:
        live = await session.accounts.of(NUMBER).get(NUMBER, str(live["sid"]))
    if live is None:
        raise Stale(f"{resource.address}: the account no longer has {resource.name}", hint="Plan again.")
    entry = _entry(session, resource, str(live["sid"]), {}, prior=settings(live))
    await session.ledger.record("", resource.address, entry)
    return entry.id


@dataclass(frozen=True, slots=True)
class _Standing:
    """A number right before its settings are written."""

    sid: str
    live: dict[str, Any]
    seen: dict[str, Any] | None  # as the plan saw it
    entry: Entry | None  # what the state holds of this very number


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a number is to be set to: all that is ours, and of that what differs."""

    desired: dict[str, Any]
    imported: dict[str, str]  # what Vapi's import wrote
    wanted: dict[str, Any]


async def set_up(session: Session, operation: Operation) -> str:
    """Write the voice settings that differ, after the import into Vapi, and record who answers the number now.

    Raises Stale where the number is gone, or was pointed elsewhere since the plan.
    """
    change = operation.change
    resource = session.graph.resources[change.address]
    standing = await _observed(session, resource, change.previous_address or change.address)
    meant = _decided(session, resource, standing)
    if change.is_no_op and meant.wanted:
        raise Stale(f"{resource.address}: {resource.name} was edited since the plan", hint="Plan again.")
    await _written(session, resource, standing, meant)
    return standing.sid


async def take_as_it_is(session: Session, resource: Resource) -> str:
    """Note a number that is set as it should be already, as it was listed: nobody is asked, and nothing is sent."""
    live = _number(session, resource)
    assert live is not None  # the plan found it
    standing = _Standing(str(live["sid"]), live, live, None)
    meant = _decided(session, resource, standing)
    assert not meant.wanted
    await _written(session, resource, standing, meant)
    return standing.sid


async def _observed(session: Session, resource: Resource, held_at: str) -> _Standing:
    entry, seen = session.entry(held_at), _number(session, resource)
    if entry is not None and entry.name != resource.name:
        entry = None  # of another number
    sid = entry.id if entry is not None else str((seen or {}).get("sid") or "")
    live = await session.accounts.of(NUMBER).get(NUMBER, sid) if sid else None
    if live is None:
        raise Stale(f"{resource.address}: the account no longer has {resource.name}", hint="Plan again.")
    return _Standing(sid, live, seen, entry)


def _decided(session: Session, resource: Resource, standing: _Standing) -> _Meant:
    """Raises Stale where somebody else pointed the number elsewhere since the plan."""
    entry, live, current = standing.entry, standing.live, settings(standing.live)
    imported = _imported(session, resource, entry, live)
    taken_over = entry is not None and bool(
        entry.owned
    )  # before that a manifest's settings are written, ignored or not
    body = without_ignored(resource, resource.body) if taken_over else resource.body
    desired = {key: value if isinstance(value, str) else imported[key] for key, value in body.items()}
    if entry is not None and standing.seen is not None:
        _check_unmoved(session, resource.address, standing.seen, live, desired, imported)
    wanted = _settable({key: value for key, value in desired.items() if (value or "") != current[key]})
    owned = without_ignored(resource, entry.owned) if entry else {}
    left = (key for key in owned if key not in desired and key not in TWILIO_STICKY)
    return _Meant(desired, imported, wanted | {key: "" for key in left if current.get(key)})


async def _written(session: Session, resource: Resource, standing: _Standing, meant: _Meant) -> None:
    entry, live, nonce = standing.entry, standing.live, ""
    prior = _prior(entry, standing.seen, live)
    owned = without_ignored(resource, meant.desired)
    record = replace(_entry(session, resource, standing.sid, owned, prior=prior), imported=meant.imported)
    if meant.wanted:
        before = settings(live)
        session.overwritten[resource.address] = {key: before[key] for key in meant.wanted}
        intent = _intent_of(session, record, "update", body=meant.wanted)
        nonce = intent.nonce
        await session.begin(intent)
        live, _ = await session.accounts.of(NUMBER).update(NUMBER, standing.sid, meant.wanted, live)
        _say_what_was_not_kept(session, resource, meant.wanted, live)
    current = settings(live)
    stored: dict[Path, str] = {
        (key,): current[key] for key, value in meant.desired.items() if (value or "") != current[key]
    }
    if entry is not None and entry.address != record.address:
        await session.ledger.record("", entry.address, None)
    record = replace(_as_answered(record, live, session.accounts.date), stored=stored)
    await session.ledger.record(nonce, resource.address, record)


def _as_answered(entry: Entry, live: dict[str, Any], date: float) -> Entry:
    """The entry with what tells a later edit: the settings as they are now, and when that was."""
    return replace(
        entry, digest=digest(settings(live)), updated_at=str(live.get("date_updated") or ""), recorded_at=date
    )


def _say_what_was_not_kept(session: Session, resource: Resource, sent: dict[str, Any], live: dict[str, Any]) -> None:
    current = settings(live)
    for key, value in sent.items():
        if (current[key] or "") != (value or ""):
            text = f"Twilio did not keep {key}: it answers {current[key]!r}"
            session.emit(Event(type="warning", address=resource.address, message=text))


async def hold(session: Session, phone: str) -> None:
    """An import, or a change of the Vapi number, may write its Twilio URLs again: put back what is ours, where it
    was moved. A number whose settings this apply writes anyway waits for that."""
    if twilio_side(phone) in session.settings:
        return
    entry = session.entry(twilio_side(phone))
    live = await session.accounts.of(NUMBER).get(NUMBER, entry.id) if entry is not None else None
    if entry is None or live is None:
        return
    current = settings(live)
    if phone in session.created:
        entry = replace(entry, imported={key: current[key] for key in IMPORTED})
    wanted = {
        key: value
        for key, value in entry.owned.items()
        if isinstance(value, str) and value != current[key] and (key,) not in entry.stored
    }
    if not wanted:
        return
    intent = _intent_of(session, entry, "update", body=wanted)
    await session.begin(intent)
    live, date = await session.accounts.of(NUMBER).update(NUMBER, entry.id, wanted, live)
    await session.ledger.record(intent.nonce, entry.address, _as_answered(entry, live, date))


def _settable(values: dict[str, Any]) -> dict[str, Any]:
    """Without what can't be cleared, only replaced."""
    return {key: value for key, value in values.items() if value or key not in TWILIO_STICKY}


def _prior(entry: Entry | None, found: dict[str, Any] | None, live: dict[str, Any]) -> dict[str, str]:
    """What answered before the take-over: kept from the first time on. The import has rewritten the URL by now."""
    if entry is not None and entry.prior is not None:
        return entry.prior or settings(live)
    return settings(found) if found is not None else settings(live)


def _imported(session: Session, resource: Resource, entry: Entry | None, live: dict[str, Any]) -> dict[str, str]:
    """What Vapi's import wrote into the number: seen right after it, kept for the day when Vapi answers again.

    Raises ProviderError where it is needed and was never seen.
    """
    if entry is not None and entry.imported is not None and owner_of(resource.address) not in session.created:
        return entry.imported
    found = {key: settings(live)[key] for key in IMPORTED}
    ours = (entry.owned if entry else {}).get("voice_url")
    if entry is not None and entry.imported is not None and ours == entry.imported.get("voice_url"):
        return found  # ours is what an import wrote: it writes the same again
    if ours and ours == found["voice_url"] and not isinstance(resource.body.get("voice_url"), str):
        raise ProviderError(
            f"{resource.address}: what Vapi's import wrote into {resource.name} is not known any more",
            hint="Take the line out of the manifests, apply, and put it back: it is imported anew.",
        )
    return found


def _check_unmoved(
    session: Session,
    address: str,
    seen: dict[str, Any],
    now: dict[str, Any],
    desired: dict[str, Any],
    imported: dict[str, str],
) -> None:
    """Somebody who points the number elsewhere between plan and write must be seen first; Vapi's import is nobody."""
    if time.monotonic() - session.snapshot.taken <= MAX_AGE:
        return
    before, after = settings(seen), settings(now)
    meant = {key: (desired[key] or "", imported.get(key)) for key in desired}
    moved = [key for key in desired if before[key] != after[key] and after[key] not in meant[key]]
    if moved and answers_today(now, desired):
        raise Stale(f"{address}: {', '.join(moved)} was edited since the plan", hint="Plan again.")


async def give_back(session: Session, operation: Operation) -> str:
    """Write back the settings that were found at take-over."""
    change = operation.change
    entry = session.entry(change.address)
    assert entry is not None
    twilio = session.accounts.of(NUMBER)
    live = await twilio.get(NUMBER, entry.id)
    if live is not None:
        current = settings(live)
        wanted = _settable({key: value for key, value in restored(entry).items() if current[key] != value})
        if wanted:
            intent = _intent_of(session, entry, "update", body=wanted)
            await session.begin(intent)
            await twilio.update(NUMBER, entry.id, wanted, live)
            await session.ledger.record_failed(intent.nonce)
    await session.ledger.record("", entry.address, None)
    return entry.id


async def release(session: Session, operation: Operation) -> str:
    """Give the number back to Twilio: only where the manifest said release: true."""
    entry = session.entry(operation.change.address)
    assert entry is not None
    intent = _intent_of(session, entry, "delete")
    await session.begin(intent)
    await session.accounts.of(NUMBER).delete(NUMBER, entry.id)
    await session.ledger.record(intent.nonce, entry.address, None)
    return entry.id


def _entry(session: Session, resource: Resource, sid: str, desired: dict[str, Any], prior: dict[str, Any]) -> Entry:
    depends = session.graph.dependencies(resource.address)
    return replace(new_entry(resource, sid, session.fingerprinted(desired), depends), prior=prior)


def _intent_of(
    session: Session,
    entry: Entry,
    action: str,
    *,
    body: dict[str, Any] | None = None,
    before: tuple[str, ...] = (),
) -> Intent:
    """A request about a number that is about to be sent; `entry` is what the state holds once it has worked."""
    return new_intent(session, action, entry, id_=entry.id, name=entry.name, body=body, before=before, entry=entry)


# The steps of a number, by the schedule's words.
STEPS = {"buy": buy, "claim": claim, "settings": set_up, "restore": give_back, "release": release}
