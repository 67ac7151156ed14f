"""The project that a folder becomes: manifests, voiceops.yaml, and what differs in each environment, as texts. Pure.

Keys stand in no file but `.env`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voiceops.adopt.found import Found
from voiceops.adopt.repository import Known, Repository, repository_of
from voiceops.adopt.secret_names import NeededSecret
from voiceops.adopt.yaml_writer import document_text
from voiceops.migrate.env_file import in_capitals
from voiceops.migrate.environment_patches import Manifests, patches_between
from voiceops.migrate.migration import Migration, MovedAccount

KEY = "VAPI_API_KEY"
_DEFAULT_URL = "https://api.vapi.ai"
_IGNORED = ".voiceops/\n.env\n# What was applied is for git; who holds its lock is not.\nstate/*/lock\n"
_STATE = (
    "What was applied is kept in state/: commit it after each apply. Several people, or a pipeline, need a shared "
    "place: s3://…, postgresql://…, https://…"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """What is to be written. `variables` go to `.env`; `ids` are live ids by address, for each environment."""

    files: Mapping[str, str]
    ids: Mapping[str, Mapping[str, str]]
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    keys: Mapping[str, str] = field(default_factory=dict)  # which variable holds the key of each environment
    repository: Repository
    secrets: tuple[NeededSecret, ...] = ()
    objects: int = 0  # that have a manifest, those of others aside


def new_project(name: str, migration: Migration) -> NewProject:
    """The project of everything that was read."""
    first, *others = migration.accounts
    everything = [*first.found, *(one for other in others for one in _only(other, first))]
    repository = repository_of(list({_key(one): one for one in reversed(everything)}.values())[::-1], Known())
    files = dict(repository.files)
    several = len(migration.accounts) > 1
    settings: dict[str, Any] = {"version": 1, "project": name, "state": "state", "defaultEnvironment": first.name}
    settings["environments"] = [one.name for one in migration.accounts]
    if first.variables:
        settings["variables"] = _escaped(dict(first.variables))
    files["voiceops.yaml"] = _yaml(settings, [_STATE], schema=True)
    files[".gitignore"] = _IGNORED
    variables = {secret.name: secret.value for secret in repository.secrets if secret.value is not None}
    secrets = list(repository.secrets)
    keys = {one.name: f"{KEY}_{in_capitals(one.name)}" if several else KEY for one in migration.accounts}
    base = Manifests.of(repository) if others else None
    for one in migration.accounts:
        changes: dict[str, Any] = {}
        if several:
            vapi = {"apiKey": f"${{secret:{keys[one.name]}}}"}
            changes["providers"] = {"vapi": vapi | ({"baseUrl": one.connection.url} if one.connection.url else {})}
        if one is not first and base is not None:
            own = repository_of(_as_first(one), Known(secrets={s.name: s.value for s in secrets}))
            patches = patches_between(base, Manifests.of(own), one.name)
            files |= patches.texts
            secrets += own.secrets
            variables |= {secret.name: secret.value for secret in own.secrets if secret.value is not None}
            if differing := {
                k: v for k, v in one.variables.items() if k not in first.variables or first.variables[k] != v
            }:
                changes["variables"] = _escaped(differing)
            if patches.merges:
                changes["patches"] = [{"target": where, "merge": merge} for where, merge in patches.merges.items()]
        if changes:
            files[f"environments/{one.name}.yaml"] = _yaml(changes, [])
        if one.connection.key:
            variables[keys[one.name]] = one.connection.key
        if one.connection.url and not several and one.connection.url != _DEFAULT_URL:
            variables["VAPI_BASE_URL"] = one.connection.url
    ids = {one.name: dict(one.ids) for one in migration.accounts}
    if not ids[first.name]:
        ids[first.name] = dict(repository.ids)
    return NewProject(
        files=dict(sorted(files.items())),
        ids=ids,
        variables=variables,
        keys=keys,
        repository=repository,
        secrets=tuple(secrets),
        objects=len({_key(one) for one in everything if not one.outside}),
    )


def _key(one: Found) -> tuple[str, str]:
    return one.kind, one.wanted or one.id or str(id(one))


def _only(other: MovedAccount, first: MovedAccount) -> list[Found]:
    there = {_key(one) for one in first.found}
    return [one for one in other.found if _key(one) not in there]


def _as_first(one: MovedAccount) -> list[Found]:
    """Its objects, for their manifests alone."""
    return [replace(found, environments=()) for found in one.found]


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value.replace("${", "$${") if isinstance(value, str) else value


def _yaml(value: Mapping[str, Any], comments: list[str], *, schema: bool = False) -> str:
    head = "# yaml-language-server: $schema=.voiceops/voiceops.schema.json\n" if schema else ""
    return head + document_text(value, comments)
