"""Runs of simulations: made, listed, read and canceled, with the simulations that they consist of."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.requests import Request

from voiceops.sandbox import running
from voiceops.sandbox.account import World
from voiceops.sandbox.answers_as import noisy
from voiceops.sandbox.catalog import Collection
from voiceops.sandbox.listing import array, one_of, pages, read
from voiceops.sandbox.made_runs import SUITES, conversations, created, entries_of
from voiceops.sandbox.requests import Operation, Table, Unhurried, absent, bad_request, json_body, row_of
from voiceops.sandbox.running import ITEMS, SIMULATION_RUNS, SLOTS
from voiceops.sandbox.store import Body, Row
from voiceops.sandbox.talking import asks, talked
from voiceops.sandbox.targets import check, check_paid, check_target

_RUN = Collection(path=SIMULATION_RUNS, title="Simulation run", kind="", filters=("status",))
_ITEM = Collection(path=ITEMS, title="Simulation run item", kind="", filters=("simulationId", "runId"))


def operations(world: World) -> Table:
    """The routes of runs, their simulations and the call slots, with what answers each."""

    async def create(request: Request) -> tuple[int, Any]:
        body = await json_body(request)
        check(world, "CreateSimulationRunDTO", body)
        check_target(world, body["target"])
        check_paid(world, "simulations")
        entries = [entry for item in body["simulations"] for entry in entries_of(world, item)]
        asking = asks(world, "call", {"type": "vapi.websocketCall"})
        held = [await talked(world, partial(one.held, asking)) for one in conversations(world, body, entries)]
        with world.store.transaction():
            return 201, noisy(world, _RUN, created(world, body, held))

    async def listed(request: Request) -> tuple[int, Any]:
        running.advance(world)
        query = dict(request.query_params)
        one_of(query, "status", "queued", "running", "ended")
        one_of(query, "filterStatus", "passed", "failed", "running")
        one_of(query, "targetType", "assistant", "squad")

        def only(body: Body) -> bool:
            return _selected(body, query)

        def in_page(body: Body) -> Body:
            return noisy(world, _RUN, {**body, "summary": _summary(world, body)})

        if "page" in query and world.switches.simulation_lists == "array":
            return 200, pages(world, _RUN, query, in_page, only=only)
        return 200, array(world, _RUN, query, lambda body: noisy(world, _RUN, body), only=only)

    async def get(request: Request) -> tuple[int, Any]:
        running.advance(world)
        return 200, noisy(world, _RUN, read(world, SIMULATION_RUNS, _RUN.title, request.path_params["id"]))

    async def cancel(request: Request) -> tuple[int, Any]:
        running.advance(world)
        row = _row(world, request)
        if row.body["status"] == "ended":
            raise bad_request("Simulation run has already ended")
        world.store.put(row.changed({**row.body, "endedReason": "canceled"}))
        for item in running.items_of(world, row.id):
            if item.body["status"] not in running.FINAL:
                _cancel(world, item)
        return 200, noisy(world, _RUN, _row(world, request).body)

    one = SIMULATION_RUNS + "/{id}"
    return [
        ("/eval/simulation/concurrency", "GET", _slots(world)),
        (SIMULATION_RUNS, "POST", Unhurried(create)),
        (SIMULATION_RUNS, "GET", listed),
        (one, "GET", get),
        (one, "PATCH", cancel),
        *_item_operations(world),
    ]


def _slots(world: World) -> Operation:
    async def slots(_: Request) -> tuple[int, Any]:
        running.advance(world)
        limit, used = world.switches.call_slots, running.slots_in_use(world)
        return 200, {
            "orgId": world.account.org_id,
            "concurrencyLimit": limit,
            "activeSimulations": used,
            "availableToStart": max(0, limit - used) // SLOTS,
            "createdAt": None,
            "updatedAt": None,
            "isDefault": True,
        }

    return slots


def _item_operations(world: World) -> Table:
    async def items(request: Request) -> tuple[int, Any]:
        running.advance(world)
        run, query = _row(world, request).id, request.query_params
        status = one_of(query, "status", "queued", "running", "evaluating", *running.FINAL)

        def only(body: Body) -> bool:
            return body["runId"] == run and status in (None, _shown_item(world, body)["status"])

        return 200, array(world, _ITEM, query, lambda body: _shown_item(world, body), only=only)

    async def item(request: Request) -> tuple[int, Any]:
        running.advance(world)
        return 200, _shown_item(world, _item_row(world, request).body)

    async def cancel_item(request: Request) -> tuple[int, Any]:
        running.advance(world)
        row = _item_row(world, request)
        if row.body["status"] in running.FINAL:
            raise bad_request("Simulation run item has already ended")
        _cancel(world, row)
        return 200, _shown_item(world, _item_row(world, request).body)

    path = SIMULATION_RUNS + "/{id}/item"
    return [
        (path, "GET", items),
        (path + "/{itemId}", "GET", item),
        (path + "/{itemId}", "PATCH", cancel_item),
    ]


def _row(world: World, request: Request) -> Row:
    return row_of(world, SIMULATION_RUNS, _RUN.title, request.path_params["id"])


def _item_row(world: World, request: Request) -> Row:
    run = _row(world, request)
    row = world.store.get(ITEMS, request.path_params["itemId"])
    if row is None or row.body["runId"] != run.id:
        raise absent(_ITEM.title, request.path_params["itemId"])
    return row


def _shown_item(world: World, body: Body) -> Body:
    """One of a run's simulations as an answer holds it: the call is over before the result is there."""
    if body["status"] == "running" and running.is_judged(world, str(body["id"])):
        body = {**body, "status": "evaluating"}
    return noisy(world, _ITEM, body)


def _selected(body: Body, query: dict[str, str]) -> bool:
    """What a list of runs is asked for beyond the status: the target, and how the run is going."""
    target = body["target"]
    if query.get("targetType", target["type"]) != target["type"]:
        return False
    if "targetId" in query and query["targetId"] not in (target.get("assistantId"), target.get("squadId")):
        return False
    if "filterStatus" in query:
        counts = body["itemCounts"]
        bad = counts["failed"] + counts["canceled"]
        going = "running" if body["status"] != "ended" else "failed" if bad else "passed"
        return query["filterStatus"] == going
    return True


def _cancel(world: World, item: Row) -> None:
    running.withdrawn(world, item.id)
    world.outcomes.count_end("canceled")
    body = {**item.body, **running.canceled(world.now())}
    world.store.put(item.changed(body))
    running.counted(world, str(item.body["runId"]), str(body["updatedAt"]))


def _summary(world: World, run: Body) -> Body:
    """What a page of runs tells of each besides: where its simulations come from, and against whom they ran."""
    first = run["simulations"][0]
    ids = list(dict.fromkeys(row.body.get("simulationId", "") for row in running.items_of(world, run["id"])))
    suite = world.store.get(SUITES, str(first.get("simulationSuiteId") or first.get("suiteId")))
    whole = suite is not None and len(run["simulations"]) == 1
    kind = "suite" if whole else "simulation" if first.get("simulationId") else "adHoc"
    name = str(suite.body.get("name")) if suite is not None and whole else str(first.get("name") or "")
    target = running.items_of(world, run["id"])[0].body["metadata"].get(run["target"]["type"], {}) if ids else {}
    source: Body = {"type": kind, "name": name, "linkable": whole, "simulationIds": [id_ for id_ in ids if id_]}
    if suite is not None and whole:
        source["id"] = suite.id
    return {"source": source, "simulationCount": len(ids), "targetSnapshotName": str(target.get("name") or "")}
