"""What callers get of a versioned object: traffic splits, pins, and models that are going to be retired. Pure.

Vapi keeps versions of assistants, tools and squads. Usually callers get the newest; where an explicit allocation
governs an assistant, or something pins a version, they don't, however well an update went.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from voiceops.model.live import Allocation
from voiceops.model.values import JSON

AGENT = "vapi_assistant"
_TARGETS = (("assistantId", "assistantVersion"), ("toolId", "version"))


@dataclass(frozen=True, slots=True)
class Pin:
    """A place that names one version of another object."""

    user: str  # the address of who pins
    target: str  # the live id of what is pinned
    version: str


@dataclass(frozen=True, slots=True)
class Retirement:
    """A model that Vapi stops running as configured on a day (UTC, `YYYY-MM-DD`)."""

    slot: str
    provider: str
    model: str
    date: str
    replacement: str = ""

    def words(self, today: str) -> str:
        """The notice in words; `today` is `YYYY-MM-DD`, in UTC."""
        over = self.date <= today
        return (
            f"{self.model} ({self.provider}, {self.slot}) "
            + ("was retired on " if over else "is retired on ")
            + self.date
            + (": Vapi does not run it as configured" if over else ": from that day Vapi does not run it as configured")
        )

    @property
    def hint(self) -> str:
        """What to put in the model's place."""
        return f"Vapi recommends {self.replacement}." if self.replacement else "Choose another model."


def shares_in_words(allocation: Allocation) -> str:
    """`v7 (90 %) and v8 (10 %)`; a version without a share is left out."""
    parts = [f"{version} ({share:g} %)" for version, share in allocation.shares if share]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "no version"


def split_of(allocations: Mapping[str, Allocation] | None, id_: str) -> Allocation | None:
    """The explicit allocation that governs an assistant, if one does."""
    found = (allocations or {}).get(id_)
    return found if found is not None and found.explicit else None


def retirements(live: Mapping[str, Any]) -> list[Retirement]:
    """The notices that an assistant or a squad carries; what has no date says nothing."""
    notices = live.get("modelDeprecations")
    found = []
    for notice in notices if isinstance(notices, list) else ():
        date = notice.get("retirementDate") if isinstance(notice, dict) else None
        if isinstance(date, str) and len(date) >= 10:
            slot, provider, model = (str(notice.get(key) or "?") for key in ("slot", "provider", "model"))
            found.append(Retirement(slot, provider, model, date[:10], str(notice.get("replacementModel") or "")))
    return found


def day(seconds: float) -> str:
    """The day of a moment, in UTC, as retirement dates are written."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def pins(user: str, body: JSON) -> list[Pin]:
    """Every place in a body that names a version of another object."""
    found = []
    if isinstance(body, dict):
        for id_key, version_key in _TARGETS:
            target, version = body.get(id_key), body.get(version_key)
            if isinstance(target, str) and isinstance(version, (str, int)) and not isinstance(version, bool):
                found.append(Pin(user, target, str(version)))
        for value in body.values():
            found += pins(user, value)
    elif isinstance(body, list):
        for item in body:
            found += pins(user, item)
    return found
