"""Two desired graphs side by side: what the second has otherwise than the first. Pure, and without anything live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from voiceops.engine.fields.diff import Applied, differences
from voiceops.kinds.nodes import body_node
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import Graph, Resource
from voiceops.model.plan import CREATE, DELETE, UPDATE, Change, FieldChange
from voiceops.model.values import ABSENT, JSON, Path, Secret, map_leaves

# What an environment's own account brings into a line.
ACCOUNT_FIELDS = frozenset({"twilioAccountSid", "twilioAuthToken", "twilioApiKey", "twilioApiSecret"})


def compare(first: Graph, second: Graph, leaving_out: frozenset[str] = frozenset()) -> tuple[Change, ...]:
    """A change for each resource that differs, by address; `leaving_out` are top-level fields that don't count."""
    found = []
    for address in sorted({*first.resources, *second.resources}):
        one, other = first.resources.get(address), second.resources.get(address)
        if other is None:
            assert one is not None
            found.append(_change(one, DELETE, "only_first", ()))
        elif one is None:
            body = _plain(other, leaving_out)
            fields = tuple(_field(other, (key,), ABSENT, value) for key, value in body.items() if value is not None)
            found.append(replace(_change(other, CREATE, "only_second", fields), after=body))
        elif fields := tuple(_fields(one, other, leaving_out)):
            found.append(_change(other, UPDATE, "differs", fields))
    return tuple(found)


def _fields(one: Resource, other: Resource, leaving_out: frozenset[str]) -> Iterator[FieldChange]:
    old, new = _plain(one, leaving_out), _plain(other, leaving_out)
    node = body_node(KINDS[other.kind]) if other.type == KINDS[other.kind].type else None
    for found in differences(new, Applied(old, {}), old, (), node):
        yield _field(other, found.path, found.before, found.after)
    for name, before, after in (
        ("lifecycle.preventDestroy", one.prevent_destroy, other.prevent_destroy),
        ("release", one.release, other.release),
        ("handler", one.handler, other.handler),
        ("answers", list(one.routes), list(other.routes)),
        ("labels", dict(one.labels), dict(other.labels)),
    ):
        if before != after:
            yield _field(other, tuple(name.split(".")), before, after)


def _plain(resource: Resource, leaving_out: frozenset[str]) -> dict[str, Any]:
    """The body with literal secrets as all alike: a revision holds none of them."""

    def leaf(item: JSON) -> JSON:
        return Secret(()) if isinstance(item, Secret) and not item.names else item

    body: dict[str, Any] = map_leaves(resource.body, leaf)
    return {key: value for key, value in body.items() if key not in leaving_out}


def _field(resource: Resource, path: Path, before: JSON, after: JSON) -> FieldChange:
    mark = resource.source_of(path)
    return FieldChange(
        path=path, source=mark.path, before=before, after=after, reason="differs", file=mark.file, line=mark.line
    )


def _change(resource: Resource, actions: tuple[str, ...], reason: str, fields: tuple[FieldChange, ...]) -> Change:
    return Change(
        address=resource.address,
        kind=resource.kind,
        type=resource.type,
        name=resource.name,
        id=None,
        actions=actions,
        reason=reason,
        file=resource.mark.file,
        line=resource.mark.line,
        fields=fields,
    )
