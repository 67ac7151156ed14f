"""A digest of what a test tests: equal wherever the same content is tested, whatever it is called there.

A test covers whom it calls and all that they use: agents, squads, tools, outputs, prompts, the handlers' files; and
what it says itself. What differs between environments of the same content is left out: live names, the runtime's
address, credentials, ids, the places in files. What an environment patches stays in: it changes what callers hear.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.kinds.nodes import entries_of, is_set, items_of
from voiceops.kinds.schema import Node, root
from voiceops.model.address import kind_of
from voiceops.model.graph import Graph, Resource, walk
from voiceops.model.values import Ref, Template, canonical, digest
from voiceops.testing.cases import Chosen

LEFT_OUT = frozenset({"Credential", "Phone"})  # how an account is reached, and by which number: no words of an agent
_LIVE_NAMES = ("assistantName",)  # keys whose texts are live names


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One environment as tests see it. `handlers`: a digest of the handlers' files; `runtime`: the base URL."""

    graph: Graph
    runtime: str = ""
    handlers: str = ""


def reached(graph: Graph, starts: Iterable[str]) -> frozenset[str]:
    """The addresses of what is tested together with these: themselves and all that they refer to."""
    found = {address for start in starts for address in walk(graph.edges, start)}
    return frozenset(address for address in found if kind_of(address) not in LEFT_OUT)


def case_digest(content: Content, test: Chosen) -> str:
    """Of one test; "" where its target is known by a live id alone, so that nobody knows what is tested."""
    if not test.target or "/" not in test.target or test.target not in content.graph.resources:
        return ""
    addresses = reached(content.graph, (*test.needs, test.target))
    said = _Said(content)
    parts: dict[str, Any] = {address: said.at(content.graph.resources.get(address)) for address in addresses}
    parts["test"] = [test.case.kind, test.definition, test.target, test.source]
    if test.case.kind == "script" or any(_handled(content.graph, address) for address in addresses):
        parts["handlers"] = content.handlers
    return digest(parts)


def _handled(graph: Graph, address: str) -> bool:
    resource = graph.resources.get(address)
    return resource is not None and bool(resource.handler)


_NOTHING = object()
_RUNTIME = "${runtime:url}"


class _Said:
    """Bodies without what is the environment's own; a map or a list that held nothing else is left out with it."""

    def __init__(self, content: Content) -> None:
        self._runtime = content.runtime.rstrip("/")
        self._names = {one.name: address for address, one in content.graph.resources.items() if one.name}

    def at(self, resource: Resource | None) -> Any:
        """One resource; None where it is somebody else's: what that says is not ours to know."""
        if resource is None:
            return None
        body = {key: value for key, value in resource.body.items() if key != "name"}
        said = self.of(body, root(resource.kind))
        return {"body": {} if said is _NOTHING else said, "handler": resource.handler, "extra": dict(resource.extra)}

    def of(self, value: Any, node: Node | None) -> Any:
        """A value, and what the schema says of its place."""
        if isinstance(value, str):
            return value.replace(self._runtime, _RUNTIME) if self._runtime else value
        if isinstance(value, Ref):
            return _NOTHING if kind_of(value.address) in LEFT_OUT else value
        if isinstance(value, Template):
            return Template(tuple(self.of(part, None) if isinstance(part, str) else part for part in value.parts))
        if isinstance(value, Mapping):
            nodes = entries_of(node, value)
            found = {
                key: self._names.get(item, item)
                if key in _LIVE_NAMES and isinstance(item, str)
                else self.of(item, nodes.get(key))
                for key, item in value.items()
            }
            kept = {key: item for key, item in found.items() if item is not _NOTHING}
            return kept if kept or not value else _NOTHING
        if isinstance(value, list):
            items = [kept for item in value if (kept := self.of(item, items_of(node))) is not _NOTHING]
            if is_set(node):
                items.sort(key=canonical)
            return items if items or not value else _NOTHING
        return value
