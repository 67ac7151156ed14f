"""Traffic allocations: which versions of an assistant callers get. Rows are only ever added; the newest governs.

In beta at Vapi: an organization without access is answered 403, which is the default here, too (`traffic_splitting`).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request

from voiceops.sandbox.account import Refusal, World, new_id
from voiceops.sandbox.catalog import Collection
from voiceops.sandbox.listing import pages
from voiceops.sandbox.requests import Table, bad_request, json_body, not_found
from voiceops.sandbox.store import Body

ALLOCATIONS = "/traffic-allocations"
_COLLECTION = Collection(path=ALLOCATIONS, title="Traffic allocation", kind="", filters=("assistantId",))
_KEYS = ("assistantId", "allocationIntent", "targets", "expectedCurrentAllocationId", "description")
_WHOLE = Decimal(100)


def operations(world: World) -> Table:
    """The routes of traffic allocations, with what answers each."""

    async def create(request: Request) -> tuple[int, Any]:
        _check_access(world)
        body = await json_body(request)
        _check(world, body)
        assistant = str(body["assistantId"])
        _check_expected(world, assistant, body)
        return 201, added(world, assistant, body.get("targets"), body.get("description"))

    async def listed(request: Request) -> tuple[int, Any]:
        _check_access(world)
        return 200, pages(world, _COLLECTION, request.query_params, _as_it_is)

    async def latest(request: Request) -> tuple[int, Any]:
        _check_access(world)
        assistant = request.query_params.get("assistantId", "")
        if not assistant:
            raise bad_request(["assistantId must be a UUID"])
        found = governing(world, assistant)
        return 200, {} if found is None else {"allocation": found}

    async def get(request: Request) -> tuple[int, Any]:
        _check_access(world)
        row = world.store.get(ALLOCATIONS, request.path_params["id"])
        if row is None:
            raise not_found("Traffic allocation not found")
        return 200, row.body

    return [
        (ALLOCATIONS, "POST", create),
        (ALLOCATIONS, "GET", listed),
        (ALLOCATIONS + "/latest", "GET", latest),
        (ALLOCATIONS + "/{id}", "GET", get),
    ]


def governing(world: World, assistant: str) -> Body | None:
    """The allocation in effect: the newest of the assistant."""
    rows = [body for body in world.store.bodies(ALLOCATIONS) if body["assistantId"] == assistant]
    return rows[-1] if rows else None


def added(
    world: World, assistant: str, targets: list[Body] | None, description: str | None = None, actor: str = "api-key"
) -> Body:
    """A new row, which governs from now on; without targets every call goes to the newest version."""
    id_ = new_id()
    body = {
        "id": id_,
        "orgId": world.account.org_id,
        "assistantId": assistant,
        "allocationIntent": "explicit" if targets else "follow-latest",
        "createdAt": world.timestamp(),
        "actorType": actor,
        **({"description": description} if description else {}),
        "targets": [
            {"assistantVersion": target["assistantVersion"], "position": place, "percentage": target["percentage"]}
            for place, target in enumerate(targets or ())
        ],
    }
    return world.add(ALLOCATIONS, id_, body).body


def published(world: World, assistant: str) -> None:
    """A publish moves an allocation that follows the latest version on, by a row of Vapi's own."""
    found = governing(world, assistant)
    if found is not None and found["allocationIntent"] == "follow-latest":
        added(world, assistant, None, actor="system")


def _as_it_is(body: Body) -> Body:
    return body


def _check_access(world: World) -> None:
    if not world.switches.traffic_splitting:
        text = "Traffic splitting is not enabled for this organization"
        raise Refusal(403, {"message": text, "error": "Forbidden", "statusCode": 403})


def _check(world: World, body: Body) -> None:
    problems = [f"property {key} should not exist" for key in body if key not in _KEYS]
    if not isinstance(body.get("assistantId"), str):
        problems.append("assistantId must be a UUID")
    intent, targets = body.get("allocationIntent"), body.get("targets")
    if intent not in (None, "explicit", "follow-latest"):
        problems.append("allocationIntent must be one of the following values: follow-latest, explicit")
    description = body.get("description")
    if description is not None and not isinstance(description, str):
        problems.append("description must be a string")
    if targets is not None and not isinstance(targets, list):
        problems.append("targets must be an array")
    elif targets is not None:
        problems += _problems_of(targets)
    if problems:
        raise bad_request(problems)
    _check_intent(intent, targets)
    row = world.store.get("/assistant", str(body["assistantId"]))
    if row is None:
        raise not_found(f'Assistant with ID "{body["assistantId"]}" not found')
    newest = int(row.body.get("latestVersion") or 1)
    for target in targets or ():
        version = target["assistantVersion"]
        if not (version[:1] == "v" and version[1:].isdigit() and 1 <= int(version[1:]) <= newest):
            raise bad_request(f"{version} is no published version of the assistant")


def _check_intent(intent: str | None, targets: list[Any] | None) -> None:
    """A split names its versions, and its end is said: a `targets` that got lost ends nothing."""
    if targets is None and intent != "follow-latest":
        raise bad_request("targets are required, or allocationIntent: follow-latest to stop splitting")
    if targets is not None and intent == "follow-latest":
        raise bad_request("follow-latest takes no targets")
    if targets is not None and not targets:
        raise bad_request("targets must contain at least 1 elements")
    if targets:
        if sum((_exact(target["percentage"]) for target in targets), Decimal(0)) != _WHOLE:
            raise bad_request("The percentages of targets must total 100")
        versions = [target["assistantVersion"] for target in targets]
        if len(set(versions)) != len(versions):
            raise bad_request("targets name a version twice")


def _problems_of(targets: list[Any]) -> list[str]:
    found = []
    for place, target in enumerate(targets):
        at = f"targets.{place}"
        if not isinstance(target, dict):
            found.append(f"{at} must be an object")
            continue
        found += [
            f"{at}.property {key} should not exist" for key in target if key not in ("assistantVersion", "percentage")
        ]
        if not isinstance(target.get("assistantVersion"), str):
            found.append(f"{at}.assistantVersion must be a string")
        share = target.get("percentage")
        if isinstance(share, bool) or not isinstance(share, (int, float)):
            found.append(f"{at}.percentage must be a number")
        elif not 0 <= share <= 100:
            found.append(f"{at}.percentage must not be {'less than 0' if share < 0 else 'greater than 100'}")
        elif -int(_exact(share).as_tuple().exponent) > 3:
            found.append(f"{at}.percentage must have at most 3 decimal places")
    return found


def _exact(value: Any) -> Decimal:
    try:
        return Decimal(str(value)).normalize()
    except InvalidOperation:
        return Decimal(-1)


def _check_expected(world: World, assistant: str, body: Body) -> None:
    """The only compare-and-set of the API: a row is added only while the one that was read governs."""
    if "expectedCurrentAllocationId" not in body:
        return
    current = governing(world, assistant)
    id_ = current["id"] if current else None
    if body["expectedCurrentAllocationId"] != id_:
        raise Refusal(
            409,
            {
                "error": "stale_allocation",
                "message": "The allocation in effect is not the expected one",
                "currentAllocationId": id_,
            },
        )
