"""`.vapi-state.ORG.json`: which live object each file of a VapiAI/gitops folder stands for, in all of its ages.

The oldest have three sections of `id: uuid`, newer ones more of them, with a map for each id, and variables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.errors import Mark
from voiceops.manifest.problems import Problems
from voiceops.manifest.resolve import UUID
from voiceops.model.json_in import NoJson, described, parsed

# The sections of a state file, and the kinds of ours that they list.
SECTIONS = {
    "credentials": "Credential",
    "assistants": "Agent",
    "structuredOutputs": "StructuredOutput",
    "tools": "Tool",
    "squads": "Squad",
    "personalities": "Personality",
    "scenarios": "Scenario",
    "simulations": "Simulation",
    "simulationSuites": "SimulationSuite",
    "evals": "Eval",
}
_FIRST = ("assistants", "tools", "structuredOutputs")  # every age has one of these


@dataclass(frozen=True, slots=True)
class Ids:
    """What a state file says: UUIDs by (kind, id), where each stands, and the variables."""

    file: str = ""
    uuids: Mapping[tuple[str, str], str] = field(default_factory=dict)
    marks: Mapping[tuple[str, str], Mark] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)

    def known(self) -> dict[tuple[str, str], str]:
        """The ids by (kind, UUID)."""
        return {(kind, uuid): id_ for (kind, id_), uuid in self.uuids.items()}


def ids_of(content: bytes, file: str, problems: Problems) -> Ids:
    """What the file says; whatever it can't mean is a problem."""
    here = Mark(file, 1, 1)
    hint = "Put back the one that git has, or take it away: then its objects are created anew."
    try:
        data = parsed(content.removeprefix(b"\xef\xbb\xbf"))
    except NoJson as error:
        problems.error("state-form", f"the state file {error}", here, hint)
        return Ids(file)
    if not isinstance(data, dict) or not any(isinstance(data.get(key), dict) for key in _FIRST):
        problems.error(
            "state-form",
            "this is no state file of VapiAI/gitops: it has none of assistants, tools and structuredOutputs",
            here,
            hint,
        )
        return Ids(file)
    lines = content.decode("utf-8", "replace").splitlines()
    uuids: dict[tuple[str, str], str] = {}
    marks: dict[tuple[str, str], Mark] = {}
    for section, kind in SECTIONS.items():
        entries = data.get(section)
        if entries is None:
            continue
        if not isinstance(entries, dict):
            where = Mark(file, _line(lines, section), 1)
            problems.error("state-form", f"{section} must be a map, not {described(entries)}", where, hint)
            continue
        start = _line(lines, section)
        for id_, value in entries.items():
            mark = Mark(file, _line(lines, id_, start), 1)
            uuid = value.get("uuid") if isinstance(value, dict) else value
            if not isinstance(uuid, str) or UUID.match(uuid) is None:
                problems.error("state-form", f"{section}: {id_!r} stands for no UUID", mark, hint)
                continue
            uuids[kind, id_] = uuid.lower()
            marks[kind, id_] = mark
    variables = data.get("variables")
    found = Ids(file, uuids, marks, variables if isinstance(variables, dict) else {})
    _check_unique(found, problems)
    return found


def _check_unique(ids: Ids, problems: Problems) -> None:
    seen: dict[tuple[str, str], str] = {}
    for (kind, id_), uuid in ids.uuids.items():
        if (other := seen.setdefault((kind, uuid), id_)) != id_ and kind != "Credential":
            problems.error(
                "state-id-twice",
                f"{other!r} and {id_!r} both stand for the {kind} {uuid}",
                ids.marks[kind, id_],
                "Take the line out of the state file that is not the object's own.",
            )


def _line(lines: list[str], key: str, after: int = 1) -> int:
    """The line where a key stands, at or below another one; that one where it is not found."""
    wanted = json.dumps(key)
    plain = json.dumps(key, ensure_ascii=False)
    for number in range(after, len(lines) + 1):
        if wanted in lines[number - 1] or plain in lines[number - 1]:
            return number
    return after
