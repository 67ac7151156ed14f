"""The Twilio half of a live line: who picks up a call to the number, and what keeps it from who is meant. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voiceops.engine.lines.meant import Meant
from voiceops.engine.lines.reasons import Reason
from voiceops.engine.lines.twilio_number import clearing, settings, shadow
from voiceops.kinds.twilio import TWILIO_DEMO, is_vapis

# Words in a number's status that mean that no call gets through; `in-use` is the usual one.
_DEAD = ("pending", "suspend", "released", "inactive", "closed", "failed")


def number_reasons(meant: Meant, number: dict[str, Any] | None, vapi_url: str) -> Iterator[Reason]:
    """Everything about the number that keeps calls from where the line means to send them."""
    if number is None:
        fix = (
            "`voiceops apply` buys it."
            if meant.purchase
            else "Check the account; set spec.purchase: true to buy it, or give the line another number."
        )
        yield Reason("number-missing", f"the Twilio account {meant.account} has no number {meant.number}", fix)
        return
    status = str(number.get("status") or "").lower()
    if any(word in status for word in _DEAD):
        yield Reason("number-status", f"the number's status at Twilio is {status}", "Look at it in Twilio's console.")
    capabilities = number.get("capabilities")
    if isinstance(capabilities, dict) and capabilities.get("voice") is False:
        yield Reason(
            "no-voice", "the number can't be called: voice is not among its capabilities", "Use another number."
        )
    if meant.answer != "none":
        yield from _route(meant, number, vapi_url)


def picks_up(meant: Meant, number: dict[str, Any] | None, vapi_url: str) -> tuple[str, str]:
    """Who picks up a call to the number: vapi, runtime, other or nobody, and in words."""
    if number is None:
        return "nobody", "nobody"
    shadowed = shadow(number)
    if shadowed is not None:
        return ("nobody", "nobody") if shadowed.startswith("nobody") else ("other", shadowed)
    url = settings(number)["voice_url"]
    if not url:
        return "nobody", "nobody"
    if meant.voice_url and url == meant.voice_url:
        return "runtime", ""
    if is_vapis(url, vapi_url) or (meant.imported_url and url == meant.imported_url):
        return "vapi", ""
    return "other", "Twilio's demo" if url.startswith(TWILIO_DEMO) else f"the voice URL {_plain(url)}"


def _route(meant: Meant, number: dict[str, Any], vapi_url: str) -> Iterator[Reason]:
    whom = meant.target or meant.server_url or meant.address
    shadowed = shadow(number)
    if shadowed is not None:
        command = "voiceops apply" if meant.phone_id else "voiceops apply --adopt"
        yield Reason(
            "shadowed",
            f"Twilio gives its calls to {shadowed}; {whom} gets none",
            f"`{command}` clears it ({clearing(number)}), or its Voice Configuration in Twilio's console.",
        )
    url = settings(number)["voice_url"]
    wanted = meant.voice_url or meant.imported_url
    if not url:
        yield Reason("no-voice-url", f"Twilio has no voice URL for it: {_without_url(number)}", _APPLY)
    elif url.startswith(TWILIO_DEMO):
        yield Reason("demo-url", f"Twilio's demo answers it, not {whom}", _APPLY)
    elif meant.voice_url and url != meant.voice_url:
        yield Reason("other-url", f"Twilio calls {_plain(url)}, not {meant.voice_url}", _APPLY)
    elif not meant.voice_url and wanted and url != wanted:
        yield Reason("other-url", f"Twilio calls {_plain(url)}, not what Vapi's import wrote ({wanted})", _APPLY)
    elif not meant.voice_url and not wanted and not is_vapis(url, vapi_url):
        yield Reason("other-url", f"Twilio calls {_plain(url)}, not Vapi", _ADOPT)


_APPLY = "`voiceops apply` puts it back."
_ADOPT = "`voiceops apply --adopt` takes it over."


def _without_url(number: dict[str, Any]) -> str:
    url = settings(number)["voice_fallback_url"]
    return f"at best its fallback {_plain(url)} answers" if url else "callers hear an error"


def _plain(url: str) -> str:
    """Without the query, which may hold a key."""
    return url.partition("?")[0]
