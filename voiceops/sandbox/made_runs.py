"""Making a run of simulations: which ones it holds, and how each is going to end by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from voiceops.sandbox import running
from voiceops.sandbox.account import World, new_id
from voiceops.sandbox.cast import cast_of, snapshot, with_mocked_functions
from voiceops.sandbox.catalog import PERSONALITIES
from voiceops.sandbox.conversations import Ask, chat_messages, lines, simulated
from voiceops.sandbox.judging import Heard, evaluated
from voiceops.sandbox.latencies import expected, metrics
from voiceops.sandbox.requests import bad_request
from voiceops.sandbox.running import ITEMS, SIMULATION_RUNS, SLOTS, Scheduled
from voiceops.sandbox.stand_in import Said, StandIn
from voiceops.sandbox.store import Body
from voiceops.sandbox.targets import check_ids

_SIMULATIONS = "/eval/simulation"
_SCENARIOS = "/eval/simulation/scenario"
SUITES = "/eval/simulation/suite"
_OUTPUTS = "/structured-output"
_VOICE = "vapi.websocket"
_TURN_SECONDS = 5
_A_MINUTE = 0.1


@dataclass(frozen=True, slots=True)
class ChosenSimulation:
    """One simulation that a run is to hold, with what it consists of and the name of its suite."""

    scenario: Body
    personality: Body
    simulation: Body
    name: str = ""
    suite: str = ""

    @property
    def names(self) -> str:
        """What orders look for."""
        given = (self.name, self.simulation.get("name"), self.scenario.get("name"), self.suite)
        return "\n".join(str(name) for name in given if name)


def entries_of(world: World, item: Body) -> Iterator[ChosenSimulation]:
    """The simulations that one entry of a request means. Raises Refusal: it names what is not there, or too little."""
    name = str(item.get("name") or "")
    if item["type"] == "simulationSuite":
        suite = _of(world, SUITES, "Simulation suite", item.get("simulationSuiteId") or item.get("suiteId"))
        for id_ in suite.get("simulationIds") or ():
            yield _simulation(world, str(id_), name, str(suite.get("name") or ""))
    elif item.get("simulationId"):
        yield _simulation(world, str(item["simulationId"]), name, "")
    else:
        for key in ("scenario", "personality"):
            if bool(item.get(key)) == bool(item.get(key + "Id")):
                raise bad_request(f"Need either {key}Id or {key}, or a simulationId")
        check_ids(world, item)
        scenario = item.get("scenario") or _of(world, _SCENARIOS, "Scenario", item.get("scenarioId"))
        personality = item.get("personality") or _of(world, PERSONALITIES, "Personality", item.get("personalityId"))
        yield ChosenSimulation(scenario, personality, {}, name)


def _simulation(world: World, id_: str, name: str, suite: str) -> ChosenSimulation:
    simulation = _of(world, _SIMULATIONS, "Simulation", id_)
    scenario = _of(world, _SCENARIOS, "Scenario", simulation.get("scenarioId"))
    personality = _of(world, PERSONALITIES, "Personality", simulation.get("personalityId"))
    return ChosenSimulation(scenario, personality, simulation, name, suite)


def _of(world: World, path: str, title: str, id_: Any) -> Body:
    row = world.store.get(path, str(id_))
    if row is None:
        raise bad_request(f'{title} with ID "{id_}" not found')
    return row.body


@dataclass(frozen=True, slots=True)
class PlannedTalk:
    """One simulation that is going to take place, or has: with whom, and what was said."""

    entry: ChosenSimulation
    iteration: int
    call: str  # its id
    cast: tuple[StandIn, ...]
    turns: tuple[Said, ...] = ()

    def held(self, ask: Callable[[str], Ask]) -> PlannedTalk:
        """The conversation with what was said in it; tools that nobody mocks are asked. May block."""
        scenario = self.entry.scenario
        mocks = {
            str(mock.get("toolName")): str(mock.get("result") or "")
            for mock in scenario.get("toolMocks") or ()
            if mock.get("enabled") is not False
        }
        script = lines(str(scenario.get("instructions") or ""))
        cast = with_mocked_functions(self.cast, mocks)
        return replace(self, cast=cast, turns=simulated(cast, script, mocks, ask(self.call)) if cast else ())


def conversations(world: World, body: Body, entries: Iterable[ChosenSimulation]) -> list[PlannedTalk]:
    """What a run consists of, in order: each simulation as often as it is wanted."""
    return [
        PlannedTalk(entry, iteration, new_id(), cast_of(world, body["target"], entry.scenario.get("targetOverrides")))
        for entry in entries
        for iteration in range(1, int(body.get("iterations", 1)) + 1)
    ]


def created(world: World, body: Body, held: Iterable[PlannedTalk]) -> Body:
    """The run with its simulations, all of them waiting; who is next starts when somebody looks."""
    running.forget_oldest(world)
    id_, now = new_id(), world.timestamp()
    transport = body.get("transport") or {"provider": _VOICE}
    run: Body = {
        "id": id_,
        "orgId": world.account.org_id,
        "status": "queued",
        "queuedAt": now,
        "createdAt": now,
        "updatedAt": now,
        "simulations": body["simulations"],
        "target": body["target"],
        "iterations": body.get("iterations", 1),
        "transport": transport,
    }
    world.add(SIMULATION_RUNS, id_, run)
    ids = [_queued(world, run, conversation) for conversation in held]
    running.counted(world, id_, now)
    row = world.store.get(SIMULATION_RUNS, id_)
    assert row is not None
    queued = row.body
    running.advance(world)
    return {
        **queued,
        "simulationRunItemIds": ids,
        "message": f"{len(ids)} simulations are queued",
        "url": f"https://dashboard.vapi.ai/simulations/runs/{id_}",
    }


def _queued(world: World, run: Body, conversation: PlannedTalk) -> str:
    """One simulation in line; how it is going to end by itself is known already."""
    id_, now, voice = new_id(), str(run["createdAt"]), run["transport"]["provider"] == _VOICE
    target, entry, cast, turns = run["target"], conversation.entry, conversation.cast, conversation.turns
    results, reason = _results(world, entry.scenario, Heard(cast, turns), voice=voice)
    call = {"transcript": transcript(turns), "messages": chat_messages(turns, id_[:8])}
    item: Body = {
        "id": id_,
        "orgId": run["orgId"],
        **({"simulationId": entry.simulation["id"]} if entry.simulation else {}),
        "status": "queued",
        "queuedAt": now,
        "createdAt": now,
        "updatedAt": now,
        "runId": run["id"],
        "iterationNumber": conversation.iteration,
        **{key + "Id": part["id"] for key, part in _parts(entry) if key != "simulation" and "id" in part},
        "metadata": {**{key: part for key, part in _parts(entry) if part}, **_target(world, target)},
        "configurations": {"transport": run["transport"]},
    }
    if voice:
        item["callId"] = conversation.call
    world.add(ITEMS, id_, item)
    plan = Scheduled(
        id=id_,
        what="simulation",
        slots=SLOTS if voice else 0,
        names=entry.names,
        passed=results["passed"],
        reason=reason,
        result={"results": results, "metadata": {"call": call}},
        call=_call(item, target, turns) if voice else None,
    )
    running.planned(world, plan)
    return id_


def _parts(entry: ChosenSimulation) -> tuple[tuple[str, Body], ...]:
    return (("scenario", entry.scenario), ("personality", entry.personality), ("simulation", entry.simulation))


def _target(world: World, target: Body) -> Body:
    if target["type"] == "assistant":
        return {"assistant": snapshot(world, target)}
    row = world.store.get("/squad", str(target.get("squadId")))
    return {"squad": row.body if row is not None else target.get("squad") or {}}


def _results(world: World, scenario: Body, heard: Heard, *, voice: bool) -> tuple[Body, str]:
    """The results of a scenario's evaluations and expectations, and why they failed, where they did."""
    found: list[Body] = []
    unmet: list[str] = []
    for item in scenario.get("evaluations") or ():
        row = world.store.get(_OUTPUTS, str(item.get("structuredOutputId")))
        output = item.get("structuredOutput") or (row.body if row is not None else {})
        result, why = evaluated(item, output, heard)
        found.append(result)
        if why and result["required"]:
            unmet.append(why)
    turns = len(heard.said)
    latencies: list[Body] = []
    for item in scenario.get("latencyExpectations") or ():
        result, why = expected(item, turns, voice=voice)
        latencies.append(result)
        if why and result["required"]:
            unmet.append(why)
    results: Body = {"evaluations": found, "passed": not unmet}
    if voice:
        results["latencyMetrics"] = metrics(turns)
    if latencies:
        results["latencyEvaluations"] = latencies
    return results, "; ".join(unmet)[:2000]


def transcript(turns: tuple[Said, ...]) -> str:
    """A conversation as calls hold it."""
    who = {"assistant": "AI", "user": "User"}
    return "".join(f"{who[turn.role]}: {turn.text}\n" for turn in turns if turn.role in who and turn.text)


def _call(item: Body, target: Body, turns: tuple[Said, ...]) -> Body:
    """The assistant's side of a simulated call as it is kept, with what it might have cost."""
    who = {"assistant": "bot", "tool": "tool_call_result"}
    messages: list[Body] = []
    for place, turn in enumerate(turns):
        at = {"secondsFromStart": place * _TURN_SECONDS}
        for name, arguments in turn.calls:
            function = {"name": name, "arguments": json.dumps(dict(arguments))}
            call = {"id": f"call_{place}", "type": "function", "function": function}
            messages.append({"role": "tool_calls", "toolCalls": [call], **at})
        if turn.text or not turn.calls:
            key = "result" if turn.role == "tool" else "message"
            messages.append({"role": who.get(turn.role, turn.role), key: turn.text, **at})
    return {
        "id": item["callId"],
        "orgId": item["orgId"],
        "type": "vapi.websocketCall",
        "status": "ended",
        "endedReason": "customer-ended-call",
        **{key: target[key] for key in ("assistantId", "squadId") if target.get(key)},
        "cost": round(_A_MINUTE * len(turns) * _TURN_SECONDS / 60, 4),
        "artifact": {"transcript": transcript(turns), "messages": messages},
    }
