"""Are a tool call's arguments what its JSON Schema asks for? Draft 2020-12, checked by jsonschema-rs.

Its regular expressions are linear. It keeps the interpreter's lock while it works, so that what may take long has to be
checked by another process (`checker.py`); `cost` bounds how long it takes. A schema that can't be built checks nothing,
and says so among its `problems`. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import jsonschema_rs
import msgspec

from voiceops.model.ecma_pattern import Pattern, translate
from voiceops.runtime.handlers.argument_types import Shapes, local, null_fits

_BACKTRACKS = 100_000  # steps that a pattern that looks around may take: some milliseconds
QUICK = 1_000_000  # of cost: some milliseconds
_HEAVY = 1 << 40
_LOOKING = 1_500  # times as much for a pattern that looks around: its steps, and not its letters, are what counts
_LONG = 100  # characters of a name, a pattern or a list that a reason shows

_ONE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_ONE_MORE = ("unevaluatedItems", "unevaluatedProperties")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")


class Arguments:
    """One tool's schema, ready to check with. `problems` tells what of it can't be, and so is let through."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.problems: list[str] = []
        self._patterns: dict[str, str] = {}  # translated → as the author wrote it
        self._looks = False
        self._weights: dict[str, int] = {}
        self._schema = self._translated({k: v for k, v in schema.items() if k != "$schema"})
        self._valid: Callable[[Any], bool] | None = None
        self._shapes = Shapes(self._schema)
        self.weight = 1
        self.source = msgspec.json.encode(schema)
        if not self._schema:
            return
        try:
            self._valid = self._built(self._schema).is_valid
            self.weight = self._weigh(self._schema, ()) * (_LOOKING if self._looks else 1)
        except (ValueError, TypeError, jsonschema_rs.ReferencingError, RecursionError) as error:
            why = _first_line(error)
            if isinstance(error, jsonschema_rs.ValidationError):
                why = f"{_place(error.instance_path) or 'the whole'} is not what JSON Schema takes there"
            self.problems.append(f"the schema can't be built, and nothing is checked: {why[:200]}")

    def cost(self, size: int) -> int:
        """An upper bound for the work on so many bytes of arguments: subschemas times values."""
        return self.weight * max(1, size)

    def check(self, arguments: dict[str, Any]) -> str:
        """Empty when they fit, else the first thing that is wrong, as `name what`.

        They are changed in place to what a handler gets: `null` for what may be left out is left out, and a number
        like `2.0` is an int where the schema asks for an integer. Raises RecursionError on what is nested too deeply.
        """
        if self._valid is None:
            return ""
        self._shapes.apply(arguments)
        try:
            return "" if self._valid(arguments) else self._reason(arguments)
        except ValueError as error:  # the engine has no number, or no text, for something in them
            return f"the arguments can't be read: {_first_line(error)[:_LONG]}"

    def _built(self, schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
        options = jsonschema_rs.FancyRegexOptions(_BACKTRACKS) if self._looks else jsonschema_rs.RegexOptions()
        return jsonschema_rs.Draft202012Validator(
            dict(schema), pattern_options=options, validate_formats=False, offline=True, mask="it"
        )

    @cached_property
    def _worded(self) -> jsonschema_rs.Draft202012Validator | None:
        """The same schema for saying what is wrong: alternatives don't list the errors of all their branches there.

        That list grows with the arguments.
        """
        try:
            return self._built(_without_lists(self._schema))
        except (ValueError, TypeError, jsonschema_rs.ReferencingError, RecursionError):
            return None

    def _reason(self, arguments: Any) -> str:
        if self._worded is not None:
            try:
                self._worded.validate(arguments)
            except jsonschema_rs.ValidationError as error:
                return self._sentence(error)
        return "the arguments do not fit the schema"

    def _sentence(self, error: jsonschema_rs.ValidationError) -> str:
        kind = error.kind
        place = _place(error.instance_path)
        if kind.name == "required":
            return f"{_join(place, str(kind.value))} is missing"
        if kind.name in ("additionalProperties", "unevaluatedProperties"):
            return f"{_join(place, str(kind.value[0]))} is not allowed"
        if kind.name == "pattern":
            return f"{place or 'the arguments'} must match {self._patterns.get(kind.value, kind.value)[:_LONG]}"
        if kind.name == "not":
            return f"{place or 'the arguments'} {_alternatives(kind.value)}"
        words = _WORDS.get(kind.name)
        shown = words.format(_shown(kind.value)) if words else f"does not fit ({kind.name})"
        return f"{place or 'the arguments'} {shown}"

    def _translated(self, schema: Any) -> Any:
        """The schema with patterns that mean in Rust what they mean in ECMA, and OpenAPI's `nullable` as a type."""
        if not isinstance(schema, Mapping):
            return schema
        made = dict(schema)
        for keyword in (*_ONE, *_ONE_MORE):
            if keyword in made:
                made[keyword] = self._translated(made[keyword])
        for keyword in _LISTS:
            if isinstance(made.get(keyword), (list, tuple)):
                made[keyword] = [self._translated(item) for item in made[keyword]]
        for keyword in _MAPS:
            if isinstance(made.get(keyword), Mapping):
                made[keyword] = {name: self._translated(item) for name, item in made[keyword].items()}
        if isinstance(made.get("patternProperties"), Mapping):
            pairs = ((self._pattern(name), item) for name, item in made["patternProperties"].items())
            made["patternProperties"] = {name: item for name, item in pairs if name is not None}
        if isinstance(made.get("pattern"), str):
            made["pattern"] = self._pattern(made["pattern"])
            if made["pattern"] is None:
                del made["pattern"]
        if made.pop("nullable", False) is True and isinstance(made.get("type"), (str, list)):
            kinds = [made["type"]] if isinstance(made["type"], str) else made["type"]
            made["type"] = [*kinds, "null"] if "null" not in kinds else kinds
            if isinstance(made.get("enum"), (list, tuple)) and None not in made["enum"]:
                made["enum"] = [*made["enum"], None]
        return made

    def _pattern(self, text: str) -> str | None:
        """The pattern for Rust; None for one that can't be checked, which is a problem."""
        try:
            made: Pattern = translate(text)
            options = jsonschema_rs.FancyRegexOptions(_BACKTRACKS) if made.looks else jsonschema_rs.RegexOptions()
            jsonschema_rs.Draft202012Validator({"pattern": made.text}, pattern_options=options)
        except ValueError as error:
            why = "no engine takes it" if isinstance(error, jsonschema_rs.ValidationError) else str(error)
            self.problems.append(f"the pattern {text[:_LONG]} is not checked: {why}")
            return None
        self._patterns[made.text] = text
        self._looks |= made.looks
        self._weights[made.text] = made.weight
        return made.text

    def _weigh(self, schema: Any, above: tuple[int, ...]) -> int:
        """How many checks one value may meet, references followed; a schema within itself has no bound."""
        if not isinstance(schema, Mapping):
            return 1
        if id(schema) in above or len(above) > 100:
            return _HEAVY
        above = (*above, id(schema))
        total = 1 + sum(
            isinstance(schema.get(key), (list, tuple)) and _size(schema[key]) for key in ("enum", "required")
        )
        total += self._weights.get(str(schema.get("pattern")), 0)
        total += sum(self._weights.get(name, 1) for name in schema.get("patternProperties") or ())
        for key in ("$ref", "$dynamicRef"):
            if key in schema:
                found = local(self._schema, schema[key])
                total += _HEAVY if found is None else self._weigh(found, above)
        inner = [schema[keyword] for keyword in (*_ONE, *_ONE_MORE) if keyword in schema]
        inner += [item for keyword in _LISTS for item in schema.get(keyword) or ()]
        inner += [
            item
            for keyword in ("properties", "patternProperties", "dependentSchemas")
            for item in (schema.get(keyword) or {}).values()
        ]
        for item in inner:
            total += self._weigh(item, above)
            if total >= _HEAVY:
                return _HEAVY
        return total


def _without_lists(schema: Any) -> Any:
    """The schema with each `anyOf` and `oneOf` said twice in the negative, which lists no errors of branches."""
    if not isinstance(schema, Mapping):
        return schema
    made = dict(schema)
    for keyword in (*_ONE, *_ONE_MORE):
        if keyword in made and keyword != "not":
            made[keyword] = _without_lists(made[keyword])
    for keyword in _MAPS:
        if isinstance(made.get(keyword), Mapping):
            made[keyword] = {name: _without_lists(item) for name, item in made[keyword].items()}
    for keyword in ("allOf", "prefixItems"):
        if keyword in made:
            made[keyword] = [_without_lists(item) for item in made[keyword]]
    hidden = [{"not": {"not": {keyword: made.pop(keyword)}}} for keyword in ("anyOf", "oneOf") if keyword in made]
    if hidden:
        made["allOf"] = [*made.get("allOf", ()), *hidden]
    return made


def _alternatives(refused: Any) -> str:
    """What to say of a `not`: an ordinary one, or one of those that stand for alternatives."""
    inner = refused.get("not") if isinstance(refused, dict) and len(refused) == 1 else None
    options = next((inner[key] for key in ("anyOf", "oneOf") if isinstance(inner, dict) and key in inner), None)
    if not isinstance(options, list):
        return "is not allowed"
    kinds: list[str] = []
    for option in options:
        if not isinstance(option, dict) or set(option) - {"type", "title", "description"} or "type" not in option:
            return "fits none, or more than one, of the allowed forms"
        kinds += [option["type"]] if isinstance(option["type"], str) else option["type"]
    return f"must be {' or '.join(dict.fromkeys(kinds))}"


_WORDS = {
    "type": "must be {}",
    "enum": "must be one of {}",
    "const": "must be {}",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "needs at least {} characters",
    "maxLength": "takes at most {} characters",
    "minItems": "needs at least {} items",
    "maxItems": "takes at most {} items",
    "minProperties": "needs at least {} properties",
    "maxProperties": "takes at most {} properties",
    "uniqueItems": "must not repeat an item",
    "falseSchema": "is not allowed",
    "contains": "does not contain what it must",
    "additionalItems": "has too many items",
    "unevaluatedItems": "has too many items",
}


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        kinds = all(isinstance(item, str) and item in _KINDS for item in value)
        return (" or " if kinds else ", ").join(_shown(item) for item in value[:12])[:_LONG]
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)[:_LONG]


_KINDS = frozenset(("string", "integer", "number", "boolean", "array", "object", "null"))


def _place(path: list[str | int]) -> str:
    place = ""
    for step in path[:20]:
        place = f"{place}[{step}]" if isinstance(step, int) else _join(place, step)
    return place


def _join(place: str, name: str) -> str:
    name = name[:_LONG]
    return f"{place}.{name}" if place else name


def _size(value: Any) -> int:
    """How many values there are in it."""
    if isinstance(value, Mapping):
        return 1 + sum(map(_size, value.values()))
    return 1 + sum(map(_size, value)) if isinstance(value, (list, tuple)) else 1


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


__all__ = ["Arguments", "null_fits"]
