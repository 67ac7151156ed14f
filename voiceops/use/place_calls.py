"""Calls to people, made: each is claimed in the store before it is sent, and what was lost is looked for at Vapi.

A claim changes hands only in the store. What was claimed and not settled (a process that died, an answer that got
lost) is taken over, looked for in Vapi's list by its mark and by the number, and sent again only where Vapi has no call
that it could be.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.calls.from_vapi import call_of
from voiceops.calls.record import CallRecord
from voiceops.errors import Ambiguous, NotFound, NotSent, ProviderError, Rejected, Unauthorized
from voiceops.model.instants import to_millisecond
from voiceops.outbound.call_result import CallResult
from voiceops.outbound.claims import CallBounds, CallClaim, Claiming, Claims
from voiceops.outbound.order import CallOrder, call_body, goes_to, has_no_slot, mark_in, rang
from voiceops.outbound.phone_facts import facts_of
from voiceops.outbound.planned_call import LASTING, PlannedCall, Rules, Spacing, spaced, with_opening
from voiceops.providers.http import Api
from voiceops.providers.outgoing_calls import MadeCall, calls_since, make_call, one_call
from voiceops.use.calls_database import calls_database
from voiceops.use.load_project import Loaded
from voiceops.use.open_job import open_job
from voiceops.use.plan_calls import CallPlan
from voiceops.use.scope_and_terms import Scope, options_of

SEND_WITHIN = 30.0  # seconds after its claim in which a call is sent, or not at all
UNDER_WAY = 120.0  # seconds after which a claim that nobody settled is nobody's: by then a request has ended
SETTLED = 15.0  # seconds after a lost answer by which Vapi's list shows the call, if there is one
_SKEW = 3600.0  # seconds by which the vendor's clock and ours may differ
_DAY = 86_400.0
_AT_ONCE = 8  # requests
_FIRST_LOOK, _LONGEST_WAIT = 1.0, 10.0  # seconds between two looks at calls under way
_TRIES = 3  # of one call in one run
_SLOT_TRIES = 30  # of one that the account has no slot for


@dataclass(slots=True)
class Placing:
    """How a run is going. `told` hears of each person once, `ended` of calls that are over, as far as they are watched,
    `noted` of what is waited for; `stop` ends it after what is under way."""

    told: Callable[[CallResult], None] = lambda _: None
    ended: Callable[[CallResult], None] = lambda _: None
    noted: Callable[[str], None] = lambda _: None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    follow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What came of each, in the order of the plan. `broken`: from some time on nothing could be sent, and why."""

    results: tuple[CallResult, ...]
    broken: ProviderError | None = None


async def make_calls(loaded: Loaded, plan: CallPlan, placing: Placing | None = None) -> Placed:
    """Make the calls, and keep what comes of each. Raises StateError, Refused, VoiceopsError; ProviderError where Vapi
    can't tell of calls whose answer was lost: they stay as they are, and nothing of them is sent."""
    placing = placing or Placing()
    with calls_database(loaded, plan.database, make=True) as found:
        assert found is not None
        claims = Claims(found)
        claims.prepare()
        async with open_job(loaded, options_of(loaded.project, Scope())) as job:
            settle = loaded.context.settle
            run = _Run(
                plan=plan,
                placing=placing,
                claims=claims,
                api=job.accounts.vapi.api,
                under_way=UNDER_WAY if settle is None else settle,
                settled=SETTLED if settle is None else settle,
                pace=loaded.context.pace,
            )
            return await run.all()


@dataclass(slots=True, kw_only=True)
class _Run:
    plan: CallPlan
    placing: Placing
    claims: Claims
    api: Api
    under_way: float
    settled: float
    pace: float
    results: dict[int, CallResult] = field(default_factory=dict)
    tries: dict[int, int] = field(default_factory=dict)
    spacing: Spacing | None = None  # of calls whose hours ended before their turn
    broken: ProviderError | None = None  # nothing can be sent any more
    full_until: float = 0.0  # the account has no slot left; monotonic seconds

    async def all(self) -> Placed:
        """Everybody whose turn it is, then those that are to be looked for, until nobody is left."""
        await self._check_placed()
        calls = self.plan.calls
        for n, call in enumerate(calls):
            if call.step in ("not", "done"):
                self._tell(n, _without(call))
        await self._found_elsewhere()
        waiting = deque(
            [n for n, call in enumerate(calls) if call.step == "later" and n not in self.results]
            + [n for n, call in enumerate(calls) if call.step == "call" and n not in self.results]
        )
        lost = {n: call.claim for n, call in enumerate(calls) if call.step == "look" and n not in self.results}
        while (waiting or lost) and not self._stopped:
            lost |= await self._send_all(waiting)
            if lost and not self._stopped:
                waiting += await self._look_for(lost)
                lost = {}
        for n, claim in lost.items():
            self._tell(n, self._unclear(n, claim))
        for n, call in enumerate(calls):
            if n not in self.results:
                self._tell(n, CallResult(plan=call, result="left", reason=self._why_left()))
        if self.placing.follow:
            await self._follow()
        return Placed(results=tuple(self.results[n] for n in range(len(calls))), broken=self.broken)

    @property
    def _stopped(self) -> bool:
        return self.placing.stop.is_set() or self.broken is not None

    def _why_left(self) -> str:
        return str(self.broken) if self.broken is not None else "stopped before its turn"

    def _tell(self, n: int, result: CallResult) -> None:
        self.results[n] = result
        self.placing.told(result)

    def _unclear(self, n: int, claim: CallClaim | None) -> CallResult:
        call = self.plan.calls[n]
        why = "cut off before it was known whether there is a call: run it again"
        return CallResult(plan=call, result="unclear", reason=why, at=claim.at if claim else None)

    # Sending

    async def _send_all(self, waiting: deque[int]) -> dict[int, CallClaim | None]:
        """Send what waits, a few at once; those whose answer was lost."""
        lost: dict[int, CallClaim | None] = {}
        running: set[asyncio.Task[None]] = set()
        try:
            while waiting and not self._stopped:
                if len(running) >= _AT_ONCE:  # before the claim: what is claimed is sent at once
                    running = await _some_of(running)
                n = waiting.popleft()
                claimed = await self._claimed(n, waiting)
                if claimed is not None:
                    running.add(asyncio.create_task(self._send(n, claimed, waiting, lost)))
                while running and not waiting:  # one of them may come back
                    running = await _some_of(running)
        finally:
            if running:  # whatever happens: what is being sent is finished, and written down
                await asyncio.wait(running)
        for task in running:
            task.result()
        return lost

    async def _claimed(self, n: int, waiting: deque[int]) -> CallClaim | None:
        """The claim of a call whose turn it is; None: it is not to be made now, which is told."""
        wait = _FIRST_LOOK
        while not self._stopped:
            now = time.time()
            call = self._at(n, now)
            if call.step == "not":
                self._tell(n, _without(call))
                return None
            due = call.opening.start if call.step == "later" and call.opening is not None else 0.0
            full = not due and time.monotonic() < self.full_until
            if not full:
                asked = self._asked(call, now, due)
                if asked.mine is not None:
                    self._replan(n, call)
                    return asked.mine
                if asked.claim is not None:
                    self._tell(n, _of_another(call, asked.claim))
                    return None
                if not asked.full:
                    await self._sleep(min(asked.wait, 5.0))
                    continue
            if await self._is_room():
                wait = _FIRST_LOOK
                continue
            self.placing.noted(f"As many calls as may be are under way; {len(waiting) + 1} wait.")
            await self._sleep(wait)
            wait = min(_LONGEST_WAIT, wait * 1.5)
        waiting.appendleft(n)
        return None

    def _asked(self, call: PlannedCall, now: float, due: float) -> Claiming:
        calling = self.plan.rules.calling
        bounds = CallBounds(per_minute=calling.per_minute, at_once=calling.max_concurrent)
        before = call.claim if call.claim is not None and call.claim.state == "refused" else None
        token = secrets.token_hex(8)
        return self.claims.claim(call.key, self.plan.batch, token, now, None if due else bounds, known=before, due=due)

    def _at(self, n: int, now: float) -> PlannedCall:
        """The call now that its turn has come; one whose hours have ended meanwhile gets a time of its own."""
        known = self.plan.calls[n]
        call = _at(known, self.plan.rules, now)
        if call.step != "later" or call is known or self.plan.single:
            return call
        if self.spacing is None:
            self.spacing = Spacing(self.plan.rules.calling, self.claims.due_after(now))
        return spaced(call, self.plan.rules, self.spacing)

    def _replan(self, n: int, call: PlannedCall) -> None:
        calls = list(self.plan.calls)
        calls[n] = call
        self.plan = replace(self.plan, calls=tuple(calls))

    async def _send(self, n: int, claim: CallClaim, waiting: deque[int], lost: dict[int, CallClaim | None]) -> None:
        """Send one claimed call, and write down what came of it."""
        call = self.plan.calls[n]
        later = call.opening if claim.due else None
        person = call.person
        order = CallOrder(number=person.number, name=person.name, variables={**self.plan.variables, **person.variables})
        body = call_body(order, self.plan.caller, _shown_batch(self.plan), call.mark, later)
        try:
            if time.time() - claim.at > SEND_WITHIN or time.time() < claim.at - 1:
                raise NotSent("the machine slept between the claim and the call")
            made = await make_call(self.api, body, time.monotonic() + SEND_WITHIN)
        except Ambiguous as error:
            lost[n] = self.claims.lose(claim, time.time(), str(error))
        except NotSent:
            self.claims.release(call.key, claim.token)
            self._again(n, waiting, "Vapi let it wait for too long: run it again")
        except ProviderError as error:
            self._refused(n, claim, error)
        else:
            self._made(n, claim, made, waiting)

    def _made(self, n: int, claim: CallClaim, made: MadeCall, waiting: deque[int]) -> None:
        call, id_ = self.plan.calls[n], str(made.call["id"])
        reason = str(made.call.get("endedReason") or "")
        if made.full:
            self.full_until = time.monotonic() + _LONGEST_WAIT * self.pace
        if has_no_slot(made.call):
            self.full_until = time.monotonic() + _LONGEST_WAIT * self.pace
            self.claims.release(call.key, claim.token)
            self._again(n, waiting, "the account had no slot for another call: run it again", _SLOT_TRIES)
            return
        if not rang(made.call):
            self.claims.settle(call.key, claim.token, "refused", call=id_, reason=reason)
            self._tell(n, CallResult(plan=call, result="refused", call=id_, at=claim.at, reason=reason))
            return
        self.claims.settle(call.key, claim.token, "placed", call=id_)
        self._tell(
            n,
            CallResult(plan=call, result="scheduled" if claim.due else "called", call=id_, at=claim.due or claim.at),
        )

    def _refused(self, n: int, claim: CallClaim, error: ProviderError) -> None:
        """Vapi said no to this one; or to everything, or nothing can be sent at all: then it is as if never claimed."""
        call = self.plan.calls[n]
        of_this_one = isinstance(error, Rejected) or (
            400 <= error.status < 500 and not isinstance(error, Unauthorized) and error.status not in (408, 429)
        )
        if not of_this_one:
            self.claims.release(call.key, claim.token)
            self.broken = error
            return
        self.claims.settle(call.key, claim.token, "refused", reason=str(error))
        self._tell(n, CallResult(plan=call, result="refused", at=claim.at, reason=str(error)))

    def _again(self, n: int, waiting: deque[int], why: str, most: int = _TRIES) -> None:
        self.tries[n] = self.tries.get(n, 0) + 1
        if self.tries[n] < most:
            waiting.append(n)
        else:
            self._tell(n, CallResult(plan=self.plan.calls[n], result="left", reason=why))

    # Looking for what was lost

    async def _found_elsewhere(self) -> None:
        """A batch of which this store knows nothing may have been begun on another machine, within the last day."""
        calls = self.plan.calls
        if self.plan.single or any(call.claim is not None for call in calls):
            return
        wanted = {call.mark: n for n, call in enumerate(calls) if call.step in ("call", "later")}
        if not wanted:
            return
        for found in await calls_since(self.api, to_millisecond(time.time() - _DAY), self.plan.caller.line_id):
            n = wanted.get(mark_in(found))
            if n is None or n in self.results or not rang(found):
                continue
            call, token = calls[n], secrets.token_hex(8)
            if self.claims.claim(call.key, self.plan.batch, token, time.time(), None).mine is not None:
                self.claims.settle(call.key, token, "placed", call=str(found["id"]))
            self._tell(
                n, CallResult(plan=call, result="done", call=str(found["id"]), reason="called before, from elsewhere")
            )

    async def _check_placed(self) -> None:
        """Of those whom an earlier run called: calls that never began are to be made again."""
        calls, now = self.plan.calls, time.time()
        placed = {
            claim.call: n
            for n, call in enumerate(calls)
            if (claim := call.claim) is not None and call.step == "done" and claim.state == "placed"
            if not claim.ended and claim.due < now and claim.at > now - _DAY
        }
        if not placed or self.plan.single:
            return
        oldest = min(claim.at for n in placed.values() if (claim := calls[n].claim) is not None)
        for live in await calls_since(self.api, to_millisecond(oldest - _SKEW)):
            n = placed.get(str(live["id"]), -1)
            if n < 0 or live.get("status") != "ended":
                continue
            self.claims.ended([str(live["id"])])
            if not rang(live):
                self.claims.not_started(str(live["id"]), str(live.get("endedReason")))
                fresh = self.claims.of([calls[n].key]).get(calls[n].key)
                again = replace(calls[n], step="call", claim=fresh, reason="", meant=False)
                self._replan(n, with_opening(again, replace(self.plan.rules, now=now), facts_of(again.person.number)))

    async def _look_for(self, lost: Mapping[int, CallClaim | None]) -> deque[int]:
        """Look for calls whose answer nobody has, once Vapi's list shows them; those that are to be sent again."""
        mine: dict[int, CallClaim] = {}
        for n, claim in sorted(lost.items(), key=lambda item: item[1].at if item[1] else 0.0):
            if claim is None or not await self._ripe(n, claim, len(lost)):
                self._tell(n, self._unclear(n, claim))
                continue
            call, token, now = self.plan.calls[n], secrets.token_hex(8), time.time()
            asked = self.claims.claim(call.key, self.plan.batch, token, now, None, known=claim, due=claim.due)
            if asked.mine is not None:
                mine[n] = asked.mine
            else:
                self._tell(n, _of_another(call, asked.claim))
        if not mine:
            return deque()
        listed = await calls_since(self.api, to_millisecond(min(claim.since for claim in mine.values()) - _SKEW))
        again: deque[int] = deque()
        for n, claim in mine.items():
            call = self.plan.calls[n]
            match _found(listed, call):
                case "", "":
                    self.claims.release(call.key, claim.token)
                    self._replan(n, replace(call, claim=None))
                    self._again(n, again, "Vapi's answer was lost again and again, and there is no call: run it again")
                case id_, "":
                    self.claims.settle(call.key, claim.token, "placed", call=id_)
                    result = CallResult(
                        plan=call, result="scheduled" if claim.due else "called", call=id_, at=claim.due or claim.at
                    )
                    self._tell(n, replace(result, reason="its answer was lost; it was found at Vapi"))
                case id_, why:
                    self.claims.settle(call.key, claim.token, "unclear", call=id_, reason=why)
                    self._tell(n, CallResult(plan=call, result="unclear", call=id_, at=claim.at, reason=why))
        return again

    async def _ripe(self, n: int, claim: CallClaim, count: int) -> bool:
        """Wait until the claim is old enough to be looked into, or is not as it was any more: another run that was at
        it has written down what came of it. False: stopped before."""
        key = self.plan.calls[n].key
        until = claim.at + (self.under_way if claim.state == "sending" else self.settled)
        if (left := until - time.time()) > 1:
            self.placing.noted(f"Waiting {left:.0f} s until Vapi's list can tell of {count} whose answer was lost.")
        while (left := until - time.time()) > 0 and not self._stopped and self.claims.of([key]).get(key) == claim:
            await self._sleep(min(left, _FIRST_LOOK))
        return not self._stopped

    # What is under way

    async def _is_room(self) -> bool:
        """Ask Vapi whether calls under way are over; is there room again?"""
        if await self._look_at(self.claims.under_way(time.time())):
            self.full_until = 0.0
            return True
        return False

    async def _look_at(self, running: Sequence[str]) -> int:
        """Ask how the calls that run longest stand, a few at a time; how many of them are over."""
        over = 0
        for id_ in running[:_AT_ONCE]:
            try:
                live = await one_call(self.api, id_)
            except NotFound:
                live = {"id": id_, "status": "ended"}
            if live.get("status") != "ended":
                continue
            over += 1
            self.claims.ended([id_])
            for n, result in list(self.results.items()):
                if result.call == id_:
                    self._ended(n, result, live)
        return over

    def _ended(self, n: int, result: CallResult, live: Mapping[str, Any]) -> None:
        known = call_of(live)
        if known is None:
            return
        result = replace(result, ended=known.reason or "ended", seconds=known.duration, cost=known.cost)
        if not rang(live):
            self.claims.not_started(result.call, known.reason)
            result = replace(result, result="refused", reason=known.reason)
        self.results[n] = result
        self.placing.ended(result)

    async def _follow(self) -> None:
        """Until all calls that were made now are over."""
        wait = _FIRST_LOOK
        while not self.placing.stop.is_set():
            running = [r.call for r in self.results.values() if r.result == "called" and r.call and not r.ended]
            if not running:
                return
            await self._sleep(wait)
            wait = _FIRST_LOOK if await self._look_at(running) else min(_LONGEST_WAIT, wait * 1.5)

    async def _sleep(self, seconds: float) -> None:
        """Wait, but no longer than until somebody stops it."""
        try:
            await asyncio.wait_for(self.placing.stop.wait(), seconds * self.pace)
        except TimeoutError:
            return


async def follow_call(
    loaded: Loaded, id_: str, told: Callable[[CallRecord], None], stop: asyncio.Event
) -> CallRecord | None:
    """How one call goes, until it is over: `told` hears of each new status. None: stopped before. Raises
    ProviderError."""
    last, wait = "", _FIRST_LOOK
    async with open_job(loaded, options_of(loaded.project, Scope())) as job:
        while True:
            call = call_of(await one_call(job.accounts.vapi.api, id_))
            assert call is not None
            if call.status != last:
                last, wait = call.status, _FIRST_LOOK
                told(call)
            if call.status == "ended":
                return call
            try:
                await asyncio.wait_for(stop.wait(), wait)
                return None
            except TimeoutError:
                wait = min(_LONGEST_WAIT, wait * 1.3)


async def _some_of(running: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait until one is done; those that are not. Raises what one of them raised."""
    done, rest = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return rest


def _without(call: PlannedCall) -> CallResult:
    """Of one that is not called: it was before, or may not be."""
    claim = call.claim
    if call.step == "done":
        return CallResult(
            plan=call,
            result="done",
            call=claim.call if claim is not None else call.person.was.get("call", ""),
            at=(claim.due or claim.at) if claim is not None else None,
            reason=call.reason,
        )
    return CallResult(plan=call, result="not-called", reason=call.reason)


def _of_another(call: PlannedCall, claim: CallClaim | None) -> CallResult:
    """Another run has it, or had it."""
    if claim is not None and claim.state == "placed":
        return CallResult(plan=call, result="done", call=claim.call, at=claim.due or claim.at, reason="by another run")
    return CallResult(plan=replace(call, meant=True), result="not-called", reason="another run is calling")


def _at(call: PlannedCall, rules: Rules, now: float) -> PlannedCall:
    """The call as it is now that its turn has come: its hours may have ended, or begun, since."""
    opening = call.opening
    if call.step == "later" and opening is not None and opening.start > now:
        return call
    if opening is not None and opening.start <= now and opening.end - now > LASTING:
        return replace(call, step="call")
    return with_opening(replace(call, step="call"), replace(rules, now=now), facts_of(call.person.number))


def _found(listed: Sequence[Mapping[str, Any]], call: PlannedCall) -> tuple[str, str]:
    """The id of the call, and why it is not clear whether it is this one; twice nothing where there is none."""
    marked = next((live for live in listed if mark_in(live) == call.mark and rang(live)), None)
    if marked is not None:
        return str(marked["id"]), ""
    # Every call of ours has a name: one that has another name is another call, one that has none may be this one.
    nameless = next((live for live in listed if goes_to(live, call.person.number) and not live.get("name")), None)
    if nameless is not None:
        id_ = str(nameless["id"])
        return id_, f"its answer was lost, and Vapi has a call to this number that has no name: {id_}"
    return "", ""


def _shown_batch(plan: CallPlan) -> str:
    return "" if plan.single else plan.batch
