"""The Twilio half of a phone line: who answers the number, taking it over and giving it back.

A number's voice settings have precedence: a trunk over an application over the voice URL; the shadowed ones
stay stored and do nothing, and a number that takes faxes answers no call. https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
"""

from __future__ import annotations

from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

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
from voiceops.errors import Diagnostic
from voiceops.kinds.phone import IMPORTED, TWILIO_DEMO, TWILIO_FIELDS, TWILIO_STICKY, TWILIO_TYPE, VOICE, is_vapis
from voiceops.model.address import owner_of
from voiceops.model.graph import Resource
from voiceops.model.live import Snapshot
from voiceops.model.plan import CREATE, DELETE, NO_OP, UPDATE, Change, Drift, FieldChange
from voiceops.model.state import Entry
from voiceops.model.values import ABSENT, Ref, digest

if TYPE_CHECKING:
    from voiceops.engine.planning.found import Found
    from voiceops.engine.planning.planner import Planner

BUYS = "this buys the number"  # the note of a change that does


def settings(live: dict[str, Any]) -> dict[str, str]:
    """A number's voice settings; Twilio answers null and empty for the same."""
    return {key: live.get(key) or "" for key in TWILIO_FIELDS} | {"voice_receive_mode": _mode(live)}


def _mode(live: dict[str, Any]) -> str:
    return live.get("voice_receive_mode") or VOICE


def in_voice_mode(entry: Entry) -> Entry:
    """An entry from before the mode was written down: a number of ours takes calls."""
    mode = {"voice_receive_mode": VOICE}
    return replace(entry, owned=mode | entry.owned) if entry.owned else entry


def shadow(live: dict[str, Any]) -> str | None:
    """What keeps the voice URL of a number from being called at all: in words."""
    found = settings(live)
    if found["trunk_sid"]:
        return f"the SIP trunk {found['trunk_sid']}"
    if found["voice_application_sid"]:
        return f"the TwiML application {found['voice_application_sid']}"
    if found["voice_receive_mode"] != VOICE:
        return f"nobody: it is set to receive {found['voice_receive_mode']}, not calls"
    return None


def clearing(live: dict[str, Any]) -> str:
    """The form fields that take a number's shadows away."""
    found = [f"{TWILIO_FIELDS[key]}=" for key in ("trunk_sid", "voice_application_sid") if live.get(key)]
    if _mode(live) != VOICE:
        found.append(f"{TWILIO_FIELDS['voice_receive_mode']}={VOICE}")
    return " and ".join(found)


def lags(entry: Entry, live: dict[str, Any]) -> bool:
    """Does a list show a number as it was before our last write?

    Twilio's times have seconds only: other settings with the same time as our write are taken for the older ones.
    """
    if digest(settings(live)) == entry.digest or not entry.updated_at:
        return False
    try:
        shown = parsedate_to_datetime(str(live.get("date_updated")))
        return shown <= parsedate_to_datetime(entry.updated_at)
    except (TypeError, ValueError):
        return False


def answers_today(live: dict[str, Any], desired: dict[str, Any]) -> str | None:
    """What answers the number now, if that is somebody else's: in words."""
    if shadowed := shadow(live):
        return shadowed
    url = live.get("voice_url") or ""
    if not url or url.startswith(TWILIO_DEMO) or url == desired.get("voice_url"):
        return None
    return f"the voice URL {url.partition('?')[0]}"


def number_of(snapshot: Snapshot, resource: Resource) -> dict[str, Any] | None:
    """The account's number that a line names, by its exact text."""
    return next((o for o in snapshot.all(TWILIO_TYPE).values() if o.get("phone_number") == resource.name), None)


def plan_number(planner: Planner, resource: Resource, found: Found) -> Change:
    """The change of one number's voice settings."""
    desired = planner.resolved(resource.body)
    entry, live = found.entry, found.live
    if entry is not None and entry.name != resource.name:
        # Another number: the old one is given back, the new one taken over like a first one.
        new = number_of(planner.snapshot, resource)
        taken = (
            _missing(planner, resource, None, desired) if new is None else _take_over(planner, resource, new, desired)
        )
        return replace(taken, actions=("delete", "create"), before=entry.owned, id=entry.id)
    if live is None:
        return _missing(planner, resource, entry, desired)
    if entry is None:
        return _take_over(planner, resource, live, desired)
    return _managed(planner, resource, found, entry, live, desired)


def _missing(planner: Planner, resource: Resource, entry: Entry | None, desired: dict[str, Any]) -> Change:
    if not resource.purchase:
        planner.diagnostics.append(
            Diagnostic(
                code="number-missing",
                mark=resource.mark,
                address=resource.address,
                summary=f"the Twilio account has no number {resource.name}"
                + (" any more" if entry is not None else ""),
                hint="Check the number and the account; to buy it, set spec.purchase: true.",
            )
        )
    reason = "manifest_changed" if entry is None else "deleted_outside"
    return replace(
        planner.change(
            resource,
            CREATE,
            reason,
            before=None,
            after=desired,
            fields=_fields(planner, resource, {"voice_receive_mode": VOICE}, desired),
        ),
        notes=(BUYS,) if resource.purchase else (),
    )


def _take_over(planner: Planner, resource: Resource, live: dict[str, Any], desired: dict[str, Any]) -> Change:
    foreign = answers_today(live, desired)
    if foreign and shadow(live) is None and _is_our_import(planner, resource, live):
        foreign = None
        if owner_of(resource.address) not in planner.new:  # the URL that an import wrote is there already
            desired = {key: settings(live)[key] if isinstance(value, Ref) else value for key, value in desired.items()}
    fields = _fields(planner, resource, settings(live), desired)
    change = planner.change(
        resource,
        UPDATE,
        "manifest_changed",
        before=_owned_part(live, desired),
        after=desired,
        fields=fields,
        id_=live["sid"],
    )
    if foreign is None:
        return replace(change, reason="take_over")
    if resource.adopt or planner.options.adopt:
        return replace(change, reason="adopt", adopts=True, notes=(f"takes the number over from {foreign}",))
    clear = clearing(live)
    planner.diagnostics.append(
        Diagnostic(
            code="exists_unmanaged",
            mark=resource.mark,
            address=resource.address,
            summary=f"{resource.name} is answered by {foreign} today",
            hint=("Taking it over would send " + clear + ". " if clear else "")
            + "If that is meant, apply with --adopt, or set lifecycle: {adopt: true}; what is set now is kept, and "
            "written back when the line leaves management.",
        )
    )
    return replace(change, reason="exists_unmanaged")


def _is_our_import(planner: Planner, resource: Resource, live: dict[str, Any]) -> bool:
    """Does Vapi answer the number on behalf of a Vapi number that is ours, or that this apply makes or adopts?"""
    owner = owner_of(resource.address)
    found = planner.found.get(owner)
    ours = found is not None and (found.entry is not None or not found.twins or owner not in planner.new)
    return ours and is_vapis(str(live.get("voice_url") or ""), planner.options.vapi_url)


def _managed(
    planner: Planner, resource: Resource, found: Found, entry: Entry, live: dict[str, Any], desired: dict[str, Any]
) -> Change:
    applied = Applied({k: v for k, v in entry.owned.items() if k not in TWILIO_STICKY or k in desired}, entry.stored)
    now = settings(live)
    differing = [d for d in differences(desired, applied, now) if not (d.after is ABSENT and not d.before)]
    drift = still_drifted(drifted(applied, now), differing)
    if drift:
        planner.drift.append(
            Drift(
                address=resource.address,
                kind=resource.kind,
                type=resource.type,
                id=entry.id,
                fields=planner.field_changes(resource, drift),
                updated_at=str(live.get("date_updated") or ""),
                applied_at=entry.recorded_at,
            )
        )
    kept = [d for d in differing if d.outcome is Outcome.DRIFT and planner.policy(resource, d.path) == "keep"]
    changes = [d for d in differing if d not in kept]
    _report_shadow(planner, resource, live, kept)
    if not changes:
        return planner.settled(resource, found, now, desired, kept=bool(kept))
    return replace(
        planner.change(
            resource,
            UPDATE,
            reason_for(changes),
            before=_owned_part(live, {**entry.owned, **desired}),
            after=desired,
            fields=planner.field_changes(resource, changes),
            id_=entry.id,
        ),
        previous_address=planner.previous(resource.address),
    )


def _report_shadow(planner: Planner, resource: Resource, live: dict[str, Any], kept: list[Difference]) -> None:
    """Calls of a managed number that never reach its voice URL: said beside the fields, which look harmless."""
    shadowed = shadow(live)
    if shadowed is None:
        return
    stays = any(d.path[0] in ("trunk_sid", "voice_application_sid", "voice_receive_mode") for d in kept)
    planner.diagnostics.append(
        Diagnostic(
            code="shadowed",
            severity="warning",
            mark=resource.mark,
            address=resource.address,
            summary=f"{resource.name} is answered by {shadowed}",
            hint=f"It stays so, for drift is kept here; to clear it, send {clearing(live)}."
            if stays
            else f"apply clears it: {clearing(live)}.",
        )
    )


def plan_release(base: Change, entry: Entry, live: dict[str, Any] | None) -> Change:
    """A number that leaves management: given back to who answered it before, or released where that was asked."""
    if live is None:
        return replace(base, actions=NO_OP, reason="forgotten", state_only=True, before=None)
    if entry.release:
        note = f"this gives {entry.name} back to Twilio: it can be lost for good"
        return replace(base, releases=True, notes=(note,))
    back = restored(entry)
    fields = tuple(
        FieldChange(path=(key,), source="", before=settings(live)[key], after=value, reason="restored")
        for key, value in back.items()
        if settings(live)[key] != value and (value or key not in TWILIO_STICKY)
    )
    return replace(
        base,
        fields=fields,
        after=None,
        notes=("the number stays in the Twilio account, as it was before it was taken over",),
    )


def restored(entry: Entry) -> dict[str, str]:
    """The settings to write back: what was found at take-over, for every field that we or Vapi's import wrote."""
    prior = entry.prior or {}
    written = dict.fromkeys((*entry.owned, *(IMPORTED if prior else ())))
    return {key: prior.get(key, "") for key in written if key in TWILIO_FIELDS}


def form(values: dict[str, Any], live: dict[str, Any]) -> dict[str, str]:
    """The form fields that write settings. Twilio takes a fallback URL only together with a voice URL (21405)."""
    sent = {key: value for key, value in values.items() if not (key in TWILIO_STICKY and not value)}
    if sent.get("voice_fallback_url") and "voice_url" not in sent and live.get("voice_url"):
        sent["voice_url"] = live["voice_url"]
    return {TWILIO_FIELDS[key]: value or "" for key, value in sent.items()}


def _fields(
    planner: Planner, resource: Resource, live: dict[str, str], desired: dict[str, Any]
) -> tuple[FieldChange, ...]:
    found = differences(desired, NOTHING_APPLIED, live)
    return planner.field_changes(
        resource, [d for d in found if isinstance(d.after, Ref) or (d.before or "") != (d.after or "")]
    )


def _owned_part(live: dict[str, Any], desired: dict[str, Any]) -> dict[str, str]:
    return {key: value for key, value in settings(live).items() if key in desired}


__all__ = [
    "DELETE",
    "Difference",
    "answers_today",
    "form",
    "plan_number",
    "plan_release",
    "restored",
    "settings",
]
