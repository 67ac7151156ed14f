"""Calls: created and kept, never placed. A bypassed call answers with the TwiML that connects it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from voiceops.sandbox.account import World, new_id
from voiceops.sandbox.catalog import CALLS, PHONES, Collection
from voiceops.sandbox.listing import array
from voiceops.sandbox.requests import Table, absent, bad_request, json_body, only
from voiceops.sandbox.store import Body, Row

_COLLECTION = Collection(path=CALLS, title="Call", kind="", filters=("id", "assistantId", "phoneNumberId"))
_TARGETS = ("assistantId", "assistant", "squadId", "squad", "workflowId", "workflow")


def operations(world: World) -> Table:
    """The routes of `/call`, with what answers each."""

    async def create(request: Request) -> tuple[int, Any]:
        body = await json_body(request)
        _check(world, body)
        return 201, _created(world, body)

    async def listed(request: Request) -> tuple[int, Any]:
        return 200, array(world, _COLLECTION, request.query_params, lambda body: body)

    async def get(request: Request) -> tuple[int, Any]:
        return 200, _row(world, request).body

    async def update(request: Request) -> tuple[int, Any]:
        row, body = _row(world, request), only(await json_body(request), "name")
        return 200, world.replace(row, {**row.body, **body, "updatedAt": world.timestamp()}).body

    async def delete(request: Request) -> tuple[int, Any]:
        row = _row(world, request)
        world.delete(row)
        return 200, row.body

    one = CALLS + "/{id}"
    return [
        (CALLS, "POST", create),
        (CALLS, "GET", listed),
        (one, "GET", get),
        (one, "PATCH", update),
        (one, "DELETE", delete),
    ]


def _row(world: World, request: Request) -> Row:
    id_ = request.path_params["id"]
    row = world.store.get(CALLS, id_)
    if row is None:
        raise absent("Call", id_)
    return row


def _check(world: World, body: dict[str, Any]) -> None:
    for key, path, title in (
        ("assistantId", "/assistant", "Assistant"),
        ("squadId", "/squad", "Squad"),
        ("phoneNumberId", PHONES, "Phone number"),
    ):
        if body.get(key) and not world.exists(path, str(body[key])):
            raise bad_request(f'{title} with ID "{body[key]}" not found')
    phone = world.store.get(PHONES, str(body.get("phoneNumberId")))
    bound = phone is not None and any(phone.body.get(key) for key in ("assistantId", "squadId", "server"))
    if not bound and not any(body.get(key) for key in _TARGETS):
        raise bad_request(f"Need one of {', '.join(_TARGETS)}")
    customer: Body = body["customer"] if isinstance(body.get("customer"), dict) else {}
    if body.get("phoneNumberId") and not (customer.get("number") or customer.get("sipUri")):
        raise bad_request("Need a customer with a number or a sipUri")


def _created(world: World, body: dict[str, Any]) -> dict[str, Any]:
    id_, now = new_id(), world.timestamp()
    bypassed = body.get("phoneCallProviderBypassEnabled") is True
    call = {
        "id": id_,
        "orgId": world.account.org_id,
        "createdAt": now,
        "updatedAt": now,
        "type": "outboundPhoneCall" if body.get("phoneNumberId") or body.get("phoneNumber") else "webCall",
        "status": "queued",
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
    return world.add(CALLS, id_, call).body
