"""A preview's number: one out of the pool, bound to what one of the manifests' lines reaches, and given back.

The number, and the route that it had, are in the list of previews before anything of it is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from voiceops.apply.job import Job
from voiceops.apply.lent_number import bind, can_be_put_back, route_of
from voiceops.errors import Refused, VoiceopsError
from voiceops.kinds.registry import KINDS
from voiceops.manifest.problems import did_you_mean
from voiceops.manifest.resolve import RUNTIME_CREDENTIAL
from voiceops.model.address import kind_of, name_of
from voiceops.model.graph import Graph, Resource
from voiceops.model.state import State
from voiceops.model.values import JSON, Ref
from voiceops.preview.pool import free, managed
from voiceops.preview.registered import LentNumber, Preview
from voiceops.use.open_state import store_of
from voiceops.use.opened import Opened
from voiceops.use.other_environments import OtherEnvironment, other_environments
from voiceops.use.preview_registry import changing
from voiceops.use.preview_terms import PreviewTerms

_PHONE = KINDS["Phone"]
_TARGETS = {"assistantId": "Agent", "squadId": "Squad"}


@dataclass(frozen=True, slots=True)
class Reached:
    """What a line of the manifests reaches: an agent, a squad, or (by its credential) the runtime."""

    phone: str
    address: str

    @property
    def by_runtime(self) -> bool:
        """Does the runtime say who answers?"""
        return self.address == RUNTIME_CREDENTIAL


def reached_by(graph: Graph, phone: str, *, has_runtime: bool) -> Reached:
    """What the callers of a line get, by its manifest. Raises VoiceopsError."""
    lines = {r.address: r for r in graph.resources.values() if r.type == _PHONE.type}
    wanted = phone if phone.startswith("Phone/") else f"Phone/{phone}"
    line = lines.get(wanted)
    if line is None:
        names = [name_of(address) for address in lines]
        raise VoiceopsError(
            f"there is no line {phone!r} in {graph.environment}",
            hint=did_you_mean(name_of(wanted), names) or f"It has: {', '.join(sorted(names)) or 'none'}.",
        )
    target = _target(line)
    if target is None and RUNTIME_CREDENTIAL in graph.resources and line.body.get("server"):
        if not has_runtime:
            raise VoiceopsError(
                f"{wanted} asks the runtime who answers, and this preview has none",
                hint="Give it one with --runtime URL, or name a line with an agent or a squad.",
            )
        target = RUNTIME_CREDENTIAL
    if target is None or target not in graph.resources:
        raise VoiceopsError(
            f"{wanted} reaches nothing that a preview makes: no agent or squad of the manifests",
            hint="Name another line.",
        )
    return Reached(wanted, target)


def _target(line: Resource) -> str | None:
    named = [line.body.get(key) for key in _TARGETS]
    found = next((ref.address for ref in named if isinstance(ref, Ref)), None)
    return found or next(iter(line.routes), None)


async def lend(
    registry: Opened, job: Job, opened: Opened, preview: Preview, reached: Reached, terms: PreviewTerms
) -> tuple[Preview, list[str]]:
    """A number for the preview, bound to what is reached: the one that it has, or a free one. The preview as it is
    then, without a number where none was free; and what is to be said of it.

    Raises Refused where a number of the pool is somebody's line, VoiceopsError where the preview lacks what is to be
    reached; ProviderError, StateError, Locked.
    """
    lines = opened.project.previews.lines
    notes: list[str] = []
    state = job.ledger.state
    if reached.address not in state.entries:
        raise VoiceopsError(f"{reached.address} is not there: the preview has to be whole before it has a number")
    notes += await check_pool(opened)
    async with changing(registry, "preview up", terms.lock_timeout) as previews:
        mine = previews.get(preview.name)
        if mine is None or mine.turn != preview.turn:
            return preview, notes
        lent = mine.lent or await _found(job, previews, mine, lines, reached, notes)
        if lent is None:
            return mine, notes
        needed = state.entries[reached.address].id
        lent = replace(lent, phone=reached.phone, bound=tuple(dict.fromkeys((*lent.bound, needed))))
        mine = previews[preview.name] = replace(mine, lent=lent)
    route = _route(state, reached, preview.runtime)
    await bind(job.accounts.vapi, lent, route, (kind_of(reached.address), needed))
    return mine, notes


async def _found(
    job: Job, previews: dict[str, Preview], mine: Preview, lines: tuple[str, ...], reached: Reached, notes: list[str]
) -> LentNumber | None:
    """A free number that is at Vapi once, with the route that it has this moment."""
    numbers, taken = free(lines, previews.values(), mine.name)
    why = list(taken)
    listed = await job.accounts.vapi.all(_PHONE) if numbers else []
    for number in numbers:
        ids = [str(live["id"]) for live in listed if live.get("number") == number]
        live = await job.accounts.vapi.get(_PHONE, ids[0]) if len(ids) == 1 else None
        if live is None:
            why.append(f"{number} is {'not at Vapi' if not ids else 'at Vapi more than once'}")
        elif not can_be_put_back(live, server=reached.by_runtime):
            why.append(f"{number} has a server with headers of its own, which could not be put back")
        else:
            route = route_of(live, server=reached.by_runtime)
            return LentNumber(phone=reached.phone, number=number, id=ids[0], before=route)
    notes.append(f"no number is free: {'; '.join(why) or 'previews.lines names none'}")
    return None


def _route(state: State, reached: Reached, runtime: str) -> dict[str, JSON]:
    route: dict[str, Any] = dict.fromkeys(_TARGETS)
    id_ = state.entries[reached.address].id
    if reached.by_runtime:
        return route | {"server": {"url": f"{runtime}/vapi/events", "credentialId": id_}}
    return route | {next(key for key, kind in _TARGETS.items() if kind == kind_of(reached.address)): id_}


async def check_pool(opened: Opened) -> list[str]:
    """No number of the pool is a line of an environment; a sentence for each that can't be asked. Raises Refused."""
    lines, notes = opened.project.previews.lines, list[str]()
    if not lines:
        return notes
    numbers: dict[str, str] = {}
    async with store_of(opened) as store:
        for other in await other_environments(opened, store, notes, previews=False):
            numbers |= _lines_of(other)
    if found := managed(lines, numbers):
        raise Refused(
            f"previews.lines names a number that is in use: {'; '.join(found)}",
            hint="Take it out of previews.lines: a preview never touches a line of an environment.",
        )
    return notes


def _lines_of(other: OtherEnvironment) -> dict[str, str]:
    """The numbers of an environment's lines, and of which: as applied, and as its manifests say."""
    applied = {
        str(entry.owned.get("number") or entry.name): f"{address} of {other.name}"
        for address, entry in other.state.entries.items()
        if entry.type == _PHONE.type
    }
    written = {
        str(r.body.get("number")): f"{r.address} of {other.name}"
        for r in (other.graph.resources.values() if other.graph is not None else ())
        if r.type == _PHONE.type
    }
    return written | applied
