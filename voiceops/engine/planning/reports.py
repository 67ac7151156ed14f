"""What a plan has to say beside its changes: drift, unmanaged twins, secrets that could not be compared."""

from __future__ import annotations

from collections.abc import Iterable

from voiceops.engine.options import policy_for
from voiceops.engine.planning.twins import users_of
from voiceops.engine.planning.view import View
from voiceops.errors import Diagnostic
from voiceops.kinds.registry import KINDS
from voiceops.model.address import owner_of
from voiceops.model.graph import Resource
from voiceops.model.instants import instant_of
from voiceops.model.plan import Drift, FieldChange
from voiceops.model.values import JSON, SENSITIVE_UNCHECKED, Fingerprint, format_path, is_plain, leaves
from voiceops.model.wording import many, some_of

_MOST_USERS = 3
_FIELDS = 6  # of a refusal that names them


def unchecked_secrets(resource: Resource, desired: JSON) -> tuple[Diagnostic, ...]:
    """Whether a secret changed can't be told where it isn't at hand."""
    if is_plain(desired):
        return ()
    unchecked = sorted(
        {
            name
            for _, leaf in leaves(desired)
            if isinstance(leaf, Fingerprint) and not leaf.digest
            for name in leaf.names
        }
    )
    if not unchecked:
        return ()
    return (
        Diagnostic(
            code="secret-not-checked",
            severity="warning",
            mark=resource.mark,
            address=resource.address,
            summary=f"{SENSITIVE_UNCHECKED}: {', '.join(unchecked)} is not set here",
            hint="Whether it changed shows only where it is set; apply needs it only to send it.",
        ),
    )


def existing_twins(view: View, resource: Resource, twins: tuple[str, ...]) -> Diagnostic:
    """Live objects that a resource could be, each with what tells it apart and the command that takes it."""
    kind = KINDS[resource.kind]
    called = f"{kind.title} {resource.name!r}" if resource.name is not None else f"{kind.title} that equals this one"
    several = f" ({len(twins)} of them: {', '.join(twins)})" if len(twins) > 1 else ""
    claiming = {address for id_ in twins for address in view.claims.get(id_, ())} - {resource.address}
    others = [address for address in view.found if address in claiming] if claiming else []
    if others and not several:
        several = f", and {', '.join(others)} could be it, too"
    about = {id_: described(view, resource.type, id_) for id_ in twins}
    if len(twins) == 1 and not others:
        hint = (
            f"Take it over with `voiceops import {resource.address} {twins[0]}`, or with `apply --adopt`; "
            f"or give this one another name. The live one: {about[twins[0]]}."
        )
    else:
        lines = [f"voiceops import {resource.address} {id_}  ({text})" for id_, text in about.items()]
        hint = "\n".join(["Take the one that is meant, or give this one another name:", *lines])
    return Diagnostic(
        code="exists_unmanaged",
        mark=resource.mark,
        address=resource.address,
        summary=f"the {called} exists already and is not managed{several}",
        hint=hint,
    )


def described(view: View, type_: str, id_: str) -> str:
    """What tells a live object from others of its name: its age, its number, who uses it."""
    live = view.snapshot.get(type_, id_) or {}
    made = str(live.get("createdAt") or "")
    found = [f"made {made[:10]}{_age(made, view.snapshot.date)}" if made else "made nobody knows when"]
    found += [str(live[key]) for key in ("number", "sipUri") if live.get(key)]
    users = sorted(view.users[id_] if id_ in view.users else users_of([id_], view.snapshot)[id_])
    return ", ".join(
        [*found, f"used by the {some_of(users, _MOST_USERS)}" if users else "used by nothing that was read"]
    )


def _age(made: str, now: float) -> str:
    at = instant_of(made)
    if at is None:
        return ""
    days = int((now - at) // 86_400)
    return f", {many(days, 'day')} ago" if days > 0 else ", today"


def _named(fields: list[FieldChange]) -> str:
    """The fields by name, as many as one reads, with their verb."""
    names = [format_path(field.path) for field in fields]
    return f"{some_of(names, _FIELDS)} {'was' if len(names) == 1 else 'were'}"


def drift_refusals(view: View, drift: Iterable[Drift]) -> list[Diagnostic]:
    """What was edited live in fields whose drift this project refuses to overwrite."""
    found = []
    for each in drift:
        resource = view.graph.resources.get(each.address)
        if resource is None:
            continue
        fields = [f for f in each.fields if policy_for(view.options, resource, f.path) == "refuse"]
        if fields:
            found.append(
                Diagnostic(
                    code="drift",
                    mark=resource.mark,
                    address=each.address,
                    summary=f"{_named(fields)} edited live, and this project refuses to overwrite that",
                    hint=f"Take it over with `voiceops drift --accept {owner_of(each.address)}`, "
                    "or apply with drift: revert.",
                )
            )
    return found
