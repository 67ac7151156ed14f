"""Phone lines as manifests say them: who answers, by which route, and what stands at Twilio beside.

A manifest of a Twilio number also speaks for its voice settings there: where those are not what Vapi's import wrote,
somebody else answers the number, and a manifest that took it over would change that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from voiceops.adopt.found import Written
from voiceops.adopt.leaves import Hidden, Name, PartHere
from voiceops.engine.lines.twilio_number import settings, shadow
from voiceops.kinds.twilio import TWILIO_DEMO, TWILIO_SETTINGS, is_vapis
from voiceops.model.address import NAME
from voiceops.model.values import JSON

_TARGETS = {"assistantId": "agent", "squadId": "squad"}
_OTHERS = ("server", "serverUrl", "workflowId")  # who is asked where neither agent nor squad answers
# What means something else in a manifest than in a live number's fields.
_WORDS = ("answer", "purchase", "release", "twilio")
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """The project's own account, as far as a line's manifest leaves it out."""

    sid: str = ""
    api_key: str = ""
    vapi_url: str = ""  # where Vapi's API is


def outside(body: Mapping[str, JSON], numbers: Mapping[str, dict[str, Any]] | None, account: TwilioAccount) -> str:
    """Why a line can't be managed without changing who answers it; empty where it can."""
    if body.get("provider") != "twilio":
        return ""
    number = body.get("number")
    if numbers is None:
        return f"{number} is a Twilio number, and this project has no keys for Twilio"
    live = numbers.get(number) if isinstance(number, str) else None
    if live is None:
        return f"{number} is in another Twilio account than this project's"
    return answered(live, account)


def runtime_name(body: Mapping[str, JSON], live: Mapping[str, Any] | None, runtime_url: str) -> str:
    """The name of the manifest that made this project's runtime answer a number; empty where it does not.

    The name stands in the addresses that Twilio calls, and Vapi's number is bound to nobody then.
    """
    if live is None or not runtime_url or any(body.get(key) for key in _TARGETS) or shadow(dict(live)):
        return ""
    now = settings(dict(live))
    start = f"{runtime_url}/twilio/voice/"
    name = now["voice_url"].removeprefix(start) if now["voice_url"].startswith(start) else ""
    called_back = now["status_callback"] == f"{runtime_url}/twilio/status/{name}"
    by_post = now["voice_method"] == now["status_callback_method"] == "POST"
    return name if NAME.match(name) and called_back and by_post else ""


def answered(live: Mapping[str, Any], account: TwilioAccount) -> str:
    """Who answers a Twilio number, where it is not Vapi: in words."""
    number = live.get("phone_number")
    found = dict(live)
    if shadowed := shadow(found):
        return f"{number} is answered by {shadowed} at Twilio"
    url = settings(found)["voice_url"]
    if not url:
        return f"{number} is answered by nobody: Twilio has no voice URL for it"
    if url.startswith(TWILIO_DEMO):
        return f"{number} is answered by Twilio's demo"
    if is_vapis(url, account.vapi_url):
        return ""
    return f"{number} is answered by the voice URL {plain_url(url)} at Twilio"


def plain_url(url: str) -> str:
    """An address without what may be secret in it."""
    try:
        split = urlsplit(url)
        port = f":{split.port}" if split.port else ""
        return f"{split.scheme}://{split.hostname or ''}{port}{split.path}"
    except ValueError:
        return "(no address)"


def as_line(
    body: dict[str, JSON],
    live: Mapping[str, JSON],
    number: Mapping[str, Any] | None,
    account: TwilioAccount,
    own_token: str = "",
    *,
    by_runtime: bool = False,
) -> tuple[dict[str, JSON], tuple[str, ...]]:
    """A Phone's body in a manifest's words, and the fields that have to be left to the dashboard."""
    found = {key: item for key, item in body.items() if key not in (*_WORDS, *_TARGETS)}
    bound = [key for key in _TARGETS if body.get(key) and isinstance(body[key], (Name, Written, str))]
    for key in bound[:1]:  # Vapi may hold both; a manifest takes one
        found[key if isinstance(body[key], str) else _TARGETS[key]] = body[key]
    ignored = tuple(key for key in _TARGETS if live.get(key) is not None and key not in bound[:1])
    if by_runtime:
        found["answer"] = "runtime"
    elif not bound and not any(_says(found.get(key)) for key in _OTHERS):
        found["answer"] = "none"
    if body.get("provider") == "twilio":
        found |= _keys(found, live, account, own_token)
        if isinstance(number, Mapping) and (twilio := _settings(number, by_runtime=by_runtime)):
            found["twilio"] = twilio
    return found, ignored


def _says(item: JSON) -> bool:
    return bool(item.value if isinstance(item, PartHere) else item)


def _keys(body: dict[str, JSON], live: Mapping[str, JSON], account: TwilioAccount, own_token: str) -> dict[str, JSON]:
    """The account's part of a number, as far as the project's own settings don't make it."""
    sid = body.pop("twilioAccountSid", None)
    token, key, key_secret = (body.pop(k, None) for k in ("twilioAuthToken", "twilioApiKey", "twilioApiSecret"))
    sms = body.pop("smsEnabled", live.get("smsEnabled"))
    found: dict[str, JSON] = {} if sms is False else {"smsEnabled": sms}
    if sid != account.sid:
        found["twilioAccountSid"] = sid
    if key is not None and (key != account.api_key or sid != account.sid):
        found["twilioApiKey"] = key
        found["twilioApiSecret"] = key_secret or Hidden(None, ("twilioApiSecret",))
    elif key is None and (account.api_key or sid != account.sid or _is_another(token, own_token)):
        found["twilioAuthToken"] = token or Hidden(None, ("twilioAuthToken",))
    return found


def _is_another(token: JSON, own: str) -> bool:
    return isinstance(token, Hidden) and bool(token.value and own) and token.value != own


def _settings(live: Mapping[str, Any], *, by_runtime: bool) -> dict[str, JSON]:
    now = settings(dict(live))
    number = str(live.get("phone_number"))
    return {
        key: now[name]
        for key, name in TWILIO_SETTINGS.items()
        if _is_said(name, now, number) and not (by_runtime and name.startswith("status_callback"))
    }


def _is_said(name: str, now: Mapping[str, str], number: str) -> bool:
    """Is a setting worth writing, and one that a manifest takes?"""
    value = now[name]
    if name == "friendly_name":
        return _is_telling(value, number)
    if name.endswith("_method"):
        of = "status_callback" if name.startswith("status") else "voice_fallback_url"
        return value == "GET" and bool(now[of])
    return value.startswith(("http://", "https://"))


def _is_telling(name: str, number: str) -> bool:
    """Did somebody name the number, or is it only the number once more?"""
    digits = "".join(c for c in name if c.isdigit())
    return 0 < len(name) <= _LONGEST_NAME and not (len(digits) >= 7 and number.endswith(digits))
