"""Made-up VapiAI/gitops folders, and the accounts that their tool would have made of them.

An object is a body in which `R` stands for another one. `write` puts it down as that tool's files; `push` sends it as
that tool does, through the API's front door, so that what is live has the server's part in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from voiceops.sandbox.server import SandboxServer

PLACES = {
    "credentials": ("", "/credential"),
    "tools": ("tools", "/tool"),
    "structuredOutputs": ("structuredOutputs", "/structured-output"),
    "assistants": ("assistants", "/assistant"),
    "squads": ("squads", "/squad"),
    "personalities": ("simulations/personalities", "/eval/simulation/personality"),
    "scenarios": ("simulations/scenarios", "/eval/simulation/scenario"),
    "simulations": ("simulations/tests", "/eval/simulation"),
    "simulationSuites": ("simulations/suites", "/eval/simulation/suite"),
    "evals": ("evals", "/eval"),
}
STOCK = "a0000000-0000-4000-8000-000000000001"
OLDEST = ("assistants", "structuredOutputs", "tools")
SECOND = (*OLDEST, "squads", "personalities", "scenarios", "simulations", "simulationSuites")


@dataclass(frozen=True)
class R:
    """A reference; `how` it stands in the file: by id, with a comment, as a UUID, or by the live name."""

    section: str
    id: str
    how: str = "id"


@dataclass
class Peer:
    """One organization of a folder. `uuids` is known once it was pushed; ids may hold `{head}`, their UUID's."""

    objects: dict[str, dict[str, dict[str, Any]]]
    prompts: dict[str, str] = field(default_factory=dict)  # by assistant: it is a .md then
    uuids: dict[tuple[str, str], str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)

    def push(self, server: SandboxServer) -> None:
        """Make everything, in the tool's order; what refers to something later is completed at the end."""
        with httpx.Client(base_url=server.vapi_url, headers={"authorization": f"Bearer {server.api_key}"}) as api:
            later = []
            for section, (_, path) in PLACES.items():
                for id_, body in self.objects.get(section, {}).items():
                    whole = self.sent(section, id_, body)
                    answer = api.post(path, json=_complete(whole))
                    assert answer.status_code == 201, (section, id_, answer.text)
                    self.uuids[section, id_] = answer.json()["id"]
                    later += [(section, id_, path)] if _complete(whole) != whole else []
            for section, id_, path in later:
                body = self.sent(section, id_, self.objects[section][id_])
                body.pop("type", None) if section in ("tools", "structuredOutputs", "evals") else None
                answer = api.patch(f"{path}/{self.uuids[section, id_]}", json=body)
                assert answer.status_code == 200, (section, id_, answer.text)

    def sent(self, section: str, id_: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body as the tool sends it: UUIDs, variables' values, the prompt in front."""
        renamed = {"assistant_ids": "assistantIds", "workflow_ids": "workflowIds"}
        found = {renamed.get(key, key): self._sent(item) for key, item in body.items() if not key.startswith("_")}
        if section == "assistants" and id_ in self.prompts:
            prompt = self.prompts[id_].strip()
            model = found.setdefault("model", {})
            if prompt:
                others = [m for m in model.get("messages", []) if m["role"] != "system"]
                model["messages"] = [{"role": "system", "content": prompt}, *others]
        return found

    def _sent(self, value: Any) -> Any:
        if isinstance(value, R):
            if value.how == "name":
                return self.objects[value.section][value.id]["name"]
            return STOCK if value.id == "stock" else self.uuids.get((value.section, value.id), value)
        if isinstance(value, dict):
            return {key: self._sent(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._sent(item) for item in value]
        if isinstance(value, str) and value.startswith("{{") and value.strip("{} ") in self.variables:
            return self.variables[value.strip("{} ")]
        return value

    def write(self, root: Path, folder: str, *, crlf: bool = False) -> None:
        """Its files below `root/folder`."""
        for section, objects in self.objects.items():
            for id_, body in objects.items() if section != "credentials" else ():
                text = yaml.safe_dump(self._written(body), sort_keys=False, allow_unicode=True)
                text = text.replace("'='", "=").replace("'off'", "off").replace("'on'", "on").replace("'yes'", "yes")
                name = self.file_id(section, id_)
                ending = ".yml"
                if section == "assistants" and id_ in self.prompts:
                    text, ending = f"---\n{text}---\n\n{self.prompts[id_]}", ".md"
                path = root / folder / PLACES[section][0] / f"{name}{ending}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text.replace("\n", "\r\n" if crlf else "\n").encode())

    def file_id(self, section: str, id_: str) -> str:
        """The id with its UUID's head."""
        return id_.replace("{head}", self.uuids.get((section, id_), "")[:8])

    def _written(self, value: Any) -> Any:
        if isinstance(value, R):
            if value.how == "name":
                return self.objects[value.section][value.id]["name"]
            if value.id == "stock" or value.how == "uuid":
                return STOCK if value.id == "stock" else self.uuids[value.section, value.id]
            name = self.file_id(value.section, value.id)
            return f"{name} ## the one of {value.section}" if value.how == "comment" else name
        if isinstance(value, dict):
            return {key: self._written(item) for key, item in value.items()}
        return [self._written(item) for item in value] if isinstance(value, list) else value

    def state(self, shape: int, extra: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, Any]:
        """The state file as the given age of the tool keeps it, 1 to 6; `extra` ids have no file."""
        sections = {1: OLDEST, 2: SECOND, 3: (*SECOND, "credentials"), 4: (*SECOND, "credentials")}
        found: dict[str, Any] = {}
        for section in sections.get(shape, tuple(PLACES)):
            ids = {self.file_id(s, id_): uuid for (s, id_), uuid in self.uuids.items() if s == section}
            ids |= (extra or {}).get(section, {})
            found[section] = {id_: _entry(shape, uuid) for id_, uuid in sorted(ids.items())}
        if shape == 6:
            found |= {"variables": self.variables, "latestVersion": 3}
        return found


def _entry(shape: int, uuid: str) -> Any:
    if shape < 4:
        return uuid
    if shape == 4:
        stamp = {"lastPulledHash": "a" * 64, "lastPushedHash": "b" * 64, "lastPulledAt": "2026-05-01T10:00:00.000Z"}
        return {"uuid": uuid, **stamp}
    return {"uuid": uuid}


def _complete(value: Any) -> Any:
    """Without the references whose object isn't there yet."""
    if isinstance(value, dict):
        return {key: _complete(item) for key, item in value.items() if not isinstance(item, R)}
    if isinstance(value, list):
        return [_complete(item) for item in value if not isinstance(item, R) and not _refers(item)]
    return value


def _refers(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(item, R) for item in value.values())


def put(root: Path, name: str, content: str | bytes | dict[str, Any]) -> None:
    """A file of the checkout."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, dict):
        content = json.dumps(content, indent=2) + "\n"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def function(name: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": name, "description": f"Does {name}.", "parameters": {"type": "object", "properties": {}}},
        **more,
    }


def assistant(name: str, prompt: str | None = None, **more: Any) -> dict[str, Any]:
    model = {"provider": "openai", "model": "gpt-4o", **more.pop("model", {})}
    if prompt is not None:
        model["messages"] = [{"role": "system", "content": prompt}]
    return {
        "name": name,
        "firstMessage": "Hello, how can I help?",
        "model": model,
        "voice": {"provider": "11labs", "voiceId": "burt", "stability": 0.5, "similarityBoost": 0.75},
        "transcriber": {"provider": "deepgram", "model": "nova-2", "language": "en"},
        **more,
    }
