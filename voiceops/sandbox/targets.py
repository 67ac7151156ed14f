"""What a run, a chat or a session is about: one assistant or squad, in the account or in the request itself."""

from __future__ import annotations

import json

from voiceops.sandbox.account import Refusal, World
from voiceops.sandbox.catalog import BY_PATH
from voiceops.sandbox.references import missing
from voiceops.sandbox.requests import bad_request
from voiceops.sandbox.store import Body
from voiceops.sandbox.validation import Check

_TARGETS = (("assistant", "/assistant"), ("squad", "/squad"))
_INLINE = {**dict(_TARGETS), "scenario": "/eval/simulation/scenario", "personality": "/eval/simulation/personality"}
_PAY = {
    "payment_method_missing": "Add a payment method to use {what}.",
    "initial_payment_missing": "Purchase credits to use {what}.",
    "insufficient_credits": "Buy credits to use {what}.",
}


def check(world: World, name: str, body: Body) -> None:
    """The body against its type. Raises Refusal: a 400 that lists what is wrong."""
    if not world.switches.validate:
        return
    if problems := Check(open_enums=world.switches.open_enums).typed(name, body):
        echo = world.switches.echo_in_errors
        raise bad_request([f"{p.text} (received {json.dumps(p.value)})" if echo else p.text for p in problems])


def check_target(world: World, body: Body) -> None:
    """That the body names one assistant or squad, and that it is there. Raises Refusal."""
    given = [key for name, _ in _TARGETS for key in (name + "Id", name) if body.get(key)]
    if not given:
        raise bad_request(f"Need one of {', '.join(key for name, _ in _TARGETS for key in (name + 'Id', name))}")
    if len(given) > 1:
        raise bad_request(f"{given[1]} cannot be combined with {given[0]}")
    check_ids(world, body)


def check_ids(world: World, body: Body) -> None:
    """That what the body names by an id is there, inside of what it brings along, too. Raises Refusal."""
    if not world.switches.references:
        return
    for name, path in _INLINE.items():
        id_, inline = body.get(name + "Id"), body.get(name)
        if id_ and not world.exists(path, str(id_)):
            raise bad_request(f'{BY_PATH[path].title} with ID "{id_}" not found')
        if isinstance(inline, dict) and (texts := missing(world, BY_PATH[path], inline, inline)):
            raise bad_request(texts)


def check_paid(world: World, what: str) -> None:
    """Raises Refusal: a 402, for the account is ordered to be unpaid."""
    reason = world.switches.payment
    if reason != "ok":
        text = _PAY.get(reason, "The organization is not eligible to use {what}.").format(what=what)
        raise Refusal(402, {"statusCode": 402, "message": text, "reason": reason})
