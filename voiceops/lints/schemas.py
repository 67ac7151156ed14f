"""The JSON Schemas that models fill in: what is no JSON Schema, and names that lead to nothing.

Vapi passes them on as they are: what is wrong in them shows when a model is asked, in a call.
https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from voiceops.lints.context import Context
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding, Spot
from voiceops.lints.tools import parameters
from voiceops.manifest.problems import did_you_mean, nearly
from voiceops.model.ecma_pattern import translate

_META = "https://json-schema.org/draft/2020-12/schema"
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_KEYWORDS = (
    *("$defs", "$id", "$ref", "additionalProperties", "allOf", "anyOf", "const", "default", "description", "enum"),
    *("exclusiveMaximum", "exclusiveMinimum", "format", "items", "maxItems", "maxLength", "maximum", "minItems"),
    *("minLength", "minimum", "multipleOf", "oneOf", "pattern", "patternProperties", "prefixItems", "properties"),
    *("propertyNames", "required", "title", "type", "uniqueItems"),
)
_OTHERS = frozenset(
    {"example", "examples", "nullable", "definitions", "deprecated", "readOnly", "writeOnly", "if", "not"}
)
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions"})
_LISTED = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_BESIDE = frozenset(
    {
        *("if", "then", "else", "not", "contains", "additionalProperties", "propertyNames"),
        *("unevaluatedItems", "unevaluatedProperties"),
    }
)
_NAMED_BESIDE = frozenset({"dependentSchemas", "dependencies"})
_DEEPEST = 20


def _schemas(context: Context) -> Iterator[Spot]:
    """What models fill in: parameters of tools, bodies of requests, structured outputs."""
    for tool in context.all_tools:
        schema = parameters(tool)
        if isinstance(schema.value, dict):
            yield schema
    for body in context.bodies:
        if body.resource.kind == "StructuredOutput":
            yield body.at("schema")
        yield from (output.at("schema") for output in body.items("artifactPlan", "structuredOutputs"))


def _below(schema: Spot, *, whole: bool = False, depth: int = 0) -> Iterator[Spot]:
    """The schema and every schema in it that stands under a name, or for the items of a list.

    `whole`: also those that only say when or how far others hold.
    """
    if not isinstance(schema.value, dict) or depth > _DEEPEST:
        return
    yield schema
    for keyword, value in schema.value.items():
        path = (*schema.path, keyword)
        inner: Iterable[tuple[tuple[str | int, ...], Any]] = ()
        if keyword == "items" or (whole and keyword in _BESIDE):
            inner = [(path, value)]
        elif (keyword in _NAMED or (whole and keyword in _NAMED_BESIDE)) and isinstance(value, dict):
            inner = [((*path, name), item) for name, item in value.items()]
        elif keyword in _LISTED and isinstance(value, list):
            inner = [((*path, index), item) for index, item in enumerate(value)]
        for place, item in inner:
            yield from _below(Spot(schema.resource, place, item), whole=whole, depth=depth + 1)


@lint("VO309", "schema-invalid", "What a model fills in is described by no valid JSON Schema")
def schema_invalid(context: Context) -> Iterator[Finding]:
    for schema in _schemas(context):
        if not isinstance(schema.value, dict):
            continue
        for path, value in _invalid(schema.value):
            if path and path[-1] == "type" and isinstance(value, str):
                hint = did_you_mean(value, _TYPES) or f"One of: {', '.join(_TYPES)}."
                yield schema.finding(f"{value!r} is no type of JSON Schema", *path, hint=hint)
            else:
                hint = "Write what JSON Schema takes there: a model that gets this may refuse the whole request."
                if path and path[-1] == "required" and isinstance(value, bool):
                    hint = "List the names of what must be there in `required` of the object around it."
                yield schema.finding(
                    f"JSON Schema takes no such value in {path[-1] if path else 'it'}", *path, hint=hint
                )
        for inner in _below(schema, whole=True):
            names = inner.get("patternProperties")
            for pattern, *steps in (
                (inner.get("pattern"), "pattern"),
                *((name, "patternProperties", name) for name in (names if isinstance(names, dict) else ())),
            ):
                if isinstance(pattern, str) and not _compiles(pattern):
                    yield inner.finding("no such pattern can be read", *steps, hint="Correct the regular expression.")


def _invalid(schema: dict[str, Any]) -> list[tuple[tuple[str | int, ...], Any]]:
    """The places of a schema that are against the schema of all schemas, with what stands there."""
    found: dict[tuple[str | int, ...], Any] = {}
    try:
        for error in _meta().iter_errors(schema):
            found.setdefault(tuple(error.instance_path), error.instance)
    except (ValueError, TypeError, RecursionError):
        return []  # it holds something that is no JSON, such as a reference that is known later
    return [
        (path, value) for path, value in found.items() if not any(p != path and p[: len(path)] == path for p in found)
    ]


@cache
def _meta() -> Any:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator({"$ref": _META})


@cache
def _compiles(pattern: str) -> bool:
    import jsonschema_rs

    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=jsonschema_rs.FancyRegexOptions())
    except ValueError:
        return False
    return True


@lint("VO311", "pattern-unchecked", "The runtime can't check a pattern of a tool's arguments in bounded time")
def pattern_unchecked(context: Context) -> Iterator[Finding]:
    """Only tools with a handler: what other servers make of a pattern is theirs to know."""
    for tool in context.all_tools:
        if tool.resource.kind != "Tool" or tool.resource.handler is None:
            continue
        for schema in _below(parameters(tool)):
            names = schema.get("patternProperties")
            for pattern, *steps in (
                (schema.get("pattern"), "pattern"),
                *((name, "patternProperties", name) for name in (names if isinstance(names, dict) else ())),
            ):
                if isinstance(pattern, str) and _compiles(pattern) and (why := _unchecked(pattern)):
                    yield schema.finding(
                        f"the runtime {why}",
                        *steps,
                        hint=r"Write it without (?=…), (?!…), (?<=…), (?<!…) and \1, or check it in the handler.",
                    )


def _unchecked(pattern: str) -> str:
    """What the runtime makes of a pattern that its engine of linear time doesn't take; empty for the others."""
    try:
        looks = translate(pattern).looks
    except ValueError as error:
        return f"can't check this pattern ({error}), and lets every value through"
    return (
        "gives up on this pattern, which looks around or back, after a while, and lets the value through"
        if looks
        else ""
    )


@lint("VO310", "schema-name", "A schema requires a property that it doesn't describe, or has a misspelt keyword")
def schema_name(context: Context) -> Iterator[Finding]:
    for top in _schemas(context):
        for schema in _below(top):
            yield from _names(schema)


def _names(schema: Spot) -> Iterator[Finding]:
    described, required = schema.get("properties"), schema.get("required")
    if isinstance(described, dict) and isinstance(required, list):
        for index, name in enumerate(required):
            if isinstance(name, str) and name not in described:
                hint = did_you_mean(name, described) or "Describe it in properties, or take it out."
                yield schema.finding(f"{name} is required, but no property is called so", "required", index, hint=hint)
    for key in schema.value:
        meant = nearly(key, _KEYWORDS) if key not in _KEYWORDS and key not in _OTHERS else None
        if meant:
            yield schema.finding(f"{key} means nothing in JSON Schema", key, hint=f"Did you mean {meant}?")
