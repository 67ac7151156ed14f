"""One value of a manifest, or all of them: what it is, every place that says something about it, and what counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from voiceops.engine.fields.body import holds_secret
from voiceops.explain.explained import Brought, Layer, SetValue
from voiceops.explain.layers import ProjectFiles, layers_of, manifest_path
from voiceops.explain.manifest_paths import written_path
from voiceops.explain.substitutions import Surroundings, brought_by
from voiceops.kinds.nodes import secret_names
from voiceops.manifest.documents import Document
from voiceops.model.graph import Resource
from voiceops.model.located import Map, Seq, plain
from voiceops.model.values import ABSENT, JSON, SENSITIVE, Path, get_path, leaves, map_leaves

_ONLY_SECRETS = re.compile(r"(?:\$\{secret:[^{}]+\}|Bearer |Basic )+\Z")
_HEADER = re.compile(r"authorization|api[-_]?key|secret|token|password|cookie", re.IGNORECASE)


def layers(files: ProjectFiles, around: Surroundings, resource: Resource, path: Path) -> tuple[Layer, ...]:
    """Every place that says something about a live path of a resource, with what its `${…}` bring in."""
    document = files.documents.get(resource.address.partition("/twilio")[0])
    final = resource.sources.get(path)
    found = layers_of(files, document, manifest_path(path, resource.sources), final) if document is not None else []
    if final is not None and not any(layer.wins for layer in found):
        found.append(Layer("built-in", _maker(files, path), final, ABSENT, wins=True))
    hidden = _is_secret(path, get_path(resource.body, path))
    return tuple(_shown(files, around, document, layer, hidden=hidden) for layer in found)


def _maker(files: ProjectFiles, path: Path) -> str:
    """What makes a value that no line of a manifest has."""
    if path != ("name",):
        return "made by voiceops"
    named = files.project.prefix or files.project.suffix
    return "the manifest's name" + (", with naming: of the environment" if named else "")


def _shown(
    files: ProjectFiles, around: Surroundings, document: Document | None, layer: Layer, *, hidden: bool
) -> Layer:
    user = files.documents.get(layer.name, document) if layer.what == "part" else document
    brings = brought_by(layer.written, user, around) if user is not None and layer.written is not ABSENT else ()
    written = plain(layer.written, {}) if isinstance(layer.written, (Map, Seq)) else layer.written
    if layer.wins and written == "runtime" and written_path(layer.mark).rpartition(".")[2] == "server":
        project = files.project
        origin = project.origins.get("runtime.url")
        url = Brought("runtime", "runtime.url", origin.mark if origin is not None else None, project.runtime_url)
        brings = (*brings, url)
    written = map_leaves(written, _masked) if hidden else _without_secrets(written)
    if hidden:
        brings = tuple(replace(one, value=SENSITIVE) if one.value is not ABSENT else one for one in brings)
    return replace(layer, written=written, brings=brings)


def _is_secret(path: Path, value: JSON) -> bool:
    """May the value, or what stood in its place, not be shown?"""
    last = next((step for step in reversed(path) if isinstance(step, str)), "")
    header = "headers" in path and _HEADER.search(last) is not None
    return holds_secret(value) or last in secret_names() or header


def _without_secrets(written: JSON) -> JSON:
    """A map as written, also one that counts no more: whatever stands under the name of a secret is hidden."""
    if isinstance(written, dict):
        names = secret_names()
        return {
            key: map_leaves(item, _masked) if key in names or _HEADER.search(key) else _without_secrets(item)
            for key, item in written.items()
        }
    return [_without_secrets(item) for item in written] if isinstance(written, list) else written


def _masked(leaf: JSON) -> JSON:
    """A text of a secret field as written: the names of secrets are none."""
    if not isinstance(leaf, str) or _ONLY_SECRETS.match(leaf):
        return leaf
    return SENSITIVE


def rows(resource: Resource, below: Path = ()) -> Iterator[SetValue]:
    """Every value that a resource sets below a path, with the place that counts."""
    for path, value in leaves(get_path(resource.body, below), below):
        mark = resource.source_of(path)
        yield SetValue(path, value, mark, place_of(mark.path))


def place_of(path: str) -> str:
    """Which sort of place a mark's path is, in a word or two."""
    owner, colon, _ = path.rpartition(":")
    if colon:
        return owner
    for start, what in (("spec.", "manifest"), ("defaults.", "defaults"), ("patches[", "patch")):
        if path.startswith(start):
            return what
    return "built-in"
