"""Whether a conversation was as it should be: evaluations of scenarios, and the judges of evals.

What a model would judge is judged by words: what stands in quotes must have been said or called, and of the other
words half must be known to the assistant or have been said. docs/sandbox.md has the rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voiceops.sandbox.plain_words import flat, quoted, words
from voiceops.sandbox.stand_in import Said, StandIn, as_arguments
from voiceops.sandbox.store import Body

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda found, wanted: found == wanted,
    "!=": lambda found, wanted: found != wanted,
    ">": lambda found, wanted: found > wanted,
    "<": lambda found, wanted: found < wanted,
    ">=": lambda found, wanted: found >= wanted,
    "<=": lambda found, wanted: found <= wanted,
}
_REGEX = re.compile(r"/(.*)/([a-z]*)", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a judge knows: who took part, and what the assistant said and called."""

    cast: tuple[StandIn, ...]
    turns: tuple[Said, ...]

    @property
    def said(self) -> list[str]:
        """What the assistant said, in order."""
        return [turn.text for turn in self.turns if turn.role == "assistant" and turn.text]

    @property
    def called(self) -> frozenset[str]:
        """The names of the tools that were called."""
        return frozenset(name for turn in self.turns for name, _ in turn.calls)

    @property
    def tools(self) -> frozenset[str]:
        """The names of the tools that could have been called."""
        return frozenset(tool.name for who in self.cast for tool in who.tools)


def unmet(criterion: str, heard: Heard) -> str:
    """What of a criterion in plain English is not so; empty where all of it is."""
    wanted = quoted(criterion)
    if wanted:
        return next((text for inner, so in wanted if (text := _unmet_quote(inner, so, heard))), "")
    about = words(criterion)
    known = words(" ".join([*heard.said, *heard.called]))
    for who in heard.cast:
        known |= words(f"{who.first_message} {who.prompt}")
        known |= words(" ".join(f"{tool.name} {tool.description}" for tool in who.tools))
    if 2 * len(about & known) >= len(about):
        return ""
    return f"nothing is said of {', '.join(sorted(about - known))}"


def _unmet_quote(inner: str, so: bool, heard: Heard) -> str:
    if inner in heard.tools or inner in heard.called:
        done, verb = inner in heard.called, "called"
    else:
        done, verb = any(flat(inner) in flat(text) for text in heard.said), "said"
    if done == so:
        return ""
    return f'the assistant {"never " if so else ""}{verb} "{inner}"'


def evaluated(item: Body, output: Body, heard: Heard) -> tuple[Body, str]:
    """The result of one evaluation of a scenario, and why it is not met; `output` is the structured output that it
    extracts."""
    schema = _leaf(output.get("schema") or {}, str(item.get("path") or ""))
    wanted, comparator = item.get("value"), str(item.get("comparator") or "=")
    found, why = _extracted(schema, output, wanted, heard)
    try:
        passed = found is not None and _COMPARED[comparator](found, wanted)
    except TypeError:
        passed, why = False, f"{comparator} cannot compare them"
    result = {
        "structuredOutputId": item.get("structuredOutputId") or "inline",
        "name": str(output.get("name") or ""),
        "extractedValue": found,
        "expectedValue": wanted,
        "comparator": comparator,
        "passed": passed,
        "required": item.get("required") is not False,
        "schema": schema,
    }
    if item.get("path"):
        result["path"] = item["path"]
    if output.get("description"):
        result["description"] = output["description"]
    if found is None:
        result["error"] = why
    return result, "" if passed else why or f"it is {_told(found)}, not {comparator} {_told(wanted)}"


def _told(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _leaf(schema: Body, path: str) -> Body:
    for key in path.split(".") if path else ():
        inner = (schema.get("properties") or {}).get(key)
        schema = inner if isinstance(inner, dict) else {}
    return schema


def _extracted(schema: Body, output: Body, wanted: Any, heard: Heard) -> tuple[Any, str]:
    """The value that a model would extract, and why, where it is not what was hoped for."""
    kind = schema.get("type")
    if kind == "boolean":
        criterion = str(schema.get("description") or output.get("description") or output.get("name") or "")
        why = unmet(criterion, heard)
        return not why, why
    said = heard.said
    if kind in ("number", "integer"):
        numbers = _NUMBER.findall(" ".join(said))
        if not numbers:
            return None, "the assistant said no number"
        return (int(float(numbers[-1])) if kind == "integer" or "." not in numbers[-1] else float(numbers[-1])), ""
    if isinstance(schema.get("enum"), list):
        values = [value for value in schema["enum"] if any(flat(str(value)) in flat(text) for text in said)]
        return (values[0], "") if values else (None, "the assistant said none of the values")
    if any(flat(str(wanted)) in flat(text) for text in said):
        return wanted, ""
    return (said[-1] if said else ""), f'the assistant never said "{wanted}"'


def judged(plan: Body, turn: Said, heard: Heard) -> str:
    """Why an eval's judge lets a turn fail; empty where it passes."""
    if plan.get("type") == "ai":
        return unmet(_instructions(plan), Heard(heard.cast, (turn,)))
    if (content := plan.get("content")) and (why := _text_differs(plan, str(content), turn.text)):
        return why
    if plan.get("toolCalls") is not None:
        return _calls_differ(plan, turn.calls)
    return ""


def _instructions(plan: Body) -> str:
    messages = (plan.get("model") or {}).get("messages") or ()
    return "\n".join(str(item.get("content") or "") for item in messages if isinstance(item, dict))


def _text_differs(plan: Body, wanted: str, text: str) -> str:
    if plan.get("type") == "exact":
        same = wanted.strip().lower() == text.strip().lower()
        return "" if same else f"Expected exact match: '{wanted}' but got: '{text}'"
    try:
        found = pattern(wanted).search(text)
    except re.error as error:
        return f"'{wanted}' is no regular expression: {error}"
    return "" if found else f"Expected a match of: '{wanted}' but got: '{text}'"


def pattern(text: str) -> re.Pattern[str]:
    """A regular expression as judges write it: `/sunny/i`, or without slashes. Raises re.error: it is none."""
    match = _REGEX.fullmatch(text)
    if match is None:
        return re.compile(text, re.DOTALL)
    return re.compile(match[1], re.DOTALL | (re.IGNORECASE if "i" in match[2] else 0))


def _calls_differ(plan: Body, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    wanted = [item for item in plan["toolCalls"] if isinstance(item, dict)]
    names, got = [str(item.get("name")) for item in wanted], [name for name, _ in calls]
    if names != got:
        return f"Expected tool calls: {', '.join(names) or 'none'} but got: {', '.join(got) or 'none'}"
    for item, (name, arguments) in zip(wanted, calls, strict=True):
        expected = as_arguments(item.get("arguments"))
        if item.get("arguments") is not None and not _same_arguments(plan, expected, arguments):
            return f"Expected {name} with {json.dumps(expected)} but got: {json.dumps(arguments)}"
    return ""


def _same_arguments(plan: Body, expected: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    if plan.get("type") == "exact":
        return dict(expected) == dict(found)
    try:
        return all(pattern(str(value)).search(str(found.get(key, ""))) for key, value in expected.items())
    except re.error:
        return False
