"""The calls of a store that can be had again, each with the live agents that answer it today."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voiceops.calls.from_vapi import tool_values, variable_values
from voiceops.calls.record import CallRecord
from voiceops.errors import NotFound
from voiceops.model.address import kind_of, name_of
from voiceops.providers.http import Api
from voiceops.state.ledger import Ledger
from voiceops.testing.replay.conversation import Conversation, Used, conversation_of, left_out
from voiceops.testing.replay.harmless_agent import harmless
from voiceops.testing.replay.who_answers import Member, WhoAnswers, functions_used, overridden
from voiceops.use.told_calls import Answered, addresses_of, told_by_vapi

_MOST = 50  # agents that hand on to each other
_OPEN = "mcp"  # tools that bring functions along which only their server knows


@dataclass(frozen=True, slots=True)
class ReplayItem:
    """A call as it was, and who answers it today. `target`: the address of that agent or squad."""

    call: CallRecord
    conversation: Conversation
    target: str
    who: WhoAnswers


@dataclass(slots=True)
class CallsToReplay:
    """What can be replayed, and how many calls can't, by the reason."""

    items: list[ReplayItem] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)


async def calls_to_replay(records: Sequence[CallRecord], ledger: Ledger, api: Api, source: Answered) -> CallsToReplay:
    """The calls with today's agents. `source`: the environment whose calls they are. Raises ProviderError."""
    chosen, live = CallsToReplay(), _Live(ledger, api)
    told = await told_by_vapi(source, records)
    targets = {call.id: source.target(call, told.get(call.id)) for call in records}
    who = {target: await live.who(target) for target in sorted(set(targets.values()))}
    more = [call for call in records if call.id not in told and _fills_in(who[targets[call.id]])]
    told |= await told_by_vapi(source, more, every=True)
    for call in records:
        data, target = told.get(call.id), targets[call.id]
        answers = who[target]
        several = len({turn.agent for turn in call.turns if turn.agent}) > 1
        if isinstance(answers, str):
            chosen.left_out[answers] += 1
        elif why := left_out(call, needs_values=bool(call.tools) or several, has_values=data is not None):
            chosen.left_out[why] += 1
        else:
            conversation = conversation_of(
                call,
                tool_values(data or {}),
                variable_values(data or {}),
                keys=source.addresses,
                hands_on=answers.hands_on,
            )
            if conversation.answered:
                chosen.items.append(ReplayItem(call, conversation, target, answers))
            else:
                chosen.left_out["nothing that the caller said was answered"] += 1
    _offer_functions(chosen)
    return chosen


def _fills_in(who: WhoAnswers | str) -> bool:
    """Do its prompts hold variables, whose values only Vapi's own record of a call tells?"""
    return isinstance(who, WhoAnswers) and any("{{" in member.agent.prompt for member in who.members)


def _offer_functions(chosen: CallsToReplay) -> None:
    """Tools whose functions only their server knows are offered as far as the calls used them."""
    used: dict[str, list[Used]] = {}
    for item in chosen.items:
        answers = (item.conversation.opening, *(exchange.answer for exchange in item.conversation.exchanges))
        used.setdefault(item.target, []).extend(tool for answer in answers for tool in answer.used)
    changed: dict[str, WhoAnswers] = {}
    for target, tools in sorted(used.items()):
        who = next(item.who for item in chosen.items if item.target == target)
        unseen = {kind for member in who.members for kind in member.agent.unseen}
        functions = functions_used(who, tools) if _OPEN in unseen else []
        if functions:
            changed[target] = _with(who, functions)
        if unseen:
            known = f" but for {', '.join(name for name, _ in functions)}, as the calls used it" if functions else ""
            chosen.warnings.append(
                f"{target}: tools of type {', '.join(sorted(unseen))} can't be offered in a replay{known}"
            )
    chosen.items = [
        ReplayItem(item.call, item.conversation, item.target, changed.get(item.target, item.who))
        for item in chosen.items
    ]


def _with(who: WhoAnswers, functions: list[tuple[str, Mapping[str, Any]]]) -> WhoAnswers:
    return who.each(lambda agent: agent.with_functions(functions) if _OPEN in agent.unseen else agent)


@dataclass(frozen=True, slots=True)
class _Seat:
    """Somebody who may take over: a live assistant's id or body, and what a squad says of it."""

    id: str = ""
    body: Mapping[str, Any] | None = None
    overrides: tuple[Any, ...] = ()
    destinations: Sequence[Any] = ()


@dataclass(slots=True)
class _Live:
    """The live agents and squads of an environment."""

    ledger: Ledger
    api: Api
    addresses: Mapping[str, str] = field(init=False)  # by live id

    def __post_init__(self) -> None:
        self.addresses = addresses_of(self.ledger)

    async def who(self, target: str) -> WhoAnswers | str:
        """Who answers calls to an agent or a squad, without effects, or why nobody does. Raises ProviderError."""
        name, kind = name_of(target), "agent" if kind_of(target) == "Agent" else "squad"
        entry = self.ledger.entry(target)
        if entry is None or not entry.id:
            return f"their {kind} ({name or 'none is known'}) is not applied in this environment"
        try:
            return await self._met(await self._seats(entry.id) if kind == "squad" else [_Seat(entry.id)])
        except NotFound:
            return f"their {kind} ({name}), or a tool or a member of it, is not live any more"
        except ValueError as error:
            return f"their {kind} ({name}) can't be asked in a chat: {error}"

    async def _seats(self, squad: str) -> list[_Seat]:
        body = (await self.api.call("GET", f"/squad/{squad}")).data
        members = [one for one in body.get("members") or () if isinstance(one, dict)]
        if not members:
            raise ValueError("it has no members")
        return [
            _Seat(
                id=str(one.get("assistantId") or ""),
                body=one.get("assistant") if isinstance(one.get("assistant"), dict) else None,
                overrides=(one.get("assistantOverrides"), body.get("membersOverrides")),
                destinations=one.get("assistantDestinations") or (),
            )
            for one in members
        ]

    async def _met(self, seats: list[_Seat]) -> WhoAnswers:
        """All who may come to answer: those seats, and whom their handoffs name besides.

        Raises NotFound; ProviderError; ValueError: one has no model.
        """
        members: list[Member] = []
        squads: dict[str, str] = {}
        waiting = deque(seats)
        seen = {seat.id for seat in seats}
        while waiting and len(members) < _MOST:
            first = not members
            try:
                member = await self._member(waiting.popleft())
            except NotFound:
                if first or len(members) < len(seats):
                    raise
                continue  # whom a handoff names who is gone: it is said when it comes to that
            members.append(member)
            for way in (way for ways in member.agent.handoffs.values() for way in ways):
                if way.squad and way.squad not in squads:
                    more = await self._seats(way.squad)
                    squads[way.squad] = way.to or more[0].id or str((more[0].body or {}).get("name") or "")
                    waiting += [seat for seat in more if seat.id not in seen]
                    seen |= {seat.id for seat in more}
                elif way.by_id and way.to not in seen:
                    waiting.append(_Seat(way.to))
                    seen.add(way.to)
        return WhoAnswers(members=tuple(members), squads=squads)

    async def _member(self, seat: _Seat) -> Member:
        given = (await self.api.call("GET", f"/assistant/{seat.id}")).data if seat.id else seat.body or {}
        body, variables = overridden(given, seat.overrides)
        ids = (body.get("model") or {}).get("toolIds") or ()
        tools = [(await self.api.call("GET", f"/tool/{id_}")).data for id_ in ids]
        name = str(given.get("name") or "")
        key = self.addresses.get(seat.id) or seat.id or name
        return Member(
            key=key,
            agent=harmless(body, tools, seat.destinations),
            names=frozenset({key, seat.id, name} - {""}),
            variables=variables,
            under=lambda more: harmless(overridden(body, (more,))[0], tools, seat.destinations),
        )
