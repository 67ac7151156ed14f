"""What came of each operation of an apply."""

from __future__ import annotations

from dataclasses import dataclass, field

from voiceops.engine.ordering.schedule import Operation
from voiceops.errors import Refused, VoiceopsError


@dataclass(slots=True)
class Result:
    """What happened to what, by operation key."""

    done: list[Operation] = field(default_factory=list)
    failed: dict[str, VoiceopsError] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)  # and because of which address
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Was everything done that was to be done?"""
        return not self.failed and not self.skipped and not self.interrupted

    @property
    def refused(self) -> Refused | None:
        """The first failure that a safety rule caused, if any: it decides the exit code."""
        return next((error for error in self.failed.values() if isinstance(error, Refused)), None)
