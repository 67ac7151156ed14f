"""Scenarios: evaluations that the API refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voiceops.lints.context import Context
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding, Spot
from voiceops.model.values import Ref

_PRIMITIVE = ("string", "number", "integer", "boolean")
_EQUALITY = ("=", "!=")
_VALUES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "integer": (int, float),
}


def _evaluations(context: Context) -> Iterator[Spot]:
    for body in context.bodies:
        if body.resource.kind == "Scenario":
            yield from body.items("evaluations")


def _schema(context: Context, evaluation: Spot) -> Any:
    """The JSON Schema of what is evaluated, where the manifests say it; of a part of it where `path` is set."""
    ref = evaluation.get("structuredOutputId")
    output = evaluation.get("structuredOutput")
    if isinstance(ref, Ref) and ref.address in context.graph.resources:
        output = context.graph.resources[ref.address].body
    schema = output.get("schema") if isinstance(output, dict) else None
    path = evaluation.get("path")
    for step in path.split(".") if isinstance(path, str) else ():
        properties = schema.get("properties") if isinstance(schema, dict) else None
        schema = properties.get(step) if isinstance(properties, dict) else None
    return schema


@lint(
    "VO801",
    "evaluation-form",
    "An evaluation of no output, of two, or of one that is no single value",
    "error",
    refused=True,
)
def evaluation_form(context: Context) -> Iterator[Finding]:
    for evaluation in _evaluations(context):
        by_id, inline = evaluation.get("structuredOutputId"), evaluation.get("structuredOutput")
        if by_id is None and inline is None:
            yield evaluation.finding(
                "the evaluation names no structured output",
                hint="Add structuredOutputId with the name of a StructuredOutput manifest.",
            )
        elif by_id is not None and inline is not None:
            yield evaluation.finding(
                "structuredOutputId and structuredOutput exclude each other", "structuredOutput", hint="Keep one."
            )
        else:
            schema = _schema(context, evaluation)
            kind = schema.get("type") if isinstance(schema, dict) else None
            if kind is not None and kind not in _PRIMITIVE:
                yield evaluation.finding(
                    f"an {kind} can't be compared with a value",
                    "structuredOutputId" if by_id is not None else "structuredOutput",
                    hint="Evaluate an output of type string, number, integer or boolean, or a part of it by path.",
                )


@lint(
    "VO802",
    "evaluation-comparison",
    "An evaluation compares in a way that its output's type doesn't have",
    "error",
    refused=True,
)
def evaluation_comparison(context: Context) -> Iterator[Finding]:
    for evaluation in _evaluations(context):
        schema = _schema(context, evaluation)
        kind = schema.get("type") if isinstance(schema, dict) else None
        if kind not in _PRIMITIVE:
            continue
        comparator, value = evaluation.get("comparator"), evaluation.get("value")
        if kind in ("string", "boolean") and comparator not in (None, *_EQUALITY):
            yield evaluation.finding(
                f"a {kind} is equal or it is not; {comparator} is for numbers", "comparator", hint="Write = or !=."
            )
        fits = isinstance(value, _VALUES[kind]) and (kind == "boolean" or not isinstance(value, bool))
        if value is not None and not isinstance(value, (dict, list)) and not fits:
            yield evaluation.finding(f"the output is a {kind}, and the value is none", "value")
