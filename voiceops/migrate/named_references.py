"""References of a VapiAI/gitops folder, by id or UUID, with a comment behind: each becomes its object's one token.

A token is the same in every organization of the folder. What a reference means in one of them, its state file and its
files tell. Managed variables, which stand as `{{name}}` for a whole value, become the project's.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.adopt.found import Written
from voiceops.errors import Mark
from voiceops.manifest.resolve import UUID
from voiceops.migrate.checkout import FolderResource, Key, Organization
from voiceops.migrate.env_file import in_capitals
from voiceops.model.values import Path

STOCK = re.compile(r"a0000000-0000-4000-8000-[0-9a-f]{12}\Z")  # Vapi's own personalities, in every organization
_SPACE = uuid.UUID("6d1a1c52-9d0e-5b53-9a2e-6f0c5e6b7d31")

# Keys under which another resource's id stands, wherever they do.
_KEYS = {
    "toolIds": "Tool",
    "toolId": "Tool",
    "declineToolId": "Tool",
    "structuredOutputIds": "StructuredOutput",
    "structuredOutputId": "StructuredOutput",
    "assistantIds": "Agent",
    "assistant_ids": "Agent",
    "assistantId": "Agent",
    "squadId": "Squad",
    "personalityId": "Personality",
    "scenarioId": "Scenario",
    "simulationIds": "Simulation",
    "credentialIds": "Credential",
    "credentialId": "Credential",
    "phoneNumberId": "Phone",
}
_TARGETS = {"assistant": "Agent", "squad": "Squad"}  # what `targetId` means, by the type beside it
_OLD_KEYS = {"assistant_ids": "assistantIds", "workflow_ids": "workflowIds"}
# Maps whose keys people choose: nothing in them is a reference.
_FREE = frozenset({"metadata", "variableValues", "variables", "parameters", "properties", "schema", "headers", "env"})
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_.-]+)\s*\}\}\Z")
_GONE = object()


@dataclass(frozen=True, slots=True)
class Dangling:
    """A reference to nothing, or to what the folder doesn't have; `text` is as it stands there."""

    mark: Mark
    path: Path
    kind: str
    text: str
    why: str


@dataclass(slots=True)
class Met:
    """What came up on the way through an organization's resources."""

    dangling: list[Dangling] = field(default_factory=list)
    unknown: list[Dangling] = field(default_factory=list)  # UUIDs that no file stands for: they stay
    credentials: dict[str, str] = field(default_factory=dict)  # tokens by the name that a manifest would have
    variables: set[str] = field(default_factory=set)


def token_of(kind: str, id_: str) -> str:
    """What bodies call an object by where an id stands."""
    return str(uuid.uuid5(_SPACE, f"{kind}/{id_}"))


class Linker:
    """Rewrites the resources of one organization."""

    def __init__(self, organization: Organization, met: Met, others: Iterable[Organization] = ()) -> None:
        """`others` are the organizations whose UUIDs may stand in this one's files: people copy them."""
        self._here = organization
        self._met = met
        self._known = dict(item for one in others for item in one.ids.known().items()) | organization.ids.known()
        self._by_capitals: dict[str, str] = {}
        for kind, id_ in organization.ids.uuids:
            if kind == "Credential":
                self._by_capitals.setdefault(in_capitals(id_), id_)

    def body(self, resource: FolderResource) -> dict[str, Any]:
        """The body with tokens for references and the project's variables; dangling references are left out."""
        self._file = resource
        found = self._map(resource.body.value, (), refers=True)
        return {_OLD_KEYS.get(key, key): item for key, item in found.items() if key != "_platformDefault"}

    def _value(self, value: Any, path: Path, *, refers: bool) -> Any:
        if isinstance(value, dict):
            return self._map(value, path, refers=refers)
        if isinstance(value, list):
            items = [self._value(item, (*path, index), refers=refers) for index, item in enumerate(value)]
            return [item for item in items if item is not _GONE]
        return self._variable(value) if isinstance(value, str) else value

    def _map(self, value: Mapping[str, Any], path: Path, *, refers: bool) -> Any:
        """The map, or nothing where it is an item of a list whose reference dangles."""
        result: dict[str, Any] = {}
        for key, item in value.items():
            here = (*path, key)
            kind = _kind_meant(key, value) if refers else None
            if kind is None:
                result[key] = self._value(item, here, refers=refers and key not in _FREE)
            elif isinstance(item, list):
                found = [self._meant(kind, one, (*here, index)) for index, one in enumerate(item)]
                result[key] = [one for one in found if one is not _GONE]
            elif (meant := self._meant(kind, item, here)) is not _GONE:
                result[key] = meant
            elif path and isinstance(path[-1], int):
                return _GONE
        return result

    def _meant(self, kind: str, item: Any, path: Path) -> Any:
        return self._reference(kind, item, path) if isinstance(item, str) else self._value(item, path, refers=True)

    def _variable(self, text: str) -> Any:
        match = _VARIABLE.match(text.strip()) if text.lstrip().startswith("{{") else None
        if match is None or match[1] not in self._here.ids.variables:
            return text
        self._met.variables.add(match[1])
        return Written(f"${{var:{match[1]}}}", self._here.ids.variables[match[1]])

    def _reference(self, kind: str, text: str, path: Path) -> Any:
        named = self._variable(text)
        if isinstance(named, Written):
            return named
        name = text.split("##")[0].strip()
        if kind == "Credential":
            return self._credential(name, path)
        if UUID.match(name):
            return self._by_uuid(kind, name.lower(), path)
        key = (kind, name)
        if key in self._here.resources:
            if is_stock(self._here, key) and key in self._here.ids.uuids:
                return self._here.ids.uuids[key]
            return token_of(*key)
        if key in self._here.ids.uuids:
            return self._here.ids.uuids[key]  # live, and not of this folder any more
        if kind == "Phone" and in_capitals(name) in self._here.connection.phones:
            return self._here.connection.phones[in_capitals(name)]
        why = f"there is no {kind} {name!r}"
        if key in self._here.ignored:
            why = f".vapi-ignore leaves the {kind} {name!r} out"
        self._dangles(kind, text, path, why)
        return _GONE

    def _by_uuid(self, kind: str, uuid_: str, path: Path) -> str:
        id_ = self._known.get((kind, uuid_))
        if id_ is not None and (kind, id_) in self._here.resources and not is_stock(self._here, (kind, id_)):
            return token_of(kind, id_)
        if id_ is None and not STOCK.match(uuid_) and kind != "Phone":
            mark = self._file.body.mark(path)
            self._met.unknown.append(Dangling(mark, path, kind, uuid_, "no file of the folder stands for it"))
        return uuid_

    def _credential(self, name: str, path: Path) -> Any:
        """Credentials are live objects that others' keys are in: each gets a manifest that says which one it is."""
        if UUID.match(name):
            known = self._known.get(("Credential", name.lower()))
            if known is None:
                spelled = next((n for n, one in self._here.connection.credentials.items() if one == name.lower()), None)
                if spelled is None:
                    mark = self._file.body.mark(path)
                    why = "no name of the folder stands for it"
                    self._met.unknown.append(Dangling(mark, path, "Credential", name, why))
                    return name.lower()
                known = self._by_capitals.get(spelled, spelled.lower().replace("_", "-"))
        elif credential_id(self._here, name):
            known = name
        else:
            self._dangles("Credential", name, path, f"neither the state file nor .env.{self._here.name} has it")
            return _GONE
        token = token_of("Credential", known)
        self._met.credentials[known] = token
        return token

    def _dangles(self, kind: str, text: str, path: Path, why: str) -> None:
        self._met.dangling.append(Dangling(self._file.body.mark(path), path, kind, text, why))


def _kind_meant(key: str, beside: Mapping[str, Any]) -> str | None:
    """The kind whose id stands under a key."""
    return _TARGETS.get(str(beside.get("type"))) if key == "targetId" else _KEYS.get(key)


def credential_id(organization: Organization, name: str) -> str:
    """The UUID of a credential in an organization; empty where it has none of that name."""
    known = organization.ids.uuids.get(("Credential", name))
    return known or organization.connection.credentials.get(in_capitals(name), "")


def is_stock(organization: Organization, key: Key) -> bool:
    """Is it one of Vapi's own personalities, which nobody can manage?"""
    if key[0] != "Personality":
        return False
    resource = organization.resources.get(key)
    said = resource is not None and resource.body.value.get("_platformDefault") is True
    return said or STOCK.match(organization.ids.uuids.get(key, "")) is not None
