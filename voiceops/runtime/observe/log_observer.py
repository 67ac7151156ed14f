"""What is logged of a runtime's work: a line a tool call, and one for whatever went wrong."""

from __future__ import annotations

import logging
import time
from typing import Any

from voiceops.runtime.observe.log import log, log_tool
from voiceops.runtime.observe.observer import Observer

_KINDS = 100


class LogObserver(Observer):
    """Writes the lines; those about strangers one a second and kind."""

    def __init__(self) -> None:
        self._noise = Noise()

    def call_ended(self, call: str, reason: str) -> None:
        log("call-ended", call=call, reason=reason)

    def tool_ended(self, name: str, outcome: str, detail: str, seconds: float, call: str, tool_call: str) -> None:
        level = logging.INFO if outcome == "ok" else logging.WARNING
        ms = int(seconds * 10_000) / 10  # far cheaper than to round, and there is a line for each call
        log_tool(level, name, outcome, detail, ms, call, tool_call)

    def answer_ended(self, kind: str, outcome: str, call: str, detail: str) -> None:
        if outcome != "ok":
            log("answer", logging.WARNING, type=kind, call=call, outcome=outcome, detail=detail)

    def line_ended(self, address: str, outcome: str, call_sid: str, seconds: float, detail: str) -> None:
        if outcome == "connected":
            log("call", line=address, call_sid=call_sid, ms=round(seconds * 1000))
        elif outcome == "fallback":
            log("fallback", logging.ERROR, line=address, detail=detail)

    def event_ended(self, kind: str, outcome: str, id_: int, seconds: float, detail: str) -> None:
        if outcome != "done":
            log("event", logging.WARNING, id=str(id_), type=kind, outcome=outcome, detail=detail)

    def refused(self, vendor: str, reason: str, **said: Any) -> None:
        self._noise.say("refused", vendor=vendor, reason=reason, **said)

    def connection_ended(self, reason: str, **said: Any) -> None:
        if said:
            self._noise.say("connection", reason=reason, **said)


class Noise:
    """Lines about what strangers do: one a second and kind, which tells how many were left out."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def say(self, event: str, **fields: Any) -> None:
        """Log it, or count it for the next line of its kind; `reason` tells kinds apart."""
        kind = event, str(fields.get("reason", ""))
        now = time.monotonic()
        then, more = self._said.get(kind, (0.0, 0))
        if kind not in self._said and len(self._said) >= _KINDS:
            return
        if now - then < 1:
            self._said[kind] = then, more + 1
            return
        self._said[kind] = now, 0
        log(event, logging.WARNING, **fields, **({"more": more} if more else {}))
