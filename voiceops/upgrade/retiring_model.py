"""One model of a live agent or squad that Vapi is going to retire, with what stands for it. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from voiceops.engine.lines.traffic_split import Retirement
from voiceops.errors import Mark
from voiceops.model.estimates import Estimate
from voiceops.model.values import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProposal:
    """One slot with a model that is retired on a day. Without a replacement somebody has to choose one.

    `address` and `mark` (of the model's name) are empty for an object that no manifest manages. The estimates are there
    for agents, and for the parts that they count.
    """

    kind: str
    id: str
    name: str
    title: str  # the manifest's address, or the live object in words
    address: str
    retirement: Retirement
    path: Path = ()
    mark: Mark | None = None
    before: Estimate | None = None
    after: Estimate | None = None

    def to_data(self) -> dict[str, Any]:
        """As JSON has it."""
        retirement = self.retirement
        return {
            "kind": self.kind,
            "id": self.id,
            "name": self.name,
            "address": self.address or None,
            "file": self.mark.file if self.mark else None,
            "line": self.mark.line if self.mark else None,
            "slot": retirement.slot,
            "provider": retirement.provider,
            "model": retirement.model,
            "retirementDate": retirement.date,
            "replacementModel": retirement.replacement or None,
            "replacementStatus": "available" if retirement.replacement else "manual-action-required",
            "before": self.before.to_data() if self.before else None,
            "after": self.after.to_data() if self.after else None,
        }
