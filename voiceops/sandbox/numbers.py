"""Twilio's phone numbers: what one is, and what a change does to it.

https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from voiceops.sandbox.account import Refusal, World
from voiceops.sandbox.store import Body, Row

NUMBERS = "twilio:number"
RESERVED = "twilio:reserved"  # by id: numbers that nobody can buy
PURCHASES = "twilio:purchase"

# Every field that a form may write, and the answer's name for it.
FIELDS = {
    "FriendlyName": "friendly_name",
    "VoiceUrl": "voice_url",
    "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url",
    "VoiceFallbackMethod": "voice_fallback_method",
    "VoiceApplicationSid": "voice_application_sid",
    "VoiceCallerIdLookup": "voice_caller_id_lookup",
    "VoiceReceiveMode": "voice_receive_mode",
    "SmsUrl": "sms_url",
    "SmsMethod": "sms_method",
    "SmsFallbackUrl": "sms_fallback_url",
    "SmsFallbackMethod": "sms_fallback_method",
    "SmsApplicationSid": "sms_application_sid",
    "StatusCallback": "status_callback",
    "StatusCallbackMethod": "status_callback_method",
    "TrunkSid": "trunk_sid",
    "EmergencyStatus": "emergency_status",
    "EmergencyAddressSid": "emergency_address_sid",
    "AddressSid": "address_sid",
    "IdentitySid": "identity_sid",
    "BundleSid": "bundle_sid",
    "ApiVersion": "api_version",
}
_URLS = ("VoiceUrl", "VoiceFallbackUrl", "SmsUrl", "SmsFallbackUrl", "StatusCallback")
_METHODS = ("VoiceMethod", "VoiceFallbackMethod", "SmsMethod", "SmsFallbackMethod", "StatusCallbackMethod")
_SIDS = {
    "VoiceApplicationSid": "AP",
    "SmsApplicationSid": "AP",
    "TrunkSid": "TK",
    "EmergencyAddressSid": "AD",
    "AddressSid": "AD",
    "IdentitySid": "RI",
    "BundleSid": "BU",
}
_FRIENDLY_LIMIT = 64
# How an empty field comes back: some as null, the others as "".
_NULLS = frozenset(
    {
        "voice_url",
        "voice_fallback_url",
        "trunk_sid",
        "address_sid",
        "identity_sid",
        "bundle_sid",
        "emergency_address_sid",
    }
)


def refusal(status: int, code: int, message: str) -> Refusal:
    """An error as the 2010 API words it."""
    info = f"https://www.twilio.com/docs/errors/{code}"
    return Refusal(status, {"code": code, "message": message, "more_info": info, "status": status})


def sid(prefix: str) -> str:
    """A new id as Twilio gives them: two letters and 32 hexadecimal digits."""
    return prefix + uuid.uuid4().hex


def date(world: World) -> str:
    """The sandbox's time as Twilio writes it (RFC 2822, UTC)."""
    return datetime.fromtimestamp(world.now(), UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")


def by_number(world: World, number: str) -> Row | None:
    """The row of a number in E.164 that the account owns, or None."""
    return next((row for row in world.store.rows(NUMBERS) if row.alive and row.body["phone_number"] == number), None)


def new(world: World, number: str) -> Body:
    """A number as it is bought."""
    id_, now = sid("PN"), date(world)
    account = world.account.account_sid
    return {
        "sid": id_,
        "account_sid": account,
        "friendly_name": _pretty(number),
        "phone_number": number,
        "voice_url": world.switches.demo_url,
        "voice_method": "POST",
        "voice_fallback_url": "",
        "voice_fallback_method": "POST",
        "voice_application_sid": "",
        "voice_caller_id_lookup": False,
        "voice_receive_mode": "voice",
        "sms_url": "",
        "sms_method": "POST",
        "sms_fallback_url": "",
        "sms_fallback_method": "POST",
        "sms_application_sid": "",
        "status_callback": "",
        "status_callback_method": "POST",
        "trunk_sid": "",
        "emergency_status": "Inactive",
        "emergency_address_sid": "",
        "emergency_address_status": "unregistered",
        "address_sid": "",
        "identity_sid": "",
        "bundle_sid": "",
        "address_requirements": "none",
        "api_version": "2010-04-01",
        "beta": False,
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
        "date_created": now,
        "date_updated": now,
        "origin": "twilio",
        "status": "in-use",
        "type": "local",
        "uri": f"/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{id_}.json",
    }


def own(world: World, number: str, changes: Mapping[str, Any] | None = None) -> Row:
    """A number that the account has from now on, unless it has it already. No money is spent."""
    found = by_number(world, number)
    if found is not None:
        return found
    body = edited(world, new(world, number), changes or {})
    return world.store.put(Row(NUMBERS, body["sid"], body))


def written(world: World, body: Body, form: Mapping[str, str]) -> Body:
    """The number after a form: the fields that it holds, an empty one cleared. Raises Refusal."""
    changes: Body = {}
    for key, value in form.items():
        if key not in FIELDS:
            continue
        _check(key, value)
        if key == "FriendlyName" and not value:
            continue  # it can't be cleared
        if key in _METHODS:
            changes[FIELDS[key]] = value.upper() or "POST"
        elif key == "VoiceCallerIdLookup":
            changes[FIELDS[key]] = value == "true"
        else:
            changes[FIELDS[key]] = value
    after = edited(world, body, changes)
    for kind, code in (("voice", 21405), ("sms", 21406)):
        if after[f"{kind}_fallback_url"] and not after[f"{kind}_url"]:
            raise refusal(400, code, f"Cannot set {kind.title()}FallbackUrl without setting Url")
    return after


def edited(world: World, body: Body, changes: Mapping[str, Any]) -> Body:
    """The number with other values: a trunk drives the application out, and the other way round."""
    after = {**body, **changes, "date_updated": date(world)}
    if changes.get("trunk_sid"):
        after["voice_application_sid"] = ""
    elif changes.get("voice_application_sid"):
        after["trunk_sid"] = ""
    return after


def shown(world: World, body: Body) -> Body:
    """The number as an answer holds it: empty fields are null or "", by field or as the switch says."""
    choice = world.switches.clear_to
    empty = {
        key: None if choice == "null" or (choice == "mixed" and key in _NULLS) else ""
        for key, value in body.items()
        if value in ("", None)
    }
    return {**body, **empty}


def _check(key: str, value: str) -> None:
    if key == "FriendlyName" and len(value) > _FRIENDLY_LIMIT:
        raise refusal(400, 20001, f"FriendlyName is longer than {_FRIENDLY_LIMIT} characters")
    if not value:
        return
    if key in _URLS:
        split = urlsplit(value)
        if split.scheme not in ("http", "https") or not split.hostname or " " in value:
            raise refusal(400, 21402, f"{key} is not a valid URL: {value}")
    if key in _METHODS and value.upper() not in ("GET", "POST"):
        raise refusal(400, 21403, f"{key} is not GET or POST: {value}")
    if key in _SIDS and not re.fullmatch(_SIDS[key] + "[0-9a-fA-F]{32}", value):
        raise refusal(400, 20001, f"{key} is no sid: {value}")


def _pretty(number: str) -> str:
    match = re.fullmatch(r"\+1(\d{3})(\d{3})(\d{4})", number)
    return f"({match[1]}) {match[2]}-{match[3]}" if match else number
