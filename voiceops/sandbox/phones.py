"""Phone numbers at Vapi: what an import does to the Twilio number behind it, and numbers that Vapi gives itself."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from voiceops.sandbox.account import World
from voiceops.sandbox.catalog import PHONES
from voiceops.sandbox.numbers import by_number, edited
from voiceops.sandbox.requests import bad_request
from voiceops.sandbox.store import Body, Row

_AREA = re.compile(r"[0-9]{3}")
FREE_NUMBERS = 5  # https://docs.vapi.ai/free-telephony


def imported(world: World, phone: Body) -> Body:
    """A new phone number, after what its provider has to say. Raises Refusal."""
    number = phone.get("number")
    if number and world.switches.unique_numbers and any(b.get("number") == number for b in world.store.bodies(PHONES)):
        raise bad_request(f"Number {number} is already in use")
    match phone.get("provider"):
        case "twilio":
            _take_over(world, phone)
        case "vapi":
            return _given_by_vapi(world, phone)
    return phone


def updated(world: World, before: Body, phone: Body, changes: Body) -> Body:
    """A changed phone number: other keys are tried, the Twilio number stays as it is."""
    if phone.get("provider") == "twilio":
        keys = ("number", "twilioAccountSid", "twilioAuthToken", "twilioApiKey", "twilioApiSecret")
        if any(key in changes and changes[key] != before.get(key) for key in keys):
            _number(world, phone)
        if world.switches.rebind_rewrites_urls:
            _take_over(world, phone)
    return phone


def deleted(world: World, phone: Body) -> None:
    """What an imported number's deletion does at Twilio: with the switch on, its voice URL is emptied."""
    if phone.get("provider") == "twilio" and world.switches.delete_clears_url:
        row = by_number(world, str(phone.get("number")))
        if row is not None:
            _write(world, row, {"voice_url": ""})


def with_status(world: World, phone: Body) -> Body:
    """A number is active after a while, unless Vapi blocked it."""
    if phone.get("status") == "blocked":
        return phone
    age = world.now() - datetime.fromisoformat(str(phone["createdAt"])).timestamp()
    waiting = phone.get("provider") == "vapi" and age < world.switches.settle
    return {**phone, "status": "activating" if waiting else "active"}


def _take_over(world: World, phone: Body) -> None:
    """Point the Twilio number at Vapi, as an import does."""
    row = _number(world, phone)
    changes = {"voice_url": world.switches.inbound_url, "voice_method": "POST"}
    if phone.get("smsEnabled") is not False:
        changes |= {"sms_url": world.switches.sms_url, "sms_method": "POST"}
    _write(world, row, changes)


def _write(world: World, row: Row, changes: dict[str, Any]) -> None:
    world.store.put(row.changed(edited(world, row.body, changes)))


def _number(world: World, phone: Body) -> Row:
    """The Twilio number behind an import. Raises Refusal where Twilio would not let Vapi in."""
    sid = str(phone.get("twilioAccountSid"))
    token = phone.get("twilioAuthToken")
    key, secret = phone.get("twilioApiKey"), phone.get("twilioApiSecret")
    if not token and not (key and secret):
        raise bad_request("Twilio needs twilioAuthToken, or twilioApiKey and twilioApiSecret")
    user, password = (sid, token) if token else (key, secret)
    if sid != world.account.account_sid or not world.account.twilio_accepts(str(user), str(password)):
        echoed = f" ({user}:{password})" if world.switches.echo_in_errors else ""
        raise bad_request(f"Twilio did not accept the credentials of account {sid}{echoed}")
    row = by_number(world, str(phone.get("number")))
    if row is None:
        raise bad_request(f"Number {phone.get('number')} was not found on the Twilio account {sid}")
    return row


def _given_by_vapi(world: World, phone: Body) -> Body:
    if phone.get("sipUri"):
        return phone
    given = [b for b in world.store.bodies(PHONES) if b.get("provider") == "vapi" and not b.get("sipUri")]
    if len(given) >= FREE_NUMBERS:
        raise bad_request(f"An organization can have at most {FREE_NUMBERS} free numbers")
    taken = {b.get("number") for b in given}
    area = phone.pop("numberDesiredAreaCode", None) or "628"
    if not _AREA.fullmatch(area):
        raise bad_request(["numberDesiredAreaCode must be a number string"])
    number = next(n for i in range(100) if (n := f"+1{area}55501{i:02}") not in taken)
    return {**phone, "number": number}
