"""Every place that says something about one value: defaults, the manifest, patches, and parts by name.

Walks the documents as they stand in the files, before anything is put together: a second look, so that loading and
checking keep nothing for it.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from voiceops.errors import Mark
from voiceops.explain.explained import Layer
from voiceops.explain.manifest_paths import written_path
from voiceops.kinds.registry import PART_KEYS
from voiceops.manifest.documents import Document
from voiceops.manifest.project import Project
from voiceops.model.address import LOCAL, address
from voiceops.model.located import Map, Seq
from voiceops.model.values import Path, parse_path

_DEEPEST = 12  # parts that name parts; a circle is an error elsewhere


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """The project as it stands in its files: documents by address, each instance of a forEach among them."""

    project: Project
    documents: Mapping[str, Document]

    def part(self, kind: str, name: str, user: Document) -> Document | None:
        """The part that a name means for its user."""
        match = LOCAL.match(name.removeprefix(f"{kind}/"))
        if match is None:
            return None
        keys = (match["key"],) if match["key"] is not None else (None, user.key)
        found = (self.documents.get(address(kind, match["name"], key)) for key in keys)
        return next((document for document in found if document is not None), None)


def manifest_path(live: Path, sources: Mapping[Path, Mark]) -> Path:
    """Where a value of the body stands in terms of the manifest; within a part, below the key that names the part."""
    mark, known = None, live
    while known and (mark := sources.get(known)) is None:
        known = known[:-1]
    where = written_path(mark) if mark is not None else ""
    if not where:
        return live
    owner, _, path = where.rpartition(":")
    if not owner:
        return (*parse_path(path), *live[len(known) :]) if len(known) < len(live) else parse_path(path)
    outer = known
    while outer and ":" in sources[outer].path:
        outer = outer[:-1]
    if not outer:
        return live
    return (*parse_path(written_path(sources[outer])), *parse_path(path))


def layers_of(files: ProjectFiles, document: Document, path: Path, final: Mark | None) -> list[Layer]:
    """All layers of the value at a manifest's path, the weakest first. `final` is the mark of the one that counts."""
    # Defaults of a kind of parts stand under each of the parts that name each other: one place is told once.
    every = [*_of_document(files, document, path, 0)]
    found = [
        one for position, one in enumerate(every) if not any(_same(one.mark, o.mark) for o in every[position + 1 :])
    ]
    if final is None:  # nothing counts but a null, which takes the value out
        return [replace(one, wins=one is found[-1] and not one.names) for one in found]
    return [replace(one, wins=_same(one.mark, final)) for one in found]


def _same(one: Mark, other: Mark) -> bool:
    return (one.file, one.line, one.column) == (other.file, other.line, other.column)


def _of_document(files: ProjectFiles, document: Document, path: Path, depth: int) -> Iterator[Layer]:
    """What is said of a path of one document's spec, in the order in which it is put together."""
    if depth > _DEEPEST:
        return
    whose = "part" if depth else "manifest"
    defaults = files.project.defaults.get(document.kind)
    if isinstance(defaults, Map):
        yield from _at(files, document, defaults, path, Layer("defaults", document.kind, document.mark, None), depth)
    own = Layer(whose, document.address, document.spec_mark, None)
    yield from _at(files, document, document.spec, path, own, depth)
    for patch in files.project.patches:
        if isinstance(patch, Map) and _is_meant(patch, document) and isinstance(patch.get("merge"), Map):
            layer = Layer("patch", str(patch["target"]), patch.marks["merge"], None)
            yield from _at(files, document, patch["merge"], path, layer, depth)


def _is_meant(patch: Map, document: Document) -> bool:
    target = patch.get("target")
    if not isinstance(target, str):
        return False
    return target == document.address if "[" in target else fnmatch.fnmatchcase(document.family, target)


# one idea: one step of a path at a time, through maps, lists, and parts by name
def _at(
    files: ProjectFiles, document: Document, value: Any, path: Path, layer: Layer, depth: int, key: str = ""
) -> Iterator[Layer]:
    """Layers of what stands at a path below a value; `key` is the one under which the value itself stands."""
    part = PART_KEYS.get(key, document.kind if not key else "")
    if not path:
        yield replace(layer, written=value)
        return
    if isinstance(value, str):
        if kind := PART_KEYS.get(key):
            yield replace(layer, written=value, names=f"{kind}/{value.removeprefix(f'{kind}/')}")
            yield from _of_part(files, document, kind, value, path, depth)
    elif isinstance(value, Map):
        if part and isinstance(value.get("from"), str) and path[0] != "from":
            yield from _of_part(files, document, part, value["from"], path, depth)
        step = path[0]
        if isinstance(step, str) and step in value:
            inner = replace(layer, mark=value.marks[step])
            yield from _at(files, document, value[step], path[1:], inner, depth, step)
    elif isinstance(value, Seq):
        step = path[0]
        if isinstance(step, int) and step < len(value):
            inner = replace(layer, mark=value.marks[step])
            yield from _at(files, document, value[step], path[1:], inner, depth, "[]")


def _of_part(files: ProjectFiles, user: Document, kind: str, name: str, path: Path, depth: int) -> Iterator[Layer]:
    found = files.part(kind, name, user)
    if found is not None:
        yield from _of_document(files, found, path, depth + 1)
