"""The form of a saved plan's file: every key and type is checked before anything in it counts.

What a file says decides nothing: its changes are held against a new plan (engine/review/saved_check.py), and how it
was planned is held against the command line. This keeps out what no `plan --out` writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from voiceops.kinds.registry import type_at
from voiceops.model.address import ADDRESS, owner_of
from voiceops.model.plan import CREATE, DELETE, NO_OP, UPDATE
from voiceops.model.values import parse_path

_PLAN_ID = re.compile(r"[0-9a-f]{32}\Z")
_DEPOSED = re.compile(r"/deposed/[0-9A-Za-z-]+\Z")
_ACTIONS = (CREATE, UPDATE, DELETE, NO_OP, ("create", "delete"), ("delete", "create"))
_COUNTED = {"create": CREATE, "update": UPDATE, "delete": DELETE, "no_op": NO_OP}


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """No key but these."""


class PathForm(_Strict, frozen=True):
    """One field that changes, as `paths` lists it."""

    path: str
    source: str
    before: Any
    after: Any
    reason: str
    file: str
    line: int


class ValuesForm(_Strict, frozen=True):
    """What happens to an object, and its owned values before and after."""

    actions: list[str]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    after_unknown: Any
    before_sensitive: Any
    after_sensitive: Any
    paths: list[PathForm]


class ChangeForm(_Strict, frozen=True):
    """One entry of `resource_changes`."""

    address: str
    mode: str
    type: str
    name: str
    id: str | None
    file: str
    line: int
    change: ValuesForm
    action_reason: str
    affects: list[str]
    live_name: str | None = None
    state_only: bool = False
    previous_address: str | None = None
    notes: list[str] = []
    answers: dict[str, str] | None = None


class Asked(_Strict, frozen=True):
    """`planned_with`: how the plan was asked for."""

    adopt: bool
    rollback_to: int | None = None
    rollback_git: str | None = None


class ReviewForm(_Strict, frozen=True):
    """One entry of `review`: what a reviewer was to see first."""

    kind: str
    address: str
    path: str
    text: str
    before: str | None = None
    after: str | None = None


class PlanForm(_Strict, frozen=True):
    """The whole file that `plan --out` writes."""

    format_version: str
    voiceops_version: str
    project: str
    environment: str
    timestamp: str
    applyable: bool
    errored: bool
    org: str
    account: str
    destroy: bool
    summary: dict[str, int]
    resource_changes: list[ChangeForm]
    resource_drift: list[dict[str, Any]]
    diagnostics: list[dict[str, Any]]
    plan_id: str
    planned_with: Asked
    terraform_version: str
    planned_values: dict[str, Any]
    configuration: dict[str, Any]
    estimates: dict[str, Any] | None = None
    review: list[ReviewForm] = []


def checked_form(data: Any) -> PlanForm:
    """The plan of a file. Raises ValueError with what is wrong, in words."""
    if not isinstance(data, dict) or "resource_changes" not in data:
        raise ValueError("it holds no plan")
    version = data.get("format_version")
    if not isinstance(version, str) or version.partition(".")[0] != "1":
        given = str(version)[:20] if version else "missing"
        raise ValueError(f"its format_version is {given}; this voiceops reads 1.x")
    try:
        form = msgspec.convert(data, PlanForm, strict=True)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not as `plan --out` writes it: {str(error)[:200]}") from None
    for problem in _problems(form):
        raise ValueError(f"it is not as `plan --out` writes it: {problem}")
    return form


def _problems(form: PlanForm) -> Iterator[str]:
    if not _PLAN_ID.match(form.plan_id):
        yield "plan_id is no plan's id"
    if not form.project or not form.environment:
        yield "it names no project or no environment"
    if form.planned_with.rollback_to is not None and form.planned_with.rollback_to < 1:
        yield "rollback_to is no revision"
    seen = set()
    for change in form.resource_changes:
        if change.address in seen:
            yield f"{change.address} stands in it twice"
        seen.add(change.address)
        yield from _of_change(change)
    yield from _of_counts(form)


def _of_change(change: ChangeForm) -> Iterator[str]:
    for address in (change.address, change.previous_address):
        if address is not None and not ADDRESS.match(_DEPOSED.sub("", address)):
            yield f"{address[:100]!r} is no address"
            return
    if change.type != type_at(change.address):
        yield f"{change.address} is of type {change.type[:60]!r}"
    if tuple(change.change.actions) not in _ACTIONS:
        yield f"{change.address} has the actions {change.change.actions!r:.80}"
    paths = [field.path for field in change.change.paths]
    if len(set(paths)) != len(paths):
        yield f"a path of {change.address} stands in it twice"
    for path in paths:
        try:
            parse_path(path)
        except ValueError:
            yield f"{path[:100]!r} of {change.address} is no path"


def _of_counts(form: PlanForm) -> Iterator[str]:
    """The counts are those of the changes; a creation that an error stands against is not counted."""
    errors = [d for d in form.diagnostics if d.get("severity") == "error"]
    against = {owner_of(str(d["address"])) for d in errors if d.get("address")}
    for key, actions in _COUNTED.items():
        counted = [c for c in form.resource_changes if tuple(c.change.actions) == actions]
        if key == "create":
            counted = [c for c in counted if owner_of(c.address) not in against]
        if form.summary.get(key) != len(counted):
            yield f"its summary counts {form.summary.get(key)} to {key}, and there are {len(counted)}"
    if form.errored is not bool(errors):
        yield "errored and the diagnostics differ"
