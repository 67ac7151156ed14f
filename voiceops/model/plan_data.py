"""A plan as it stands in files: what `plan --out` kept, and what a revision holds."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from voiceops.model.data_form import Shape, Wrong
from voiceops.model.plan import CREATE, DELETE, NO_OP, UPDATE
from voiceops.model.values import parse_path

ACTIONS = frozenset({CREATE, UPDATE, DELETE, NO_OP, (*CREATE, *DELETE), (*DELETE, *CREATE)})


class PlannedPath(Shape, frozen=True):
    path: str
    source: str
    before: Any
    after: Any
    reason: str
    file: str
    line: int


class PlannedValues(Shape, frozen=True):
    actions: list[Literal["create", "update", "delete", "no-op"]]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    paths: list[PlannedPath]


class PlannedChange(Shape, frozen=True):
    address: str
    type: str
    id: str | None
    change: PlannedValues
    action_reason: str
    affects: list[str] = msgspec.field(default_factory=list)
    file: str = ""
    line: int = 0
    live_name: str | None = None
    previous_address: str | None = None
    state_only: bool = False
    notes: list[str] = msgspec.field(default_factory=list)
    answers: dict[str, str] | None = None


class PlanData(Shape, frozen=True):
    project: str
    environment: str
    org: str
    account: str
    summary: dict[str, int]
    resource_changes: list[PlannedChange]
    destroy: bool = False


def check_plan(plan: PlanData) -> None:
    """What types alone don't tell. Raises Wrong."""
    for change in plan.resource_changes:
        if tuple(change.change.actions) not in ACTIONS:
            raise Wrong(f"plan, {change.address:.80}, has actions that don't go together")
        for path in change.change.paths:
            try:
                parse_path(path.path)
            except ValueError:
                raise Wrong(f"plan, {change.address:.80}, has a path that is none") from None
