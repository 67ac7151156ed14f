"""Live objects that somebody else manages and manifests refer to: which one each name means. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.errors import Diagnostic
from voiceops.kinds.base import is_stock
from voiceops.kinds.registry import KINDS
from voiceops.model.graph import External, Graph
from voiceops.model.live import Snapshot
from voiceops.model.values import JSON, Outside, leaves
from voiceops.model.wording import some_of

_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Externals:
    """The live objects that external manifests mean, by address; `diagnostics` say which mean none, or several."""

    found: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()

    def value(self, outside: Outside) -> JSON:
        """The id, the live name or another attribute that a reference means; the reference where it means none."""
        live = self.found.get(outside.address)
        if live is None:
            return outside
        if outside.attribute == "name":
            return KINDS[self.kinds[outside.address]].name_of(live) or outside
        return live.get(outside.attribute, outside)


def externals_of(graph: Graph, snapshot: Snapshot) -> Externals:
    """Each external manifest's live object, as far as exactly one fits."""
    found: dict[str, dict[str, Any]] = {}
    said = []
    for address, external in sorted(graph.externals.items()):
        fitting = dict(_fitting(external, snapshot))
        if len(fitting) == 1:
            found[address] = next(iter(fitting.values()))
        else:
            said.append(_diagnostic(external, tuple(fitting)))
    return Externals(found, {a: e.kind for a, e in graph.externals.items()}, tuple(said))


def reached_through(externals: Externals, snapshot: Snapshot, managed: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Which managed objects each external one leads to, as it is live: on its way through others that nobody here
    manages, too. `managed` are addresses by live id."""
    bodies = {id_: live for objects in snapshot.objects.values() for id_, live in objects.items()}
    found = {}
    for address, first in externals.found.items():
        reached: dict[str, None] = {}
        waiting, seen = [first], {str(first.get("id"))}
        while waiting:
            for _, leaf in leaves(waiting.pop()):
                if not isinstance(leaf, str) or leaf in seen:
                    continue
                if leaf in managed:
                    reached.setdefault(managed[leaf])
                elif leaf in bodies:
                    seen.add(leaf)
                    waiting.append(bodies[leaf])
        found[address] = tuple(reached)
    return found


def _fitting(external: External, snapshot: Snapshot) -> Iterator[tuple[str, dict[str, Any]]]:
    kind = KINDS[external.kind]
    for id_, live in sorted(snapshot.all(external.type).items()):
        if external.by == "id":
            if id_ == external.value:
                yield id_, live
        elif external.by == "number":
            if kind.bears({key: live.get(key) for key in ("number", "sipUri")}, external.value):
                yield id_, live
        elif not is_stock(live) and (live.get("name") == external.value or kind.name_of(live) == external.value):
            yield id_, live


def _diagnostic(external: External, ids: tuple[str, ...]) -> Diagnostic:
    title = KINDS[external.kind].title
    wanted = f"{external.by} {external.value!r}"
    if not ids:
        return Diagnostic(
            code="external-missing",
            mark=external.mark,
            address=external.address,
            summary=f"there is no live {title} with the {wanted}",
            hint=f"Check external.{external.by}, and whether this is the account that has it.",
        )
    return Diagnostic(
        code="external-ambiguous",
        mark=external.mark,
        address=external.address,
        summary=f"{len(ids)} live objects fit: {title}s with the {wanted}: {some_of(ids, _MOST_NAMED)}",
        hint="Name the one that is meant by its id: external: {id: …}.",
    )
