"""Only some of a plan: by address or label, with what the chosen ones need first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voiceops.model.address import owner_of
from voiceops.model.plan import Change

if TYPE_CHECKING:
    from voiceops.engine.planner import Planner


def selected(planner: Planner, changes: list[Change]) -> list[Change]:
    targets, labels = planner.options.targets, planner.options.labels
    if not targets and not labels:
        return changes
    chosen: set[str] = set()
    for address in {owner_of(change.address) for change in changes}:
        resource = planner.graph.resources.get(address)
        family = address.partition("[")[0]
        if (
            address in targets
            or family in targets
            or (labels and resource is not None and all(resource.labels.get(k) == v for k, v in labels.items()))
        ):
            chosen.add(address)
    # What a chosen object refers to must exist first.
    waiting = list(chosen)
    while waiting:
        for following in planner.edges.get(waiting.pop(), ()):
            if following not in chosen and following in planner.new:
                chosen.add(following)
                waiting.append(following)
    return [change for change in changes if owner_of(change.address) in chosen]


def only_about(planner: Planner, chosen: set[str]) -> None:
    """What is wrong or edited elsewhere is another plan's to say."""
    planner.diagnostics = [d for d in planner.diagnostics if not d.address or owner_of(d.address) in chosen]
    planner.drift = [d for d in planner.drift if owner_of(d.address) in chosen]
