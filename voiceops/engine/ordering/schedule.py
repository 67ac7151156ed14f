"""Plan → operations and what each has to wait for.

create   after what it refers to is live; a phone line after everything about its target
link     the second step of a circle: the lists that the creation left out, whole
delete   after every user of the object has been changed or deleted
buy      before the import into Vapi; settings after it, for the import rewrites the voice URL
claim    before the import, too: what answered the number until now is written down while it can still be seen
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from voiceops.engine.lines.twilio_number import BUYS
from voiceops.engine.ordering.creation_order import plan_creation
from voiceops.kinds.registry import KINDS, LINES, kind_of_type
from voiceops.model.address import is_twilio_side, kind_of, owner_of, twilio_side
from voiceops.model.graph import Graph
from voiceops.model.plan import CREATE, DELETE, NO_OP, UPDATE, Change
from voiceops.model.state import State
from voiceops.model.values import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One step for one object. `leaving_out` are the paths that a create sends later, in its link step."""

    key: str
    step: str  # create | update | link | delete | unbind | buy | claim | settings | restore | release | state
    change: Change
    needs: frozenset[str] = frozenset()
    leaving_out: tuple[Path, ...] = ()


def schedule(graph: Graph, state: State, changes: Iterable[Change]) -> list[Operation]:
    """The operations of a plan's active changes; `needs` name other operations of the same list."""
    active = {change.address: change for change in changes if change.matters}
    new = {
        address
        for address, change in active.items()
        if kind_of_type(change.type) and (change.actions == CREATE or change.is_replacement)
    }
    creation = plan_creation(graph, new)
    later = {
        address: tuple(dict.fromkeys((*creation.deferred.get(address, ()), *_later(graph, address)))) for address in new
    }
    operations: dict[str, Operation] = {}
    for address, change in active.items():
        claimed = (change.previous_address or address) in state.entries
        for step in _steps(change, bool(later.get(address)), claimed):
            operations[f"{address}#{step}"] = Operation(
                key=f"{address}#{step}",
                step=step,
                change=change,
                leaving_out=later.get(address, ()),
            )
    users = _users(state, active)
    needs = {
        key: set(_needs(operation, graph, creation.needs, operations, users)) for key, operation in operations.items()
    }
    _break_delete_circles(needs)
    return [
        Operation(key=key, step=o.step, change=o.change, leaving_out=o.leaving_out, needs=frozenset(needs[key]))
        for key, o in operations.items()
    ]


def _later(graph: Graph, address: str) -> tuple[Path, ...]:
    """What a create of the kind can't say."""
    resource = graph.resources[address]
    return KINDS[resource.kind].later(resource.body)


def _steps(change: Change, linked: bool, claimed: bool) -> list[str]:
    if kind_of_type(change.type) is None:
        if change.actions == DELETE:
            return ["release" if change.releases else "restore"]
        if change.is_replacement:
            return ["restore", "buy" if BUYS in change.notes else "claim", "settings"]
        if change.actions == CREATE:
            return ["buy", "settings"]
        if change.actions == NO_OP:
            return ["settings"] if change.reason == "recorded" else ["state"]
        return ["settings"] if claimed else ["claim", "settings"]
    if change.reason == "unbound":
        return ["unbind"]
    if change.actions == NO_OP:
        return ["state"]
    if change.actions == DELETE:
        return ["delete"]
    steps = ["update"] if change.actions == UPDATE else ["create"]
    if linked and change.actions != UPDATE:
        steps.append("link")
    if change.is_replacement:
        steps.append("unbind" if change.keeps_old else "delete")
    return steps


def _users(state: State, active: dict[str, Change]) -> dict[str, set[str]]:
    """By address: which managed objects referred to it when they were applied last."""
    moved = {change.previous_address: address for address, change in active.items() if change.previous_address}
    found: dict[str, set[str]] = {}
    for address, entry in state.entries.items():
        for dependency in entry.depends:
            found.setdefault(moved.get(dependency, dependency), set()).add(moved.get(address, address))
    return found


def _needs(
    operation: Operation,
    graph: Graph,
    creation: dict[str, frozenset[str]],
    operations: dict[str, Operation],
    users: dict[str, set[str]],
) -> Iterable[str]:
    address, step, change = operation.change.address, operation.step, operation.change

    def of(other: str, *steps: str) -> Iterable[str]:
        return (f"{other}#{name}" for name in steps if f"{other}#{name}" in operations)

    if step in ("create", "update", "settings", "state"):
        dependencies = graph.dependencies(address) if address in graph.resources else ()
        waiting = creation.get(address) if step == "create" and address in creation else None
        for other in dependencies:
            if waiting is None or other in waiting:
                yield from of(other, "create")
            if KINDS[kind_of(other)].volatile:
                yield from of(other, "update")
            if change.kind in LINES and owner_of(other) != address:
                yield from of(other, "create", "link", "update")
    if step == "link":
        yield f"{address}#create"
        for other in graph.dependencies(address):
            yield from of(other, "create")
            if KINDS[kind_of(other)].volatile:
                yield from of(other, "update")
    if step == "create":
        yield from of(twilio_side(address), "buy", "claim")
        if change.actions == ("delete", "create"):
            yield from of(address, "delete", "unbind")
    if step in ("buy", "claim"):
        yield from of(address, "restore")
    if step == "settings":
        yield from of(address, "buy", "claim", "restore")
        yield from of(owner_of(address), "create", "update", "state")
    if step in ("restore", "release"):
        yield from of(owner_of(address), "delete")
    if step in ("delete", "unbind") and not is_twilio_side(address):
        if change.actions == ("create", "delete"):
            yield from of(address, "create", "link")
        for user in users.get(address, ()):
            if user != address and owner_of(user) != address:
                yield from of(user, "create", "update", "link", "delete", "unbind")


def _break_delete_circles(needs: dict[str, set[str]]) -> None:
    """Objects that refer to each other go in the order of their addresses: deletion has no second step."""
    done: set[str] = set()
    for start in sorted(needs):
        if start in done:
            continue
        trail = [start]  # a stack of our own: chains of references can be longer than Python's
        on_trail = {start}
        branches = [iter(sorted(needs[start]))]
        while trail:
            other = next(branches[-1], None)
            if other is None:
                key = trail.pop()
                on_trail.discard(key)
                done.add(key)
                branches.pop()
            elif other in on_trail:
                needs[trail[-1]].discard(other)
            elif other not in done:
                trail.append(other)
                on_trail.add(other)
                branches.append(iter(sorted(needs[other])))
