"""What the `${…}` of a text bring in, and where that stands. Reads the files of the project that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceops.errors import Mark
from voiceops.explain.explained import Brought
from voiceops.manifest.documents import Document
from voiceops.manifest.files import FileProblem, display, load
from voiceops.manifest.project import Project
from voiceops.model.located import Map, Seq
from voiceops.model.values import ABSENT, JSON, SENSITIVE
from voiceops.model.wording import many

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where substitutions take their values from. `process` are the process's own variables, `environ` those with
    `.env`; `secret` says whether a value is one that may not be shown."""

    project: Project
    environ: Mapping[str, str]
    process: Mapping[str, str]


def brought_by(value: JSON, document: Document, around: Surroundings) -> tuple[Brought, ...]:
    """Every substitution in a text, or in the texts of a map or list, in order, each once."""
    return tuple(dict.fromkeys(_all(value, document, around)))


def _all(value: JSON, document: Document, around: Surroundings) -> Iterator[Brought]:
    if isinstance(value, str):
        yield from _in_text(
            value, document, around, {"file", "template", "secret", "ref", "env", "var", "each", "runtime"}
        )
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _all(item, document, around)


def _in_text(text: str, document: Document, around: Surroundings, forms: set[str]) -> Iterator[Brought]:
    for match in _TOKEN.finditer(text):
        form, colon, argument = (match[1] or "").partition(":")
        if not colon or form not in forms:
            continue
        if form in ("file", "template"):
            yield from _file(match[0], argument, document, around, template=form == "template")
        else:
            yield _one(match[0], form, argument, document, around)


def _one(text: str, form: str, argument: str, document: Document, around: Surroundings) -> Brought:
    match form:
        case "env":
            return _variable(text, argument, around)
        case "var":
            variables = around.project.variables
            mark = variables.marks.get(argument)
            return Brought(text, f"the variable {argument}", mark, variables.get(argument, ABSENT))
        case "secret":
            name = argument.partition(":-")[0]
            held = "set" if around.environ.get(name) else "not set here"
            return Brought(text, f"the secret {name}, {held}", None, SENSITIVE)
        case "each":
            return _entry(text, argument, document)
        case "runtime":
            return Brought(text, "runtime.url", _setting(around.project, "runtime.url"), around.project.runtime_url)
    return Brought(text, f"what the server gives {argument.rpartition('.')[0]}")


def _setting(project: Project, name: str) -> Mark | None:
    origin = project.origins.get(name)
    return origin.mark if origin is not None else None


def _variable(text: str, argument: str, around: Surroundings) -> Brought:
    name, colon, default = argument.partition(":-")
    value = around.environ.get(name)
    if value or (value is not None and not colon):
        where = "the environment" if name in around.process else ".env"
        return Brought(text, f"the variable {name} of {where}", None, value)
    return Brought(text, f"the default: {name} is not set", None, default if colon else ABSENT)


def _entry(text: str, argument: str, document: Document) -> Brought:
    """An entry of forEach, as far as it has a place of its own."""
    steps = argument.split(".")
    value: Any = document.each or {}
    mark = document.each_mark
    for step in steps:
        if isinstance(value, Map) and step in value:
            value, mark = value[step], value.marks[step]
        elif isinstance(value, Seq) and step.isdigit() and int(step) < len(value):
            value, mark = value[int(step)], value.marks[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
            if isinstance(value, (Map, Seq)) and value.marks:
                mark = next(iter(value.marks.values() if isinstance(value, Map) else value.marks))
        else:
            value = ABSENT
            break
    return Brought(text, f"the forEach entry {document.key!r}", mark, value)


def _file(text: str, argument: str, document: Document, around: Surroundings, *, template: bool) -> Iterator[Brought]:
    root = around.project.root
    try:
        content = load(root, document.folder / argument)
    except FileProblem as problem:
        yield Brought(text, str(problem))
        return
    name = display(root, Path(document.folder / argument).resolve())
    lines = content.count("\n") + (not content.endswith("\n"))
    kind = "the template" if template else "the file"
    yield Brought(text, f"{kind} of {many(lines, 'line')}", Mark(name, 1, 1))
    if template:
        for number, line in enumerate(content.splitlines(), 1):
            for inner in _in_text(line, document, around, {"env", "var", "each"}):
                yield Brought(inner.text, f"in {name}:{number}: {inner.what}", inner.mark, inner.value)
