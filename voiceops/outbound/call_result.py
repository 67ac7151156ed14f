"""What came of each person of a batch. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voiceops.outbound.planned_call import PlannedCall

# called, scheduled: Vapi has the call. done: by an earlier run. not-called: see the reason. refused: by Vapi.
# unclear: it can't be told whether there was a call. left: this run ended before it was the person's turn.
Result = Literal["called", "scheduled", "done", "not-called", "refused", "unclear", "left"]
WELL = ("called", "scheduled", "done")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """`at`: when it was given to Vapi, or for when (epoch seconds); `ended`, `seconds` and `cost` where it was
    followed to its end."""

    plan: PlannedCall
    result: Result
    call: str = ""
    at: float | None = None
    reason: str = ""
    ended: str = ""
    seconds: float | None = None
    cost: float | None = None

    @property
    def wants_attention(self) -> bool:
        """Is it something that somebody has to put right, or to run again for?"""
        return self.result not in WELL and not (self.result == "not-called" and self.plan.meant)
