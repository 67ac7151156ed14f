"""What protects a state at rest: its checksum, the old states kept beside it, and the sentence when it is damaged.

Knows JSON, not what a state means nor where it lives.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Iterable
from typing import Any

from voiceops.errors import StateError
from voiceops.model import json_in

KEPT_STATES = 10
_MOST_UNPACKED = 512 * 1024 * 1024  # bytes: a revision of ten thousand objects has a tenth of it
CHECKSUM = "checksum"
_ENVIRONMENT = re.compile(r"[a-z0-9_][a-z0-9-]*\Z")  # what may stand in a command that people copy


def dumps(data: Any) -> str:
    """Compact and canonical: equal data gives equal text, in ASCII, whatever the order of its keys."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def checksum(data: Any) -> str:
    """`sha256:…` of the canonical text."""
    return f"sha256:{hashlib.sha256(dumps(data).encode()).hexdigest()}"


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    """The data with its checksum in it."""
    return {**data, CHECKSUM: checksum(data)}


def opened(data: Any) -> dict[str, Any] | None:
    """The data without its checksum; None when it is damaged. What carries none, as before there were any, is good."""
    if not isinstance(data, dict):
        return None
    bare = {key: value for key, value in data.items() if key != CHECKSUM}
    return bare if data.get(CHECKSUM) in (None, checksum(bare)) else None


def parsed(content: bytes) -> Any:
    """JSON, or None when it is none."""
    try:
        return json_in.parsed(content)
    except ValueError:
        return None


def packed(data: Any) -> str:
    """Small, as text: for what is kept by the dozen."""
    return base64.b64encode(zlib.compress(dumps(data).encode(), 9)).decode("ascii")


def unpacked(text: Any) -> Any:
    """What was packed, or None when it is damaged."""
    try:
        decoder = zlib.decompressobj()
        content = decoder.decompress(base64.b64decode(text), _MOST_UNPACKED)
        return json_in.parsed(content) if decoder.eof else None
    except (TypeError, ValueError, zlib.error):
        return None


def serials(states: Iterable[dict[str, Any]]) -> list[int]:
    """The serials of states, of those that have one."""
    return [state["serial"] for state in states if isinstance(state.get("serial"), int)]


def damaged(place: str, good: Iterable[dict[str, Any]]) -> StateError:
    """The state can't be trusted; `good` are the kept states that can."""
    return StateError(
        f"the state in {place} is damaged: its checksum is not that of its content",
        hint=restoring(good, "There is no good copy: restore it from a backup of the back end."),
    )


def restoring(good: Iterable[dict[str, Any]], otherwise: str) -> str:
    """How the newest good state comes back, in its own environment; `otherwise` where there is none."""
    states = [state for state in good if isinstance(state.get("serial"), int)]
    if not states:
        return otherwise
    newest = max(states, key=lambda state: int(state["serial"]))
    name, serial = newest.get("environment"), newest["serial"]
    where = f"-e {name} " if isinstance(name, str) and _ENVIRONMENT.match(name) else ""
    return f"The newest good copy has serial {serial}: `voiceops {where}state restore {serial}` brings it back."


def chosen(place: str, serial: int, kept: list[dict[str, Any]]) -> dict[str, Any]:
    """The kept state to restore. Raises StateError."""
    for state in kept:
        if state.get("serial") == serial:
            return state
    listed = ", ".join(str(number) for number in serials(kept))
    raise StateError(
        f"there is no good copy with serial {serial} in {place}",
        hint=f"There are: {listed}." if listed else "",
    )
