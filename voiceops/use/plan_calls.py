"""Calls to people, before any is made: who calls, on which line, and what becomes of each person. No network."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from voiceops.calls.store import CallStore
from voiceops.errors import Mark, Refused, VoiceopsError
from voiceops.manifest.files import FileProblem, load_bytes
from voiceops.model.address import ADDRESS, LOCAL, is_twilio_side, kind_of
from voiceops.model.graph import Graph
from voiceops.model.instants import to_millisecond
from voiceops.model.state import Entry
from voiceops.model.values import Ref
from voiceops.outbound.batches_over import over_since
from voiceops.outbound.claims import SINGLE, Claims
from voiceops.outbound.do_not_call import MAX_BYTES as LONGEST_LIST
from voiceops.outbound.do_not_call import read_do_not_call
from voiceops.outbound.order import Caller, mark_of, person_in
from voiceops.outbound.people_file import MAX_BYTES, Person, read_people
from voiceops.outbound.phone_facts import EXTRA, PhoneFacts, as_e164, facts_of, has_extra
from voiceops.outbound.planned_call import PlannedCall, Rules, Spacing, hours, planned, spaced
from voiceops.state.ledger import Ledger
from voiceops.use.calls_database import calls_database
from voiceops.use.load_project import Loaded
from voiceops.use.open_state import open_ledger

_FORGOTTEN = "forgotten by `calls forget`, so nobody knows whether it was called: --to calls it all the same"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWish:
    """What was asked for. `agent` is an Agent's name, or an address (`Squad/sales`); `to` one number, or `people` a CSV
    file; `line` a Phone's name or number (empty: the one that fits); `at` epoch seconds (None: as soon as may be)."""

    agent: str
    to: str = ""
    people: Path | None = None
    line: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    at: float | None = None
    batch: str = ""
    do_not_call: Path | None = None
    database: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """`single`: one number that somebody typed, and no batch. `notes`: what the caller should know of how it was
    decided."""

    caller: Caller
    batch: str
    rules: Rules
    calls: tuple[PlannedCall, ...]
    columns: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    single: bool = False
    database: str = ""
    notes: tuple[str, ...] = ()


async def prepare_calls(loaded: Loaded, wish: CallWish) -> CallPlan:
    """Decide about each person; nothing is sent, and nothing claimed.

    Raises InvalidProject: a file can't be used; VoiceopsError: there is no such agent or line, or it was never applied;
    Refused: the one number may not be called, or not now; StateError.
    """
    now = time.time()
    if wish.at is not None and wish.at < now - 60:
        raise VoiceopsError(f"--at {to_millisecond(wish.at)} is in the past", hint="Leave it out to call now.")
    async with open_ledger(loaded) as ledger:
        caller = _caller(loaded, ledger, wish)
    rows, columns, batch = _people(wish)
    rules = Rules(calling=loaded.project.calling, now=now, at=wish.at or 0.0, never=_never(loaded, wish.do_not_call))
    try:
        calls = _decided(loaded, wish, rules, rows, batch)
    except KeyError as error:
        raise VoiceopsError(
            f"this machine does not know the time zone {error.args[0]}",
            hint=f"Install the time zones of the world: pip install tzdata ({EXTRA} does it, too).",
        ) from None
    if wish.people is None:
        _check_single(calls[0], rules)
    return CallPlan(
        caller=caller,
        batch=batch,
        rules=rules,
        calls=calls,
        columns=columns,
        variables=wish.variables,
        single=wish.people is None,
        database=wish.database,
        notes=tuple(_notes(loaded, calls)),
    )


def _decided(
    loaded: Loaded, wish: CallWish, rules: Rules, rows: Sequence[Person], batch: str
) -> tuple[PlannedCall, ...]:
    environment = loaded.project.environment
    with calls_database(loaded, wish.database, make=True) as found:
        assert found is not None
        store, claims = CallStore(found), Claims(found)
        claims.prepare()
        if since := over_since(store, batch):
            raise Refused(
                f"the batch {batch} is over: whom it called was deleted on {since[:10]}, as privacy.calls says",
                hint="Who stands in the file may have been called. To call all of them: --batch NAME.",
            )
        keys = [store.digest(person_in(environment, batch, row.number)) if row.number else "" for row in rows]
        known = claims.of([key for key in keys if key])
        forgotten = store.forgotten_among(row.number for row in rows if row.number) if wish.people is not None else ()
        taken = claims.due_after(rules.now)
    spacing = Spacing(rules.calling, taken)
    calls = []
    for row, key in zip(rows, keys, strict=True):
        facts = facts_of(row.number) if row.number else PhoneFacts()
        plan = planned(row, rules, facts, known.get(key))
        if row.number in forgotten and plan.claim is None and plan.step in ("call", "later"):
            plan = replace(plan, step="not", reason=_FORGOTTEN, meant=True)
        if plan.step == "later" and wish.people is not None:
            plan = spaced(plan, rules, spacing)
        calls.append(replace(plan, key=key, mark=mark_of(environment, batch, row.number)))
    return tuple(calls)


def _people(wish: CallWish) -> tuple[tuple[Person, ...], tuple[str, ...], str]:
    """Rows, names of variables, and the batch that they are of."""
    if wish.people is None:
        number, problem = as_e164(wish.to)
        if problem:
            raise VoiceopsError(f"--to {wish.to!r} {problem}")
        return (Person(place=Mark("--to", 1, 1), given=wish.to, number=number),), (), f"{SINGLE}{secrets.token_hex(8)}"
    file = str(wish.people)
    try:
        with wish.people.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise VoiceopsError(f"{file} can't be read: {error.strerror}", hint="Give a CSV file of people.") from None
    people = read_people(content, file)
    if people.batch and wish.batch and wish.batch != people.batch:
        raise VoiceopsError(
            f"{file} is the result of the batch {people.batch}, not of {wish.batch}",
            hint="To call its people again, take its columns `voiceops.…` out.",
        )
    name = wish.agent.rpartition("/")[2]
    return people.rows, people.columns, wish.batch or people.batch or f"{name}/{wish.people.stem}"


def _never(loaded: Loaded, given: Path | None) -> frozenset[str]:
    """The numbers of `calling.doNotCall` and of --do-not-call, together. Raises VoiceopsError, InvalidProject."""
    found: frozenset[str] = frozenset()
    if named := loaded.project.calling.do_not_call:
        try:
            content = load_bytes(loaded.project.root, loaded.project.root / named, LONGEST_LIST)
        except FileProblem as problem:
            raise VoiceopsError(
                f"calling.doNotCall: {problem}", hint="Nobody is called without the list that voiceops.yaml names."
            ) from None
        found |= read_do_not_call(content, named)
    if given is not None:
        try:
            content = given.read_bytes()
        except OSError as error:
            raise VoiceopsError(f"--do-not-call {given} can't be read: {error.strerror}") from None
        found |= read_do_not_call(content, str(given))
    return found


def _check_single(plan: PlannedCall, rules: Rules) -> None:
    """One number that somebody typed is called as it was asked for, or not at all. Raises Refused."""
    if plan.step == "not":
        raise Refused(f"{plan.person.number} is not called: {plan.reason}")
    asked = rules.earliest
    if plan.opening is not None and plan.opening.start > asked:
        when = to_millisecond(plan.opening.start)
        raise Refused(
            f"{plan.person.number} is not called: outside {hours(rules.calling)} in {_places(plan.zones)}",
            hint=f"It may be called from {when} on: give --at {when}.",
        )


def _places(zones: Sequence[str]) -> str:
    return zones[0] if len(zones) == 1 else f"one of {len(zones)} time zones ({zones[0]}, …)"


def _notes(loaded: Loaded, calls: Sequence[PlannedCall]) -> list[str]:
    found = []
    if not has_extra():
        found.append(f"Without the package phonenumbers no number tells its time zone or its kind: {EXTRA}")
    several = sum(len(plan.zones) > 1 for plan in calls)
    if several:
        found.append(
            f"{several} may be in several time zones, and {'is' if several == 1 else 'are'} called when it is within "
            f"{hours(loaded.project.calling)} in all of them; calling.timezone can say which counts."
        )
    return found


def _caller(loaded: Loaded, ledger: Ledger, wish: CallWish) -> Caller:
    """The agent and the line, with their live ids. Raises VoiceopsError."""
    graph, entries = loaded.graph, ledger.state.entries
    agent = _agent(graph, wish.agent)
    line = _line(graph, entries, agent, wish.line)
    for address in (agent, line):
        if address not in entries:
            raise VoiceopsError(f"{address} was never applied", hint="`voiceops apply` makes it; then it can call.")
    return Caller(
        agent=agent,
        agent_id=entries[agent].id,
        line=line,
        line_id=entries[line].id,
        number=_number(entries[line]),
    )


def _agent(graph: Graph, given: str) -> str:
    found = given if ADDRESS.match(given) else f"Agent/{given}"
    if found in graph.resources and kind_of(found) in ("Agent", "Squad"):
        return found
    if not ADDRESS.match(given) and LOCAL.match(given) and f"Squad/{given}" in graph.resources:
        return f"Squad/{given}"
    names = sorted(address for address in graph.resources if kind_of(address) in ("Agent", "Squad"))
    raise VoiceopsError(
        f"there is no agent {given!r} in the manifests", hint=f"There is {', '.join(names[:10]) or 'none'}."
    )


def _line(graph: Graph, entries: Mapping[str, Entry], agent: str, given: str) -> str:
    """The line that calls: the one that is named; else the one that only calls out, that reaches the agent, or is the
    only one. Raises VoiceopsError."""
    lines = {
        address: resource
        for address, resource in graph.resources.items()
        if kind_of(address) == "Phone" and not is_twilio_side(address)
    }
    if given:
        address = given if given in lines else f"Phone/{given}"
        named = [address] if address in lines else [a for a in lines if a in entries and _number(entries[a]) == given]
        if len(named) == 1:
            return named[0]
        raise VoiceopsError(f"there is no line {given!r} in the manifests", hint=_there_are(lines))
    outgoing = [address for address, line in lines.items() if line.extra.get("answer") == "none"]
    reaching = [
        address
        for address, line in lines.items()
        if agent in line.routes
        or any(isinstance(to := line.body.get(k), Ref) and to.address == agent for k in ("assistantId", "squadId"))
    ]
    for some in (outgoing, reaching, list(lines)):
        if len(some) == 1:
            return some[0]
    raise VoiceopsError(
        "it is not clear which line calls" if lines else "there is no line that could call",
        hint=f"Give --from. {_there_are(lines)}" if lines else "Write a Phone manifest, and apply it.",
    )


def _there_are(lines: Mapping[str, object]) -> str:
    return f"There is {', '.join(sorted(lines)[:10]) or 'none'}."


def _number(entry: Entry) -> str:
    return str(entry.owned.get("number") or entry.attributes.get("number") or "")
