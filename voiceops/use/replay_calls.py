"""Real calls again, with the agents of an environment as they are today."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from voiceops.errors import ProviderError, Unauthorized, VoiceopsError
from voiceops.kinds.registry import LINES
from voiceops.model.address import owner_of
from voiceops.model.graph import reaching
from voiceops.model.wording import many
from voiceops.net.together import together
from voiceops.testing.outcome import TestCase, TestReport, TestResult
from voiceops.testing.replay.play_back import attempt_of, play_back
from voiceops.testing.replay.playback import Playback
from voiceops.testing.replay.replay_cost import replay_cost
from voiceops.testing.replay.replayed import Replay, ReplayCost, ReplayedCall
from voiceops.testing.replay.vapi_chats import SETTLES, Chats
from voiceops.use.calls_to_replay import ReplayItem, calls_to_replay
from voiceops.use.known_tests import with_lines
from voiceops.use.load_project import Loaded
from voiceops.use.open_job import open_job
from voiceops.use.scope_and_terms import Scope, options_of
from voiceops.use.told_calls import CallsWanted, answered, kept_calls, source_of

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
        async with answered(source, loaded, job) as theirs:
            chosen = await calls_to_replay(records, job.ledger, api, theirs)
        if not chosen.items:
            raise VoiceopsError("no call can be replayed", hint=_reasons(chosen.left_out))
        cost = replay_cost(((i.conversation, i.who) for i in chosen.items), loaded.checks.table, wanted.repeat)
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
    lines = reaching(with_lines(loaded).graph.edges, *LINES)
    calls = tuple(
        _replayed(loaded, item, rounds, wanted, lines) for item, rounds in zip(chosen.items, played, strict=True)
    )
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


async def _all(
    items: list[ReplayItem],
    chats: Chats,
    wanted: ReplayWanted,
    cost: ReplayCost,
    until: float | None,
    progress: Callable[[int, int], None],
) -> list[tuple[Playback, ...]]:
    turns, rest, done = asyncio.Semaphore(AT_ONCE), _Rest(), 0

    async def one(item: ReplayItem) -> tuple[Playback, ...]:
        nonlocal done
        async with turns:
            rounds = [await _played(item, chats, rest, until, cost) for _ in range(wanted.repeat)]
        done += 1
        progress(done, len(items))
        return tuple(rounds)

    return await together(one(item) for item in items)


async def _played(item: ReplayItem, chats: Chats, rest: _Rest, until: float | None, cost: ReplayCost) -> Playback:
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
            return await play_back(item.conversation, item.who, chats.ask)
    except TimeoutError:
        rest.why = rest.why or "the time was over"
        return Playback(answers=(), error=rest.why)
    except ProviderError as error:
        if isinstance(error, Unauthorized) or error.status in _STOPPING:
            rest.why = str(error)
        return Playback(answers=(), error=str(error))


def _may_be_left(chats: Chats) -> str:
    return f"chats whose names begin with '{chats.name}' may be left at Vapi: they hold what callers said"


def _replayed(
    loaded: Loaded,
    item: ReplayItem,
    rounds: tuple[Playback, ...],
    wanted: ReplayWanted,
    lines: Mapping[str, Sequence[str]],
) -> ReplayedCall:
    shown = next((one for one in rounds if one.differences), None)
    at = shown.differences[0].turn if shown is not None else 0
    speaker = shown.answers[at].by if shown is not None and at < len(shown.answers) else ""
    resource = loaded.graph.resources.get(speaker) or loaded.graph.resources.get(item.target)
    case = TestCase(
        name=item.call.id,
        kind="replay",
        agents=(item.target,),
        agent_at=str(resource.mark) if resource is not None else "",
        lines=tuple(dict.fromkeys(owner_of(line) for line in lines.get(item.target, ()))),
    )
    attempts = tuple(attempt_of(one) for one in rounds)
    return ReplayedCall(
        conversation=item.conversation,
        result=TestResult(case, attempts, wanted.min_pass),
        played=rounds,
        began=item.call.began,
    )


def _reasons(left_out_: Mapping[str, int]) -> str:
    return (
        "; ".join(f"{many(n, 'call')}: {why}" for why, n in sorted(left_out_.items(), key=lambda item: -item[1])) + "."
    )
