"""A saved plan held against a new one: the changes that were reviewed, or the difference.

The new plan counts, made from what is live and in the manifests now. A reviewed change holds when it comes out
the same: address, actions, owned values before and after. Changes that were not reviewed are left for a plan of
their own. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from voiceops.engine.options import Safety
from voiceops.engine.planning.guards import guard
from voiceops.engine.review.saved_form import checked_form
from voiceops.errors import Diagnostic, Refused
from voiceops.model.address import owner_of
from voiceops.model.plan import Change, Plan
from voiceops.model.state import State
from voiceops.model.values import JSON, SENSITIVE, SENSITIVE_UNCHECKED, canonical, map_leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """What `plan --out` kept: the changes by address, in the plan's own JSON form, and how they were asked for."""

    id: str
    project: str
    environment: str
    org: str
    account: str
    changes: Mapping[str, dict[str, Any]]
    adopt: bool = False
    destroy: bool = False
    rollback_to: int | None = None
    rollback_git: str | None = None

    @property
    def rolls_back(self) -> bool:
        """Was it made by `rollback`?"""
        return self.rollback_to is not None or self.rollback_git is not None

    @classmethod
    def from_data(cls, data: Any) -> SavedPlan:
        """Raises ValueError with what is wrong, in words."""
        form = checked_form(data)
        return cls(
            id=form.plan_id,
            project=form.project,
            environment=form.environment,
            org=form.org,
            account=form.account,
            changes={
                change["address"]: change
                for change in data["resource_changes"]
                if change["change"]["actions"] != ["no-op"] or change.get("state_only")
            },
            adopt=form.planned_with.adopt,
            destroy=form.destroy,
            rollback_to=form.planned_with.rollback_to,
            rollback_git=form.planned_with.rollback_git,
        )


def narrowed(plan: Plan, saved: SavedPlan, state: State, safety: Safety, *, force: bool) -> Plan:
    """The new plan with only the reviewed changes in it. Raises Refused with every difference."""
    _check_place(plan, saved)
    if saved.id in state.used_plans:
        raise Refused("this plan was applied already", hint="Make a new plan: `voiceops plan --out FILE`.")
    now = {change.address: change for change in plan.changes}
    found = [d for address, was in sorted(saved.changes.items()) if (d := _difference(address, was, now.get(address)))]
    if found:
        raise Refused(
            f"{len(found)} of {len(saved.changes)} reviewed changes would come out otherwise now",
            hint="Nothing was changed. Make a new plan and have it reviewed.",
            diagnostics=found,
        )
    owners = {owner_of(address) for address in saved.changes}
    changes = tuple(c if c.address in saved.changes else left_out(c) for c in plan.changes)
    return replace(
        plan,
        changes=changes,
        diagnostics=tuple(d for d in plan.diagnostics if not d.address or owner_of(d.address) in owners),
        refusals=(
            *(d for d in plan.refusals if d.code == "drift" and owner_of(d.address) in owners),
            *guard(changes, state, safety, force=force),
        ),
    )


def left_out(change: Change) -> Change:
    """A change that waits for a plan of its own."""
    return replace(change, actions=("no-op",), reason="not_in_plan", state_only=False) if change.matters else change


def _check_place(plan: Plan, saved: SavedPlan) -> None:
    for what, was, now in (
        ("project", saved.project, plan.project),
        ("environment", saved.environment, plan.environment),
        ("Vapi org", saved.org, plan.org),
        ("Twilio account", saved.account, plan.account),
    ):
        if was and now and was != now:
            raise Refused(
                f"the plan is for {what} {was}, and this is {now}", hint="Apply it where it was made, or plan here."
            )


def _difference(address: str, was: dict[str, Any], change: Change | None) -> Diagnostic | None:
    """What became of a reviewed change, or None while it is the same."""
    if change is None or not change.matters:
        return Diagnostic(
            code="plan-changed", address=address, summary=f"{_words(was['change']['actions'])} is no longer needed"
        )
    now = change.to_data()
    if now["change"]["actions"] != was["change"]["actions"]:
        return Diagnostic(
            code="plan-changed",
            address=address,
            summary=f"was {_words(was['change']['actions'])}, would be {_words(now['change']['actions'])} now",
        )
    if now["id"] != was["id"]:
        return Diagnostic(code="plan-changed", address=address, summary=f"is {now['id']} now, was {was['id']}")
    if now.get("answers") != was.get("answers"):
        return Diagnostic(
            code="plan-changed", address=address, summary="another would answer this line than was reviewed"
        )
    for old, new in ((_by_path(was), _by_path(now)), (_by_key(was), _by_key(now))):
        fields = sorted(path for path in {**old, **new} if _form(old.get(path)) != _form(new.get(path)))
        if fields:
            return Diagnostic(
                code="plan-changed",
                address=address,
                summary=f"{', '.join(fields[:5])} would change otherwise: "
                f"reviewed {_shown(old.get(fields[0]))}, now {_shown(new.get(fields[0]))}",
            )
    return None


def _form(value: JSON) -> str:
    """One text for equal values. Whoever plans needs no secret: one that was not checked then is the same secret."""
    return canonical(map_leaves(value, lambda leaf: SENSITIVE if leaf == SENSITIVE_UNCHECKED else leaf))


def _by_path(data: dict[str, Any]) -> dict[str, list[Any]]:
    return {path["path"]: [path["before"], path["after"]] for path in data["change"]["paths"]}


def _by_key(data: dict[str, Any]) -> dict[str, list[Any]]:
    """Every owned top-level value: what a PATCH would send along must be what was reviewed, too."""
    before, after = data["change"]["before"] or {}, data["change"]["after"] or {}
    return {key: [before.get(key), after.get(key)] for key in {**before, **after}}


def _shown(pair: list[Any] | None) -> str:
    return "no change" if pair is None else " → ".join(canonical(value)[:60] for value in pair)


def _words(actions: list[str]) -> str:
    return " and ".join(actions)
