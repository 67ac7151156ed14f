"""The control endpoint: what a test may do to the simulated vendors that no customer can.

It stands on Vapi's port under /_sandbox/, needs no key, and answers only where it is called by a loopback name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from voiceops.sandbox import numbers
from voiceops.sandbox.account import PINS, World, iso, new_id
from voiceops.sandbox.catalog import CALLS, PHONES
from voiceops.sandbox.counted_rules import CountedRules
from voiceops.sandbox.deprecations import DEPRECATIONS
from voiceops.sandbox.faults import parse
from voiceops.sandbox.made_calls import MadeUp, made_calls
from voiceops.sandbox.numbers import PURCHASES
from voiceops.sandbox.outcomes import Outcomes
from voiceops.sandbox.outcomes import parse as parse_order
from voiceops.sandbox.running import advance
from voiceops.sandbox.store import Body, Row

_LOOPBACK = ("127.0.0.1", "localhost")

Operation = Callable[[World, Request, Any], Awaitable[Any]]


class _Wrong(Exception):
    """The control request makes no sense."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def application(world: World, plant: Callable[[], None]) -> Starlette:
    """The control endpoint as an ASGI application; `plant` puts back what every new sandbox holds."""

    initial = world.switches

    async def reset(world: World, request: Request, data: Any) -> Any:
        world.faults.remove()
        world.log.reset()
        world.outcomes = Outcomes()
        world.switches = initial
        world.store.clear()
        plant()
        return {}

    table: list[tuple[str, str, Operation]] = [
        ("switches", "GET", _switches),
        ("switches", "PATCH", _change_switches),
        ("faults", "GET", _faults),
        ("faults", "POST", _add_faults),
        ("faults", "DELETE", _remove_faults),
        ("faults/{id}", "DELETE", _remove_faults),
        ("release", "POST", _release),
        ("outcomes", "GET", _outcomes),
        ("outcomes", "POST", _order),
        ("outcomes", "DELETE", _withdraw_orders),
        ("outcomes/{id}", "DELETE", _withdraw_orders),
        ("runs", "GET", _runs),
        ("requests", "GET", _requests),
        ("requests", "DELETE", _forget),
        ("counts", "GET", _counts),
        ("objects", "GET", _objects),
        ("objects", "POST", _add_object),
        ("objects/{id}", "GET", _object),
        ("objects/{id}", "PATCH", _edit),
        ("objects/{id}", "DELETE", _delete),
        ("objects/{id}/duplicate", "POST", _duplicate),
        ("pins/{id}", "PUT", _pin),
        ("pins/{id}", "DELETE", _unpin),
        ("seed", "POST", _seed),
        ("calls", "POST", _make_calls),
        ("numbers", "GET", _numbers),
        ("numbers", "POST", _add_number),
        ("numbers/{number}", "PATCH", _edit_number),
        ("deprecations", "PUT", _deprecations),
        ("reset", "POST", reset),
    ]
    routes = [Route("/_sandbox/" + path, _endpoint(world, op), methods=[method]) for path, method, op in table]
    return Starlette(routes=routes)


def _endpoint(world: World, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.url.hostname not in _LOOPBACK:
            return JSONResponse({"error": "only from this machine"}, status_code=403)
        try:
            data = json.loads(await request.body() or b"{}")
            world.store.refresh()
            return JSONResponse(await operation(world, request, data))
        except _Wrong as wrong:
            return JSONResponse({"error": str(wrong)}, status_code=wrong.status)
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return endpoint


async def _switches(world: World, request: Request, data: Any) -> Any:
    return world.switches.to_data()


async def _change_switches(world: World, request: Request, data: Any) -> Any:
    world.switches = world.switches.changed(data)
    return world.switches.to_data()


async def _faults(world: World, request: Request, data: Any) -> Any:
    return _shown(world.faults)


async def _add_faults(world: World, request: Request, data: Any) -> Any:
    return _added(world.faults, parse, data)


async def _remove_faults(world: World, request: Request, data: Any) -> Any:
    return _removed(world.faults, request)


async def _release(world: World, request: Request, data: Any) -> Any:
    return {"released": world.faults.release(data.get("id", ""))}


async def _outcomes(world: World, request: Request, data: Any) -> Any:
    return _shown(world.outcomes)


async def _order(world: World, request: Request, data: Any) -> Any:
    return _added(world.outcomes, parse_order, data)


async def _withdraw_orders(world: World, request: Request, data: Any) -> Any:
    return _removed(world.outcomes, request)


def _shown(rules: CountedRules[Any]) -> Any:
    return [rule.to_data() for rule in rules.rules]


def _added(rules: CountedRules[Any], parsed: Callable[[Any], Any], data: Any) -> Any:
    """One rule, or a list of them: all are read before one is in force."""
    given = [parsed(item) for item in (data if isinstance(data, list) else [data])]
    added = [rules.add(rule).to_data() for rule in given]
    return added if isinstance(data, list) else added[0]


def _removed(rules: CountedRules[Any], request: Request) -> Any:
    return {"removed": rules.remove(request.path_params.get("id", ""))}


async def _runs(world: World, request: Request, data: Any) -> Any:
    """What ran so far: how many simulations and evals started, how they ended, and the most at once."""
    advance(world)
    return world.outcomes.counts()


async def _requests(world: World, request: Request, data: Any) -> Any:
    query = request.query_params
    return world.log.selected(query.get("vendor", ""), query.get("method", ""), query.get("path", ""))


async def _forget(world: World, request: Request, data: Any) -> Any:
    world.log.reset()
    return {}


async def _counts(world: World, request: Request, data: Any) -> Any:
    purchases = world.store.bodies(PURCHASES)
    spent = round(sum(purchase["price"] for purchase in purchases), 2)
    return {**world.log.counts(), "purchases": len(purchases), "spent": spent}


async def _objects(world: World, request: Request, data: Any) -> Any:
    names = [request.query_params["collection"]] if "collection" in request.query_params else world.store.collections()
    return {name: world.store.bodies(name) for name in names}


async def _object(world: World, request: Request, data: Any) -> Any:
    return _row(world, request).body


async def _add_object(world: World, request: Request, data: Any) -> Any:
    """An object that nobody checked, of a Vapi collection or any other name."""
    name = data["collection"] if isinstance(data.get("collection"), str) else None
    if name is None:
        raise _Wrong("collection is missing")
    given = data.get("body") or {}
    id_ = str(given.get("id") or given.get("sid") or data.get("id") or new_id())
    body = {**_server_fields(world, id_), **given} if name.startswith("/") else given
    return world.store.put(Row(name, id_, body)).body


async def _edit(world: World, request: Request, data: Any) -> Any:
    """An edit in the dashboard: `merge` deeply, `set` and `unset` by path, `replace` the whole."""
    row = _row(world, request)
    body: Body = json.loads(json.dumps(data.get("replace", row.body)))
    body = _merged(body, data.get("merge", {}))
    for path, value in data.get("set", {}).items():
        body = _with(body, _steps(path), value)
    for path in data.get("unset", ()):
        body = _without(body, _steps(path))
    touched = {"date_updated": numbers.date(world)} if "sid" in body else {"updatedAt": world.timestamp()}
    return world.store.put(row.changed({**body, **touched})).body


async def _delete(world: World, request: Request, data: Any) -> Any:
    row = _row(world, request)
    world.store.remove(row.collection, row.id)
    return row.body


async def _duplicate(world: World, request: Request, data: Any) -> Any:
    """A copy under a new id, as the dashboard's Duplicate makes one; `merge` what differs."""
    row = _row(world, request)
    id_ = new_id()
    body = {**row.body, **_server_fields(world, id_)}
    return world.store.put(Row(row.collection, id_, _merged(body, data.get("merge", {})))).body


async def _pin(world: World, request: Request, data: Any) -> Any:
    row = _row(world, request)
    world.store.put(Row(PINS, row.id, {"id": row.id}))
    return {"pinned": row.id}


async def _unpin(world: World, request: Request, data: Any) -> Any:
    world.store.remove(PINS, request.path_params["id"])
    return {}


async def _seed(world: World, request: Request, data: Any) -> Any:
    """Many objects at once: `count` of a `body`, in which {n} is the number, of one `createdAt` or `step` ms apart."""
    name, count, template = data["collection"], int(data.get("count", 1)), data.get("body", {})
    at, step = data.get("createdAt"), int(data.get("step", 0))
    ids: list[str] = []
    with world.store.transaction():
        for n in range(count):
            id_ = new_id()
            given = json.loads(json.dumps(template).replace("{n}", str(n)))
            times = _times(at, step * n) if at else {}
            world.store.put(Row(name, id_, {**_server_fields(world, id_), **times, **given}))
            ids.append(id_)
    return {"ids": ids}


async def _make_calls(world: World, request: Request, data: Any) -> Any:
    """`n` made-up calls of what the account has, of a `scenario`, over so many `days`; the same for the same `seed`."""
    tools = {row.id: str((row.body.get("function") or {}).get("name") or "") for row in world.store.rows("/tool")}
    assistants = world.store.bodies("/assistant")
    of = MadeUp(
        world.account.org_id,
        assistants,
        world.store.bodies(PHONES),
        {
            str(body["id"]): [
                name for id_ in (body.get("model") or {}).get("toolIds") or () if (name := tools.get(id_))
            ]
            for body in assistants
        },
    )
    n, days = int(data.get("n", 100)), float(data.get("days", 14))
    if not 0 < n <= 1_000_000 or not 0 < days <= 3650:
        raise _Wrong("n is 1 to 1,000,000, days up to 3650")
    made = made_calls(of, n, data.get("scenario", "steady"), now=world.now(), days=days, seed=int(data.get("seed", 1)))
    with world.store.transaction():
        for body in made:
            world.store.put(Row(CALLS, body["id"], body))
    return {"made": n}


async def _numbers(world: World, request: Request, data: Any) -> Any:
    return world.store.bodies(numbers.NUMBERS)


async def _add_number(world: World, request: Request, data: Any) -> Any:
    number = data.pop("number")
    return numbers.own(world, number, data).body


async def _edit_number(world: World, request: Request, data: Any) -> Any:
    """An edit in Twilio's console, in the answer's names (`voice_url`), bypassing its checks."""
    row = numbers.by_number(world, request.path_params["number"])
    if row is None:
        raise _Wrong("the account has no such number", 404)
    body = numbers.edited(world, row.body, data)
    return world.store.put(row.changed(body)).body


async def _deprecations(world: World, request: Request, data: Any) -> Any:
    """The models that are going to be retired, all of them: what assistants and squads carry notices of."""
    wanted = ("provider", "model", "deprecationDate", "retirementDate")
    for item in data:
        if not isinstance(item, dict) or not all(isinstance(item.get(key), str) for key in wanted):
            raise _Wrong(f"a deprecation has {', '.join(wanted)}")
    for body in world.store.bodies(DEPRECATIONS):
        world.store.remove(DEPRECATIONS, body["id"])
    for item in data:
        id_ = f"{item['provider']}/{item['model']}"
        world.store.put(Row(DEPRECATIONS, id_, {**item, "id": id_}))
    return data


def _row(world: World, request: Request) -> Row:
    row = world.store.find(request.path_params["id"])
    if row is None or row.collection == PINS:
        raise _Wrong("there is no such object", 404)
    return row


def _server_fields(world: World, id_: str) -> Body:
    now = world.switches.created_at or world.timestamp()
    return {"id": id_, "orgId": world.account.org_id, "createdAt": now, "updatedAt": now}


def _times(at: str, milliseconds: int) -> Body:
    time = iso(datetime.fromisoformat(at).timestamp() + milliseconds / 1000)
    return {"createdAt": time, "updatedAt": time}


def _merged(into: Any, change: Any) -> Any:
    """Maps merge deeply; everything else replaces."""
    if not (isinstance(into, dict) and isinstance(change, dict)):
        return change
    return {**into, **{key: _merged(into.get(key), value) for key, value in change.items()}}


def _steps(path: str) -> list[str | int]:
    return [int(index) if index else name for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)]


def _with(body: Any, steps: list[str | int], value: Any) -> Any:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        items = list(body) if isinstance(body, list) else []
        if step > len(items):
            raise _Wrong(f"there is no item {step}")
        return [*items[:step], _with(items[step] if step < len(items) else None, rest, value), *items[step + 1 :]]
    known = body if isinstance(body, dict) else {}
    return {**known, step: _with(known.get(step), rest, value)}


def _without(body: Any, steps: list[str | int]) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(step, int) and isinstance(body, list) and step < len(body):
        return [*body[:step], *([_without(body[step], rest)] if rest else []), *body[step + 1 :]]
    if isinstance(step, str) and isinstance(body, dict) and step in body:
        if rest:
            return {**body, step: _without(body[step], rest)}
        return {key: value for key, value in body.items() if key != step}
    return body
