"""The old fields of a file: in its manifests, in `defaults` of voiceops.yaml, and in an environment's patches. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.errors import Mark
from voiceops.kinds.nodes import entries_of, items_of, type_name
from voiceops.kinds.registry import ALL
from voiceops.kinds.schema import Node, root
from voiceops.manifest.strict_yaml import read_documents
from voiceops.model.address import kind_of
from voiceops.model.located import Map, Seq
from voiceops.upgrade.decisions import Decision
from voiceops.upgrade.known_manifests import KnownManifests
from voiceops.upgrade.successors import OldField, decision_for

DataPath = tuple[str | int, ...]
_OVERRIDES = "AssistantOverrides"


@dataclass(frozen=True, slots=True, kw_only=True)
class OldPlace:
    """One old field: where it stands, and what becomes of it."""

    document: int
    where: DataPath  # of the map that holds it
    key: str
    mark: Mark
    address: str  # of the manifest; of what is laid over several, what it is laid over
    decision: Decision
    around: Mapping[str, Any]


def old_fields(text: str, file: str, known: KnownManifests) -> Iterator[OldPlace]:
    """Every old field of a file. Raises InvalidProject where it can't be read.

    `known` is what the project's other manifests tell.
    """
    for number, (value, _) in enumerate(read_documents(text, file)):
        if not isinstance(value, Map):
            continue
        for place, node, body, address, laid_over in _bodies(value):
            yield from _Walk(number, address, known).walk(node, body, place, laid_over)


def _bodies(value: Map) -> Iterator[tuple[DataPath, Node, Map, str, str]]:
    """The bodies in a document: its path, what its fields are, itself, whose it is, and what it is laid over."""
    kind, spec = value.get("kind"), value.get("spec")
    if isinstance(kind, str) and kind in ALL and isinstance(spec, Map):
        yield ("spec",), root(kind, "manifest"), spec, f"{kind}/{value.get('name')}", ""
        return
    defaults, patches = value.get("defaults"), value.get("patches")
    if isinstance(defaults, Map):
        for kind, body in defaults.items():
            if kind in ALL and isinstance(body, Map):
                yield ("defaults", kind), root(kind, "manifest"), body, f"{kind}/*", "a default"
    for index, patch in enumerate(patches if isinstance(patches, Seq) else ()):
        target, merge = (patch.get("target"), patch.get("merge")) if isinstance(patch, Map) else (None, None)
        if not isinstance(target, str) or not isinstance(merge, Map):
            continue
        kind = kind_of(target) if "/" in target else ""
        if kind in ALL:
            yield ("patches", index, "merge"), root(kind, "manifest"), merge, target, "a patch"


@dataclass(frozen=True, slots=True)
class _Walk:
    document: int
    address: str
    known: KnownManifests

    def walk(self, node: Node | None, value: Any, where: DataPath, laid_over: str) -> Iterator[OldPlace]:
        """Every old field at or below a value, whose facts are `node`."""
        if node is None:
            return
        if isinstance(value, Seq):
            for index, item in enumerate(value):
                yield from self.walk(items_of(node), item, (*where, index), laid_over)
        if not isinstance(value, Map):
            return
        name = type_name(node, value) or ""
        laid_over = "an override" if name == _OVERRIDES else laid_over
        fields = entries_of(node, value)
        for key, item in value.items():
            decision = decision_for(
                OldField(
                    key=key,
                    value=item,
                    around=value,
                    type_name=name,
                    node=node,
                    laid_over=laid_over,
                    known=self.known,
                )
            )
            if decision is not None:
                yield OldPlace(
                    document=self.document,
                    where=where,
                    key=key,
                    mark=value.marks[key],
                    address=self.address,
                    decision=decision,
                    around=value,
                )
            yield from self.walk(fields.get(key), item, (*where, key), laid_over)
