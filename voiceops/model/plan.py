"""The plan: what would change, why, and whom it touches. Data for every renderer and for apply.

Its JSON follows Terraform's plan representation (format 1.2) where the two mean the same, so that policy tools
written for it can read it: https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from voiceops.errors import Diagnostic
from voiceops.model.address import owner_of
from voiceops.model.estimates import Estimates
from voiceops.model.values import (
    ABSENT,
    JSON,
    KNOWN_AFTER_APPLY,
    SENSITIVE,
    SENSITIVE_UNCHECKED,
    Absent,
    Fingerprint,
    Outside,
    Path,
    Ref,
    Secret,
    Template,
    format_path,
    is_plain,
    map_leaves,
)

FORMAT_VERSION = "1.2"
# Readers of Terraform's plans insist on these keys, though everything that they look at is in `resource_changes`.
_FOR_TERRAFORM_READERS: dict[str, Any] = {
    "terraform_version": "1.9.0",
    "planned_values": {"root_module": {"resources": []}},
    "configuration": {"root_module": {}},
}

CREATE = ("create",)
UPDATE = ("update",)
DELETE = ("delete",)
NO_OP = ("no-op",)

PASSED_BY_FORCE = frozenset({"destroy-limit", "budget"})  # codes of refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field: `before` is live, `after` desired (ABSENT: reset to what the server has by itself)."""

    path: Path
    source: str  # the manifest's path
    before: JSON
    after: JSON
    reason: str = "manifest_changed"
    file: str = ""
    line: int = 0

    def to_data(self) -> dict[str, Any]:
        """For a plan's JSON: nothing sensitive in it."""
        return {
            "path": format_path(self.path),
            "source": self.source,
            "before": shown(self.before),
            "after": shown(self.after),
            "reason": self.reason,
            "file": self.file,
            "line": self.line,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one live object. `state_only` changes touch nothing live."""

    address: str
    kind: str
    type: str
    name: str | None
    id: str | None
    actions: tuple[str, ...]
    reason: str
    file: str = ""
    line: int = 0
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    fields: tuple[FieldChange, ...] = ()
    affects: tuple[str, ...] = ()
    previous_address: str | None = None
    state_only: bool = False
    adopts: bool = False
    releases: bool = False  # the number is given back to the vendor for good
    keeps_old: bool = False  # a replacement whose old object stays: unbound, not deleted
    notes: tuple[str, ...] = ()
    answers: tuple[str, str] | None = None  # who answered and who will, where only the runtime's routes tell it

    @property
    def lets_go(self) -> bool:
        """Does the object leave the state, and stay live?"""
        return self.reason == "forgotten" and bool(self.notes)

    @property
    def is_no_op(self) -> bool:
        """Is nothing sent for it?"""
        return self.actions == NO_OP

    @property
    def is_replacement(self) -> bool:
        """Is the object deleted and another one created, in whichever order?"""
        return len(self.actions) == 2

    @property
    def matters(self) -> bool:
        """Does apply have anything to do for it, live or in the state?"""
        return not self.is_no_op or self.state_only

    @property
    def is_noticed(self) -> bool:
        """Do the callers of the lines that it affects get something else?"""
        return not self.is_no_op or self.answers is not None

    def to_data(self) -> dict[str, Any]:
        """For a plan's JSON, in the form in which Terraform's readers know it."""
        after, unknown = (None, {}) if self.after is None else split_unknown(self.after)
        data: dict[str, Any] = {
            "address": self.address,
            "mode": "managed",
            "type": self.type,
            "name": self.address.partition("/")[2],
            "id": self.id,
            "file": self.file,
            "line": self.line,
            "change": {
                "actions": list(self.actions),
                "before": shown(self.before),
                "after": shown(after),
                "after_unknown": unknown,
                "before_sensitive": sensitive_mask(self.before),
                "after_sensitive": sensitive_mask(self.after),
                "paths": [change.to_data() for change in self.fields],
            },
            "action_reason": self.reason,
            "affects": list(self.affects),
        }
        if self.name is not None:
            data["live_name"] = self.name
        if self.state_only:
            data["state_only"] = True
        if self.previous_address:
            data["previous_address"] = self.previous_address
        if self.notes:
            data["notes"] = list(self.notes)
        if self.answers:
            data["answers"] = {"before": self.answers[0], "after": self.answers[1]}
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Fields of one object that were edited live since the last apply: `before` as applied, `after` as found."""

    address: str
    kind: str
    type: str
    id: str
    fields: tuple[FieldChange, ...]
    updated_at: str = ""
    applied_at: float = 0.0  # epoch seconds by the server's clock
    deleted: bool = False

    def to_data(self) -> dict[str, Any]:
        """For a plan's JSON; `change` goes from what was applied to what is live."""
        return {
            "address": self.address,
            "type": self.type,
            "name": self.address.partition("/")[2],
            "id": self.id,
            "updated_at": self.updated_at,
            "applied_at": moment(self.applied_at),
            "change": {
                "actions": ["delete"] if self.deleted else ["update"],
                "paths": [
                    change.to_data() | {"changed": "both" if change.reason == "conflict" else "live"}
                    for change in self.fields
                ],
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All changes of one environment, no-ops included, in the order of addresses."""

    project: str
    environment: str
    org: str
    account: str
    changes: tuple[Change, ...]
    drift: tuple[Drift, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    numbers: Mapping[str, str] = field(default_factory=dict)  # a phone line's number, by address
    refusals: tuple[Diagnostic, ...] = ()
    awaited: tuple[Diagnostic, ...] = ()  # what apply asks for, and can still come: tests that have not run
    destroy: bool = False
    refresh_only: bool = False  # live was compared with what was applied, and with nothing else
    estimates: Estimates | None = None
    org_empty: bool = False  # nothing at all is in the Vapi organization yet

    @property
    def refused(self) -> bool:
        """Does anything stand against applying it?"""
        return bool(self.errors)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What stands against applying it."""
        return (*self.refusals, *(d for d in self.diagnostics if d.severity == "error"))

    @property
    def needs_force(self) -> bool:
        """Is all that stands against it what `apply --force` passes?"""
        return self.refused and all(d.code in PASSED_BY_FORCE for d in self.errors)

    @property
    def applyable(self) -> bool:
        """Is there something to apply, and would an apply now take it? As Terraform means it."""
        return bool(self.active) and not self.refused and not self.awaited

    @property
    def problems(self) -> tuple[Diagnostic, ...]:
        """All that is said of it: what stands against it, what it waits for, and warnings."""
        return (*self.refusals, *self.awaited, *self.diagnostics)

    @property
    def impossible(self) -> frozenset[str]:
        """Addresses of creations that an error of their own stands against: they are not counted as such."""
        against = {owner_of(d.address) for d in self.errors if d.address}
        return frozenset(c.address for c in self.changes if c.actions == CREATE and owner_of(c.address) in against)

    @property
    def org_in_words(self) -> str:
        """Whose account it is, for a plan's first line."""
        return " ".join(filter(None, (self.org, "(empty so far)" if self.org_empty else ""))) or "(not known yet)"

    @property
    def active(self) -> tuple[Change, ...]:
        """The changes that apply has something to do for."""
        return tuple(change for change in self.changes if change.matters)

    @property
    def summary(self) -> dict[str, int]:
        """How many changes there are of each sort, and how many objects drifted; `forget` where any is let go."""
        let_go = sum(change.lets_go for change in self.changes)
        return {
            "create": count(self.changes, CREATE) - len(self.impossible),
            "update": count(self.changes, UPDATE),
            "replace": sum(change.is_replacement for change in self.changes),
            "delete": count(self.changes, DELETE),
            "adopt": sum(change.adopts for change in self.changes),
            "no_op": count(self.changes, NO_OP),
            "drift": len(self.drift),
            **({"forget": let_go} if let_go else {}),
        }

    def to_data(self, *, version: str, timestamp: str) -> dict[str, Any]:
        """The plan's JSON. `version` is this voiceops', `timestamp` the plan's, in ISO 8601."""
        data: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "voiceops_version": version,
            "project": self.project,
            "environment": self.environment,
            "timestamp": timestamp,
            "applyable": self.applyable,
            "errored": self.refused,
            "org": self.org,
            "account": self.account,
            "destroy": self.destroy,
            "summary": self.summary,
            "resource_changes": [change.to_data() for change in self.changes],
            "resource_drift": [drift.to_data() for drift in self.drift],
            "diagnostics": [d.to_data() for d in self.problems],
        }
        if self.estimates is not None:
            data["estimates"] = self.estimates.to_data()
        return data | _FOR_TERRAFORM_READERS


def moment(seconds: float) -> str:
    """Epoch seconds as ISO 8601, UTC; empty for an unknown time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else ""


def count(changes: Iterable[Change], actions: tuple[str, ...]) -> int:
    """How many changes have just these actions."""
    return sum(change.actions == actions for change in changes)


def shown(value: JSON) -> JSON:
    """A value as a plan shows it: nothing sensitive, unknown ids said so."""
    if is_plain(value):
        return value

    def leaf(item: JSON) -> JSON:
        match item:
            case Fingerprint(digest=""):
                return SENSITIVE_UNCHECKED
            case Fingerprint() | Secret():
                return SENSITIVE
            case Ref() | Outside() | Template():
                return KNOWN_AFTER_APPLY
            case Absent():
                return None
        return item

    return map_leaves(value, leaf)


def split_unknown(value: JSON) -> tuple[JSON, JSON]:
    """(the value without what is not known yet, the mask of what isn't)."""
    if is_plain(value):
        return value, {}
    if isinstance(value, dict):
        rest, mask = {}, {}
        for key, item in value.items():
            inner, unknown = split_unknown(item)
            if inner is not ABSENT:
                rest[key] = inner
            if unknown:
                mask[key] = unknown
        return rest, mask
    if isinstance(value, list):
        pairs = [split_unknown(item) for item in value]
        return (
            [inner for inner, _ in pairs if inner is not ABSENT],
            [unknown or False for _, unknown in pairs] if any(unknown for _, unknown in pairs) else {},
        )
    if isinstance(value, (Ref, Outside, Template)):
        return ABSENT, True
    return value, {}


def sensitive_mask(value: JSON) -> JSON:
    """`true` where a value is sensitive, in the shape of the value."""
    if is_plain(value):
        return {}
    if isinstance(value, dict):
        return {key: mask for key, item in value.items() if (mask := sensitive_mask(item))}
    if isinstance(value, list):
        masks = [sensitive_mask(item) for item in value]
        return [mask or False for mask in masks] if any(masks) else {}
    return True if isinstance(value, (Fingerprint, Secret)) else {}
