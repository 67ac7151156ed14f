"""Manifests as they stand in files, and as instances: kind, name, spec and the rest of the envelope.

Reads the files that `manifests:` names; knows nothing of what a kind means.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from voiceops.errors import InvalidProject, Mark
from voiceops.kinds.registry import KINDS, PARTS
from voiceops.manifest import budgets
from voiceops.manifest.files import FileProblem, display, inside, load, unwritten_in
from voiceops.manifest.interpolate import Interpolator
from voiceops.manifest.problems import Problems, did_you_mean
from voiceops.manifest.schema_check import Checker
from voiceops.manifest.strict_yaml import read_documents
from voiceops.model.address import ADDRESS, NAME, address, kind_of
from voiceops.model.located import Map, Seq
from voiceops.model.values import canonical

_FILE = re.compile(r"\$\{(?:file|template):([^{}]+)\}")
_ENVELOPE = {"kind", "name", "spec"}
_WITH_HANDLER = ("Tool", "Phone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One manifest; with `key`, one instance of its forEach."""

    kind: str
    name: str
    mark: Mark  # of `kind:`
    spec: Map
    spec_mark: Mark
    folder: Path
    bare: bool = False  # it has no spec, and whether it may is another question
    labels: dict[str, str] = field(default_factory=dict)
    environments: tuple[str, ...] | None = None
    for_each: Any = None
    each_mark: Mark | None = None
    lifecycle: Map = field(default_factory=Map)
    handler: str | None = None
    handler_mark: Mark | None = None
    allow_unknown: bool = False
    moved_from: str | None = None
    external: Map | None = None  # by what a live object is known that somebody else manages
    extra: dict[str, Any] = field(default_factory=dict)  # idempotent, failureMessage: the runtime's
    key: str | None = None
    each: dict[str, Any] | None = None
    each_source: str | None = None  # equal for forEach over the same source
    family: str = field(init=False)  # the address without an instance's key: the manifest that it comes from
    address: str = field(init=False)  # `Kind/name`, of an instance `Kind/name[key]`

    def __post_init__(self) -> None:
        # Asked for again and again, by whatever is said of the document.
        object.__setattr__(self, "family", address(self.kind, self.name))
        object.__setattr__(self, "address", address(self.kind, self.name, self.key))


def read_manifests(
    root: Path, patterns: tuple[str, ...], kinds: list[str], problems: Problems, marks: tuple[Mark, ...] = ()
) -> list[Document]:
    """Every document of every manifest file, in the order of file names; `root` is a real path, `marks` say where
    each of the patterns stands.

    A file that manifests name as `${file:…}` is their data, and is no manifest, wherever it lies. Problems are
    collected, not raised.
    """
    documents: list[Document] = []
    seen: dict[str, Mark] = {}
    read, named = _read(root, patterns, problems, marks)
    for path, found in read.items():
        if path in named and not any(_is_manifest(value) for value, _ in found):
            continue
        for value, mark in found:
            document = _document(value, mark, path.parent, kinds, problems)
            if document is None:
                continue
            if document.family in seen:
                problems.error(
                    "manifest-duplicate",
                    f"{document.family} stands already at {seen[document.family]}",
                    document.mark,
                    "Names are unique within a kind.",
                    document.family,
                )
                continue
            seen[document.family] = document.mark
            documents.append(document)
    return documents


def _read(
    root: Path, patterns: tuple[str, ...], problems: Problems, marks: tuple[Mark, ...]
) -> tuple[dict[Path, list[tuple[Any, Mark]]], set[Path]]:
    """What the files hold, by their paths, and the files that they name as their data."""
    read: dict[Path, list[tuple[Any, Mark]]] = {}
    named: set[Path] = set()
    for path in files(root, patterns, problems, "manifests", marks):
        file = display(root, path)
        try:
            text = load(root, path)
            read[path] = read_documents(text, file)
            if "$" in text or "\\" in text:  # else nothing can be named, however it is written
                named.update(target for value, _ in read[path] for target in _named(value, path.parent))
        except FileProblem as problem:
            problems.error("file", str(problem), Mark(file, 1, 1))
        except InvalidProject as error:
            problems.extend(error.diagnostics)
    return read, named


def _named(value: Any, folder: Path) -> Iterator[Path]:
    """The files that `${file:…}` brings in, anywhere in a document."""
    if isinstance(value, str):
        for name in _FILE.findall(value) if "${" in value else ():
            yield Path(os.path.normpath(folder / name))
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _named(item, folder)


def _is_manifest(value: Any) -> bool:
    return isinstance(value, Map) and "kind" in value


def files(
    root: Path, patterns: tuple[str, ...], problems: Problems, key: str, marks: tuple[Mark, ...] = ()
) -> list[Path]:
    """The YAML files that a list of folders, files and globs of the project means.

    `key` is where the list stands, `marks` where each of its items does.
    """
    found: dict[Path, None] = {}
    for position, pattern in enumerate(patterns):
        here = marks[position] if position < len(marks) else Mark("voiceops.yaml", 1, 1, key)
        try:
            if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
                raise FileProblem(f"{pattern} lies outside the project")
            target = inside(root, root / pattern)
        except FileProblem as problem:
            problems.error("file", str(problem), here)
            continue
        if not budgets.is_path(target):
            problems.error(f"{key}-pattern", f"{pattern[:100]!r} is no path", here)
            continue
        unwritten = [path for path in unwritten_in(target) if path.suffix in (".yaml", ".yml")]
        if target.is_dir() or unwritten:
            matches = [*target.rglob("*.yaml"), *target.rglob("*.yml"), *unwritten]
        elif target.is_file():
            matches = [target]
        else:
            try:
                matches = [path for path in root.glob(budgets.tamed(pattern)) if path.is_file()]
            except (ValueError, NotImplementedError) as error:
                problems.error(f"{key}-pattern", f"{pattern[:100]!r}: {error}", here)
                continue
            if not matches:
                problems.error(f"{key}-missing", f"{pattern} names no folder and no file", here)
        for path in sorted(matches):
            if not any(part.startswith(".") for part in path.relative_to(root).parts):
                found.setdefault(path)
    return sorted(found)


def _document(value: Any, mark: Mark, folder: Path, kinds: list[str], problems: Problems) -> Document | None:
    if not isinstance(value, Map) or _ENVELOPE.isdisjoint(value):
        problems.error(
            "manifest-form",
            "this is no manifest: it has neither kind nor name",
            mark,
            f"If it is data, name it where it is used (forEach: ${{file:{Path(mark.file).name}}}), "
            "or move it out of the folders of `manifests:`. A manifest has kind, name and spec.",
        )
        return None
    kind, name = value.get("kind"), value.get("name")
    where = f"{kind}/{name}" if isinstance(kind, str) and isinstance(name, str) else ""
    Checker(problems, where, source="project").check({"type": "object", "of": "Manifest"}, value, mark)
    if isinstance(kind, str) and kind not in kinds:
        problems.error(
            "kind-unknown",
            f"there is no kind {kind!r}",
            value.marks["kind"],
            did_you_mean(kind, kinds) or f"Kinds: {', '.join(kinds)}.",
        )
    _check_moved(value.get("moved"), kind, where, problems)
    _check_forget(value, kind, where, problems)
    if not (isinstance(kind, str) and kind in kinds and isinstance(name, str) and NAME.match(name)):
        return None
    spec = value.get("spec")
    if spec is None and not _needs_no_spec(value):
        problems.error(
            "schema-required", "spec is missing", value.marks["kind"], "Write spec: {} where nothing is set.", where
        )
    if value.get("handler") is not None and kind not in _WITH_HANDLER:
        problems.error(
            "handler",
            f"a handler belongs to a {' or a '.join(_WITH_HANDLER)}: this kind, {kind}, has none",
            value.marks["handler"],
            "Move it to the Tool that it answers, or to the Phone whose calls it directs.",
            where,
        )
    environments = value.get("environments")
    return Document(
        kind=str(kind),
        name=str(name),
        mark=value.marks["kind"],
        spec=spec if isinstance(spec, Map) else Map(),
        spec_mark=value.marks.get("spec", mark),
        bare=spec is None,
        folder=folder,
        labels={k: str(v) for k, v in (value.get("labels") or {}).items()}
        if isinstance(value.get("labels"), Map)
        else {},
        environments=tuple(map(str, environments)) if isinstance(environments, Seq) else None,
        for_each=value.get("forEach"),
        each_mark=value.marks.get("forEach"),
        lifecycle=value["lifecycle"] if isinstance(value.get("lifecycle"), Map) else Map(),
        handler=value.get("handler") if kind in _WITH_HANDLER else None,
        handler_mark=value.marks.get("handler"),
        allow_unknown=value.get("allowUnknown") is True,
        moved_from=value["moved"].get("from") if isinstance(value.get("moved"), Map) else None,
        external=_external(value, where, problems),
        extra={k: value[k] for k in ("idempotent", "failureMessage") if k in value},
    )


def _check_moved(moved: Any, kind: Any, where: str, problems: Problems) -> None:
    """`moved: {from: ADDRESS}`: an address, and one of the same kind."""
    if not isinstance(moved, Map) or not isinstance(moved.get("from"), str):
        return
    old, here = moved["from"], moved.marks["from"]
    if not ADDRESS.match(old):
        problems.error("address", f"{old!r} is no address", here, "Write Kind/name.", where)
    elif kind_of(old) != kind:
        problems.error(
            "address",
            f"{old} can't have become a {kind}: its live object stays of its kind",
            here,
            "Without `moved:` the old one is deleted and this one created.",
            where,
        )


def _external(value: Map, where: str, problems: Problems) -> Map | None:
    """`external:` of a manifest, with everything that it can't stand beside."""
    if "external" not in value:
        return None
    given, mark = value["external"], value.marks["external"]
    kind = value.get("kind")
    allowed = ["name", "id", "number"] if kind == "Phone" else ["name", "id"]
    known = [key for key in given if key in allowed] if isinstance(given, Map) else []
    if kind not in KINDS:
        problems.error("external", f"a {kind} has no live object: it can't be external", mark, address=where)
    elif isinstance(given, Map) and (len(known) != 1 or len(given) != 1 or not isinstance(given[known[0]], str)):
        problems.error("external", f"external takes one of {', '.join(allowed)}", mark, address=where)
    for key in ("spec", "handler", "lifecycle", "moved"):
        if key in value:
            problems.error(
                "external",
                f"{key} can't stand beside external: somebody else manages the object",
                value.marks[key],
                f"Take out {key}, or external.",
                where,
            )
    return given if isinstance(given, Map) else Map()


def _check_forget(value: Map, kind: Any, where: str, problems: Problems) -> None:
    lifecycle = value.get("lifecycle")
    if isinstance(lifecycle, Map) and lifecycle.get("forget") is True and kind in PARTS:
        problems.error(
            "forget",
            f"a {kind} has no live object: there is nothing to let go",
            lifecycle.marks["forget"],
            "Take its manifest out.",
            where,
        )


def _needs_no_spec(value: Map) -> bool:
    """Whether a manifest says all there is to say without a spec."""
    lifecycle = value.get("lifecycle")
    return "external" in value or (isinstance(lifecycle, Map) and lifecycle.get("forget") is True)


def instances(document: Document, interpolator: Interpolator, problems: Problems) -> Iterator[Document]:
    """The document itself, or one for each entry of its forEach."""
    if document.for_each is None:
        yield document
        return
    mark = document.each_mark or document.mark
    raw = document.for_each
    source = raw if isinstance(raw, str) else canonical(raw)
    value = interpolator.apply(raw, mark)
    if isinstance(value, str):
        if not (isinstance(raw, str) and raw.startswith("${file:")):
            problems.error("each-type", "forEach takes a list, a map, or ${file:…} holding one", mark)
            return
        # The same file means the same source, from whichever folder it is named.
        named = raw.removeprefix("${file:").removesuffix("}")
        file = display(interpolator.root.resolve(), (document.folder / named).resolve())
        source = f"file:{file}"
        try:
            documents = read_documents(value, file)
        except InvalidProject as error:
            problems.extend(error.diagnostics)
            return
        value = documents[0][0] if documents else Seq()
    seen: set[str] = set()
    for key, item, here in _entries(value, mark, problems):
        if not NAME.match(key):
            problems.error("each-key", f"{key!r} is no key (a-z, 0-9, -, at most 63)", here, address=document.family)
        elif key in seen:
            problems.error("each-key", f"the key {key!r} stands twice", here, address=document.family)
        elif not interpolator.budget.take_instance():
            problems.error("each-many", f"all forEach together make more than {budgets.MOST_INSTANCES:,} objects", here)
            return
        else:
            seen.add(key)
            moved = document.moved_from
            if moved is not None and "[" not in moved:  # every instance moves along
                moved = f"{moved}[{key}]"
            yield replace(document, key=key, each={"key": key, "value": item}, each_source=source, moved_from=moved)


def _entries(value: Any, mark: Mark, problems: Problems) -> Iterator[tuple[str, Any, Mark]]:
    if isinstance(value, Map):
        for key, item in value.items():
            yield key, item, value.marks[key]
    elif isinstance(value, Seq):
        for item, here in zip(value, value.marks, strict=True):
            if isinstance(item, str):
                yield item, item, here
            elif isinstance(item, Map) and isinstance(item.get("key", item.get("name")), str):
                yield str(item.get("key", item.get("name"))), item, here
            else:
                problems.error("each-type", "an entry of forEach is a text, or a map with key or name", here)
    else:
        problems.error("each-type", "forEach takes a list, a map, or ${file:…} holding one", mark)
