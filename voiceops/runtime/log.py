"""Structured logs: one JSON object a line on stderr, with ids and outcomes, without what callers said.

Lines are gathered and written together, a few times a second, so that a busy server does not pay for each.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
import time
from typing import Any

import msgspec

_PAUSE = 0.2  # seconds that a line may wait
_MANY = 200  # lines that don't wait

_encode = msgspec.json.Encoder(enc_hook=str).encode


class Log:
    """Where lines go; silent until it is configured."""

    def __init__(self) -> None:
        self.level = logging.CRITICAL + 1
        self._lines: list[bytes] = []
        self._lock = threading.Lock()
        self._timer: threading.Thread | None = None
        self._second = (0, "")

    def configure(self, level: int = logging.INFO) -> None:
        self.level = level
        if self._timer is None:
            self._timer = threading.Thread(target=self._flushing, name="voiceops-log", daemon=True)
            self._timer.start()
            atexit.register(self.flush)

    def add(self, event: str, level: int, fields: dict[str, Any]) -> None:
        if level < self.level:
            return
        now = time.time()
        if int(now) != self._second[0]:
            self._second = (int(now), time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)))
        at = f"{self._second[1]}.{int(now % 1 * 1000):03d}Z"
        self._lines.append(_encode({"at": at, "level": logging.getLevelName(level).lower(), "event": event, **fields}))
        if level >= logging.ERROR or len(self._lines) >= _MANY:
            self.flush()

    def flush(self) -> None:
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


_log = Log()
configure = _log.configure
flush = _log.flush


def log(event: str, level: int = logging.INFO, **fields: Any) -> None:
    """One line; `fields` hold ids, names, figures."""
    if level >= _log.level:
        _log.add(event, level, fields)
