"""Numbers that only Twilio has: nothing says who should answer them, so that they are only told of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from voiceops.adopt.naming import slug
from voiceops.adopt.phone_lines import TwilioAccount, answered
from voiceops.model.address import NAME
from voiceops.model.safe_text import one_line

_ABOVE = (
    "Numbers of the Twilio account that Vapi does not know. Nothing here manages them: they stay as they are.",
    "To manage one, take the # away, say who answers it, and apply --adopt.",
)


def spare_text(numbers: Mapping[str, Mapping[str, Any]], spare: Iterable[str], account: TwilioAccount) -> str:
    """A file of nothing but comments: a manifest for each number, to be completed by a person."""
    lines = list(_ABOVE)
    for number in sorted(spare):
        lines += ["", *_manifest(number, numbers[number], account)]
    return "".join(f"# {one_line(line)}".rstrip() + "\n" for line in lines)


def _manifest(number: str, live: Mapping[str, Any], account: TwilioAccount) -> list[str]:
    who = answered(live, account) or f"{number} points at Vapi, which does not know it"
    name = slug(str(live.get("friendly_name") or ""))
    if not NAME.match(name) or name.replace("-", "").isdigit():
        name = f"line-{number[-4:]}"
    lines = [f"{who}.", "kind: Phone", f"name: {name}", "spec:", f"  number: {number}", "  provider: twilio"]
    return [*lines, "  agent: NAME"]
