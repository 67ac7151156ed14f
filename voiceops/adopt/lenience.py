"""What the schema refuses of a live body: kept all the same, for a live object is proof, and said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from voiceops.adopt.found import Written
from voiceops.adopt.leaves import Hidden, Name, PartHere, Prompt
from voiceops.errors import Mark
from voiceops.kinds.base import Kind
from voiceops.kinds.schema import root
from voiceops.manifest.problems import Problems
from voiceops.manifest.schema_check import Checker
from voiceops.manifest.vendor_bodies import tool_name
from voiceops.model.located import Map, Seq
from voiceops.model.values import Ref, Secret, format_path, get_path


def refused(kind: Kind, body: dict[str, Any]) -> list[str]:
    """Sentences for a person; nothing where the schema takes the body."""
    problems = Problems()
    Checker(problems, kind.name).check(root(kind.name, "manifest"), _located(body, ()), Mark("", 1, 1))
    errors = [one for one in problems.all if one.severity == "error"]
    unknown = [one.mark.path for one in errors if one.code == "schema-unknown-key" and one.mark]
    found = [f"Not in the published schema: {', '.join(dict.fromkeys(unknown))}."] if unknown else []
    for one in errors:
        if one.code != "schema-unknown-key":
            at = f"{one.mark.path}: " if one.mark and one.mark.path else ""
            found.append(f"{at}{one.summary}.")
    return list(dict.fromkeys(found))


def twins(kind: Kind, body: Mapping[str, Any], body_of: Callable[[str], Mapping[str, Any] | None]) -> list[str]:
    """Sentences for what stands twice in a live object, and only once in a manifest that does not allow it: two tools
    of one agent by their function's name, two members of one squad by theirs."""
    if kind.name == "Agent":
        tools = [body_of(str(id_)) for id_ in _list(body, "model", "toolIds")]
        names = [tool_name(tool) for tool in (*tools, *_list(body, "model", "tools"))]
        what = "two tools have the function name"
    elif kind.name == "Squad":
        members = [member for member in _list(body, "members") if isinstance(member, dict)]
        named = [body_of(str(m.get("assistantId"))) or m.get("assistant") for m in members]
        names = [one.get("name") if isinstance(one, Mapping) else None for one in named]
        what = "two members are called"
    else:
        return []
    counts = Counter(name for name in names if isinstance(name, str))
    return [f"{what} {name!r}." for name, count in counts.items() if count > 1]


def _list(body: Mapping[str, Any], *path: str) -> list[Any]:
    found = get_path(body, path)
    return found if isinstance(found, list) else []


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
    if isinstance(value, Written) and value.value is not None:
        return _located(value.value, path)
    if isinstance(value, (Name, Written)):
        return Ref(value.text)
    if isinstance(value, Hidden):
        return Secret()
    return value.text if isinstance(value, Prompt) else value
