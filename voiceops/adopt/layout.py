"""Which file a manifest stands in, and in which order its keys are read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from voiceops.adopt.naming import slug

# What no file may be called on some system.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(10))})

# What is read first in any map.
_FIRST = (
    *("from", "on", "stringToReplace", "toolName", "targetType", "type", "provider", "role", "name", "title", "key"),
    *("url", "method", "assistantId", "assistantName", "squadId", "toolId", "structuredOutputId", "structuredOutput"),
    *("regex", "comparator", "value", "number", "sipUri", "ip", "port", "netmask", "username", "authUsername"),
    *("firstMessage", "model", "voice", "transcriber", "mode", "content", "message", "description", "enabled"),
    *("waitSeconds", "numWords", "voiceSeconds", "filters", "options"),
)
_SCHEMA = (
    "type",
    "title",
    "description",
    "format",
    "enum",
    "const",
    "value",
    "default",
    "items",
    "properties",
    "required",
)
_SCHEMA_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
# What people read first, by kind; the rest follows by the alphabet.
ORDER: dict[str, tuple[str, ...]] = {
    "Agent": (
        *("name", "firstMessage", "firstMessageMode", "model", "voice", "transcriber", "server", "serverMessages"),
        *("clientMessages", "backgroundSound", "startSpeakingPlan", "stopSpeakingPlan", "voicemailDetection"),
        *("voicemailMessage", "endCallMessage", "endCallPhrases", "silenceTimeoutSeconds", "maxDurationSeconds"),
        *("hooks", "analysisPlan", "artifactPlan"),
    ),
    "Model": (
        *("from", "provider", "model", "temperature", "maxTokens", "systemPrompt", "messages", "tools", "toolIds"),
        "toolRefs",
    ),
    "Voice": ("from", "provider", "voiceId", "model", "language", "speed", "stability", "similarityBoost"),
    "Transcriber": ("from", "provider", "model", "language", "endpointing", "keywords", "keyterm"),
    "Server": ("from", "url", "credentialId", "timeoutSeconds", "headers", "backoffPlan"),
    "Tool": ("type", "function", "name", "description", "destinations", "url", "method", "messages", "server", "async"),
    "Phone": ("number", "sipUri", "provider", "name", "agent", "squad", "answer", "server", "fallbackDestination"),
    "Squad": ("name", "members", "membersOverrides"),
    "Credential": ("provider", "name", "authenticationPlan", "apiKey"),
    "StructuredOutput": ("name", "type", "description", "target", "schema", "model"),
    "Personality": ("name", "path", "assistant"),
    "Scenario": ("name", "path", "instructions", "evaluations"),
    "Simulation": ("name", "path", "scenarioId", "personalityId"),
    "SimulationSuite": ("name", "path", "simulationIds"),
    "Eval": ("name", "type", "description", "messages"),
    "Dictionary": ("provider", "name", "description", "rules", "items"),
}
_ENVELOPE = ("kind", "name", "description", "labels", "environments", "allowUnknown", "external", "spec", "lifecycle")


def folder_of(kind: str) -> str:
    """The folder below the manifests' in which a kind's files stand; empty for agents, which stand in it."""
    word = slug(kind)
    return "" if kind == "Agent" else f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


class Files:
    """The paths that are taken, whatever a file system makes of capitals, and those that are given out."""

    def __init__(self, folder: str, taken: Iterable[str]) -> None:
        self._folder = PurePosixPath(folder or ".")
        self._taken = {path.casefold() for path in taken}

    def manifest(self, kind: str, name: str) -> str:
        """A file of its own for a manifest."""
        stem = f"{name}-{slug(kind)}" if name in _DEVICES or (kind == "Agent" and name == "parts") else name
        return self._free(self._folder / folder_of(kind), stem, ".yaml")

    def parts(self) -> str:
        """The file of the parts that agents share."""
        return self._free(self._folder, "parts", ".yaml")

    def prompt(self, name: str) -> str:
        """The file of a prompt."""
        return self._free(self._folder / "prompts", f"{name}-prompt" if name in _DEVICES else name, ".md")

    def spare_numbers(self) -> str | None:
        """The file that names numbers without a manifest; None where it is there already."""
        path = (self._folder / folder_of("Phone") / "not-in-vapi.yaml").as_posix()
        return None if path.casefold() in self._taken else path

    def _free(self, folder: PurePosixPath, stem: str, suffix: str) -> str:
        number, path = 2, (folder / (stem + suffix)).as_posix()
        while path.casefold() in self._taken:
            path, number = (folder / f"{stem}-{number}{suffix}").as_posix(), number + 1
        self._taken.add(path.casefold())
        return path


def beside(manifest: str, file: str) -> str:
    """The path of a file as a manifest names it: from the manifest's own folder."""
    here, there = PurePosixPath(manifest).parent.parts, PurePosixPath(file).parts
    shared = 0
    while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
        shared += 1
    return "/".join([*[".."] * (len(here) - shared), *there[shared:]])


def in_order(value: dict[str, object], kind: str) -> dict[str, object]:
    """A map with what people read first at its head."""
    first = [key for key in ORDER.get(kind, _FIRST) if key in value]
    return {key: value[key] for key in [*first, *sorted(key for key in value if key not in first)]}


def tidied(value: Any) -> Any:
    """The maps of a spec in order, at any depth. What a JSON Schema calls properties stays as somebody ordered it."""
    if isinstance(value, list):
        return [tidied(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: tidied(item) for key, item in value.items()}
    if isinstance(found.get("type"), str) and found["type"] in _SCHEMA_TYPES:
        properties = value.get("properties")
        if isinstance(properties, dict):
            found["properties"] = {key: tidied(item) for key, item in properties.items()}
        first = [key for key in _SCHEMA if key in found]
        return {key: found[key] for key in [*first, *(key for key in found if key not in first)]}
    return found


def enveloped(document: dict[str, object]) -> dict[str, object]:
    """A manifest's own keys in the order in which they are written."""
    return {key: document[key] for key in _ENVELOPE if key in document}
