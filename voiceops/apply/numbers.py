"""The steps on a Twilio number: buying, taking over, setting, giving back. Its own resource is written, never
the collection, except to buy."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from voiceops.apply.apply_events import Event
from voiceops.apply.creating import look_for
from voiceops.apply.recording import new_entry, new_intent
from voiceops.apply.reread import MAX_AGE
from voiceops.apply.session import Session
from voiceops.engine.lines.twilio_number import answers_today, restored, settings
from voiceops.engine.ordering.schedule import Operation
from voiceops.errors import Ambiguous, ProviderError, Stale
from voiceops.kinds.phone import IMPORTED, NUMBER, TWILIO_STICKY, TWILIO_TYPE
from voiceops.model.address import owner_of, twilio_side
from voiceops.model.graph import Resource
from voiceops.model.live import SEND_WINDOW
from voiceops.model.state import Entry, Intent
from voiceops.model.values import Path, digest


def _number(session: Session, resource: Resource) -> dict[str, Any] | None:
    return next(
        (o for o in session.snapshot.all(TWILIO_TYPE).values() if o.get("phone_number") == resource.name),
        None,
    )


async def buy(session: Session, operation: Operation) -> str:
    """Buy the number, once: an unanswered purchase is looked up by its number."""
    resource = session.graph.resources[operation.change.address]
    assert resource.name is not None
    entry = _entry(session, resource, "", {}, prior={})
    lost = session.entry(resource.address)  # a number that is bought again: what Vapi's import wrote is known
    entry = replace(entry, imported=lost.imported if lost is not None and lost.name == resource.name else None)
    before = tuple(sorted(session.snapshot.all(TWILIO_TYPE)))
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
    """Write down what answers a number before the import into Vapi rewrites it: nothing live is changed yet."""
    resource = session.graph.resources[operation.change.address]
    live = _number(session, resource)
    if live is not None and time.monotonic() - session.snapshot.taken > MAX_AGE:
        live = await session.accounts.of(NUMBER).get(NUMBER, str(live["sid"]))
    if live is None:
        raise Stale(f"{resource.address}: the account no longer has {resource.name}", hint="Plan again.")
    entry = _entry(session, resource, str(live["sid"]), {}, prior=settings(live))
    await session.ledger.record("", resource.address, entry)
    return entry.id


async def set_up(session: Session, operation: Operation) -> str:
    """Write the voice settings that differ, after the import into Vapi, and record who answers the number now."""
    change = operation.change
    resource = session.graph.resources[change.address]
    twilio = session.accounts.of(NUMBER)
    entry = session.entry(change.previous_address or change.address)
    if entry is not None and entry.name != resource.name:
        entry = None
    found = _number(session, resource)
    sid = entry.id if entry else (found or {}).get("sid")
    if not sid:
        raise Stale(f"{resource.address}: the account no longer has {resource.name}", hint="Plan again.")
    live = await twilio.get(NUMBER, str(sid))
    if live is None:
        raise Stale(f"{resource.address}: the account no longer has {resource.name}", hint="Plan again.")
    prior = _prior(session, entry, found, live)
    imported = _imported(session, resource, entry, live)
    desired = {key: value if isinstance(value, str) else imported[key] for key, value in resource.body.items()}
    if entry is not None and found is not None:
        _check_unmoved(session, change.address, entry, found, live, desired, imported)
    current = settings(live)
    wanted = _settable({key: value for key, value in desired.items() if (value or "") != current[key]})
    for key in entry.owned if entry else {}:
        if key not in desired and key not in TWILIO_STICKY and current.get(key):
            wanted[key] = ""
    record = replace(_entry(session, resource, str(sid), desired, prior=prior), imported=imported)
    nonce = ""
    if wanted:
        session.overwritten[resource.address] = {key: current[key] for key in wanted}
        intent = _intent_of(session, record, "update", body=wanted)
        nonce = intent.nonce
        await session.begin(intent)
        live, _ = await twilio.update(NUMBER, str(sid), wanted, live)
        for key, value in wanted.items():
            if (settings(live)[key] or "") != (value or ""):
                session.emit(
                    Event(
                        type="warning",
                        address=resource.address,
                        message=f"Twilio did not keep {key}: it answers {settings(live)[key]!r}",
                    )
                )
    stored: dict[Path, str] = {
        (key,): settings(live)[key] for key, value in desired.items() if (value or "") != settings(live)[key]
    }
    record = replace(
        record,
        stored=stored,
        digest=digest(settings(live)),
        updated_at=str(live.get("date_updated") or ""),
        recorded_at=session.accounts.date,
    )
    if entry is not None and entry.address != record.address:
        await session.ledger.record("", entry.address, None)
    await session.ledger.record(nonce, resource.address, record)
    return str(sid)


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
    kept = replace(
        entry, digest=digest(settings(live)), updated_at=str(live.get("date_updated") or ""), recorded_at=date
    )
    await session.ledger.record(intent.nonce, entry.address, kept)


def _settable(values: dict[str, Any]) -> dict[str, Any]:
    """Without what can't be cleared, only replaced."""
    return {key: value for key, value in values.items() if value or key not in TWILIO_STICKY}


def _prior(session: Session, entry: Entry | None, found: dict[str, Any] | None, live: dict[str, Any]) -> dict[str, str]:
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
    entry: Entry,
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
