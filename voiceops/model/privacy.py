"""`privacy:` in voiceops.yaml: what is kept of who called and of what was said. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """A number instead of a word means days. What stands here keeps everything."""

    numbers: str = "keep"  # keep | mask | hash: of callers, in the table of calls
    transcripts: str | int = "keep"  # keep | drop | days: what was said, and the summary of it
    recordings: str = "keep"  # keep | drop: the links to recordings in stored messages
    calls: str | int = "keep"  # keep | days: the calls themselves

    def texts_before(self, now: float) -> float:
        """Nothing of what was said is kept of calls that began before this time (epoch seconds)."""
        if self.transcripts == "drop":
            return float("inf")
        return now - self.transcripts * _DAY if isinstance(self.transcripts, int) else 0.0

    def calls_before(self, now: float) -> float:
        """No call is kept that began before this time (epoch seconds)."""
        return now - self.calls * _DAY if isinstance(self.calls, int) else 0.0
