"""Real calls again, with the agents of an environment as they are today."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from voiceops.calls.from_vapi import tool_values, variable_values
from voiceops.calls.record import CallRecord
from voiceops.errors import NotFound, ProviderError, Unauthorized, VoiceopsError
from voiceops.kinds.registry import LINES
from voiceops.model.address import owner_of
from voiceops.model.graph import reaching
from voiceops.net.together import together
from voiceops.providers.http import Api
from voiceops.state.ledger import Ledger
from voiceops.testing.outcome import TestCase, TestReport, TestResult
from voiceops.testing.replay.conversation import Conversation, conversation_of, left_out
from voiceops.testing.replay.harmless_agent import HarmlessAgent, harmless
from voiceops.testing.replay.play_back import attempt_of, play_back
from voiceops.testing.replay.playback import Playback
from voiceops.testing.replay.replay_cost import replay_cost
from voiceops.testing.replay.replayed import Replay, ReplayCost, ReplayedCall
from voiceops.testing.replay.vapi_chats import SETTLES, Chats
from voiceops.use.load_project import Loaded
from voiceops.use.open_job import open_job
from voiceops.use.scope_and_terms import Scope, options_of
from voiceops.use.told_calls import CallsWanted, api_of, kept_calls, source_of, told_by_vapi

AT_ONCE = 4  # calls that are had at the same time
_SPENT_AT_MOST = 2.0  # times the estimate, and a few cents
_FEW = 0.25
_CLEARING = 30.0  # seconds for deleting chats after Ctrl-C
_STOPPING = (401, 402, 403)  # Vapi answers every further chat so, too


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayWanted:
    """Which calls, and how."""

    calls: CallsWanted = field(default_factory=CallsWanted)
    repeat: int = 1
    min_pass: float = 1.0
    seconds: float | None = None  # that all of it may take


def _agreed(cost: ReplayCost) -> bool:
    return True


def _unheard(done: int, of: int) -> None:
    """Nobody watches."""


@dataclass(slots=True)
class _Rest:
    """Why nothing more is to be played, once something says so."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class _Item:
    call: CallRecord
    conversation: Conversation
    agent: HarmlessAgent


@dataclass(slots=True)
class _Chosen:
    items: list[_Item] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)


async def replay(
    loaded: Loaded,
    wanted: ReplayWanted,
    *,
    agree: Callable[[ReplayCost], bool] = _agreed,
    progress: Callable[[int, int], None] = _unheard,
) -> Replay:
    """Have real calls again with this environment's live agents, whose tools run nowhere meanwhile.

    `agree` hears what it probably costs before anything is sent; `progress` how many calls are done. Cancelled, it
    deletes the chats that it made first. Raises VoiceopsError: there are no calls, or nobody agreed; ProviderError,
    Refused, StateError.
    """
    began, started = time.monotonic(), datetime.now(UTC)
    source = source_of(loaded, wanted.calls)
    records = kept_calls(source, wanted.calls)
    async with open_job(loaded, options_of(loaded.project, Scope())) as job:
        api = job.accounts.vapi.api
        async with api_of(source, loaded, job) as theirs:
            chosen = await _chosen(records, job.ledger, api, theirs)
        if not chosen.items:
            raise VoiceopsError("no call can be replayed", hint=_reasons(chosen.left_out))
        cost = replay_cost(((i.conversation, i.agent) for i in chosen.items), loaded.checks.table, wanted.repeat)
        if not agree(cost):
            raise VoiceopsError("nothing was sent", hint="--yes replays without asking; --n takes fewer calls.")
        settle = loaded.context.settle
        name = f"voiceops-replay {uuid.uuid4().hex[:12]}"
        chats = Chats(api, name, settle=SETTLES if settle is None else settle)
        until = began + wanted.seconds if wanted.seconds else None
        try:
            played = await _all(chosen.items, chats, wanted, cost, until, progress)
        except BaseException:
            with suppress(TimeoutError):
                if await asyncio.wait_for(chats.clear(), _CLEARING):
                    loaded.context.on_wait(_may_be_left(chats))
            raise
        left = await chats.clear()
    calls = tuple(_replayed(loaded, item, rounds, wanted) for item, rounds in zip(chosen.items, played, strict=True))
    warnings = list(chosen.warnings)
    if left:
        warnings.append(_may_be_left(chats))
    return Replay(
        report=TestReport(
            environment=loaded.project.environment,
            started=started,
            seconds=time.monotonic() - began,
            results=tuple(call.result for call in calls),
            min_pass=wanted.min_pass,
            warnings=tuple(warnings),
        ),
        calls=calls,
        left_out=dict(chosen.left_out),
        estimate=cost,
        chats=chats.asked,
        cost=chats.spent or None,
        chats_left=left,
    )


async def _chosen(records: list[CallRecord], ledger: Ledger, api: Api, theirs: Api) -> _Chosen:
    """The calls that can be replayed, with today's agents, and why the others can't."""
    chosen = _Chosen()
    agents: dict[str, HarmlessAgent | str] = {}
    for name in sorted({call.agent for call in records}):
        agents[name] = await _agent(name, ledger, api)
        agent = agents[name]
        if isinstance(agent, HarmlessAgent) and agent.unseen:
            chosen.warnings.append(
                f"Agent/{name}: tools of type {', '.join(agent.unseen)} can't be offered in a replay"
            )
    asked = [call for call in records if _needs(call, agents[call.agent])]
    told = dict(zip((call.id for call in asked), await told_by_vapi(theirs, asked), strict=True))
    for call in records:
        data = told.get(call.id)
        agent = agents[call.agent]
        if isinstance(agent, str):
            chosen.left_out[agent] += 1
        elif why := left_out(call, needs_values=bool(call.tools), has_values=data is not None):
            chosen.left_out[why] += 1
        else:
            conversation = conversation_of(call, tool_values(data or {}), variable_values(data or {}))
            chosen.items.append(_Item(call, conversation, agent))
    return chosen


def _needs(call: CallRecord, agent: HarmlessAgent | str) -> bool:
    """Is Vapi's own record of the call needed: what tools answered, what prompts were filled with?"""
    return isinstance(agent, HarmlessAgent) and bool(call.tools or "{{" in agent.prompt)


async def _agent(name: str, ledger: Ledger, api: Api) -> HarmlessAgent | str:
    """The live agent of a manifest's name without effects, or why there is none. Raises ProviderError."""
    entry = ledger.state.entries.get(f"Agent/{name}")
    if entry is None or not entry.id:
        return f"their agent ({name or 'none is known'}) is not applied in this environment"
    try:
        body: Mapping[str, Any] = (await api.call("GET", f"/assistant/{entry.id}")).data
        ids = (body.get("model") or {}).get("toolIds") or ()
        tools = [(await api.call("GET", f"/tool/{id_}")).data for id_ in ids]
    except NotFound:
        return f"their agent ({name}), or a tool of it, is not live any more"
    try:
        return harmless(body, tools)
    except ValueError as error:
        return f"their agent ({name}) can't be asked in a chat: {error}"


async def _all(
    items: list[_Item],
    chats: Chats,
    wanted: ReplayWanted,
    cost: ReplayCost,
    until: float | None,
    progress: Callable[[int, int], None],
) -> list[tuple[Playback, ...]]:
    turns, rest, done = asyncio.Semaphore(AT_ONCE), _Rest(), 0

    async def one(item: _Item) -> tuple[Playback, ...]:
        nonlocal done
        async with turns:
            rounds = [await _played(item, chats, rest, until, cost) for _ in range(wanted.repeat)]
        done += 1
        progress(done, len(items))
        return tuple(rounds)

    return await together(one(item) for item in items)


async def _played(item: _Item, chats: Chats, rest: _Rest, until: float | None, cost: ReplayCost) -> Playback:
    """One round of a call; what can't be had says why."""
    if not rest.why and until is not None and time.monotonic() > until:
        rest.why = "the time was over"
    if not rest.why and chats.spent > cost.money * _SPENT_AT_MOST + _FEW:
        rest.why = f"it had cost ${chats.spent:.2f} by then, and was estimated at ${cost.money:.2f}"
    if rest.why:
        return Playback(answers=(), error=rest.why)
    try:
        async with asyncio.timeout_at(
            None if until is None else asyncio.get_running_loop().time() + until - time.monotonic()
        ):
            return await play_back(item.conversation, item.agent, chats.ask)
    except TimeoutError:
        rest.why = rest.why or "the time was over"
        return Playback(answers=(), error=rest.why)
    except ProviderError as error:
        if isinstance(error, Unauthorized) or error.status in _STOPPING:
            rest.why = str(error)
        return Playback(answers=(), error=str(error))


def _may_be_left(chats: Chats) -> str:
    return f"chats whose names begin with '{chats.name}' may be left at Vapi: they hold what callers said"


def _replayed(loaded: Loaded, item: _Item, rounds: tuple[Playback, ...], wanted: ReplayWanted) -> ReplayedCall:
    address = f"Agent/{item.call.agent}"
    resource = loaded.graph.resources.get(address)
    reached = reaching(loaded.graph.edges, *LINES).get(address, ())
    case = TestCase(
        name=item.call.id,
        kind="replay",
        agents=(address,),
        agent_at=str(resource.mark) if resource is not None else "",
        lines=tuple(dict.fromkeys(owner_of(line) for line in reached)),
    )
    attempts = tuple(attempt_of(one) for one in rounds)
    return ReplayedCall(
        conversation=item.conversation,
        result=TestResult(case, attempts, wanted.min_pass),
        played=rounds,
        began=item.call.began,
    )


def _reasons(left_out_: Mapping[str, int]) -> str:
    return "; ".join(f"{n} calls: {why}" for why, n in sorted(left_out_.items(), key=lambda item: -item[1])) + "."
