"""Calls: created, kept, and over after a while. A bypassed call answers with the TwiML that connects it.

Nobody's phone rings. A call to a person goes from queued (or scheduled, until its time) over ringing and in-progress to
ended, by the clock and the switch `calls_last`; a test that edits its status takes it over.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from starlette.requests import Request

from voiceops.sandbox.account import World, iso, new_id
from voiceops.sandbox.catalog import CALLS, PHONES, Collection
from voiceops.sandbox.listing import array
from voiceops.sandbox.requests import Table, bad_request, json_body, only, row_of
from voiceops.sandbox.store import Body, Row
from voiceops.sandbox.validation import Check

_COLLECTION = Collection(path=CALLS, title="Call", kind="", filters=("id", "assistantId", "phoneNumberId"))
_TARGETS = ("assistantId", "assistant", "squadId", "squad", "workflowId", "workflow")
# CreateCallDTO, and `phoneCallProviderBypassEnabled`, which the live API takes beside it.
_KEYS = frozenset(
    {
        *_TARGETS,
        *("assistantVersion", "assistantOverrides", "squadOverrides", "workflowOverrides", "name", "transport"),
        *("schedulePlan", "phoneNumberId", "phoneNumber", "customerId", "customer", "customers"),
        "phoneCallProviderBypassEnabled",
    }
)
_CUSTOMER: dict[str, int | type] = {
    "numberE164CheckEnabled": bool,
    "extension": 10,
    "assistantOverrides": dict,
    "squadOverrides": dict,
    "number": 40,
    "sipUri": str,
    "name": 40,
    "email": 40,
    "externalId": 40,
}
_E164 = re.compile(r"\+[1-9]\d{6,14}\Z", re.ASCII)
_LIMIT_REACHED = "call.start.error-subscription-concurrency-limit-reached"
_UNDER_WAY = ("queued", "ringing", "in-progress", "forwarding")
# When a call is where, as shares of how long it lasts.
_COURSE = ((0.1, "queued"), (0.3, "ringing"), (1.0, "in-progress"))
_COSTS = {"transport": 0.014, "transcriber": 0.01, "model": 0.02, "voice": 0.04, "vapi": 0.05}  # dollars a minute


def operations(world: World) -> Table:
    """The routes of `/call`, with what answers each."""

    async def create(request: Request) -> tuple[int, Any]:
        body = await json_body(request)
        problems = _problems(world, body) if world.switches.validate else []
        if problems:
            raise bad_request(problems)
        _check(world, body)
        if "customers" in body:
            return 201, _batch(world, body)
        made = _created(world, body)
        return 201, _shown(world, made) | {"subscriptionLimits": _limits(world, made)}

    async def listed(request: Request) -> tuple[int, Any]:
        return 200, array(world, _COLLECTION, request.query_params, lambda body: _shown(world, body))

    async def get(request: Request) -> tuple[int, Any]:
        return 200, _shown(world, _row(world, request).body)

    async def update(request: Request) -> tuple[int, Any]:
        row, body = _row(world, request), only(await json_body(request), "name")
        if problem := _too_long(body.get("name"), "name", 40):
            raise bad_request([problem])
        return 200, _shown(world, world.replace(row, {**row.body, **body, "updatedAt": world.timestamp()}).body)

    async def delete(request: Request) -> tuple[int, Any]:
        row = _row(world, request)
        world.delete(row)
        return 200, _shown(world, row.body)

    one = CALLS + "/{id}"
    return [
        (CALLS, "POST", create),
        (CALLS, "GET", listed),
        (one, "GET", get),
        (one, "PATCH", update),
        (one, "DELETE", delete),
    ]


def _row(world: World, request: Request) -> Row:
    return row_of(world, CALLS, "Call", request.path_params["id"])


# What is refused


def _problems(world: World, body: Body) -> list[str]:
    """What the live API's validation says of a body, in its words."""
    found = [f"property {key} should not exist" for key in body if key not in _KEYS]
    found += [text for text in [_too_long(body.get("name"), "name", 40)] if text]
    for key in ("assistantOverrides", "squadOverrides"):
        found += _override_problems(world, body.get(key), key)
    plan = body.get("schedulePlan")
    if plan is not None and not isinstance(plan, dict):
        found.append("nested property schedulePlan must be either object or array")
    elif plan is not None:
        found += _plan_problems(plan)
    customers = body.get("customers")
    if customers is not None and not isinstance(customers, list):
        found.append("customers must be an array")
    for path, customer in [("customer", body.get("customer"))] + [
        (f"customers.{n}", item) for n, item in enumerate(customers if isinstance(customers, list) else ())
    ]:
        if customer is not None or path != "customer":
            found += _customer_problems(world, customer, path)
    return found


def _override_problems(world: World, value: Any, path: str) -> list[str]:
    if value is None:
        return []
    return [
        problem.text for problem in Check(open_enums=world.switches.open_enums).part("AssistantOverrides", value, path)
    ]


def _plan_problems(plan: Body) -> list[str]:
    found = [f"schedulePlan.property {key} should not exist" for key in plan if key not in ("earliestAt", "latestAt")]
    for key in ("earliestAt", "latestAt"):
        if key in plan or key == "earliestAt":
            try:
                datetime.fromisoformat(plan[key])
            except (KeyError, TypeError, ValueError):
                found.append(f"schedulePlan.{key} must be a valid ISO 8601 date string")
    return found


def _customer_problems(world: World, customer: Any, path: str) -> list[str]:
    if not isinstance(customer, dict):
        return [f"nested property {path} must be either object or array"]
    found = [f"{path}.property {key} should not exist" for key in customer if key not in _CUSTOMER]
    for key, wanted in _CUSTOMER.items():
        value = customer.get(key)
        if value is None:
            continue
        if isinstance(wanted, int):
            found += [f"{path}.{text}" for text in [_too_long(value, key, wanted)] if text]
        elif wanted is dict:
            found += _override_problems(world, value, f"{path}.{key}")
        elif not isinstance(value, wanted):
            found.append(f"{path}.{key} must be a {'boolean value' if wanted is bool else 'string'}")
    number = customer.get("number")
    if isinstance(number, str) and customer.get("numberE164CheckEnabled") is not False and not _E164.match(number):
        found.append(
            f"{path}.number must be a valid phone number in the E.164 format. Hot tip, you may be missing the +"
        )
    return found


def _too_long(value: Any, key: str, most: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return f"{key} must be a string"
    return f"{key} must be shorter than or equal to {most} characters" if len(value) > most else ""


def _check(world: World, body: Body) -> None:
    for key, path, title in (
        ("assistantId", "/assistant", "Assistant"),
        ("squadId", "/squad", "Squad"),
        ("phoneNumberId", PHONES, "Phone number"),
    ):
        if body.get(key) and not world.exists(path, str(body[key])):
            raise bad_request(f'{title} with ID "{body[key]}" not found')
    phone = world.store.get(PHONES, str(body.get("phoneNumberId")))
    bound = phone is not None and any(phone.body.get(key) for key in ("assistantId", "squadId", "server"))
    named = [key for key in _TARGETS if body.get(key)]
    if not bound and not named:
        raise bad_request(f"Need one of {', '.join(_TARGETS)}")
    if len(named) > 1 and world.switches.validate:
        raise bad_request(f"Only one of {', '.join(_TARGETS)} may be given")
    if body.get("assistantVersion") and not body.get("assistantId"):
        raise bad_request("assistantVersion goes with assistantId only")
    customer: Body = body["customer"] if isinstance(body.get("customer"), dict) else {}
    if body.get("phoneNumberId") and not (
        customer.get("number") or customer.get("sipUri") or body.get("customers") or body.get("customerId")
    ):
        raise bad_request("Need a customer with a number or a sipUri")
    if body.get("customers") and not (body.get("phoneNumberId") or body.get("phoneNumber")):
        raise bad_request("customers need a phoneNumberId or a phoneNumber")
    plan = body.get("schedulePlan") or {}
    if plan.get("latestAt") and _seconds(plan["latestAt"]) <= _seconds(plan["earliestAt"]):
        raise bad_request("schedulePlan.latestAt must be after schedulePlan.earliestAt")


# What is made


def _batch(world: World, body: Body) -> Body:
    """A call for each of `customers`: those that were made, and those that were not."""
    made = []
    for customer in body["customers"]:
        own = {key: customer[key] for key in ("assistantOverrides", "squadOverrides") if key in customer}
        rest = {key: value for key, value in body.items() if key != "customers"}
        made.append(_created(world, {**rest, **own, "customer": customer}))
    return {
        "results": [_shown(world, call) for call in made],
        "errors": [],
        "subscriptionLimits": _limits(world, made[-1] if made else {}),
    }


def _created(world: World, body: dict[str, Any]) -> dict[str, Any]:
    id_, now = new_id(), world.timestamp()
    bypassed = body.get("phoneCallProviderBypassEnabled") is True
    outbound = bool(body.get("phoneNumberId") or body.get("phoneNumber"))
    later = _seconds((body.get("schedulePlan") or {}).get("earliestAt") or now) > world.now()
    call = {
        "id": id_,
        "orgId": world.account.org_id,
        "createdAt": now,
        "updatedAt": now,
        "type": "outboundPhoneCall" if outbound else "webCall",
        "status": "scheduled" if later else "queued",
        **body,
        "monitor": {
            "listenUrl": f"wss://sandbox.invalid/{id_}/listen",
            "controlUrl": f"https://sandbox.invalid/{id_}/control",
        },
    }
    if bypassed:
        # The live API's TwiML is opaque to callers; this one only looks plausible.
        twiml = f'<Response><Connect><Stream url="wss://sandbox.invalid/{id_}/transport"/></Connect></Response>'
        call |= {"type": "inboundPhoneCall", "phoneCallProviderDetails": {"twiml": twiml}}
    elif outbound and not later and _slots_left(world) <= 0:
        call |= {"status": "ended", "endedReason": _LIMIT_REACHED, "endedAt": now}
    return world.add(CALLS, id_, call).body


def _slots_left(world: World) -> float:
    slots = world.switches.phone_slots
    if not slots:
        return float("inf")
    shown = [_shown(world, body) for body in world.store.bodies(CALLS)]
    busy = [call for call in shown if call.get("status") in _UNDER_WAY and call.get("type") == "outboundPhoneCall"]
    return slots - len(busy)


def _limits(world: World, made: Body) -> Body:
    """`SubscriptionLimits`: what the account has left."""
    slots = world.switches.phone_slots
    blocked = made.get("endedReason") == _LIMIT_REACHED
    if not slots:
        return {"concurrencyBlocked": blocked}
    left = max(0, int(_slots_left(world)))
    return {"concurrencyBlocked": blocked, "concurrencyLimit": slots, "remainingConcurrentCalls": left}


# How it goes


def _shown(world: World, body: Body) -> Body:
    """A call as it is by now."""
    shown = _by_now(body, world.now(), world.switches.calls_last, world.switches.calls_end)
    return shown if world.switches.call_names else {key: value for key, value in shown.items() if key != "name"}


def _by_now(body: Body, now: float, lasts: float, reason: str) -> Body:
    if body.get("type") != "outboundPhoneCall" or body.get("status") not in ("queued", "scheduled") or not lasts:
        return body
    begun = max(_seconds(body["createdAt"]), _seconds((body.get("schedulePlan") or {}).get("earliestAt")))
    if now < begun:
        return {**body, "status": "scheduled"}
    answered = begun + _COURSE[1][0] * lasts
    for share, status in _COURSE:
        if now < begun + share * lasts:
            started = {"startedAt": iso(answered)} if now >= answered else {}
            return {**body, "status": status, **started, "updatedAt": iso(now)}
    minutes = (begun + lasts - answered) / 60
    costs: list[Body] = [
        {"type": part, "minutes": round(minutes, 4), "cost": round(cost * minutes, 5)} for part, cost in _COSTS.items()
    ]
    return {
        **body,
        "status": "ended",
        "startedAt": iso(answered),
        "endedAt": iso(begun + lasts),
        "updatedAt": iso(begun + lasts),
        "endedReason": reason,
        "costs": costs,
        "cost": round(sum(cost["cost"] for cost in costs), 4),
    }


def _seconds(at: Any) -> float:
    """Epoch seconds of a time as it stands in a body; 0 of what is none."""
    try:
        return datetime.fromisoformat(at).timestamp()
    except (TypeError, ValueError):
        return 0.0
