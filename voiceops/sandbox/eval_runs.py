"""Runs of evals: a mock conversation with an assistant or a squad, and what its judges say."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from voiceops.sandbox import running
from voiceops.sandbox.account import World, new_id
from voiceops.sandbox.answers_as import noisy
from voiceops.sandbox.cast import cast_of
from voiceops.sandbox.catalog import Collection
from voiceops.sandbox.conversations import mocked
from voiceops.sandbox.costs import model_cost
from voiceops.sandbox.listing import pages, read
from voiceops.sandbox.requests import Table, bad_request, json_body, row_of
from voiceops.sandbox.running import EVAL_RUNS, Scheduled
from voiceops.sandbox.store import Body, Row
from voiceops.sandbox.targets import check, check_target

_EVALS = "/eval"
_COLLECTION = Collection(
    path=EVAL_RUNS,
    title="Eval run",
    kind="",
    listing="page",
    filters=("id",),
    searched=(("eval", "name"), ("target", "assistant", "name")),
)


def operations(world: World) -> Table:
    """The routes of runs of evals, with what answers each."""

    async def create(request: Request) -> tuple[int, Any]:
        body = await json_body(request)
        check(world, "CreateEvalRunDTO", body)
        check_target(world, body["target"])
        if bool(body.get("eval")) == bool(body.get("evalId")):
            raise bad_request("Need either eval or evalId")
        return 201, noisy(world, _COLLECTION, _created(world, body))

    async def listed(request: Request) -> tuple[int, Any]:
        running.advance(world)
        return 200, pages(world, _COLLECTION, request.query_params, lambda body: noisy(world, _COLLECTION, body))

    async def get(request: Request) -> tuple[int, Any]:
        running.advance(world)
        body = read(world, EVAL_RUNS, _COLLECTION.title, request.path_params["id"])
        return 200, noisy(world, _COLLECTION, body)

    async def delete(request: Request) -> tuple[int, Any]:
        running.advance(world)
        row = _row(world, request)
        running.withdrawn(world, row.id)
        world.delete(row)
        return 200, row.body

    return [
        (EVAL_RUNS, "POST", create),
        (EVAL_RUNS, "GET", listed),
        (EVAL_RUNS + "/{id}", "GET", get),
        (EVAL_RUNS + "/{id}", "DELETE", delete),
    ]


def _row(world: World, request: Request) -> Row:
    return row_of(world, EVAL_RUNS, _COLLECTION.title, request.path_params["id"])


def _created(world: World, body: Body) -> Body:
    kept = world.store.get(_EVALS, str(body.get("evalId")))
    if kept is None and body.get("evalId"):
        raise bad_request(f'Eval with ID "{body["evalId"]}" not found')
    of = kept.body if kept is not None else body["eval"]
    target = body["target"]
    cast = cast_of(world, target, target.get("assistantOverrides"))
    went = mocked(cast, of.get("messages") or ()) if cast else None
    messages = list(went.messages) if went is not None else []
    failed = next((item["judge"]["failureReason"] for item in messages if "failureReason" in item.get("judge", ())), "")
    running.forget_oldest(world)
    id_, now = new_id(), world.timestamp()
    run: Body = {
        "id": id_,
        "orgId": world.account.org_id,
        "createdAt": now,
        "updatedAt": now,
        "status": "queued",
        "type": "eval",
        "target": target,
        **{key: body[key] for key in ("eval", "evalId") if body.get(key)},
    }
    world.add(EVAL_RUNS, id_, run)
    cost = model_cost(cast, [str(item.get("content") or "") for item in messages])
    plan = Scheduled(
        id=id_,
        what="eval",
        slots=0,
        names=str(of.get("name") or ""),
        passed=went is not None and went.passed,
        reason=failed,
        result={"messages": messages, "cost": cost["cost"], "costs": [cost]},
    )
    running.planned(world, plan)
    running.advance(world)
    return run
