"""What an apply tells while it runs: one stream for the terminal, the pipe and JSON lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`type`: planned, apply_start, apply_progress, apply_complete, apply_errored, apply_skipped, warning, summary."""

    type: str
    address: str = ""
    action: str = ""
    id: str = ""
    elapsed_seconds: float | None = None
    error: dict[str, Any] | None = None
    message: str = ""
    data: dict[str, Any] | None = None

    def to_data(self) -> dict[str, Any]:
        """One JSON line of `apply --format json`: only what the event says. Seconds to the millisecond."""
        data: dict[str, Any] = {"type": self.type}
        for key in ("address", "action", "id", "message"):
            if value := getattr(self, key):
                data[key] = value
        if self.elapsed_seconds is not None:
            data["elapsed_seconds"] = round(self.elapsed_seconds, 3)
        if self.error is not None:
            data["error"] = self.error
        return data | (self.data or {})


Emit = Callable[[Event], None]
