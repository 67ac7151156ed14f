"""Only some of a plan: by address or label, with what the chosen ones need first."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from voiceops.errors import VoiceopsError
from voiceops.model.address import owner_of
from voiceops.model.plan import Change

if TYPE_CHECKING:
    from voiceops.engine.planner import Planner


def selected(planner: Planner, changes: list[Change]) -> list[Change]:
    """The chosen ones. Raises VoiceopsError for a target that is not there, and for labels that nothing carries."""
    targets, labels = planner.options.targets, planner.options.labels
    if not targets and not labels:
        return changes
    carried = {a: resource.labels for a, resource in planner.graph.resources.items()} | dict(planner.options.carried)
    labelled = {a for a, found in carried.items() if labels and _carries(found, labels)}
    addresses = {owner_of(change.address) for change in changes}
    known = addresses | {owner_of(address) for address in (*carried, *planner.entries)}
    for target in targets:
        if not any(target in (address, _family(address)) for address in known):
            raise _no_target(target, known, planner.graph.environment)
    if labels and not labelled:
        raise _no_label(labels, carried, planner.graph.environment)
    chosen = {a for a in addresses if a in targets or _family(a) in targets or a in labelled}
    # What a chosen object refers to must exist first.
    waiting = list(chosen)
    while waiting:
        for following in planner.edges.get(waiting.pop(), ()):
            if following not in chosen and following in planner.new:
                chosen.add(following)
                waiting.append(following)
    return [change for change in changes if owner_of(change.address) in chosen]


def _family(address: str) -> str:
    return address.partition("[")[0]


def _carries(found: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return all(found.get(key) == value for key, value in labels.items())


def _no_target(target: str, known: set[str], environment: str) -> VoiceopsError:
    near = get_close_matches(target, sorted(known | set(map(_family, known))), n=1, cutoff=0.8)
    hint = f"Did you mean {near[0]}?" if near else "Neither the manifests nor the state have it."
    return VoiceopsError(f"there is no {target} in {environment}", hint=hint)


def _no_label(labels: Mapping[str, str], carried: Mapping[str, Mapping[str, str]], environment: str) -> VoiceopsError:
    asked = ", ".join(f"{key}={value}" for key, value in labels.items())
    for key, value in labels.items():
        values = sorted({found[key] for found in carried.values() if key in found})
        if value not in values:
            hint = f"{key} is one of: {', '.join(values)}." if values else f"No manifest has a label {key}."
            break
    else:
        hint = "No manifest carries all of them."
    return VoiceopsError(f"nothing in {environment} is labelled {asked}", hint=hint)


def only_about(planner: Planner, chosen: set[str]) -> None:
    """What is wrong or edited elsewhere is another plan's to say."""
    planner.diagnostics = [d for d in planner.diagnostics if not d.address or owner_of(d.address) in chosen]
    planner.drift = [d for d in planner.drift if owner_of(d.address) in chosen]
