"""Planning the Twilio half of a phone line: whose settings a number has, taking it over and giving it back.

The number is there before and after: only what answers it changes hands. What the settings mean is
lines/twilio_number.py's to say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from voiceops.engine.fields.diff import (
    NOTHING_APPLIED,
    Applied,
    Difference,
    Outcome,
    differences,
    drifted,
    reason_for,
    still_drifted,
)
from voiceops.engine.lines.twilio_number import (
    BUYS,
    answers_today,
    clearing,
    in_voice_mode,
    lags,
    number_of,
    restored,
    settings,
    shadow,
    without_ignored,
)
from voiceops.engine.options import policy_for
from voiceops.engine.planning.changes import change_of, drift_of, field_changes, settled
from voiceops.engine.planning.view import Decision, Inputs, Matched, View
from voiceops.errors import Diagnostic
from voiceops.kinds.twilio import TWILIO_STICKY, VOICE, is_vapis
from voiceops.model.address import owner_of
from voiceops.model.graph import Resource
from voiceops.model.plan import CREATE, NO_OP, UPDATE, Change, FieldChange
from voiceops.model.state import Entry
from voiceops.model.values import ABSENT, Ref


class NumberSettings:
    """The strategy of a Twilio number's voice settings."""

    def held(self, entry: Entry) -> Entry:
        return in_voice_mode(entry)

    def lags(self, entry: Entry, live: dict[str, Any]) -> bool:
        return lags(entry, live)

    def unmanaged(self, inputs: Inputs, resource: Resource, found: Mapping[str, Matched]) -> Matched:
        return Matched(None, number_of(inputs.snapshot, resource))

    def is_new(self, inputs: Inputs, resource: Resource, found: Matched, *, contested: bool) -> bool:
        return False  # nothing refers to it

    def decide(self, view: View, resource: Resource) -> Decision:
        desired, found = view.desired[resource.address], view.found[resource.address]
        entry, live = found.entry, found.live
        if entry is not None and entry.name != resource.name:
            # Another number: the old one is given back, the new one taken over like a first one.
            new = number_of(view.snapshot, resource)
            taken = _missing(view, resource, None) if new is None else _taken_over(view, resource, new, desired)
            change = replace(taken.change, actions=("delete", "create"), before=entry.owned, id=entry.id)
            change = replace(change, notes=(*change.notes, *_given_back(entry, found.live)))
            return replace(taken, change=change)
        if live is None:
            return _missing(view, resource, entry)
        if entry is None:
            return _taken_over(view, resource, live, desired)
        return _managed(view, resource, found, entry, live)

    def remove(self, base: Change, entry: Entry, live: dict[str, Any] | None) -> Change:
        """Given back to who answered the number before, or released where that was asked."""
        if live is None:
            return replace(base, actions=NO_OP, reason="forgotten", state_only=True, before=None)
        if entry.release:
            note = f"this gives {entry.name} back to Twilio: it can be lost for good"
            return replace(base, releases=True, notes=(note,))
        notes = ("the number stays in the Twilio account, as it was before it was taken over",)
        return replace(base, fields=_restored_fields(entry, live), after=None, notes=notes)


def _restored_fields(entry: Entry, live: dict[str, Any]) -> tuple[FieldChange, ...]:
    """What of a number goes back to what it was before it was taken over."""
    now = settings(live)
    return tuple(
        FieldChange(path=(key,), source="", before=now[key], after=value, reason="restored")
        for key, value in restored(entry).items()
        if now[key] != value and (value or key not in TWILIO_STICKY)
    )


def _given_back(entry: Entry, live: dict[str, Any] | None) -> tuple[str, ...]:
    """What becomes of the number that a line had before, for its fields are those of the new one."""
    if live is None:
        return ()
    if entry.release:
        return (f"this gives {entry.name} back to Twilio: it can be lost for good",)
    back = [f"{f.path[0]}: {json.dumps(f.before)} → {json.dumps(f.after)}" for f in _restored_fields(entry, live)]
    what = f", as it was before it was taken over: {'; '.join(back)}" if back else ""
    return (f"{entry.name} stays in the Twilio account{what}",)


def _missing(view: View, resource: Resource, entry: Entry | None) -> Decision:
    """The account does not have the number: it is bought, where that was asked."""
    desired = view.desired[resource.address]
    change = change_of(
        view,
        resource,
        CREATE,
        "manifest_changed" if entry is None else "deleted_outside",
        before=None,
        after=desired,
        fields=_fields(resource, {"voice_receive_mode": VOICE}, desired),
    )
    if resource.purchase:
        return Decision(replace(change, notes=(BUYS,)))
    said = Diagnostic(
        code="number-missing",
        mark=resource.mark,
        address=resource.address,
        summary=f"the Twilio account has no number {resource.name}" + (" any more" if entry is not None else ""),
        hint="Check the number and the account; to buy it, set spec.purchase: true.",
    )
    return Decision(change, diagnostics=(said,))


def _taken_over(view: View, resource: Resource, live: dict[str, Any], desired: dict[str, Any]) -> Decision:
    """A number of the account that is not ours yet: refused where somebody else's settings answer it today."""
    foreign = answers_today(live, desired)
    if foreign and shadow(live) is None and _is_our_import(view, resource, live):
        foreign = None
        if owner_of(resource.address) not in view.new:  # the URL that an import wrote is there already
            desired = {key: settings(live)[key] if isinstance(value, Ref) else value for key, value in desired.items()}
    change = change_of(
        view,
        resource,
        UPDATE,
        "manifest_changed",
        before=_owned_part(live, desired),
        after=desired,
        fields=_fields(resource, settings(live), desired),
        id_=live["sid"],
    )
    if foreign is None:
        taken = replace(change, reason="take_over")
        # Vapi answers it already, as it should be: nothing is written but whose it is.
        return Decision(taken if taken.fields else replace(taken, actions=NO_OP, state_only=True))
    if resource.adopt or view.options.adopt:
        notes = (f"takes the number over from {foreign}",)
        return Decision(replace(change, reason="adopt", adopts=True, notes=notes))
    clear = clearing(live)
    said = Diagnostic(
        code="exists_unmanaged",
        mark=resource.mark,
        address=resource.address,
        summary=f"{resource.name} is answered by {foreign} today",
        hint=("Taking it over would send " + clear + ". " if clear else "")
        + "If that is meant, apply with --adopt, or set lifecycle: {adopt: true}; what is set now is kept, and "
        "written back when the line leaves management.",
    )
    return Decision(replace(change, reason="exists_unmanaged"), diagnostics=(said,))


def _is_our_import(view: View, resource: Resource, live: dict[str, Any]) -> bool:
    """Does Vapi answer the number on behalf of a Vapi number that is ours, or that this apply makes or adopts?"""
    owner = owner_of(resource.address)
    found = view.found.get(owner)
    ours = found is not None and (found.entry is not None or not found.twins or owner not in view.new)
    return ours and is_vapis(str(live.get("voice_url") or ""), view.options.vapi_url)


def _managed(view: View, resource: Resource, found: Matched, entry: Entry, live: dict[str, Any]) -> Decision:
    desired, now = without_ignored(resource, view.desired[resource.address]), settings(live)
    owned = without_ignored(resource, entry.owned)
    applied = Applied({k: v for k, v in owned.items() if k not in TWILIO_STICKY or k in desired}, entry.stored)
    differing = [d for d in differences(desired, applied, now) if not (d.after is ABSENT and not d.before)]
    edited = still_drifted(drifted(applied, now), differing) if differing else []
    drift = drift_of(resource, entry, edited, str(live.get("date_updated") or ""))
    kept = [d for d in differing if d.outcome is Outcome.DRIFT and policy_for(view.options, resource, d.path) == "keep"]
    changed = [d for d in differing if d not in kept]
    said = _shadowed(resource, live, kept)
    if not changed:
        change = settled(view, resource, entry, now, desired, kept=bool(kept), settling=found.settling)
        return Decision(change, drift, said)
    change = change_of(
        view,
        resource,
        UPDATE,
        reason_for(changed),
        before=_owned_part(live, {**entry.owned, **desired}),
        after=desired,
        fields=field_changes(resource, changed),
        id_=entry.id,
    )
    return Decision(replace(change, previous_address=view.previous.get(resource.address)), drift, said)


def _shadowed(resource: Resource, live: dict[str, Any], kept: list[Difference]) -> tuple[Diagnostic, ...]:
    """Calls of a managed number that never reach its voice URL: said beside the fields, which look harmless."""
    shadowed = shadow(live)
    if shadowed is None:
        return ()
    stays = any(d.path[0] in ("trunk_sid", "voice_application_sid", "voice_receive_mode") for d in kept)
    return (
        Diagnostic(
            code="shadowed",
            severity="warning",
            mark=resource.mark,
            address=resource.address,
            summary=f"{resource.name} is answered by {shadowed}",
            hint=f"It stays so, for drift is kept here; to clear it, send {clearing(live)}."
            if stays
            else f"apply clears it: {clearing(live)}.",
        ),
    )


def _fields(resource: Resource, live: dict[str, str], desired: dict[str, Any]) -> tuple[FieldChange, ...]:
    found = differences(desired, NOTHING_APPLIED, live)
    return field_changes(
        resource, [d for d in found if isinstance(d.after, Ref) or (d.before or "") != (d.after or "")]
    )


def _owned_part(live: dict[str, Any], desired: dict[str, Any]) -> dict[str, str]:
    return {key: value for key, value in settings(live).items() if key in desired}
