"""Structured logs: one JSON object a line on stderr, with ids and outcomes, without what callers said or who they are."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

logger = logging.getLogger("voiceops.runtime")


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        data = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(data, ensure_ascii=False, default=str)


def configure(level: str = "INFO") -> None:
    """Send the runtime's lines to stderr, once."""
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Lines())
        logger.addHandler(handler)
        logger.propagate = False
    logger.setLevel(level)


def log(event: str, level: int = logging.INFO, **fields: Any) -> None:
    """One line; `fields` hold ids, names, figures."""
    if logger.isEnabledFor(level):
        logger.log(level, event, extra={"fields": fields})
