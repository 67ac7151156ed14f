"""A VapiAI/gitops checkout: its organizations, and which of its files are resources.

Newer ones have `resources/ORG/TYPE/…`, older ones `resources/TYPE/…` for all of their state files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.manifest.problems import Problems
from voiceops.migrate.env_file import OrgConnection, connection_of
from voiceops.migrate.folder_walk import Skipped, is_there, read, text_of, walk
from voiceops.migrate.ignore_file import ignored_by, patterns_of
from voiceops.migrate.resource_file import FileBody, body_of
from voiceops.migrate.state_file import Ids, ids_of

# The folders of an organization, and the kinds of ours that they hold.
FOLDERS = {
    "assistants": "Agent",
    "tools": "Tool",
    "squads": "Squad",
    "structuredOutputs": "StructuredOutput",
    "evals": "Eval",
    "simulations/personalities": "Personality",
    "simulations/scenarios": "Scenario",
    "simulations/tests": "Simulation",
    "simulations/suites": "SimulationSuite",
}
_TOPS = frozenset(folder.partition("/")[0] for folder in FOLDERS)
_STATE = re.compile(r"\.vapi-state\.(?P<org>[A-Za-z0-9][A-Za-z0-9_-]*)\.json\Z")
_COPY = re.compile(r".+\.bkp\.(?:ya?ml|md)\Z")
_READ = (".md", ".yml", ".yaml")
_CODE = (".ts", ".js", ".mts", ".mjs", ".cjs")

Key = tuple[str, str]  # a kind, and an id of the folder


@dataclass(frozen=True, slots=True)
class FolderResource:
    """One resource of an organization, as its file has it."""

    kind: str
    id: str
    body: FileBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """What the folder holds for one organization. `environment` is its name here."""

    name: str
    environment: str
    resources: Mapping[Key, FolderResource] = field(default_factory=dict)
    ignored: Mapping[Key, str] = field(default_factory=dict)  # the pattern that leaves each out
    ids: Ids = field(default_factory=Ids)
    connection: OrgConnection = field(default_factory=OrgConnection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """All of them, the one that the others are compared with first."""

    organizations: tuple[Organization, ...]
    skipped: tuple[Skipped, ...] = ()


def read_checkout(root: Path, org: str | None = None) -> Checkout:
    """What stands in the folder, or what of it belongs to one organization.

    Raises InvalidProject with everything that can't be read.
    """
    places = _places(root, org)
    problems = Problems()
    skipped: list[Skipped] = _left_out(root)
    shared: dict[str, _Files] = {}
    found = []
    for name, folder in places.items():
        if folder not in shared:
            shared[folder] = _files(root, folder, skipped, problems)
        found.append(_organization(root, name, shared[folder], problems))
    problems.raise_errors()
    if not any(one.resources for one in found):
        raise _not_taken(root, "its resources/ holds no file of an agent, a tool or anything else of Vapi's")
    return Checkout(organizations=tuple(sorted(found, key=_first)), skipped=tuple(dict.fromkeys(skipped)))


def _first(one: Organization) -> tuple[Any, ...]:
    """The organization with the most objects is what others are compared with; among equals the one in use."""
    return -len(one.resources), one.name not in ("prod", "production", "live"), one.name


def _places(root: Path, org: str | None) -> dict[str, str]:
    """The folder of each organization, by its name. Raises InvalidProject: this is no such checkout."""
    top = root / "resources"
    if not top.is_dir() or top.is_symlink():
        raise _not_taken(root, "it has no folder resources/")
    states = [match["org"] for path in sorted(root.iterdir()) if (match := _STATE.match(path.name))]
    folders = sorted(path for path in top.iterdir() if path.is_dir() and not path.is_symlink())
    own = {
        path.name: f"resources/{path.name}"
        for path in folders
        if path.name not in _TOPS
        and not path.name.startswith(".")
        and not path.name.endswith(".bak")
        and (path.name in states or any((path / name).is_dir() for name in _TOPS))
    }
    is_shared = any(path.name in _TOPS for path in folders)
    places = own | {name: "resources" for name in states if name not in own and is_shared}
    if is_shared and not places:
        places = {org or "default": "resources"}
    if not places:
        raise _not_taken(root, "its resources/ has no folder of an organization, and no assistants/ or tools/")
    if org is None:
        return places
    if org not in places:
        raise InvalidProject(
            [
                Diagnostic(
                    code="gitops-org",
                    summary=f"{root.name}/ has no organization {org!r}",
                    hint=f"It has: {', '.join(sorted(places))}.",
                )
            ]
        )
    return {org: places[org]}


def _not_taken(root: Path, why: str) -> InvalidProject:
    return InvalidProject(
        [
            Diagnostic(
                code="gitops-folder",
                summary=f"{root} is no VapiAI/gitops checkout: {why}",
                hint="Name the folder that holds resources/. A folder of API payloads: voiceops import json.",
            )
        ]
    )


def _left_out(root: Path) -> list[Skipped]:
    """What of the checkout's own files has no counterpart here."""
    whys = {
        "vapi-checks.yml": "checks of pull requests: see `voiceops test`",
        "promotion.yml": "promotion between organizations: here environments are one set of manifests",
    }
    return [Skipped(name, why) for name, why in whys.items() if (root / name).exists()]


@dataclass(frozen=True, slots=True)
class _Files:
    """The resources below one folder of an organization, or of all."""

    resources: dict[Key, FolderResource]
    ignored: dict[Key, str]


def _files(root: Path, folder: str, skipped: list[Skipped], problems: Problems) -> _Files:
    patterns: tuple[str, ...] = ()
    if is_there(root, f"{folder}/.vapi-ignore"):
        patterns = patterns_of(text_of(root, f"{folder}/.vapi-ignore", problems) or "")
    found = _Files({}, {})
    for type_, kind in FOLDERS.items():
        base = f"{folder}/{type_}"
        if (root / base).is_symlink():
            skipped.append(Skipped(base, "a link: no link is followed"))
            continue
        for file in walk(root, base, skipped) if (root / base).is_dir() else ():
            name = file.rsplit("/", 1)[1]
            stem, dot, ending = file.removeprefix(f"{base}/").rpartition(".")
            if _COPY.match(name):
                skipped.append(Skipped(file, "a copy that a push kept"))
            elif dot + ending in _CODE:
                _code(file, kind, stem, patterns, type_, found, problems)
            elif dot + ending not in _READ:
                skipped.append(Skipped(file, "no resource: those end in .md, .yml or .yaml"))
            elif pattern := ignored_by(f"{type_}/{stem}", patterns):
                skipped.append(Skipped(file, f"{folder}/.vapi-ignore leaves it out: {pattern}"))
                found.ignored[kind, stem] = pattern
            else:
                _take(root, file, kind, stem, found, problems)
    return found


def _code(
    file: str, kind: str, stem: str, patterns: tuple[str, ...], type_: str, found: _Files, problems: Problems
) -> None:
    """A program instead of a resource: it is never run."""
    if pattern := ignored_by(f"{type_}/{stem}", patterns):
        found.ignored[kind, stem] = pattern
        return
    problems.error(
        "resource-code",
        f"{file.rsplit('/', 1)[1]} is a program, and no folder's programs are run",
        Mark(file, 1, 1),
        f"Write what it exports as {stem.rsplit('/', 1)[-1]}.yml beside it (JSON is YAML, too) and take it away, or "
        "name it in .vapi-ignore.",
    )


def _take(root: Path, file: str, kind: str, id_: str, found: _Files, problems: Problems) -> None:
    text = text_of(root, file, problems)
    if text is None:
        return
    if (kind, id_) in found.resources:
        problems.error(
            "resource-twice",
            f"the {kind} {id_!r} stands already in {found.resources[kind, id_].body.file}",
            Mark(file, 1, 1),
            "Keep one of the two files.",
        )
        return
    try:
        found.resources[kind, id_] = FolderResource(kind, id_, body_of(text, file))
    except InvalidProject as error:
        problems.extend(error.diagnostics)


def _organization(root: Path, name: str, files: _Files, problems: Problems) -> Organization:
    state = f".vapi-state.{name}.json"
    ids = Ids()
    if is_there(root, state) and (content := read(root, state, problems)) is not None:
        ids = ids_of(content, state, problems)
    env_files = [file for file in (f".env.{name}.local", f".env.{name}", ".env.local") if is_there(root, file)]
    texts = [text for file in env_files if (text := text_of(root, file, problems)) is not None]
    return Organization(
        name=name,
        environment=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "default",
        resources=files.resources,
        ignored=files.ignored,
        ids=ids,
        connection=connection_of(texts),
    )
