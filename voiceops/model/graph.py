"""The desired graph: resources with their bodies, sources and references. Pure data, the same for every use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from voiceops.errors import Mark, StateError
from voiceops.model.values import Path, Ref, decode, digest, encode, format_path, outside_in, parse_path, refs_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One live object that a manifest asks for. `body` holds markers (Ref, Secret) until apply."""

    address: str
    kind: str
    type: str
    name: str | None  # the live name, by which an unmanaged twin is recognised
    body: dict[str, Any]
    mark: Mark
    sources: Mapping[Path, Mark] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    prevent_destroy: bool = False
    adopt: bool = False
    ignore: tuple[Path, ...] = ()
    moved_from: str | None = None
    purchase: bool = False
    release: bool = False
    routes: tuple[str, ...] = ()  # whom the runtime sends a line's calls to: an edge that no body shows
    handler: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    allows: tuple[str, ...] = ()
    """Where values that the schema refuses are allowed, as starts of marks' paths: `""` is everywhere."""
    upload: str = ""  # the file on this machine whose bytes the body stands for; revisions keep the bytes instead

    def source_of(self, path: Path) -> Mark:
        """Where the manifest sets a path of the body; the nearest enclosing place otherwise."""
        while path:
            if path in self.sources:
                return self.sources[path]
            path = path[:-1]
        return self.mark

    def allows_at(self, mark: Mark | None) -> bool:
        """Whether a value that the schema refuses is allowed here (allowUnknown)."""
        return any(mark.path.startswith(start) if mark else not start for start in self.allows)

    def to_data(self) -> dict[str, Any]:
        """For a revision: everything needed to plan from it again. Secrets are named, never held."""
        return {
            "address": self.address,
            "kind": self.kind,
            "type": self.type,
            "name": self.name,
            "body": encode(self.body),
            "file": self.mark.file,
            "line": self.mark.line,
            "labels": dict(self.labels),
            "preventDestroy": self.prevent_destroy,
            "ignore": [list(path) for path in self.ignore],
            "purchase": self.purchase,
            "release": self.release,
            "routes": list(self.routes),
            "handler": self.handler,
            "extra": dict(self.extra),
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Resource:
        """What `to_data` wrote.

        Raises ValueError: a value in it is of no known form; KeyError: a key is missing.
        """
        return cls(
            address=data["address"],
            kind=data["kind"],
            type=data["type"],
            name=data["name"],
            body=decode(data["body"]),
            mark=Mark(data["file"], data["line"], 1),
            sources={parse_path(path): _place(text) for path, text in data.get("prompts", {}).items()},
            labels=data["labels"],
            prevent_destroy=data["preventDestroy"],
            ignore=tuple(tuple(path) for path in data["ignore"]),
            purchase=data["purchase"],
            release=data["release"],
            routes=tuple(data["routes"]),
            handler=data["handler"],
            extra=data["extra"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """One live object that somebody else manages, and others of this project refer to: it is never written.

    `by` says how it is known: name (its live name), id, or number.
    """

    address: str
    kind: str
    type: str
    by: str
    value: str
    mark: Mark

    def to_data(self) -> dict[str, Any]:
        """For a revision."""
        return {
            "address": self.address,
            "kind": self.kind,
            "type": self.type,
            "by": self.by,
            "value": self.value,
            "file": self.mark.file,
            "line": self.mark.line,
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> External:
        """What `to_data` wrote. Raises KeyError: a key is missing."""
        return cls(
            address=data["address"],
            kind=data["kind"],
            type=data["type"],
            by=data["by"],
            value=data["value"],
            mark=Mark(data["file"], data["line"], 1),
        )


@dataclass(frozen=True)
class Graph:
    """All that one environment should hold.

    `externals` are what others manage and this refers to; `forgotten` the addresses that leave the state while their
    objects stay live. `left_out` are manifests of other environments, as `Kind/name`.
    """

    project: str
    environment: str
    resources: Mapping[str, Resource]
    externals: Mapping[str, External] = field(default_factory=dict)
    forgotten: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    texts: Mapping[Mark, Mark] = field(default_factory=dict)  # where a manifest brings in a file's text → the file

    def spoken_by(self, address: str) -> dict[Path, Mark]:
        """Where the prompts of a resource, and what it says first, stand: in a manifest, or in a file of their own."""
        sources = self.resources[address].sources
        return {path: self.texts.get(mark, mark) for path, mark in sources.items() if _is_spoken(path)}

    def dependencies(self, address: str) -> tuple[str, ...]:
        """What a resource refers to, routes included, without itself."""
        return self.edges.get(address, ())

    def references(self, address: str) -> list[Ref]:
        """The references in a resource's body, those to itself included."""
        return self._references.get(address, [])

    def outside(self, address: str) -> tuple[str, ...]:
        """The `external:` manifests that a resource refers to."""
        return self._outside.get(address, ())

    @cached_property
    def _outside(self) -> dict[str, tuple[str, ...]]:
        if not self.externals:
            return {}
        found = {address: outside_in(resource.body) for address, resource in self.resources.items()}
        return {address: tuple(dict.fromkeys(one.address for one in outside)) for address, outside in found.items()}

    @cached_property
    def _references(self) -> dict[str, list[Ref]]:
        return {address: list(refs_in(resource.body)) for address, resource in self.resources.items()}

    @cached_property
    def edges(self) -> dict[str, tuple[str, ...]]:
        """What every resource refers to, as `dependencies` tells of one."""
        found = {}
        for address, resource in self.resources.items():
            named = [ref.address for ref in self._references[address]] + list(resource.routes)
            found[address] = tuple(dict.fromkeys(name for name in named if name != address))
        return found

    @cached_property
    def digest(self) -> str:
        """The same for the same manifests, however their files are laid out."""
        resources = [resource.to_data() for _, resource in sorted(self.resources.items())]
        resources += [external.to_data() for _, external in sorted(self.externals.items())]
        return digest([{k: v for k, v in data.items() if k not in ("file", "line")} for data in resources])

    def to_data(self) -> dict[str, Any]:
        """For a revision, in the order of the addresses."""
        return {
            "project": self.project,
            "environment": self.environment,
            "resources": [
                resource.to_data() | _places(self.spoken_by(address))
                for address, resource in sorted(self.resources.items())
            ],
            **({"externals": [e.to_data() for _, e in sorted(self.externals.items())]} if self.externals else {}),
            **({"forgotten": sorted(self.forgotten)} if self.forgotten else {}),
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Graph:
        """What `to_data` wrote.

        Raises StateError: a value in it is of no known form; KeyError: a key is missing.
        """
        try:
            resources = [Resource.from_data(item) for item in data["resources"]]
            externals = [External.from_data(item) for item in data.get("externals", ())]
        except ValueError as error:
            raise StateError(
                f"the manifests of a revision are not as voiceops writes them: {error}",
                hint="Bring the revision back from a copy of the state.",
            ) from None
        return cls(
            data["project"],
            data["environment"],
            {item.address: item for item in resources},
            {item.address: item for item in externals},
            frozenset(data.get("forgotten", ())),
        )


def _is_spoken(path: Path) -> bool:
    return path[-1] == "firstMessage" or (path[-1] == "content" and "messages" in path)


def _places(marks: Mapping[Path, Mark]) -> dict[str, Any]:
    return {"prompts": {format_path(path): mark.place for path, mark in marks.items()}} if marks else {}


def _place(text: str) -> Mark:
    """Raises ValueError: it is no `file:line`."""
    file, _, line = text.rpartition(":")
    return Mark(file, int(line), 1)


def reaching(edges: Mapping[str, tuple[str, ...]], *kinds: str) -> dict[str, tuple[str, ...]]:
    """For every address, which addresses of `kinds` reach it by following edges: the lines that a change touches."""
    found: dict[str, set[str]] = {}
    starts = tuple(f"{kind}/" for kind in kinds)
    for start in sorted(edges):
        if not start.startswith(starts):
            continue
        for reached in walk(edges, start):
            found.setdefault(reached, set()).add(start)
    return {address: tuple(sorted(starts)) for address, starts in found.items()}


def walk(edges: Mapping[str, tuple[str, ...]], start: str) -> Iterator[str]:
    """`start` and everything that it reaches."""
    seen = {start}
    waiting = [start]
    while waiting:
        here = waiting.pop()
        yield here
        for following in edges.get(here, ()):
            if following not in seen:
                seen.add(following)
                waiting.append(following)
