"""What runs: simulations and evals wait for their turn, start and end as time passes.

Nothing runs in the background. Whoever looks moves everything on to now: what is due ends at its own time, and frees
its call slots for the next in line at that very time. So the same requests see the same, however busy the machine is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voiceops.sandbox.account import World, iso
from voiceops.sandbox.catalog import CALLS
from voiceops.sandbox.outcomes import Ending
from voiceops.sandbox.store import Body, Row

SIMULATION_RUNS = "/eval/simulation/run"
ITEMS = "/eval/simulation/run/{id}/item"  # all runs' items: each names its run
EVAL_RUNS = "/eval/run"
PLANS = "sandbox:plan"
SLOTS = 2  # of a simulated call: the tester's, and the assistant's
_TALKING = 0.8  # of the time that a simulation takes
FINAL = ("passed", "failed", "canceled")
_WHERE = {"simulation": ITEMS, "eval": EVAL_RUNS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """What is going to happen to a simulation of a run, or to the run of an eval, that waits or runs.

    `result` is what it holds at its end: what the assistant came to by itself, decided when the run was made.
    """

    id: str
    what: str  # simulation or eval
    slots: int
    names: str  # what orders look for, one name a line
    passed: bool
    reason: str
    result: Mapping[str, Any]
    call: Mapping[str, Any] | None = None  # that is kept besides, once it has taken place
    began: float | None = None  # None: it waits
    ends: float | None = None  # a started one without an end hangs
    outcome: Ending = ""

    @property
    def started(self) -> bool:
        """Does it run?"""
        return self.began is not None

    def to_data(self) -> Body:
        """The plan as it is kept."""
        return {name: getattr(self, name) for name in self.__slots__}


def planned(world: World, plan: Scheduled) -> None:
    """One more waits in line."""
    world.store.put(Row(PLANS, plan.id, plan.to_data()))


def withdrawn(world: World, id_: str) -> None:
    """One goes out of the line, or stops."""
    world.store.remove(PLANS, id_)


def slots_in_use(world: World) -> int:
    """The call slots that simulations take now."""
    return sum(plan.slots for plan in _plans(world) if plan.started)


def forget_oldest(world: World) -> None:
    """Runs that ended long ago go, with what they hold: a sandbox that keeps its objects is not to grow for ever."""
    kept = max(1, world.switches.kept_runs)
    ended = [row.id for row in world.store.rows(SIMULATION_RUNS) if row.body["status"] == "ended"]
    old = set(ended[:-kept])
    for row in world.store.rows(ITEMS) if old else ():
        if row.body["runId"] in old:
            world.store.remove(CALLS, str(row.body.get("callId")))
            world.store.remove(ITEMS, row.id)
    for id_ in old:
        world.store.remove(SIMULATION_RUNS, id_)
    for row in [row for row in world.store.rows(EVAL_RUNS) if row.body["status"] == "ended"][:-kept]:
        world.store.remove(EVAL_RUNS, row.id)


def is_judged(world: World, id_: str) -> bool:
    """Is the conversation over, and only its result to come? So it is for the last fifth of the time."""
    row = world.store.get(PLANS, id_)
    if row is None or row.body["began"] is None or row.body["ends"] is None:
        return False
    began, ends = row.body["began"], row.body["ends"]
    return bool(world.now() >= began + _TALKING * (ends - began))


def advance(world: World) -> None:
    """Everything that waits and runs is moved on to now."""
    if not world.store.rows(PLANS):
        return
    now = at = world.now()
    with world.store.transaction():
        while True:
            plans = _plans(world)
            _start(world, plans, at)
            due = [plan for plan in _plans(world) if plan.ends is not None and plan.ends <= now]
            if not due:
                return
            first = min(due, key=lambda plan: plan.ends or 0)
            at = first.ends or now
            _end(world, first, at)


def _plans(world: World) -> list[Scheduled]:
    return [Scheduled(**body) for body in world.store.bodies(PLANS)]


def _start(world: World, plans: Sequence[Scheduled], at: float) -> None:
    """Start whom there is room for, in the order in which they came; nobody overtakes."""
    running = [plan for plan in plans if plan.started]
    free = world.switches.call_slots - sum(plan.slots for plan in running)
    at_once = {what: sum(1 for plan in running if plan.what == what) for what in _WHERE}
    full = False
    for plan in plans:
        if plan.started or (plan.slots and (full or plan.slots > free)):
            full = full or not plan.started
            continue
        free -= plan.slots
        at_once[plan.what] += 1
        order = world.outcomes.match(plan.what, plan.names)
        outcome: Ending = order.outcome if order else ""
        seconds = world.switches.run_seconds if order is None or order.seconds is None else order.seconds
        begun = {
            **plan.to_data(),
            "began": at,
            "ends": None if outcome == "hang" else at + seconds,
            "outcome": outcome,
            "reason": order.reason if order and order.reason else plan.reason,
        }
        row = world.store.get(PLANS, plan.id)
        assert row is not None
        world.store.put(Row(PLANS, plan.id, begun, row.seq))
        world.outcomes.count_start(plan.what, at_once[plan.what])
        _change(world, plan, {"status": "running", "startedAt": iso(at), "updatedAt": iso(at)})


def _end(world: World, plan: Scheduled, at: float) -> None:
    withdrawn(world, plan.id)
    changes = _ended_eval(plan, at) if plan.what == "eval" else _ended_simulation(plan, at)
    if plan.call is not None and "results" in changes:
        began = iso(at if plan.began is None else plan.began)
        times = {"createdAt": began, "startedAt": began, "endedAt": iso(at), "updatedAt": iso(at)}
        world.add(CALLS, str(plan.call["id"]), {**plan.call, **times})
    world.outcomes.count_end(changes.pop("counted"))
    _change(world, plan, changes)


def _change(world: World, plan: Scheduled, changes: Body) -> None:
    row = world.store.get(_WHERE[plan.what], plan.id)
    if row is None:
        return  # somebody deleted it
    body = {**row.body, **changes}
    call = changes.get("metadata", {}).get("call")
    if call:
        body["metadata"] = {**row.body.get("metadata", {}), "call": call}
    world.store.put(row.changed(body))
    if plan.what == "simulation":
        counted(world, str(row.body["runId"]), str(body["updatedAt"]))


def _ended_simulation(plan: Scheduled, at: float) -> Body:
    time = iso(at)
    if plan.outcome == "canceled":
        return {"counted": "canceled", **canceled(at), "failureReason": plan.reason}
    if plan.outcome == "error":
        reason = plan.reason or "The simulation could not be run"
        return {"counted": "error", "status": "failed", "failedAt": time, "updatedAt": time, "failureReason": reason}
    passed = plan.passed if not plan.outcome else plan.outcome == "passed"
    results = plan.result["results"]
    if passed != plan.passed:
        evaluations = [_as_ordered(item, passed) if item["required"] else item for item in results["evaluations"]]
        results = {**results, "evaluations": evaluations, "passed": passed}
    status = "passed" if passed else "failed"
    changes = {**plan.result, "results": results, "status": status, "completedAt": time, "updatedAt": time}
    if not passed:
        changes |= {"failedAt": time, "failureReason": plan.reason or "It was ordered to fail"}
    return {"counted": status, **changes}


def _as_ordered(item: Body, passed: bool) -> Body:
    """An evaluation that was ordered to be met or missed, with a value that goes with it."""
    if item["passed"] == passed:
        return item
    value = item["extractedValue"]
    if passed and item["comparator"] in ("=", ">=", "<="):
        value = item["expectedValue"]
    elif not passed:
        value = not value if isinstance(value, bool) else None
    return {**item, "passed": passed, "extractedValue": value}


def _ended_eval(plan: Scheduled, at: float) -> Body:
    time = iso(at)
    ended = {"status": "ended", "endedAt": time, "updatedAt": time}
    if plan.outcome in ("canceled", "error"):
        why = "error" if plan.outcome == "error" else "cancelled"
        told = {"endedReason": why, "endedMessage": plan.reason or "The eval could not be run"}
        return {"counted": plan.outcome, **ended, **told, "results": [], "cost": 0, "costs": []}
    passed = plan.passed if not plan.outcome else plan.outcome == "passed"
    began = iso(at if plan.began is None else plan.began)
    status = "pass" if passed else "fail"
    result = {"status": status, "messages": plan.result["messages"], "startedAt": began, "endedAt": time}
    costs = {key: plan.result[key] for key in ("cost", "costs")}
    done = {"endedReason": "mockConversation.done", "results": [result]}
    return {"counted": "passed" if passed else "failed", **ended, **done, **costs}


def canceled(at: float) -> Body:
    """What changes on a simulation that is canceled."""
    return {"status": "canceled", "canceledAt": iso(at), "updatedAt": iso(at)}


def items_of(world: World, run: str) -> list[Row]:
    """The simulations of a run, in order."""
    return [row for row in world.store.rows(ITEMS) if row.alive and row.body["runId"] == run]


def counted(world: World, run: str, time: str) -> None:
    """The run's own status follows from those of its simulations."""
    row = world.store.get(SIMULATION_RUNS, run)
    if row is None:
        return
    items = [item.body for item in items_of(world, run)]
    of = {status: sum(1 for item in items if item["status"] == status) for status in (*FINAL, "running", "queued")}
    counts = {"total": len(items), **of}
    named = [item.get("simulationId") for item in items]
    if all(named):
        failed = {item["simulationId"] for item in items if item["status"] in ("failed", "canceled")}
        counts |= {"distinctSimulationTotal": len(set(named)), "distinctSimulationFailed": len(failed)}
    body = {**row.body, "itemCounts": counts, "updatedAt": time}
    if of["queued"] < len(items):
        body.setdefault("startedAt", time)
        body["status"] = "running"
    if not of["queued"] and not of["running"]:
        body |= {"status": "ended", "endedAt": time}
        body.setdefault("endedReason", "completed")
    world.store.put(row.changed(body))
