"""What one environment's manifests say otherwise than another's: merge patches, and the prompts that they name.

Both sides are repositories as `adopt` writes them, whose objects have the same addresses. Pure.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.adopt.repository import Repository
from voiceops.kinds.nodes import entries_of, items_of
from voiceops.kinds.registry import PART_KEYS
from voiceops.kinds.schema import Node, root
from voiceops.manifest.strict_yaml import read_documents
from voiceops.model.address import address
from voiceops.model.located import plain
from voiceops.model.values import identical

_FILE = re.compile(r"\$\{file:(?P<path>[^{}]+)\}\Z")
_SAME = object()


@dataclass(frozen=True, slots=True)
class Manifests:
    """The manifests of a repository by address, and the texts that they name."""

    specs: Mapping[str, dict[str, Any]]
    places: Mapping[str, str]  # the file of each
    texts: Mapping[str, str] = field(repr=False, default_factory=dict)

    @classmethod
    def of(cls, repository: Repository) -> Manifests:
        """What a repository's files hold."""
        specs: dict[str, dict[str, Any]] = {}
        places: dict[str, str] = {}
        for path, text in repository.files.items():
            for document, _ in read_documents(text, path) if path.endswith(".yaml") else ():
                value = plain(document, {})
                specs[address(value["kind"], value["name"])] = value.get("spec") or {}
                places[address(value["kind"], value["name"])] = path
        return cls(specs, places, repository.files)

    def node(self, where: str) -> Node:
        """What the schema says of a manifest's spec."""
        return root(where.partition("/")[0], "manifest")

    def expanded(self, key: str, value: Any, file: str, node: Node | None, *, texts: bool) -> Any:
        """What stands under a key with its parts in place; with `texts` also with the files that it names."""
        kind = _part_at(key, node)
        name = value.get("from") if isinstance(value, dict) else value
        where = address(kind, name) if kind is not None and isinstance(name, str) else ""
        if where in self.specs:
            part = self.expanded("", self.specs[where], self.places[where], self.node(where), texts=texts)
            rest = {key: item for key, item in value.items() if key != "from"} if isinstance(value, dict) else {}
            return _merged(part, self._inside(rest, file, node, texts=texts))
        return self._inside(value, file, node, texts=texts)

    def _inside(self, value: Any, file: str, node: Node | None, *, texts: bool) -> Any:
        if isinstance(value, dict):
            entries = entries_of(node, value)
            return {key: self.expanded(key, item, file, entries.get(key), texts=texts) for key, item in value.items()}
        if isinstance(value, list):
            return [self.expanded("", item, file, items_of(node), texts=texts) for item in value]
        if texts and isinstance(value, str) and (found := _FILE.match(value)):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(file), found["path"]))
            return self.texts.get(path, value)
        return value


def _part_at(key: str, node: Node | None) -> str | None:
    """The kind of the part that may stand by name under a key of which the schema says this."""
    takes = node is not None and (node["type"] == "union" or node.get("of") == "Server")
    return PART_KEYS.get(key) if takes else None


@dataclass(frozen=True, slots=True)
class Patches:
    """The patches of an environment, by address, and the prompts that only it has, by path."""

    merges: Mapping[str, dict[str, Any]]
    texts: Mapping[str, str]


def patches_between(base: Manifests, other: Manifests, environment: str) -> Patches:
    """What makes the objects that both have mean in `environment` what `other` says of them."""
    merges: dict[str, dict[str, Any]] = {}
    texts: dict[str, str] = {}
    for where, spec in other.specs.items():
        if where not in base.specs or where.partition("/")[0] in PART_KEYS.values():
            continue
        maker = _Maker(base, other, where, environment)
        patch = maker.difference(base.specs[where], spec, base.node(where))
        if patch is not _SAME:
            merges[where] = patch
            texts |= maker.texts
    return Patches(merges, texts)


class _Maker:
    """The merge patch of one object."""

    def __init__(self, base: Manifests, other: Manifests, where: str, environment: str) -> None:
        self._base, self._other, self._environment = base, other, environment
        self._here, self._there = base.places[where], other.places[where]
        self.texts: dict[str, str] = {}

    def difference(self, written: Any, wanted: Any, node: Node | None, key: str = "") -> Any:
        """What changes `written` so that it means what `wanted` does over there; _SAME where it does already."""
        one = self._base.expanded(key, written, self._here, node, texts=True)
        if identical(one, self._other.expanded(key, wanted, self._there, node, texts=True)):
            return _SAME
        target = self._other.expanded(key, wanted, self._there, node, texts=False)
        if isinstance(written, dict) and isinstance(target, dict) and "from" not in written:
            entries = entries_of(node, written, target)
            found: dict[str, Any] = {name: None for name in written if name not in target}
            for name, item in target.items():
                if name not in written:
                    found[name] = self._placed(item)
                elif (change := self.difference(written[name], item, entries.get(name), name)) is not _SAME:
                    found[name] = change
            return found
        return self._placed(_instead(written, target))

    def _placed(self, value: Any) -> Any:
        """The value with the other side's prompts under names of their own."""
        if isinstance(value, dict):
            return {key: self._placed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._placed(item) for item in value]
        if isinstance(value, str) and (found := _FILE.match(value)):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(self._there), found["path"]))
            stem, ending = posixpath.splitext(path)
            own = f"{stem}.{self._environment}{ending}"
            self.texts[own] = self._other.texts[path]
            named = posixpath.splitext(found["path"])
            return f"${{file:{named[0]}.{self._environment}{named[1]}}}"
        return value


def _instead(written: Any, target: Any) -> Any:
    """The merge patch that leaves nothing of `written` where `target` is to stand."""
    if not isinstance(written, dict) or not isinstance(target, dict):
        return target
    gone = {key: None for key in written if key not in target}
    return gone | {key: _instead(written[key], item) if key in written else item for key, item in target.items()}


def _merged(base: Any, patch: Any) -> Any:
    """A part with the fields that differ; null takes one away."""
    if not isinstance(base, dict) or not isinstance(patch, dict):
        return patch
    result = dict(base)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result
