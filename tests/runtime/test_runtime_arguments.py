"""The schema check agrees with jsonschema on what tools use of JSON Schema."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from voiceops.runtime.arguments import compile_schema
from voiceops.runtime.script import sample

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([0.5, 1.0, 2.5])
    | st.sampled_from(["", "a", "ab1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
_TYPE = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])


def _schema(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": _TYPE | st.lists(_TYPE, min_size=1, max_size=2, unique=True),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "const": VALUES,
            "minimum": st.integers(-2, 2),
            "exclusiveMaximum": st.integers(-2, 3),
            "multipleOf": st.sampled_from([1, 2]),
            "minLength": st.integers(0, 2),
            "maxLength": st.integers(0, 3),
            "pattern": st.sampled_from(["^a", "1$", "b"]),
            "minItems": st.integers(0, 2),
            "uniqueItems": st.booleans(),
            "items": inner,
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "minProperties": st.integers(0, 2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        },
    )


SCHEMAS = st.recursive(st.just({}) | st.booleans(), _schema, max_leaves=4)


@settings(max_examples=400)
@given(SCHEMAS, VALUES)
def test_the_verdict_is_jsonschemas(schema: Any, value: Any) -> None:
    if isinstance(schema, bool):
        schema = {"allOf": [schema]}
    assert (compile_schema(schema)(value, "") == "") is Draft202012Validator(schema).is_valid(value)


def test_problems_name_their_place() -> None:
    check = compile_schema(
        {
            "type": "object",
            "properties": {"a": {"type": "array", "items": {"$ref": "#/$defs/n"}}, "day": {"enum": ["mon", "tue"]}},
            "required": ["a"],
            "$defs": {"n": {"type": "integer", "minimum": 1}},
        }
    )
    assert check({}, "") == "a is missing"
    assert check({"a": [1, "x"]}, "") == "a[1] must be integer"
    assert check({"a": [0]}, "") == "a[0] must be at least 1"
    assert check({"a": [], "day": "sun"}, "") == "day must be one of mon, tue"
    assert check([], "") == "the arguments must be object"
    assert check({"a": [1], "other": 1}, "") == ""


def test_a_schema_that_refers_to_itself_ends() -> None:
    schema = {"properties": {"next": {"$ref": "#"}}, "type": "object"}
    value: Any = {}
    for _ in range(200):
        value = {"next": value}
    assert "deeply" in compile_schema(schema)(value, "")


@settings(max_examples=100)
@given(_TYPE)
def test_sample_values_fit(kind: str) -> None:
    for schema in ({"type": kind}, {"type": "object", "properties": {"x": {"type": kind}}, "required": ["x"]}):
        assert compile_schema(schema)(sample(schema), "") == ""
