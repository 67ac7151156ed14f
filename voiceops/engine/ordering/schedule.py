"""Plan → operations and what each has to wait for.

create   after what it refers to is live; a phone line after everything about its target
link     the second step of a circle: the lists that the creation left out, whole
delete   after every user of the object has been changed or deleted
buy      before the import into Vapi; settings after it, for the import rewrites the voice URL
claim    before the import, too: what answered the number until now is written down while it can still be seen
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from voiceops.engine.lines.twilio_number import BUYS
from voiceops.engine.ordering.creation_order import plan_creation
from voiceops.kinds.registry import KINDS, LINES, kind_of_type
from voiceops.model.address import kind_of, owner_of, twilio_side
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
    around = _Around(graph, creation.needs, operations, _users(state, active))
    needs = {key: set(_needs(operation, around)) for key, operation in operations.items()}
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
            return ["settings"] if change.reason in ("recorded", "take_over") else ["state"]
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


@dataclass(frozen=True, slots=True)
class _Around:
    """What an operation may have to wait for: references, circles that are opened, operations, users of an object."""

    graph: Graph
    creation: Mapping[str, frozenset[str]]
    operations: Mapping[str, Operation]
    users: Mapping[str, set[str]]

    def of(self, address: str, *steps: str) -> Iterator[str]:
        """Those of an object's steps that are taken at all."""
        return (key for step in steps if (key := f"{address}#{step}") in self.operations)


def _needs(operation: Operation, around: _Around) -> Iterator[str]:
    for waits in _WAITS[operation.step]:
        yield from waits(operation, around)


def _for_references(operation: Operation, around: _Around) -> Iterator[str]:
    """What the body refers to is live; before a line is written, all about its target is as it will be."""
    address = operation.change.address
    waiting = around.creation.get(address) if operation.step == "create" else None
    for other in around.graph.dependencies(address):
        if waiting is None or other in waiting:
            yield from around.of(other, "create")
        if KINDS[kind_of(other)].volatile:
            yield from around.of(other, "update")
        if operation.change.kind in LINES and owner_of(other) != address:
            yield from around.of(other, "create", "link", "update")


def _for_both_ends(operation: Operation, around: _Around) -> Iterator[str]:
    """What closes a circle is sent when all that it names is live, and what it is sent to."""
    address = operation.change.address
    yield f"{address}#create"
    for other in around.graph.dependencies(address):
        yield from around.of(other, "create")
        if KINDS[kind_of(other)].volatile:
            yield from around.of(other, "update")


def _for_the_number(operation: Operation, around: _Around) -> Iterator[str]:
    """A number is imported when the account has it, and what answered it until now is written down."""
    return around.of(twilio_side(operation.change.address), "buy", "claim")


def _for_the_old_one(operation: Operation, around: _Around) -> Iterator[str]:
    """Where the old object goes first, it is gone."""
    first = operation.change.actions == ("delete", "create")
    return around.of(operation.change.address, "delete", "unbind") if first else iter(())


def _for_giving_back(operation: Operation, around: _Around) -> Iterator[str]:
    return around.of(operation.change.address, "restore")


def _for_the_line(operation: Operation, around: _Around) -> Iterator[str]:
    """Settings are written last: the import rewrites the voice URL."""
    yield from around.of(operation.change.address, "buy", "claim", "restore")
    yield from around.of(owner_of(operation.change.address), "create", "update", "state")


def _for_its_end(operation: Operation, around: _Around) -> Iterator[str]:
    """A number is given back when nothing at Vapi has it any more."""
    return around.of(owner_of(operation.change.address), "delete")


def _for_users(operation: Operation, around: _Around) -> Iterator[str]:
    """An object goes when what replaces it is there, and nothing refers to it any more."""
    address = operation.change.address
    if operation.change.actions == ("create", "delete"):
        yield from around.of(address, "create", "link")
    for user in around.users.get(address, ()):
        if user != address and owner_of(user) != address:
            yield from around.of(user, "create", "update", "link", "delete", "unbind")


_WAITS: Mapping[str, tuple[Callable[[Operation, _Around], Iterator[str]], ...]] = {
    "create": (_for_references, _for_the_number, _for_the_old_one),
    "update": (_for_references,),
    "state": (_for_references,),
    "link": (_for_both_ends,),
    "buy": (_for_giving_back,),
    "claim": (_for_giving_back,),
    "settings": (_for_references, _for_the_line),
    "restore": (_for_its_end,),
    "release": (_for_its_end,),
    "delete": (_for_users,),
    "unbind": (_for_users,),
}


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
