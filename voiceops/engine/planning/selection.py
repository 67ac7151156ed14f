"""Only some of a plan: by address or label with what the chosen ones need first, or all but what is excluded."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from difflib import get_close_matches

from voiceops.engine.planning.guards import is_destroyed
from voiceops.engine.planning.view import Draft, View
from voiceops.errors import Diagnostic, Mark, VoiceopsError
from voiceops.kinds.registry import PARTS
from voiceops.model.address import is_twilio_side, owner_of
from voiceops.model.plan import Change
from voiceops.model.wording import some_of

_MOST_NAMED = 5


def selected(view: View, draft: Draft) -> Draft:
    """The chosen changes, without those that are excluded and those that wait for them, and what is said of them.

    What others would still use after it is gone is refused. Raises VoiceopsError for a target that is not there, and
    for labels that nothing carries.
    """
    options, changes = view.options, draft.changes
    if not options.targets and not options.labels and not options.excluded:
        return draft
    carried = {a: resource.labels for a, resource in view.graph.resources.items()} | dict(options.carried)
    known = {owner_of(address) for address in (*(c.address for c in changes), *carried, *view.entries)}
    chosen = {owner_of(c.address) for c in changes}
    if options.targets or options.labels:
        chosen = _chosen(view, chosen, carried, known)
    found = [change for change in changes if owner_of(change.address) in chosen]
    waiting = _waiting(view, found, _excluded(view, known))
    found = [change for change in found if owner_of(change.address) not in waiting]
    # What is wrong or edited elsewhere is another plan's to say.
    about = {owner_of(change.address) for change in found}
    about |= {theirs for change in found for theirs in view.graph.outside(change.address)}
    return Draft(
        tuple(found),
        tuple(d for d in draft.drift if owner_of(d.address) in about),
        (
            *(d for d in draft.diagnostics if not d.address or owner_of(d.address) in about),
            *_said(waiting),
            *_still_used(view, found),
        ),
    )


def _chosen(view: View, addresses: set[str], carried: Mapping[str, Mapping[str, str]], known: set[str]) -> set[str]:
    """The addresses that are asked for, with what they need that is not there yet."""
    targets, labels = view.options.targets, view.options.labels
    labelled = {a for a, found in carried.items() if labels and _carries(found, labels)}
    for target in targets:
        if target in view.graph.externals:
            raise VoiceopsError(
                f"{target} is external: somebody else manages it", hint="No plan changes it: name one that does."
            )
        if not any(target in (address, _family(address)) for address in known):
            raise _no_target(target, known, view.graph.environment)
    if labels and not labelled:
        raise _no_label(labels, carried, view.graph.environment)
    chosen = {a for a in addresses if a in targets or _family(a) in targets or a in labelled}
    # What a chosen object refers to must exist first.
    waiting = list(chosen)
    while waiting:
        for following in view.edges.get(waiting.pop(), ()):
            if following not in chosen and following in view.new:
                chosen.add(following)
                waiting.append(following)
    return chosen


# what stays out, and what waits for it


def _excluded(view: View, known: set[str]) -> set[str]:
    found: set[str] = set()
    for pattern in view.options.excluded:
        hits = {address for address in known if _matches(pattern, address)}
        if not hits:
            raise _no_target(pattern, known, view.graph.environment)
        found |= hits
    return found


def _matches(pattern: str, address: str) -> bool:
    if pattern in (address, _family(address)):
        return True
    literal = pattern.replace("[", "[[]")  # an instance's brackets are no pattern
    return any(c in pattern for c in "*?") and fnmatch.fnmatchcase(address, literal)


def _waiting(view: View, changes: list[Change], excluded: set[str]) -> dict[str, str]:
    """Every owner whose changes stay out, with the excluded one that it is because of."""
    if not excluded:
        return {}
    moving: dict[str, list[Change]] = {}
    for change in changes:
        if change.matters:
            moving.setdefault(owner_of(change.address), []).append(change)
    uses, users = _uses(view), _users(view)
    because = {address: address for address in excluded}
    grown = True
    while grown:
        grown = False
        for owner, own in moving.items():
            if owner in because:
                continue
            needs = {other for other in uses.get(owner, ()) if other in moving}
            if any(map(is_destroyed, own)):
                needs |= users.get(owner, set())
            cause = next((because[other] for other in sorted(needs) if other in because), None)
            if cause is not None:
                because[owner] = cause
                grown = True
    return because


def _uses(view: View) -> dict[str, set[str]]:
    """What each manifest refers to: it must be changed first."""
    found: dict[str, set[str]] = {}
    for address in view.graph.resources:
        owner = owner_of(address)
        found.setdefault(owner, set()).update(map(owner_of, view.graph.dependencies(address)))
        found[owner].discard(owner)
    return found


def _users(view: View) -> dict[str, set[str]]:
    """Which managed objects refer to each: as they were applied, or as the manifests have them now."""
    found: dict[str, set[str]] = {}
    for address, entry in view.entries.items():
        depends = (*entry.depends, *view.graph.dependencies(address), *view.options.uses.get(address, ()))
        for other in depends:
            used = owner_of(view.moved.get(other, other))
            if used != owner_of(address):
                found.setdefault(used, set()).add(owner_of(address))
    return found


def _said(waiting: Mapping[str, str]) -> list[Diagnostic]:
    return [
        Diagnostic(
            code="waits",
            severity="warning",
            address=address,
            summary=f"waits: it depends on the change of {cause}, which is excluded",
            hint="It is planned again once that is no longer excluded.",
        )
        for address, cause in sorted(waiting.items())
        if address != cause
    ]


def _still_used(view: View, changes: list[Change]) -> list[Diagnostic]:
    """Objects that go while others, which are not chosen, still refer to them."""
    chosen = {owner_of(change.address) for change in changes}
    users = _users(view)
    found = []
    for change in changes:
        if not is_destroyed(change) or is_twilio_side(change.address) or change.keeps_old:
            continue
        rest = sorted(users.get(owner_of(change.address), set()) - chosen)
        if change.address != owner_of(change.address):  # left over from a replacement: few still name it
            rest = [a for a in rest if str(change.id) in str(view.found[a].live or {})]
        if rest:
            found.append(
                Diagnostic(
                    code="still-used",
                    address=owner_of(change.address),
                    mark=Mark(change.file, change.line, 1) if change.file else None,
                    summary=f"would go, and is still used by {some_of(rest, _MOST_NAMED)}",
                    hint="Choose them, too: " + " ".join(f"--target {address}" for address in rest[:_MOST_NAMED]),
                )
            )
    return found


def _family(address: str) -> str:
    return address.partition("[")[0]


def _carries(found: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return all(found.get(key) == value for key, value in labels.items())


def _no_target(target: str, known: set[str], environment: str) -> VoiceopsError:
    near = get_close_matches(target, sorted(known | set(map(_family, known))), n=1, cutoff=0.8)
    hint = f"Did you mean {near[0]}?" if near else "Neither the manifests nor the state have it."
    if target.partition("/")[0] in PARTS:
        hint = "A part has no live object: choose those that use it, which `voiceops explain` of the part lists."
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
