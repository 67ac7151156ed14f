"""Are a tool call's arguments what its JSON Schema asks for? Schemas are compiled once into plain functions.

Knows the part of JSON Schema that tools use; keywords that it doesn't know constrain nothing. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

# A check gives the first thing that is wrong, as `path: what`, or an empty text.
Check = Callable[[Any, str], str]

_MAX_DEPTH = 64


def compile_schema(schema: Mapping[str, Any]) -> Check:
    """The check of one schema. A schema that can't be read checks nothing of what it can't say."""
    return _Compiler(schema).check(schema)


class _Compiler:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._named: dict[str, list[Check]] = {}

    def check(self, schema: Any) -> Check:
        if schema is True or not isinstance(schema, Mapping):
            return _refuse if schema is False else _accept
        checks: list[Check] = []
        if isinstance(schema.get("$ref"), str):
            checks.append(self._reference(schema["$ref"]))
        checks += self._generic(schema)
        checks += self._numbers(schema)
        checks += self._texts(schema)
        checks += self._lists(schema)
        checks += self._objects(schema)
        checks += self._combined(schema)
        if len(checks) == 1:
            return checks[0]

        def every(value: Any, path: str) -> str:
            for one in checks:
                if wrong := one(value, path):
                    return wrong
            return ""

        return every if checks else _accept

    def _reference(self, name: str) -> Check:
        """A local `$ref`, looked up when it is first used: definitions may refer to themselves."""
        holder = self._named.get(name)
        if holder is None:
            holder = self._named[name] = []
            target: Any = self._root
            for step in name.removeprefix("#").strip("/").split("/") if name != "#" else ():
                step = step.replace("~1", "/").replace("~0", "~")
                target = target.get(step, True) if isinstance(target, Mapping) else True
            holder.append(self.check(target if name.startswith("#") else True))
        found = holder

        def follow(value: Any, path: str) -> str:
            if path.count(".") + path.count("[") > _MAX_DEPTH:
                return _at(path, "is nested too deeply")
            return found[0](value, path) if found else ""

        return follow

    def _generic(self, schema: Mapping[str, Any]) -> list[Check]:
        checks: list[Check] = []
        kinds = schema.get("type")
        names = [kinds] if isinstance(kinds, str) else [k for k in kinds or () if isinstance(k, str)]
        if schema.get("nullable") is True and names:
            names.append("null")
        tests = [_TYPES[name] for name in names if name in _TYPES]
        if tests and len(tests) == len(names):
            wanted = " or ".join(names)
            if len(tests) == 1:
                only = tests[0]
                checks.append(lambda value, path: "" if only(value) else _at(path, f"must be {wanted}"))
            else:
                checks.append(
                    lambda value, path: "" if any(test(value) for test in tests) else _at(path, f"must be {wanted}")
                )
        if isinstance(schema.get("enum"), (list, tuple)):
            allowed = [_comparable(item) for item in schema["enum"]]
            shown = ", ".join(str(item) for item in schema["enum"][:12])
            checks.append(
                lambda value, path: "" if _comparable(value) in allowed else _at(path, f"must be one of {shown}")
            )
        if "const" in schema:
            constant = _comparable(schema["const"])
            checks.append(
                lambda value, path: "" if _comparable(value) == constant else _at(path, f"must be {schema['const']}")
            )
        return checks

    def _numbers(self, schema: Mapping[str, Any]) -> list[Check]:
        checks: list[Check] = []
        for keyword, words, good in _BOUNDS:
            bound: Any = schema.get(keyword)
            if not _is_number(bound):
                continue

            def bounded(value: Any, path: str, bound: Any = bound, words: str = words, good: Any = good) -> str:
                return _at(path, f"must be {words} {bound}") if _is_number(value) and not good(value, bound) else ""

            checks.append(bounded)
        step: Any = schema.get("multipleOf")
        if _is_number(step) and step > 0:

            def stepped(value: Any, path: str) -> str:
                if not _is_number(value):
                    return ""
                try:  # as it is written: 0.3 is a multiple of 0.1
                    whole = (Fraction(str(value)) / Fraction(str(step))).denominator == 1
                except ValueError:  # thousands of digits
                    whole = False
                return "" if whole else _at(path, f"must be a multiple of {step}")

            checks.append(stepped)
        return checks

    def _texts(self, schema: Mapping[str, Any]) -> list[Check]:
        checks: list[Check] = _sized(schema, "minLength", "maxLength", str, "characters")
        pattern = schema.get("pattern")
        if isinstance(pattern, str):
            try:
                compiled = re.compile(pattern)
            except re.error:
                return checks  # a pattern of another dialect
            checks.append(
                lambda value, path: (
                    "" if not isinstance(value, str) or compiled.search(value) else _at(path, f"must match {pattern}")
                )
            )
        return checks

    def _lists(self, schema: Mapping[str, Any]) -> list[Check]:
        checks: list[Check] = _sized(schema, "minItems", "maxItems", list, "items")
        prefix = [self.check(item) for item in schema.get("prefixItems") or ()]
        items = schema.get("items")
        rest = self.check(items) if isinstance(items, (Mapping, bool)) else None
        if prefix or rest is not None:

            def each(value: Any, path: str) -> str:
                if not isinstance(value, list):
                    return ""
                for index, item in enumerate(value):
                    one = prefix[index] if index < len(prefix) else rest
                    if one is not None and (wrong := one(item, f"{path}[{index}]")):
                        return wrong
                return ""

            checks.append(each)
        if schema.get("uniqueItems") is True:

            def unique(value: Any, path: str) -> str:
                if not isinstance(value, list):
                    return ""
                seen = [_comparable(item) for item in value]
                twice = any(item in seen[:index] for index, item in enumerate(seen))
                return _at(path, "must not repeat an item") if twice else ""

            checks.append(unique)
        return checks

    def _objects(self, schema: Mapping[str, Any]) -> list[Check]:
        checks: list[Check] = _sized(schema, "minProperties", "maxProperties", dict, "properties")
        required = [name for name in schema.get("required") or () if isinstance(name, str)]
        given = schema.get("properties")
        known = {name: self.check(inner) for name, inner in given.items()} if isinstance(given, Mapping) else {}
        active = {name: one for name, one in known.items() if one is not _accept}
        others = schema.get("additionalProperties", True)
        rest = self.check(others) if others is not True else None
        if not required and not active and rest is None:
            return checks

        def members(value: Any, path: str) -> str:
            if not isinstance(value, dict):
                return ""
            for name in required:
                if name not in value:
                    return _at(_join(path, name), "is missing")
            for name, item in value.items():
                one = active.get(name)
                if one is None and name not in known:
                    one = rest
                if one is not None and (wrong := one(item, _join(path, name))):
                    return wrong
            return ""

        checks.append(members)
        return checks

    def _combined(self, schema: Mapping[str, Any]) -> list[Check]:
        checks: list[Check] = []
        for keyword in ("allOf", "anyOf", "oneOf"):
            options = schema.get(keyword)
            if not isinstance(options, (list, tuple)) or not options:
                continue
            inner = [self.check(option) for option in options]
            if keyword == "allOf":
                checks += inner
                continue

            def chosen(value: Any, path: str, inner: list[Check] = inner, once: bool = keyword == "oneOf") -> str:
                fitting = sum(1 for one in inner if not one(value, path))
                if fitting == 1 or (fitting and not once):
                    return ""
                return _at(path, "fits none of the allowed forms" if not fitting else "fits several forms")

            checks.append(chosen)
        if "not" in schema:
            refused = self.check(schema["not"])
            checks.append(lambda value, path: "" if refused(value, path) else _at(path, "is not allowed"))
        return checks


def _accept(value: Any, path: str) -> str:
    return ""


def _refuse(value: Any, path: str) -> str:
    return _at(path, "is not allowed")


def _at(path: str, what: str) -> str:
    return f"{path or 'the arguments'} {what}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _comparable(value: Any) -> Any:
    """JSON's equality: 1 and 1.0 are the same, 1 and true are not."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, (list, tuple)):
        return ["list", *map(_comparable, value)]
    if isinstance(value, Mapping):
        return {key: _comparable(item) for key, item in value.items()}
    return value


def _sized(schema: Mapping[str, Any], low: str, high: str, kind: type, what: str) -> list[Check]:
    least: Any = schema.get(low)
    most: Any = schema.get(high)
    checks: list[Check] = []
    if _is_number(least):
        checks.append(
            lambda value, path: (
                _at(path, f"needs at least {least} {what}")
                if isinstance(value, kind) and len(value) < least  # type: ignore[arg-type] # text, list or map
                else ""
            )
        )
    if _is_number(most):
        checks.append(
            lambda value, path: (
                _at(path, f"takes at most {most} {what}")
                if isinstance(value, kind) and len(value) > most  # type: ignore[arg-type] # text, list or map
                else ""
            )
        )
    return checks


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: (
        not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}

_BOUNDS: tuple[tuple[str, str, Callable[[Any, Any], bool]], ...] = (
    ("minimum", "at least", lambda value, bound: value >= bound),
    ("maximum", "at most", lambda value, bound: value <= bound),
    ("exclusiveMinimum", "more than", lambda value, bound: value > bound),
    ("exclusiveMaximum", "less than", lambda value, bound: value < bound),
)
