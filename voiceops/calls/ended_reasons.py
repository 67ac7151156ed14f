"""How a call ended, from Vapi's `endedReason`, and a tool call: which endings are failures. Pure.

Vapi knows over 600 reasons and adds to them, so they are told apart by their words, not by a list.
https://docs.vapi.ai/calls/call-ended-reason
"""

from __future__ import annotations

import re

NOT_KNOWN = "not known"  # the outcome of a tool call of which nobody said how it ended
WELL = ("ok", NOT_KNOWN, "repeated")  # outcomes of tool calls that nobody has to look into
# Faults of a model, a voice, a transcriber, a carrier, the webhook or Vapi itself name themselves so.
_FAULT = re.compile(r"error|failed|not-valid|invalid|not-found|returned-no-|timed-out-waiting|unreachable")
# What did not go as it was set up to go, and says it in other words.
_ALSO = frozenset(
    {
        "assistant-join-timed-out",
        "worker-shutdown",
        "phone-call-provider-bypass-enabled-but-no-call-received",
        "phone-call-provider-closed-websocket",
        "vonage-disconnected",
        "vonage-rejected",
        "call.forwarding.operator-busy",
        "call.forwarding.no-answer",
    }
)


def is_failure(reason: str) -> bool:
    """Did something break? A caller who hangs up, is busy or says nothing is no failure; nor is the time limit."""
    return reason in _ALSO or _FAULT.search(reason) is not None


def is_transfer(reason: str) -> bool:
    """Does the reason itself say that the call went on with somebody else?"""
    return reason in ("assistant-forwarded-call", "call.ringing.hook-executed-transfer") or reason.startswith(
        "call.ending.hook-executed-transfer"
    )
