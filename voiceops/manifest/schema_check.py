"""Checks a located value against the schema's facts and names every problem at its line.

Knows types, ranges, enums, unions and deprecations; knows nothing of references or other documents.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from voiceops.errors import Diagnostic, Mark
from voiceops.kinds.nodes import select
from voiceops.kinds.patterns import matches
from voiceops.kinds.places import is_answered
from voiceops.kinds.schema import Node, per_facts, type_of
from voiceops.manifest.misplaced import place_hint
from voiceops.manifest.problems import Problems, did_you_mean, nearest, nearly
from voiceops.model.located import Map, Seq
from voiceops.model.values import Ref, Secret, Template

_TYPE_NAMES = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
    "union": "a map",
    "any": "anything",
}


@dataclass(slots=True)
class Checker:
    """One document's check: where problems go, and how strict it is.

    `allow_unknown` makes warnings of keys that the schema doesn't have and of values that it refuses; `lenient`
    does the same for what came from those parts (`Voice/warm`). Fields that only Vapi sets stay errors.
    `partial` doesn't ask for required keys (parts are completed by their users).
    """

    problems: Problems
    address: str = ""
    allow_unknown: bool = False
    partial: bool = False
    source: str = "vapi"
    lenient: frozenset[str] = frozenset()
    body: str = ""  # the type of the whole value: of the first object that is checked

    def check(self, node: Node, value: Any, mark: Mark) -> None:
        """Report every problem of `value`, which stands at `mark`."""
        if value is None:
            return
        if node.get("uncertain"):
            self.problems.warning(
                "schema-uncertain",
                f"{describe(value)} was seen here in live objects; whether Vapi takes it in a request is not known",
                mark,
                address=self.address,
            )
        match node["type"]:
            case "any":
                return
            case "object":
                self._object(node, value, mark)
            case "union":
                self._union(node, value, mark)
            case "anyOf":
                self._any_of(node, value, mark)
            case "array":
                self._array(node, value, mark)
            case _:
                self._scalar(node, value, mark)

    def _error(self, code: str, summary: str, mark: Mark, hint: str = "") -> None:
        self._add(Diagnostic(code=code, summary=summary, mark=mark, hint=hint, address=self.address))

    def _add(self, diagnostic: Diagnostic) -> None:
        """Report a problem; where the manifest allows what the schema doesn't know, an error is a warning."""
        if self._allows(diagnostic.mark) and diagnostic.severity == "error" and diagnostic.code != "schema-read-only":
            diagnostic = replace(diagnostic, severity="warning")
        self.problems.add(diagnostic)

    def _allows(self, mark: Mark | None) -> bool:
        """Whether what the schema doesn't know is allowed here."""
        return self.allow_unknown or (mark is not None and mark.path.partition(":")[0] in self.lenient)

    def _object(self, node: Node, value: Any, mark: Mark) -> None:
        if not isinstance(value, Map):
            self._error("schema-type", f"must be a map, not {describe(value)}", mark)
            return
        if name := node.get("of"):
            self._fields(name, value, mark)
        elif values := node.get("values"):
            for key, item in value.items():
                self.check(values, item, value.marks[key])

    def _fields(self, name: str, value: Map, mark: Mark, union: Node | None = None) -> None:
        definition = type_of(name, self.source)
        fields = definition["fields"]
        accepted = _accepted(name, self.source)
        self.body = self.body or name
        for key, item in value.items():
            if key in accepted and accepted[key](item):
                continue
            here = value.marks[key]
            field = fields.get(key)
            if field is None:
                if not (definition.get("free") or "extra" in definition):
                    self._unknown(name, key, here, value, union)
                elif isinstance(definition.get("extra"), dict):
                    self.check(definition["extra"], item, here)
                continue
            if field.get("deprecated") and item is not None:
                successor = field.get("successor")
                self.problems.warning(
                    "schema-deprecated",
                    f"{key} is deprecated",
                    here,
                    f"Use {successor} instead." if successor else "Vapi may stop accepting it.",
                    self.address,
                )
            self.check(field, item, here)
        missing = () if self.partial else [key for key in definition["required"] if value.get(key) is None]
        if missing:
            # A misspelt key was named already, with the right one: it is not missing as well.
            meant = {nearest(key, fields) for key in value if key not in fields}
            for key in missing:
                if key not in meant:
                    self._error("schema-required", f"{key} is missing", mark)

    def _unknown(self, type_name: str, key: str, mark: Mark, value: Map, union: Node | None) -> None:
        if self.source == "vapi" and is_answered(type_name, key):
            self._error("schema-read-only", f"{key} is no field to write", mark, "Vapi sets it: leave it out.")
            return
        owners: list[str] = []
        summary = f"unknown key {key}"
        if union is not None:
            by = union["by"]
            owners = sorted(
                choice for choice, name in union["variants"].items() if key in type_of(name, self.source)["fields"]
            )
            if owners:
                summary = f"{key} is no field of {by} {value.get(by)}"
        self._error(
            "schema-unknown-key",
            summary,
            mark,
            place_hint(type_name, key, mark, self.address, owners, self.body, self.source)
            or (
                ""
                if self.source != "vapi" or self._allows(mark)
                else "If Vapi takes it all the same, set allowUnknown: true."
            ),
        )

    def _union(self, node: Node, value: Any, mark: Mark) -> None:
        if not isinstance(value, Map):
            others = node.get("others", [])
            if others:
                self._any_of({"type": "anyOf", "options": others}, value, mark)
            else:
                self._error("schema-type", f"must be a map with {node['by']}, not {describe(value)}", mark)
            return
        by = node["by"]
        if by not in value:
            if any(option["type"] == "object" for option in node.get("others", [])):
                return
            if not self.partial:
                self._error("schema-required", f"{by} is missing", mark, f"One of: {_listed(node['variants'])}.")
            return
        choice = value[by]
        name = select(node, value)
        if name is not None:
            self._fields(name, value, mark, node)
        elif isinstance(choice, str):
            self._error(
                "schema-enum",
                f"{choice!r} is no {by} here",
                value.marks[by],
                self._meant(node, choice) or f"One of: {_listed(node['variants'])}.",
            )
        else:
            self._error("schema-type", f"must be a text, not {describe(choice)}", value.marks[by])

    def _meant(self, node: Node, choice: str) -> str:
        """The variant that another spelling stands for, else the nearest."""
        alias = node.get("aliases", {}).get(choice)
        return f"Did you mean {alias}?" if alias else did_you_mean(choice, node["variants"])

    def _any_of(self, node: Node, value: Any, mark: Mark) -> None:
        fitting = [option for option in node["options"] if _fits(option, value)] or []
        if not fitting:
            names = " or ".join(dict.fromkeys(_TYPE_NAMES.get(o["type"], "a map") for o in node["options"]))
            self._error("schema-type", f"must be {names}, not {describe(value)}", mark)
            return
        best: Problems | None = None
        for option in fitting:
            trial = Problems()
            Checker(trial, self.address, partial=self.partial, source=self.source, body=self.body).check(
                option, value, mark
            )
            if best is None or (trial.failed, len(trial.all)) < (best.failed, len(best.all)):
                best = trial
            if not best.failed:
                break
        assert best is not None
        for diagnostic in best.all:
            self._add(diagnostic)

    def _array(self, node: Node, value: Any, mark: Mark) -> None:
        if not isinstance(value, Seq):
            items = node.get("items", {"type": "any"})
            one = isinstance(value, (str, int, float)) and items["type"] != "any" and _fits(items, value)
            hint = f"Write it as a list: [{json.dumps(value, ensure_ascii=False)}]." if one else ""
            self._error("schema-type", f"must be a list, not {describe(value)}", mark, hint)
            return
        if "minItems" in node and len(value) < node["minItems"]:
            self._error("schema-range", f"must hold at least {node['minItems']} items", mark)
        if "maxItems" in node and len(value) > node["maxItems"]:
            self._error("schema-range", f"must hold at most {node['maxItems']} items", mark)
        items = node.get("items", {"type": "any"})
        for item, here in zip(value, value.marks, strict=True):
            if item is None:
                self._error("schema-type", "an item must not be null", here)
            self.check(items, item, here)

    def _scalar(self, node: Node, value: Any, mark: Mark) -> None:
        if isinstance(value, (Ref, Secret, Template)):
            if node["type"] != "string":
                self._error("schema-type", f"must be {_TYPE_NAMES[node['type']]}, not a text", mark)
            return
        if not _fits(node, value):
            hint = ""
            if node["type"] == "string" and isinstance(value, (int, float)):
                hint = f'Write it in quotes: "{describe(value, bare=True)}".'
            self._error("schema-type", f"must be {_TYPE_NAMES[node['type']]}, not {describe(value)}", mark, hint)
            return
        if isinstance(value, str):
            self._text(node, value, mark)
        elif not isinstance(value, bool):
            low, high = node.get("minimum"), node.get("maximum")
            if (low is not None and value < low) or (high is not None and value > high):
                self._error("schema-range", f"{value} is not {_range(low, high)}", mark)
        allowed = node.get("enum")
        if allowed is not None and value not in allowed:
            if node.get("open"):
                meant = nearly(str(value), map(str, allowed))
                self.problems.warning(
                    "schema-unlisted",
                    f"{value!r} is not in the schema's list (yet)",
                    mark,
                    f"Did you mean {meant}?" if meant else "",
                    self.address,
                )
            else:
                hint = did_you_mean(str(value), map(str, allowed)) or f"One of: {_listed(allowed)}."
                self._error("schema-enum", f"{value!r} is not allowed here", mark, hint)

    def _text(self, node: Node, value: str, mark: Mark) -> None:
        low, high = node.get("minLength"), node.get("maxLength")
        if low is not None and len(value) < low:
            self._error("schema-range", f"must be at least {low} characters, is {len(value)}", mark)
        if high is not None and len(value) > high:
            self._error("schema-range", f"must be at most {high} characters, is {len(value)}", mark)
        pattern = node.get("pattern")
        if pattern and not matches(pattern, value):
            self._error("schema-pattern", f"{_short(value)} does not match {pattern}", mark)


@per_facts
def _accepted(name: str, source: str) -> dict[str, Callable[[Any], bool]]:
    """For fields of a type that take plain values: whether a value is certainly right.

    Nearly every value is, and is looked at no further; what is not certain goes the long way, which finds the words.
    """
    found = {key: _certain(node) for key, node in type_of(name, source)["fields"].items()}
    return {key: test for key, test in found.items() if test is not None}


def _certain(node: Node) -> Callable[[Any], bool] | None:
    """A quick test that lets no wrong value pass; None where only the long way tells."""
    if node.get("deprecated") or node.get("uncertain"):
        return None
    limits = node.keys() & {"enum", "minimum", "maximum", "minLength", "maxLength", "pattern"}
    match node["type"]:
        case "any":
            return lambda value: True
        case "object" if "of" not in node and "values" not in node:
            return lambda value: type(value) is Map
        case "boolean" if not limits:
            return lambda value: value is True or value is False
        case "string" if not limits:
            return lambda value: type(value) in (str, Ref)
        case "string" if limits == {"enum"}:
            allowed = frozenset(node["enum"])
            return lambda value: type(value) is str and value in allowed
        case "string" if limits <= {"minLength", "maxLength"}:
            low, high = node.get("minLength", 0), node.get("maxLength", math.inf)
            return lambda value: type(value) is str and low <= len(value) <= high
        case "number" | "integer" if limits <= {"minimum", "maximum"}:
            least, most = node.get("minimum", -math.inf), node.get("maximum", math.inf)
            types = (int,) if node["type"] == "integer" else (int, float)
            return lambda value: type(value) in types and least <= value <= most
    return None


def _fits(node: Node, value: Any) -> bool:
    match node["type"]:
        case "string":
            return isinstance(value, (str, Ref, Secret, Template))
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "integer":
            return (isinstance(value, int) and not isinstance(value, bool)) or (
                isinstance(value, float) and value.is_integer()
            )
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "union":
            return isinstance(value, dict) or any(_fits(option, value) for option in node.get("others", []))
        case "anyOf":
            return any(_fits(option, value) for option in node["options"])
    return True


def describe(value: Any, *, bare: bool = False) -> str:
    """A value in a message: short, and never a secret."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value) if bare else f"the number {value}"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"the text {_short(value)}"
    return "a text"


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "…")


def _listed(words: Any, limit: int = 12) -> str:
    names = [str(word) for word in words]
    return ", ".join(names[:limit]) + (f", … ({len(names)} in all)" if len(names) > limit else "")


def _range(low: Any, high: Any) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"between {low} and {high}"
