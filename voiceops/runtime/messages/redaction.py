"""What is taken out of a stored message: transcripts and recordings, by the names of fields. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from voiceops.runtime.json_text import dumps, loads

_REDACTED = "(redacted)"
REDACTIONS = {
    "transcripts": re.compile(r"transcript|messages|messagesOpenAIFormatted|conversation|summary", re.IGNORECASE),
    "recordings": re.compile(r".*(recording|stereo|mono|pcap|video|log)\w*url\w*|recording", re.IGNORECASE),
}

_SPOKEN = {"model-output": "output", "voice-input": "input"}  # where such a message holds what was said


def redacted(kind: str, body: bytes, names: Collection[str]) -> bytes:
    """The message without the fields whose names match; nothing is left of one that can't be read."""
    rules = [REDACTIONS[name] for name in names]
    try:
        data = loads(body)
    except ValueError:
        return dumps({"message": {"type": kind, "redacted": _REDACTED}})

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: _REDACTED if any(rule.fullmatch(key) for rule in rules) else strip(item)
                for key, item in value.items()
            }
        return [strip(item) for item in value] if isinstance(value, list) else value

    message = data.get("message") if isinstance(data, dict) else None
    if not isinstance(message, dict):
        return body
    left = strip(message)
    if "transcripts" in names and (spoken := _SPOKEN.get(kind)) in left:
        left[spoken] = _REDACTED
    return dumps({**data, "message": left})
