"""The calls: listed, shown, fetched from Vapi's list, and forgotten."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from voiceops.calls.call_names import Names, named
from voiceops.calls.from_vapi import call_of
from voiceops.calls.in_force import InForce, manifests_in_force
from voiceops.calls.record import CallRecord
from voiceops.calls.store import CallFilter, CallStore
from voiceops.errors import StateError, VoiceopsError
from voiceops.model.graph import Graph
from voiceops.model.instants import to_millisecond
from voiceops.outbound.batches_over import drop_old_batches
from voiceops.outbound.claims import Claims
from voiceops.outbound.order import person_in
from voiceops.outbound.phone_facts import as_e164
from voiceops.providers.call_pages import call_pages
from voiceops.providers.http import Api
from voiceops.use.calls_database import calls_database, names_of
from voiceops.use.load_project import Loaded
from voiceops.use.open_job import open_job
from voiceops.use.open_state import open_ledger
from voiceops.use.opened import Opened
from voiceops.use.runtime_queue import DATABASE
from voiceops.use.scope_and_terms import Scope, options_of

_AGAIN = 86_400.0  # seconds before the last fetch that are fetched again: calls that were under way have ended since
_SYNCED = "synced"
_KNOWN_AS = re.compile(r"sips?:[^\s@]+@[^\s@]+\Z|.{0,20}#[0-9a-f]{32}\Z")  # what a caller may be known as: no number
_SHORT = re.compile(r"\d{3,15}\Z")  # an extension, or a number as its carrier sends it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a fetch brought: how many calls Vapi's list told of, and how many of them were new or had changed."""

    told: int
    changed: int
    since: float | None  # epoch seconds from which they were asked for; None: all


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How many calls were deleted, and how many times a batch still has to know the number: its call is not over."""

    calls: int
    claims_left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCall:
    """A call, with the manifests that were in force when it began: of the agents that spoke, and of the tools that ran.

    `in_force` is empty where no revision is known; `unread` says why, where it could not be read.
    """

    call: CallRecord
    in_force: InForce
    unread: str = ""


async def list_calls(
    opened: Opened, wanted: CallFilter, *, limit: int = 50, database: str = ""
) -> list[CallRecord] | None:
    """The newest calls first. None: no calls were ever kept here. Raises VoiceopsError, Refused."""
    with calls_database(opened, database) as found:
        return None if found is None else CallStore(found).listed(wanted, limit)


async def show_call(opened: Opened, id_: str, *, database: str = "") -> ShownCall:
    """One call, by its id or the first characters of it.

    Raises VoiceopsError: there is none, or several ids begin so; Refused.
    """
    with calls_database(opened, database) as found:
        call = CallStore(found).called(id_) if found is not None else None
    if call is None:
        raise VoiceopsError(f"there is no call {id_}", hint="See `voiceops calls`; `voiceops calls sync` fetches more.")
    try:
        return ShownCall(call=call, in_force=await _in_force(opened, call))
    except StateError as error:
        return ShownCall(call=call, in_force=InForce(), unread=error.summary)


async def _in_force(opened: Opened, call: CallRecord) -> InForce:
    if call.revision is None:
        return InForce()
    async with open_ledger(opened) as ledger:
        revision = await ledger.store.revision(call.revision)
        entries = ledger.state.entries
    if revision is None:
        return InForce()
    ids = {entry.id: address for address, entry in entries.items()}
    ids |= {str(change["id"]): change["address"] for change in revision["plan"]["resource_changes"] if change["id"]}
    return manifests_in_force(call, Graph.from_data(revision["graph"]), ids)


async def sync_calls(
    loaded: Loaded,
    *,
    since: float | None = None,
    until: float | None = None,
    database: str = "",
) -> Fetched:
    """Fetch what Vapi's list has, and keep it beside what the runtime told.

    `since` and `until` in epoch seconds; without `since` from a day before the last fetch on, the first time all. What
    was read is kept, whatever happens afterwards. Raises ProviderError, VoiceopsError, Refused, StateError.
    """
    with calls_database(loaded, database, make=True) as found:
        assert found is not None
        store = CallStore(found, loaded.project.privacy)
        begun = time.time()
        if since is None and (last := store.fact(_SYNCED)):
            since = float(last) - _AGAIN
        async with open_job(loaded, options_of(loaded.project, Scope())) as job:
            names = await names_of(job.ledger)
            count, changed = await fetch(store, job.accounts.vapi.api, names, since=since, until=until)
        store.apply_privacy(begun)
        drop_old_batches(found, loaded.project.privacy, begun)
        if until is None:
            store.note(_SYNCED, str(begun))
    return Fetched(told=count, changed=changed, since=since)


async def fetch(
    store: CallStore,
    api: Api,
    names: Names,
    *,
    since: float | None = None,
    until: float | None = None,
) -> tuple[int, int]:
    """Keep what Vapi's list has of this time: how many calls it told of, how many of them were new or had changed.

    Raises ProviderError; what was read until then is kept.
    """
    count = changed = 0
    async for page in call_pages(api, _iso(since), _iso(until)):
        calls = [named(call, names) for item in page if (call := call_of(item)) is not None]
        changed += store.keep(calls)
        count += len(page)
    return count, changed


async def forget_caller(opened: Opened, number: str, *, database: str = "") -> Forgotten:
    """Delete every call of this number here, for good, and who called it in which batch.

    The number may be written as people write it; a SIP URI, and the digest that is kept in a number's place, count as
    they stand. Raises VoiceopsError: it is none of these, or the database that is named is not there; Refused.
    """
    with calls_database(opened, database, make=not (database or opened.environ.get(DATABASE))) as found:
        assert found is not None
        store, claims = CallStore(found), Claims(found)
        claims.prepare()
        whole = _caller(store, number.strip())
        calls = store.forget(whole)
        environment = opened.project.environment
        keys = [store.digest(person_in(environment, batch, whole)) for batch in claims.batches()]
        return Forgotten(calls=calls, claims_left=claims.forget(keys, time.time()))


def _caller(store: CallStore, given: str) -> str:
    """The number as calls have it. Raises VoiceopsError: whatever tells of it would be deleted, so it must be one."""
    number, problem = as_e164(given)
    if number or _KNOWN_AS.match(given) or (_SHORT.match(given) and store.has_caller(given)):
        return number or given
    raise VoiceopsError(
        f"{given!r} {problem}", hint="`voiceops calls --numbers` shows callers' numbers as they are kept."
    )


def _iso(at: float | None) -> str:
    return "" if at is None else to_millisecond(max(0.0, at))
