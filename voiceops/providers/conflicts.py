"""Vapi's 409s by their code: which may be sent again, and what to do about the others."""

from __future__ import annotations

import httpx

from voiceops.model.json_in import NoJson, parsed

WRITE_CONFLICT = "tool_write_conflict"

HINTS = {
    WRITE_CONFLICT: "Somebody else is writing the same tool: run apply again in a moment.",
    "assistant_pinned": "A version of a squad pins this assistant: take the pin out at Vapi first.",
    "tool_pinned": "A version of an assistant pins this tool: take the pin out at Vapi first.",
    "version_pinned": "Something else pins this version: take the pin out at Vapi first.",
    "version_in_governing_allocation": "Callers get this version today: give its share to another one first.",
    "stale_allocation": "Somebody changed the traffic split meanwhile: look at it, and run this again.",
    "personality_in_use": "A simulation uses this personality, perhaps one that voiceops does not manage: "
    "change or delete the simulation first.",
    "scenario_in_use": "A simulation uses this scenario, perhaps one that voiceops does not manage: "
    "change or delete the simulation first.",
}


def conflict_of(response: httpx.Response) -> str:
    """The code of a 409, or nothing."""
    if response.status_code != 409:
        return ""
    try:
        data = parsed(response.content)
    except NoJson:
        return ""
    code = data.get("error") if isinstance(data, dict) else None
    return code if isinstance(code, str) else ""
