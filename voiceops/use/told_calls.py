"""The calls of a store that something is to be made of, each with what Vapi's own record says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from voiceops.apply.job import Job
from voiceops.calls.record import CallRecord
from voiceops.calls.store import CallFilter, CallStore
from voiceops.errors import NotFound, VoiceopsError
from voiceops.model.address import kind_of, owner_of
from voiceops.net.together import together
from voiceops.providers.http import Api
from voiceops.state.ledger import Ledger
from voiceops.testing.replay.conversation import left_out
from voiceops.use.calls_database import calls_database
from voiceops.use.load_project import Loaded, load
from voiceops.use.open_job import open_job
from voiceops.use.scope_and_terms import Scope, options_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsWanted:
    """Which calls: by their ids (or the first characters of them), or the newest of a time and of an agent.

    `since` in epoch seconds. `calls_of`: another environment, whose calls they are; "" is the one that is worked in,
    and for a preview the one that it is made of.
    """

    ids: tuple[str, ...] = ()
    since: float | None = None
    agent: str = ""
    calls: int = 50
    calls_of: str = ""
    database: str = ""


def source_of(loaded: Loaded, wanted: CallsWanted) -> Loaded:
    """The project in the environment whose calls they are. Raises InvalidProject."""
    project = loaded.project
    wanted_of = wanted.calls_of or project.base or project.environment
    return loaded if wanted_of == project.environment else load(project.root, wanted_of, loaded.context)


def kept_calls(source: Loaded, wanted: CallsWanted) -> list[CallRecord]:
    """The calls as the store has them, the newest first; what played in a test is none.

    Raises VoiceopsError: there are none, an id fits none, or several.
    """
    hint = "`voiceops calls sync` fetches them from Vapi; `voiceops calls` lists what is there."
    with calls_database(source, wanted.database) as found:
        if found is None:
            raise VoiceopsError(f"no calls of {source.project.environment} are kept here yet", hint=hint)
        store = CallStore(found)
        if wanted.ids:
            return [_one(store, id_, hint) for id_ in dict.fromkeys(wanted.ids)]
        listed = store.listed(CallFilter(since=wanted.since, agent=wanted.agent), wanted.calls)
    if not listed:
        raise VoiceopsError(f"there are no such calls of {source.project.environment}", hint=hint)
    return listed


def _one(store: CallStore, id_: str, hint: str) -> CallRecord:
    if (call := store.called(id_)) is None:
        raise VoiceopsError(f"there is no call {id_}", hint=hint)
    return call


@dataclass(frozen=True, slots=True)
class Answered:
    """The environment whose calls they are: its Vapi, and the manifests' addresses by live id."""

    api: Api
    addresses: Mapping[str, str]

    def target(self, call: CallRecord, told: Mapping[str, Any] | None) -> str:
        """The address of who was called: a squad where Vapi's record names one, else an agent."""
        found = told or {}
        if isinstance(id_ := found.get("squadId"), str):
            return self.addresses.get(id_) or f"Squad/{id_}"
        if isinstance(squad := found.get("squad"), dict):
            return f"Squad/{squad.get('name') or 'of the call alone'}"
        return f"Agent/{call.agent}"

    def asks(self, call: CallRecord) -> bool:
        """Is Vapi's own record of a call needed: what tools answered, and which squad it was that was called?"""
        squads = any(kind_of(address) == "Squad" for address in self.addresses.values())
        return bool(call.tools) or squads or not call.agent or len({turn.agent for turn in call.turns} - {""}) > 1


def addresses_of(ledger: Ledger) -> dict[str, str]:
    """The manifests of an environment by the ids of their live objects."""
    return {entry.id: owner_of(address) for address, entry in ledger.state.entries.items() if entry.id}


@asynccontextmanager
async def answered(source: Loaded, loaded: Loaded, job: Job) -> AsyncIterator[Answered]:
    """The environment whose calls they are, with its own key. Raises VoiceopsError, Refused, StateError."""
    if source is loaded:
        yield Answered(job.accounts.vapi.api, addresses_of(job.ledger))
        return
    async with open_job(source, options_of(source.project, Scope())) as theirs:
        yield Answered(theirs.accounts.vapi.api, addresses_of(theirs.ledger))


async def told_by_vapi(
    source: Answered, calls: Sequence[CallRecord], *, every: bool = False
) -> dict[str, Mapping[str, Any] | None]:
    """Vapi's own record of each call that needs it (`every`: of all), by id, for the moment: it is kept nowhere.

    None where there is none any more, and of a call of which nothing may be made. Raises ProviderError.
    """
    asked = [call for call in calls if every or source.asks(call)]
    return dict(zip((c.id for c in asked), await together(_told(source.api, c) for c in asked), strict=True))


async def _told(api: Api, call: CallRecord) -> Mapping[str, Any] | None:
    if left_out(call, needs_values=False, has_values=False):
        return None
    try:
        data = (await api.call("GET", f"/call/{call.id}")).data
    except NotFound:
        return None
    return data if isinstance(data, dict) else None
