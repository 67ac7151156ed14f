"""What the schema refuses of a live body: kept all the same, for a live object is proof, and said."""

from __future__ import annotations

from typing import Any

from voiceops.adopt.found import Written
from voiceops.adopt.leaves import Hidden, Name, PartHere, Prompt
from voiceops.errors import Mark
from voiceops.kinds.base import Kind
from voiceops.kinds.schema import root
from voiceops.manifest.problems import Problems
from voiceops.manifest.schema_check import Checker
from voiceops.model.located import Map, Seq
from voiceops.model.values import Ref, Secret, format_path

_SAID = {"schema-unknown-key": "is no field of the published schema"}


def refused(kind: Kind, body: dict[str, Any], account: str) -> list[str]:
    """Sentences for a person, one for each place; nothing where the schema takes the body."""
    problems = Problems()
    located = _located(body, ())
    if kind.name == "Phone" and body.get("provider") == "twilio" and "twilioAccountSid" not in body:
        located.put("twilioAccountSid", account, Mark("", 1, 1, "twilioAccountSid"))
    Checker(problems, kind.name).check(root(kind.name, "manifest"), located, Mark("", 1, 1))
    errors = [one for one in problems.all if one.severity == "error"]
    return [
        f"{one.mark.path if one.mark else ''} {_SAID.get(one.code, '')}".strip() + "."
        if one.code in _SAID
        else f"{one.mark.path + ': ' if one.mark and one.mark.path else ''}{one.summary}."
        for one in errors
    ]


def _located(value: Any, path: tuple[str | int, ...]) -> Any:
    if isinstance(value, PartHere):
        return _located({**value.value, **value.own}, path)
    if isinstance(value, dict):
        result = Map()
        for key, item in value.items():
            here = (*path, key)
            result.put(key, _located(item, here), Mark("", 1, 1, format_path(here)))
        return result
    if isinstance(value, list):
        items = Seq()
        for index, item in enumerate(value):
            here = (*path, index)
            items.put(_located(item, here), Mark("", 1, 1, format_path(here)))
        return items
    if isinstance(value, (Name, Written)):
        return Ref(value.text)
    if isinstance(value, Hidden):
        return Secret()
    return value.text if isinstance(value, Prompt) else value
