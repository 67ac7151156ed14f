"""Which secrets an apply sends: all of a new object, and those under the keys that an update writes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from voiceops.errors import Diagnostic
from voiceops.model.graph import Graph
from voiceops.model.plan import CREATE, Change, Plan
from voiceops.model.values import Secret, format_path, leaves


def missing_secrets(plan: Plan, graph: Graph, at_hand: Callable[[Secret], bool]) -> list[Diagnostic]:
    """A problem for each secret that would have to be sent and is not at hand, at the place that names it."""
    found = []
    for change in plan.changes:
        for path, leaf in _sent(change, graph):
            if leaf.names and not at_hand(leaf):
                found.append(
                    Diagnostic(
                        code="secret-missing",
                        address=change.address,
                        path=format_path(path),
                        mark=graph.resources[change.address].source_of(path),
                        summary=f"{', '.join(leaf.names)} is not set, and has to be sent",
                        hint=f"Set {' and '.join(leaf.names)}, or put it into .env.",
                    )
                )
    return found


def _sent(change: Change, graph: Graph) -> Iterator[tuple[tuple[str | int, ...], Secret]]:
    resource = graph.resources.get(change.address)
    if resource is None or change.is_no_op:
        return
    whole = change.actions == CREATE or change.is_replacement
    keys = {field.path[0] for field in change.fields if field.path}
    for path, leaf in leaves(resource.body):
        if isinstance(leaf, Secret) and (whole or path[0] in keys):
            yield path, leaf
