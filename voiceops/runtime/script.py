"""A scripted call: what happens in which order, and what the answers must be. Read from YAML, strictly.

Knows the script's words; sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.manifest.problems import did_you_mean
from voiceops.manifest.yaml import read_documents
from voiceops.model.located import Map, Seq
from voiceops.runtime.spec import LineSpec, RuntimeSpec

VERBS = ("ring", "assistant", "caller", "interruption", "tool", "transfer", "message", "wait", "hangup")
EXPECTATIONS = ("contains", "equals", "matches", "fails", "within", "status")
_KEYS = {"tool": ("arguments", "id"), "hangup": ("report",)}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens."""

    verb: str
    value: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    mark: Mark = field(default_factory=lambda: Mark("", 0, 0))


@dataclass(frozen=True, slots=True)
class Script:
    """One call."""

    name: str
    line: LineSpec | None
    agent: str
    caller: str
    steps: tuple[Step, ...]


def read_script(text: str, file: str, spec: RuntimeSpec) -> Script:
    """The script in a file. Raises InvalidProject with every problem."""
    wrong: list[Diagnostic] = []

    def problem(summary: str, mark: Mark, hint: str = "") -> None:
        wrong.append(Diagnostic(code="script", summary=summary, mark=mark, hint=hint))

    documents = read_documents(text, file)
    value, mark = documents[0] if documents else (Map(), Mark(file, 1, 1))
    if not isinstance(value, Map):
        raise InvalidProject([Diagnostic(code="script", summary="a script is a map with steps", mark=mark)])
    known = ("name", "line", "agent", "from", "steps")
    for key in value:
        if key not in known:
            problem(f"unknown key {key}", value.marks[key], did_you_mean(key, known))
    line = None
    if "line" in value:
        line = next((item for item in spec.lines if value["line"] in _names(item)), None)
        if line is None:
            names = [item.path for item in spec.lines]
            problem(f"there is no line {value['line']}", value.marks["line"], did_you_mean(str(value["line"]), names))
    steps = value.get("steps")
    if not isinstance(steps, Seq) or not steps:
        problem("a script needs steps", value.marks.get("steps", mark), f"Steps: {', '.join(VERBS)}.")
        steps = Seq()
    found = [step for item, here in zip(steps, steps.marks, strict=True) for step in _step(item, here, spec, problem)]
    if wrong:
        raise InvalidProject(wrong)
    return Script(
        name=str(value.get("name") or file),
        line=line or _first_line(spec),
        agent=str(value.get("agent") or ""),
        caller=str(value.get("from") or "+14155550123"),
        steps=tuple(found),
    )


def _names(line: LineSpec) -> tuple[str, ...]:
    return (line.path, line.address, line.address.removeprefix("Phone/"), line.number)


def _first_line(spec: RuntimeSpec) -> LineSpec | None:
    """The line that shows most: one that the runtime answers, or else any."""
    ordered = sorted(spec.lines, key=lambda line: (line.answer != "runtime", line.target is not None))
    return ordered[0] if ordered else None


def _step(item: Any, mark: Mark, spec: RuntimeSpec, problem: Any) -> Iterator[Step]:
    if isinstance(item, str):
        if item not in ("ring", "hangup", "interruption"):
            problem(f"unknown step {item}", mark, did_you_mean(item, VERBS))
            return
        yield Step(item, mark=mark)
        return
    verbs = [key for key in item if key in VERBS] if isinstance(item, Map) else []
    if not isinstance(item, Map) or len(verbs) != 1:
        problem("a step is one of: " + ", ".join(VERBS), mark, did_you_mean(str(next(iter(item), "")), VERBS))
        return
    verb = verbs[0]
    allowed = (verb, "expect", *_KEYS.get(verb, ()))
    for key in item:
        if key not in allowed:
            problem(f"unknown key {key}", item.marks[key], did_you_mean(key, allowed))
    value = item[verb]
    tools = [tool.name for tool in spec.tools]
    if verb == "tool" and value not in tools and not item.get("expect"):
        problem(f"there is no tool {value}", item.marks[verb], did_you_mean(str(value), tools))
    expect = item.get("expect")
    if isinstance(expect, str):
        expect = {"contains": expect}
    elif expect is not None and not isinstance(expect, Map):
        problem("expect is a text, or a map", item.marks["expect"], f"It takes {', '.join(EXPECTATIONS)}.")
        expect = None
    for key in expect or ():
        if key not in EXPECTATIONS:
            problem(f"unknown expectation {key}", item.marks["expect"], did_you_mean(key, EXPECTATIONS))
    yield Step(verb, value, {k: item[k] for k in _KEYS.get(verb, ()) if k in item}, expect or {}, mark)


def default_script(spec: RuntimeSpec) -> Script:
    """A call that uses every tool once, with arguments that its schema allows."""
    steps = [Step("ring"), Step("assistant", "Hello, how can I help you?")]
    for tool in spec.tools:
        if tool.type == "function" and tool.handler:
            steps.append(Step("caller", f"Please use {tool.name}."))
            steps.append(Step("tool", tool.name, {"arguments": sample(tool.parameters)}))
    steps += [Step("assistant", "Is there anything else?"), Step("interruption", 0), Step("caller", "No, thank you.")]
    return Script("every tool once", _first_line(spec), "", "+14155550123", (*steps, Step("hangup")))


def sample(schema: Any, name: str = "") -> Any:
    """A value that a JSON Schema allows: its examples and defaults first, then the simplest one."""
    if not isinstance(schema, Mapping):
        return "text"
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum", "anyOf", "oneOf"):
        values = schema.get(key)
        if isinstance(values, (list, tuple)) and values:
            return sample(values[0]) if key in ("anyOf", "oneOf") else values[0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, (list, tuple)) and kind else kind
    match kind:
        case "object" | None if kind or isinstance(schema.get("properties"), Mapping):
            properties = schema.get("properties") or {}
            return {name: sample(properties.get(name), name) for name in schema.get("required") or ()}
        case "array":
            return [sample(schema.get("items"))] * int(schema.get("minItems", 0))
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "null":
            return None
    least = int(schema.get("minLength", 0))
    text = "someone@example.com" if "mail" in f"{schema.get('format', '')} {name}".lower() else "1234"
    return text.ljust(least, "0") if len(text) < least else text


def unmet(expect: Mapping[str, Any], text: str, failed: bool, seconds: float, status: int) -> list[str]:
    """Which expectations an answer does not meet, as sentences."""
    found = []
    for key, wanted in expect.items():
        if key == "contains" and str(wanted) not in text:
            found.append(f"should contain {wanted!r}")
        elif key == "equals" and str(wanted) != text:
            found.append(f"should be {wanted!r}")
        elif key == "matches" and not re.search(str(wanted), text):
            found.append(f"should match {wanted!r}")
        elif key == "fails" and bool(wanted) is not failed:
            found.append("should fail" if wanted else "should not fail")
        elif key == "within" and seconds > float(wanted):
            found.append(f"should come within {wanted} s")
        elif key == "status" and int(wanted) != status:
            found.append(f"should have the status {wanted}")
    return found
