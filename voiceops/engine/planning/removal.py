"""What happens to an object that no manifest asks for any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from voiceops.engine.fields.masking import project, visible
from voiceops.engine.planning.strategies import strategy_of
from voiceops.engine.planning.view import View
from voiceops.model.address import deposed, owner_of
from voiceops.model.plan import DELETE, NO_OP, Change


def removal(view: View, address: str) -> Change:
    """The change of an entry without a resource: its end, as its strategy has it, unless it is only to be forgotten."""
    entry, live = view.entries[address], view.found[address].live
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
        affects=view.affects.get(owner_of(address), ()),
    )
    if address in view.graph.forgotten or owner_of(address) in view.graph.externals:
        shown = None if live is None else project(visible(entry.kind, live, entry.owned), entry.owned)
        notes = () if live is None else ("it stays live, and is not managed here any more",)
        return replace(base, actions=NO_OP, reason="forgotten", state_only=True, before=shown, after=shown, notes=notes)
    return strategy_of(entry.type).remove(base, entry, live)


def leftovers(view: View) -> Iterator[Change]:
    """Objects that were replaced by an apply that did not get to delete them."""
    for address, entry in view.entries.items():
        for id_ in entry.deposed:
            gone = view.snapshot.get(entry.type, id_) is None
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
