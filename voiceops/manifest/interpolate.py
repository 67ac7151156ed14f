"""`${…}`: environment variables, variables, secrets, files, references. One pass: what they bring is final.

`{{customer.name}}` is Vapi's own and passes untouched; `$${` is a literal `${`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voiceops.errors import Mark
from voiceops.manifest.budgets import MOST_MADE, MOST_TEXT, Budget
from voiceops.manifest.files import FileProblem, display, load
from voiceops.manifest.plain_secrets import KnownSecrets
from voiceops.manifest.problems import Problems, did_you_mean
from voiceops.model.located import Map, Seq
from voiceops.model.values import Ref, Secret, Template

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}?")
_FORMS = ("env", "var", "secret", "file", "template", "ref", "runtime", "each")
_REF = re.compile(r"(?P<address>[A-Z][A-Za-z]*/[a-z0-9-]+(?:\[[a-z0-9-]+\])?)\.(?P<attribute>id|name)\Z")
_ENV = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?\Z", re.DOTALL)

_MISSING = object()


@dataclass(slots=True)
class Interpolator:
    """Substitutes in one document. `each` holds `key` and `value` of the instance, None outside forEach."""

    root: Path
    variables: Map
    environ: Mapping[str, str]
    problems: Problems
    each: dict[str, Any] | None = None
    folder: Path | None = None  # of the manifest, for ${file:}; the project's without one
    runtime_url: str | None = None
    address: str = ""
    budget: Budget = field(default_factory=Budget)
    known: KnownSecrets | None = None  # what `${env:}` must not write out
    texts: dict[Mark, Mark] = field(default_factory=dict)  # where a file's text is put → the file
    vendors_own: frozenset[str] = frozenset()  # paths that may take the vendor's keys out of the environment

    def apply(self, value: Any, mark: Mark | None = None) -> Any:
        """The value with everything substituted: a new tree with its marks, or the same one where nothing is."""
        return self._substituted(value, mark) if _substitutes(value) else value

    def _substituted(self, value: Any, mark: Mark | None) -> Any:
        if isinstance(value, Map):
            result = Map()
            for key, item in value.items():
                result.put(key, self._substituted(item, value.marks[key]), value.marks[key])
            return result
        if isinstance(value, Seq):
            items = Seq()
            for item, here in zip(value, value.marks, strict=True):
                items.put(self._substituted(item, here), here)
            return items
        if isinstance(value, str) and "${" in value:
            return self._text(value, mark or Mark("", 1, 1), _FORMS)
        return value

    def _text(self, text: str, mark: Mark, allowed: tuple[str, ...]) -> Any:
        parts: list[Any] = []
        position = taken = 0
        for match in _TOKEN.finditer(text):
            parts.append(text[position : match.start()])
            position = match.end()
            if match.group() == "$${":
                parts[-1] += "${"
                continue
            value = self._token(match, mark, allowed)
            taken += _size(value)
            if not self._has_room(taken, mark):
                return ""
            parts.append("" if value is _MISSING else value)
        parts.append(text[position:])
        self.budget.made += taken
        whole = [part for part in parts if not (isinstance(part, str) and part == "")]
        if len(whole) == 1 and not isinstance(whole[0], str):
            return whole[0]
        return self._join(whole, mark)

    def _has_room(self, taken: int, mark: Mark) -> bool:
        """One text, and all together, stay within what a machine can hold; said once."""
        if taken <= MOST_TEXT and self.budget.made <= MOST_MADE:
            return True
        if not self.budget.told:
            what = f"a text of more than {MOST_TEXT // 1024 // 1024} MiB"
            if taken <= MOST_TEXT:
                what = f"more than {MOST_MADE // 1024 // 1024} MiB in all"
            self._error("interpolate-large", f"the substitutions make {what}", mark)
            self.budget.told = True
        return False

    def _join(self, parts: list[Any], mark: Mark) -> Any:
        if any(isinstance(part, Secret) for part in parts):
            if any(isinstance(part, Ref) for part in parts):
                self._error("interpolate-mixed", "a secret and a reference can't stand in one text", mark)
                return ""
            return _secret_text([part if isinstance(part, Secret) else self._as_text(part, mark) for part in parts])
        if any(isinstance(part, Ref) for part in parts):
            return Template(tuple(part if isinstance(part, Ref) else self._as_text(part, mark) for part in parts))
        return "".join(self._as_text(part, mark) for part in parts)

    def _as_text(self, value: Any, mark: Mark) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, (dict, list)):
            self._error(
                "interpolate-type",
                "a map or a list can't stand inside a text",
                mark,
                "Make it the whole value, without other text around it.",
            )
            return ""
        return json.dumps(value)

    def _error(self, code: str, summary: str, mark: Mark, hint: str = "") -> None:
        self.problems.error(code, summary, mark, hint, self.address)

    def _token(self, match: re.Match[str], mark: Mark, allowed: tuple[str, ...]) -> Any:
        if not match.group().endswith("}"):
            self._error(
                "interpolate-syntax",
                f"{match.group()[:30]!r} has no closing brace",
                mark,
                "Write $${ for a literal ${.",
            )
            return _MISSING
        form, colon, argument = match.group(1).partition(":")
        if not colon or form not in _FORMS:
            self._error(
                "interpolate-form",
                f"unknown substitution ${{{match.group(1)}}}",
                mark,
                did_you_mean(form, _FORMS) or f"Known: {', '.join(_FORMS)}. Write $${{ for a literal ${{.",
            )
            return _MISSING
        if form not in allowed:
            self._error("interpolate-form", f"${{{form}:}} can't be used in a template file", mark)
            return _MISSING
        return getattr(self, f"_{form}")(argument, mark)

    def _env(self, argument: str, mark: Mark) -> Any:
        match = _ENV.match(argument)
        if match is None:
            self._error("interpolate-syntax", f"{argument!r} is no environment variable's name", mark)
            return _MISSING
        value = self.environ.get(match["name"])
        if self._is_given_away(match["name"], value, mark):
            return _MISSING
        if not value and match["default"] is not None:
            return match["default"]
        if value is None:
            self._error(
                "env-missing",
                f"the environment variable {match['name']} is not set",
                mark,
                f"Set it, put it into .env, or write ${{env:{match['name']}:-a default}}.",
            )
            return _MISSING
        return value

    def _is_given_away(self, name: str, value: str | None, mark: Mark) -> bool:
        """Would a key be written out? Reported."""
        if self.known is None or (mark.path in self.vendors_own and name.startswith(("VAPI_", "TWILIO_"))):
            return False
        why = self.known.why_not(name, value)
        if why is not None:
            self._error(
                "secret-shown", why, mark, f"Use ${{secret:{name}}}: it is sent where it belongs, and shown nowhere."
            )
        return why is not None

    def _var(self, argument: str, mark: Mark) -> Any:
        if argument not in self.variables:
            self._error(
                "var-missing",
                f"there is no variable {argument}",
                mark,
                did_you_mean(argument, self.variables) or "Add it to variables: in voiceops.yaml.",
            )
            return _MISSING
        return self.variables[argument]

    def _secret(self, argument: str, mark: Mark) -> Any:
        match = _ENV.match(argument)
        if match is None:
            self._error("interpolate-syntax", f"{argument!r} is no secret's name", mark)
            return _MISSING
        if match["default"] == "" and not self.environ.get(match["name"]):
            return ""
        if self.known is not None:
            self.known.asked(match["name"])
        return Secret((match["name"],), ("", ""))

    def _file(self, argument: str, mark: Mark) -> Any:
        text = self._load(argument, mark)
        return _MISSING if text is None else text

    def _template(self, argument: str, mark: Mark) -> Any:
        text = self._load(argument, mark)
        if text is None:
            return _MISSING
        name = display(self.root, (self.folder or self.root) / argument)
        parts: list[Any] = []
        taken = 0
        for number, line in enumerate(text.splitlines(keepends=True), 1):
            column = line.find("${") + 1
            at = Mark(name, number, column, mark.path)
            parts.append(self._text(line, at, ("env", "var", "each")) if column else line)
            taken += _size(parts[-1])
            if not self._has_room(taken, at):
                return ""
        return "".join(self._as_text(part, mark) for part in parts)

    def _ref(self, argument: str, mark: Mark) -> Any:
        match = _REF.match(argument)
        if match is None:
            self._error("interpolate-syntax", f"{argument!r} is no reference", mark, "Write ${ref:Kind/name.id}.")
            return _MISSING
        return Ref(match["address"], match["attribute"])

    def _runtime(self, argument: str, mark: Mark) -> Any:
        if argument != "url":
            self._error("interpolate-form", f"the runtime has no {argument!r}", mark, "Write ${runtime:url}.")
            return _MISSING
        if self.runtime_url is None:
            self._error("runtime-missing", "the project has no runtime.url", mark, "Set runtime.url in voiceops.yaml.")
            return _MISSING
        return self.runtime_url

    def _each(self, argument: str, mark: Mark) -> Any:
        if self.each is None:
            self._error("each-outside", "${each:} needs a forEach in this manifest", mark)
            return _MISSING
        value: Any = self.each
        for step in argument.split("."):
            if isinstance(value, list) and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            elif isinstance(value, dict) and step in value:
                value = value[step]
            else:
                self._error("each-missing", f"the forEach entry {self.each['key']!r} has no {argument}", mark)
                return _MISSING
        return value

    def _load(self, argument: str, mark: Mark) -> str | None:
        try:
            if Path(argument).is_absolute():
                raise FileProblem(f"{argument} lies outside the project")
            path = (self.folder or self.root) / argument
            text = load(self.root, path)
        except FileProblem as problem:
            self._error("file", str(problem), mark)
            return None
        self.texts.setdefault(mark, Mark(display(self.root, path), 1, 1))
        return text


def _substitutes(value: Any) -> bool:
    """Does `${` stand anywhere in it?"""
    if isinstance(value, str):
        return "${" in value
    if isinstance(value, (Map, Seq)):
        for item in value.values() if isinstance(value, Map) else value:
            if _substitutes(item):
                return True
    return False


def _secret_text(parts: list[Any]) -> Secret:
    names: list[str] = []
    texts = [""]
    for part in parts:
        if isinstance(part, Secret):
            texts[-1] += part.parts[0]
            for name, text in zip(part.names, part.parts[1:], strict=True):
                names.append(name)
                texts.append(text)
        else:
            texts[-1] += part
    return Secret(tuple(names), tuple(texts))


def _size(value: Any) -> int:
    """About as many characters as a value has when it is written out."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(key) + 64 + _size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(2 + _size(item) for item in value)
    return 4
