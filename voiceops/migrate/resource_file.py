"""One file of a folder that is taken over, read into the body that its tool sends for it, with a mark for each value.

`.md` is front matter and a prompt, `.yml` a map, `.json` an object. Knows nothing of references and ids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.manifest.strict_yaml import read_documents
from voiceops.migrate.yaml_core import CORE
from voiceops.model.json_in import NoJson, described, parsed
from voiceops.model.located import Map, plain
from voiceops.model.values import Path

_OPENED = re.compile(r"---\r?\n")
_CLOSED = re.compile(r"\r?\n---\r?\n?")
# What JavaScript's trim() takes off: it made the prompts that are live.
_BLANKS = "\t\n\x0b\x0c\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" + (
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FileBody:
    """What a file holds. `marks` say where the values stand, as far as the file's form tells."""

    file: str
    value: dict[str, Any]
    marks: Mapping[Path, Mark] = field(default_factory=dict)
    text: str = ""  # of a file whose form has no marks

    def mark(self, path: Path) -> Mark:
        """Where a value stands: its own line, else that of what holds it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.marks:
                return self.marks[path[:length]]
        if self.text and path:
            names = (name for name in reversed(path) if isinstance(name, str))
            found = next((at for name in names if (at := self.text.find(json.dumps(name))) >= 0), 0)
            return Mark(self.file, self.text.count("\n", 0, found) + 1, 1)
        return Mark(self.file, 1, 1)


def body_of(text: str, file: str) -> FileBody:
    """The body that stands in a `.md`, `.yml`, `.yaml` or `.json` file. Raises InvalidProject."""
    if file.endswith(".md"):
        return _markdown(text.removeprefix("\ufeff"), file)
    if file.endswith(".json"):
        return _json(text, file)
    return _yaml(text, file)


def _markdown(text: str, file: str) -> FileBody:
    """Front matter is the body; what follows its first closing line is the leading system message."""
    opened = _OPENED.match(text)
    if opened is None:
        raise _error("front-matter", "front matter is missing: its first line must be ---", Mark(file, 1, 1))
    closed = _CLOSED.search(text, opened.end())
    if closed is None:
        raise _error("front-matter", "its front matter has no end: no line --- closes it", Mark(file, 1, 1))
    found = _yaml("\n" + text[opened.end() : closed.start()], file)
    prompt = text[closed.end() :].strip(_BLANKS)
    if not prompt:
        return found
    here = Mark(file, text.count("\n", 0, closed.end()) + 1, 1)
    model = found.value.get("model")
    model = dict(model) if isinstance(model, dict) else {}
    given = model.get("messages")
    others = [one for one in given if not _is_system(one)] if isinstance(given, list) else []
    model["messages"] = [{"role": "system", "content": prompt}, *others]
    marks = {path: mark for path, mark in found.marks.items() if path[:2] != ("model", "messages")}
    return FileBody(file, {**found.value, "model": model}, {**marks, ("model", "messages"): here})


def _is_system(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") == "system"


def _yaml(text: str, file: str) -> FileBody:
    documents = read_documents(text, file, CORE)
    if len(documents) > 1:
        raise _error("resource-form", "one resource a file: a second document begins here", documents[1][1])
    value, mark = documents[0] if documents else (None, Mark(file, 1, 1))
    if not isinstance(value, Map):
        what = "nothing" if value is None else described(value)
        raise _error("resource-form", f"a resource is a map, not {what}", mark)
    marks: dict[Path, Mark] = {}
    return FileBody(file, plain(value, marks), marks)


def _json(text: str, file: str) -> FileBody:
    here = Mark(file, 1, 1)
    try:
        value = parsed(text.removeprefix("\ufeff").encode("utf-8", "surrogatepass"))
    except NoJson as error:
        raise _error("resource-form", f"the file {error}", here) from None
    if not isinstance(value, dict):
        raise _error("resource-form", f"one object a file, not {described(value)}", here)
    body = FileBody(file, value, text=text)
    for path, leaf in _texts(value):
        if _SURROGATE.search(leaf):
            summary = "half a character: JSON writes those beyond the first 65,536 as two escapes"
            raise _error("resource-form", summary, body.mark(path))
    return body


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, (dict, list)):
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(item, (*path, step))


def _error(code: str, summary: str, mark: Mark) -> InvalidProject:
    return InvalidProject([Diagnostic(code=code, summary=summary, mark=mark)])
