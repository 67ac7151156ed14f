"""A folder of API payloads, one JSON file each, as objects that manifests can be written for.

The folder that a file stands in tells its kind (`assistants/`, `tool/`), else the keys that it has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voiceops.adopt.found import Found
from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.kinds.base import is_stock
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import root as body_facts
from voiceops.manifest.problems import Problems
from voiceops.manifest.resolve import UUID
from voiceops.migrate.folder_walk import Skipped, text_of, walk
from voiceops.migrate.migration import Migration, MovedAccount
from voiceops.migrate.new_spellings import newly_spelled
from voiceops.migrate.resource_file import body_of

ENVIRONMENT = "prod"

# What people call the folders of each kind, beside the kind's own name: without an `s`, in small letters alone.
_CALLED = {
    "assistant": "Agent",
    "phonenumber": "Phone",
    "number": "Phone",
    "output": "StructuredOutput",
    "personalitie": "Personality",
    "test": "Simulation",
    "suite": "SimulationSuite",
    "evalsimulationsuite": "SimulationSuite",
    "pronunciationdictionarie": "Dictionary",
    "dictionarie": "Dictionary",
}
_LINES = frozenset({"number", "sipUri", "numberE164CheckEnabled", "fallbackDestination"})
_KEYS_OF_VENDORS = frozenset({"apiKey", "authenticationPlan", "serviceAccountKey", "gcpKey", "region", "gateways"})


def read_payloads(root: Path) -> Migration:
    """Everything that the folder holds. Raises InvalidProject with everything that can't be read."""
    if not root.is_dir():
        raise _no_payloads(root, "there is no such folder")
    problems, skipped, found = Problems(), list[Skipped](), list[Found]()
    seen: dict[str, str] = {}
    for file in walk(root, "", skipped):
        if not file.endswith(".json"):
            skipped.append(Skipped(file, "no payload: those end in .json"))
            continue
        text = text_of(root, file, problems)
        if text is None:
            continue
        try:
            body = body_of(text, file).value
        except InvalidProject as error:
            problems.extend(error.diagnostics)
            continue
        kind = _kind_of(file, body, problems)
        if kind is None:
            continue
        id_ = body.get("id")
        id_ = id_.lower() if isinstance(id_, str) and UUID.match(id_) else ""
        if is_stock(body):
            skipped.append(Skipped(file, "Vapi's own, the same in every organization: it stays by its id"))
        elif id_ in seen:
            problems.error(
                "payload-twice", f"{id_} stands already in {seen[id_]}", Mark(file, 1, 1), "Keep one of them."
            )
        else:
            if id_:
                seen[id_] = file
            found.append(Found(kind=kind, body=newly_spelled(kind, body), id=id_))
    problems.raise_errors()
    if not found:
        raise _no_payloads(root, "it holds no .json file of an object")
    return Migration(accounts=(MovedAccount(name=ENVIRONMENT, found=tuple(found)),), skipped=tuple(skipped))


def _no_payloads(root: Path, why: str) -> InvalidProject:
    summary = f"{root} is no folder of API payloads: {why}"
    hint = "Name a folder with one JSON file an object. A VapiAI/gitops checkout: voiceops import gitops."
    return InvalidProject([Diagnostic(code="payload-folder", summary=summary, hint=hint)])


def _kind_of(file: str, body: Mapping[str, Any], problems: Problems) -> str | None:
    """The kind that the nearest folder names, else the only one that the keys fit."""
    kinds = {name.lower(): name for name in KINDS} | _CALLED
    for folder in reversed(file.split("/")[:-1]):
        called = re.sub(r"[^a-z]", "", folder.lower())
        if found := kinds.get(called) or kinds.get(called.removesuffix("s")):
            return found
    fits = sorted(kind for kind, fits in _fits(body).items() if fits)
    if len(fits) == 1:
        return fits[0]
    problems.error(
        "payload-kind",
        f"it could be {_either(fits)}" if fits else "neither its folder nor its keys tell what it is",
        Mark(file, 1, 1),
        "Put it into a folder that says so: assistants/, tools/, squads/, phone-numbers/, structured-outputs/, …",
    )
    return None


def _fits(body: Mapping[str, Any]) -> dict[str, bool]:
    keys = frozenset(key for key, value in body.items() if value is not None)
    type_, provider = body.get("type"), body.get("provider")
    is_line = provider in body_facts("Phone")["variants"] and bool(keys & _LINES)
    return {
        "Squad": isinstance(body.get("members"), list),
        "Agent": (bool(keys & {"voice", "transcriber", "firstMessage"}) or isinstance(body.get("model"), dict))
        and not keys & {"schema", "function", "destinations"},
        "StructuredOutput": isinstance(body.get("schema"), dict),
        "Tool": type_ in body_facts("Tool")["variants"] and not keys & {"schema"},
        "Phone": is_line,
        "Credential": provider in body_facts("Credential")["variants"]
        and not is_line
        and (bool(keys & _KEYS_OF_VENDORS) or keys <= {"id", "orgId", "createdAt", "updatedAt", "name", "provider"}),
        "SimulationSuite": isinstance(body.get("simulationIds"), list),
        "Simulation": {"scenarioId", "personalityId"} <= keys,
        "Scenario": {"instructions", "evaluations"} <= keys,
        "Personality": isinstance(body.get("assistant"), dict) and "members" not in keys,
        "Eval": type_ == "chat.mockConversation",
        "Scorecard": isinstance(body.get("metrics"), list),
        "KnowledgeBase": "fileIds" in keys,
    }


def _either(kinds: list[str]) -> str:
    return f"{', '.join(kinds[:-1])} or {kinds[-1]}"
