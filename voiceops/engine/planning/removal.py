"""What happens to an object that no manifest asks for any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from voiceops.engine.fields.seen import project
from voiceops.engine.fields.visible import visible
from voiceops.engine.lines.twilio_number import plan_release
from voiceops.kinds.phone import TWILIO_TYPE
from voiceops.model.address import deposed, owner_of
from voiceops.model.plan import DELETE, NO_OP, UPDATE, Change, FieldChange

if TYPE_CHECKING:
    from voiceops.engine.planning.planner import Planner


def removal(planner: Planner, address: str) -> Change:
    entry, live = planner.entries[address], planner.found[address].live
    base = Change(
        address=address,
        kind=entry.kind,
        type=entry.type,
        name=entry.name,
        id=entry.id,
        actions=DELETE,
        reason="manifest_removed",
        before=entry.owned,
        after=None,
        affects=planner.affects.get(owner_of(address), ()),
    )
    if address in planner.graph.forgotten or owner_of(address) in planner.graph.externals:
        shown = None if live is None else project(visible(entry.kind, live, entry.owned), entry.owned)
        notes = () if live is None else ("it stays live, and is not managed here any more",)
        return replace(base, actions=NO_OP, reason="forgotten", state_only=True, before=shown, after=shown, notes=notes)
    if entry.type == TWILIO_TYPE:
        return plan_release(base, entry, live)
    if live is None:
        return replace(base, actions=NO_OP, reason="forgotten", state_only=True, before=None)
    if entry.kind == "Phone" and entry.owned.get("provider") == "vapi" and not entry.release:
        unbound = tuple(
            FieldChange(path=(key,), source="", before=live.get(key), after=None, reason="unbound")
            for key in ("assistantId", "squadId")
            if live.get(key) is not None
        )
        return replace(
            base,
            actions=UPDATE if unbound else NO_OP,
            reason="unbound",
            fields=unbound,
            state_only=not unbound,
            after=dict.fromkeys(("assistantId", "squadId")),
            notes=("the number stays with Vapi: release: true would give it back",),
        )
    return base


def leftovers(planner: Planner) -> Iterable[Change]:
    """Objects that were replaced by an apply that did not get to delete them."""
    for address, entry in planner.entries.items():
        for id_ in entry.deposed:
            gone = planner.snapshot.get(entry.type, id_) is None
            yield Change(
                address=deposed(address, id_),
                kind=entry.kind,
                type=entry.type,
                name=entry.name,
                id=id_,
                actions=NO_OP if gone else DELETE,
                reason="forgotten" if gone else "replaced",
                state_only=gone,
                before=None if gone else {},
                affects=(),
            )
