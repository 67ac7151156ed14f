"""Structured logs: one JSON object a line on stderr, with ids and outcomes, without what callers said.

What hides in a text (a line turned around, a blank letter) is written out as JSON escapes it, which is the same JSON.
Lines are gathered and written together, a few times a second, so that a busy server does not pay for each.
"""

from __future__ import annotations

import atexit
import json
import logging
import sys
import threading
import time
from typing import Any

import msgspec

from voiceops.model.safe_text import shown

_PAUSE = 0.2  # seconds that a line may wait
_MANY = 200  # lines that don't wait

_LEVELS = {level: logging.getLevelName(level).lower() for level in (10, 20, 30, 40, 50)}

_encode = msgspec.json.Encoder(enc_hook=str).encode


class _ToolLine(msgspec.Struct, gc=False):
    at: str
    level: str
    tool: str
    outcome: str
    detail: str
    ms: float
    call: str
    tool_call: str
    event: str = "tool"


class Log:
    """Where lines go; silent until it is configured."""

    def __init__(self) -> None:
        self.level = logging.CRITICAL + 1
        self._lines: list[bytes] = []
        self._lock = threading.Lock()
        self._timer: threading.Thread | None = None
        self._second = (0, "")

    def configure(self) -> None:
        """Begin to write, what is worth a line and more."""
        self.level = logging.INFO
        if self._timer is None:
            self._timer = threading.Thread(target=self._flushing, name="voiceops-log", daemon=True)
            self._timer.start()
            atexit.register(self.flush)

    def add(self, event: str, level: int, fields: dict[str, Any]) -> None:
        """One line, if its level is wanted."""
        if level >= self.level:
            self._put(level, {"at": self._now(), "level": _LEVELS[level], "event": event, **fields})

    def add_tool(self, level: int, *fields: Any) -> None:
        """The line of a tool call; the most frequent one, so it has a shape of its own."""
        if level >= self.level:
            self._put(level, _ToolLine(self._now(), _LEVELS[level], *fields))

    def _now(self) -> str:
        now = time.time()
        second = int(now)
        if second != self._second[0]:
            self._second = (second, time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(now)))
        return f"{self._second[1]}{int((now - second) * 1000):03d}Z"

    def _put(self, level: int, line: Any) -> None:
        try:
            text = _encode(line)
        except UnicodeEncodeError:  # half a character in somebody's text
            text = json.dumps(msgspec.to_builtins(line, enc_hook=str)).encode()
        self._lines.append(text if _is_plain(text) else shown(text.decode()).encode())
        if level >= logging.ERROR or len(self._lines) >= _MANY:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting, in whichever thread."""
        with self._lock:
            lines, self._lines = self._lines, []
            if lines:
                try:
                    sys.stderr.buffer.write(b"\n".join(lines) + b"\n")
                    sys.stderr.buffer.flush()
                except (AttributeError, OSError, ValueError):
                    pass  # nobody reads it any more

    def _flushing(self) -> None:
        while True:
            time.sleep(_PAUSE)
            if self._lines:
                self.flush()


def _is_plain(text: bytes) -> bool:
    """Is there nothing in it that a terminal or a pipeline might take for more than a text?"""
    return text.isascii() and 0x7F not in text and 0x23 not in text  # a DEL, a # that may begin a command


_log = Log()
configure = _log.configure
flush = _log.flush


def log(event: str, level: int = logging.INFO, **fields: Any) -> None:
    """One line; `fields` hold ids, names, figures."""
    if level >= _log.level:
        _log.add(event, level, fields)


log_tool = _log.add_tool
