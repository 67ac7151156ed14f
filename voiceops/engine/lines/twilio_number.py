"""What a Twilio number's voice settings mean: who answers it, what shadows its voice URL, what a write of them sends.

A number's voice settings have precedence: a trunk over an application over the voice URL; the shadowed ones
stay stored and do nothing, and a number that takes faxes answers no call. https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
"""

from __future__ import annotations

from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

from voiceops.kinds.twilio import IMPORTED, TWILIO_DEMO, TWILIO_FIELDS, TWILIO_STICKY, TWILIO_TYPE, VOICE
from voiceops.model.graph import Resource
from voiceops.model.live import Snapshot
from voiceops.model.state import Entry
from voiceops.model.values import digest

BUYS = "this buys the number"  # the note of a change that does


def settings(live: dict[str, Any]) -> dict[str, str]:
    """A number's voice settings; Twilio answers null and empty for the same."""
    return {key: live.get(key) or "" for key in TWILIO_FIELDS} | {"voice_receive_mode": _mode(live)}


def without_ignored(resource: Resource, values: dict[str, Any]) -> dict[str, Any]:
    """Settings but for those that `ignoreChanges` leaves to Twilio's console."""
    left = {path[0] for path in resource.ignore}
    return {key: value for key, value in values.items() if key not in left}


def _mode(live: dict[str, Any]) -> str:
    return live.get("voice_receive_mode") or VOICE


def in_voice_mode(entry: Entry) -> Entry:
    """An entry from before the mode was written down: a number of ours takes calls."""
    mode = {"voice_receive_mode": VOICE}
    return replace(entry, owned=mode | entry.owned) if entry.owned else entry


def shadow(live: dict[str, Any]) -> str | None:
    """What keeps the voice URL of a number from being called at all: in words."""
    found = settings(live)
    if found["trunk_sid"]:
        return f"the SIP trunk {found['trunk_sid']}"
    if found["voice_application_sid"]:
        return f"the TwiML application {found['voice_application_sid']}"
    if found["voice_receive_mode"] != VOICE:
        return f"nobody: it is set to receive {found['voice_receive_mode']}, not calls"
    return None


def clearing(live: dict[str, Any]) -> str:
    """The form fields that take a number's shadows away."""
    found = [f"{TWILIO_FIELDS[key]}=" for key in ("trunk_sid", "voice_application_sid") if live.get(key)]
    if _mode(live) != VOICE:
        found.append(f"{TWILIO_FIELDS['voice_receive_mode']}={VOICE}")
    return " and ".join(found)


def lags(entry: Entry, live: dict[str, Any]) -> bool:
    """Does a list show a number as it was before our last write?

    Twilio's times have seconds only: other settings with the same time as our write are taken for the older ones.
    """
    if digest(settings(live)) == entry.digest or not entry.updated_at:
        return False
    try:
        shown = parsedate_to_datetime(str(live.get("date_updated")))
        return shown <= parsedate_to_datetime(entry.updated_at)
    except (TypeError, ValueError):
        return False


def answers_today(live: dict[str, Any], desired: dict[str, Any]) -> str | None:
    """What answers the number now, if that is somebody else's: in words."""
    if shadowed := shadow(live):
        return shadowed
    url = live.get("voice_url") or ""
    if not url or url.startswith(TWILIO_DEMO) or url == desired.get("voice_url"):
        return None
    return f"the voice URL {url.partition('?')[0]}"


def number_of(snapshot: Snapshot, resource: Resource) -> dict[str, Any] | None:
    """The account's number that a line names, by its exact text."""
    return next((o for o in snapshot.all(TWILIO_TYPE).values() if o.get("phone_number") == resource.name), None)


def restored(entry: Entry) -> dict[str, str]:
    """The settings to write back: what was found at take-over, for every field that we or Vapi's import wrote."""
    prior = entry.prior or {}
    written = dict.fromkeys((*entry.owned, *(IMPORTED if prior else ())))
    return {key: prior.get(key, "") for key in written if key in TWILIO_FIELDS}


def form(values: dict[str, Any], live: dict[str, Any]) -> dict[str, str]:
    """The form fields that write settings. Twilio takes a fallback URL only together with a voice URL (21405)."""
    sent = {key: value for key, value in values.items() if not (key in TWILIO_STICKY and not value)}
    if sent.get("voice_fallback_url") and "voice_url" not in sent and live.get("voice_url"):
        sent["voice_url"] = live["voice_url"]
    return {TWILIO_FIELDS[key]: value or "" for key, value in sent.items()}
