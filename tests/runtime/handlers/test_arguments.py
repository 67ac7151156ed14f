"""The schema check agrees with jsonschema on what tools use of JSON Schema."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from voiceops.runtime.handlers.arguments import Arguments
from voiceops.simulate.sample_arguments import sample

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
    found = {"it": copy.deepcopy(value)}
    whole = {"properties": {"it": schema}, "required": ["it"]}
    wrong = Arguments(whole).check(found)  # which changes them to what a handler gets
    assert (wrong == "") is Draft202012Validator(whole).is_valid(found)


def test_problems_name_their_place() -> None:
    schema = Arguments(
        {
            "type": "object",
            "properties": {"a": {"type": "array", "items": {"$ref": "#/$defs/n"}}, "day": {"enum": ["mon", "tue"]}},
            "required": ["a"],
            "$defs": {"n": {"type": "integer", "minimum": 1}},
        }
    )
    check: Any = schema.check
    assert check({}) == "a is missing"
    assert check({"a": [1, "x"]}) == "a[1] must be integer"
    assert check({"a": [0]}) == "a[0] must be at least 1"
    assert check({"a": [], "day": "sun"}) == "day must be one of mon, tue"
    assert check([]) == "the arguments must be object"
    assert check({"a": [1], "other": 1}) == ""


def test_a_schema_that_refers_to_itself_ends() -> None:
    schema = {"properties": {"next": {"$ref": "#"}}, "type": "object"}
    value: Any = {}
    for _ in range(200):
        value = {"next": value}
    assert Arguments(schema).check(value) == ""
    for _ in range(5000):
        value = {"next": value}
    with pytest.raises(RecursionError):
        Arguments(schema).check(value)


@settings(max_examples=100)
@given(_TYPE)
def test_sample_values_fit(kind: str) -> None:
    for schema in ({"type": kind}, {"type": "object", "properties": {"x": {"type": kind}}, "required": ["x"]}):
        assert Arguments({"properties": {"it": schema}}).check({"it": sample(schema)}) == ""


OPTIONAL = {
    "type": "object",
    "properties": {
        "must": {"type": "string"},
        "may": {"type": "string"},
        "null": {"type": ["string", "null"]},
        "any": {},
        "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "choice": {"enum": ["a", "b"]},
        "linked": {"$ref": "#/$defs/day"},
        "open": {"type": "string", "nullable": True},
        "inside": {"type": "object", "properties": {"may": {"type": "string"}, "must": {"type": "string"}}},
        "list": {"type": "array", "items": {"type": "object", "properties": {"may": {"type": "number"}}}},
    },
    "required": ["must"],
    "additionalProperties": {"type": "string"},
    "$defs": {"day": {"type": "string"}},
}


@pytest.mark.parametrize(
    ("given", "handed"),
    [
        ({"may": None}, {}),
        ({"null": None}, {"null": None}),
        ({"any": None}, {"any": None}),
        ({"either": None}, {"either": None}),
        ({"choice": None}, {}),
        ({"linked": None}, {}),
        ({"open": None}, {"open": None}),
        ({"other": None}, {}),
        ({"inside": {"may": None, "must": "x"}}, {"inside": {"must": "x"}}),
        ({"list": [{"may": None}, {"may": 1}]}, {"list": [{}, {"may": 1}]}),
        ({"may": None, "choice": None, "linked": None}, {}),
    ],
)
def test_null_for_what_may_be_left_out(given: dict[str, Any], handed: dict[str, Any]) -> None:
    found = {"must": "x", **given}
    assert Arguments(OPTIONAL).check(found) == ""
    assert found == {"must": "x", **handed}


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"must": None}, "must must be string"),
        ({}, "must is missing"),
        ({"must": "x", "list": [None]}, "list[0] must be object"),
        ({"must": "x", "inside": {"must": 1}}, "inside.must must be string"),
        ({"must": "x", "choice": "c"}, "choice must be one of a, b"),
        ({"must": "x", "either": "no"}, "either must be integer or null"),
        ({"must": "x", "other": 1}, "other must be string"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, Any], wrong: str) -> None:
    assert Arguments(OPTIONAL).check(given) == wrong


@pytest.mark.parametrize(
    ("schema", "given", "handed"),
    [
        ({"type": "integer"}, 2.0, 2),
        ({"type": "integer"}, -0.0, 0),
        ({"type": "integer"}, 1e300, int(1e300)),
        ({"type": ["integer", "string"]}, 2.0, 2),
        ({"type": ["null", "integer"]}, 2.0, 2),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, 2.0, 2),
        ({"oneOf": [{"type": "integer"}, {"type": "null"}]}, 2.0, 2),
        ({"allOf": [{"type": "integer"}, {"minimum": 1}]}, 2.0, 2),
        ({"$ref": "#/$defs/n"}, 2.0, 2),
        ({"enum": [1, 2]}, 2.0, 2),
        ({"const": 2}, 2.0, 2),
        ({"type": "array", "items": {"type": "integer"}}, [1.0, 2, 3.0], [1, 2, 3]),
        ({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "number"}]}, [1.0, 2.0], [1, 2.0]),
        ({"type": "object", "properties": {"n": {"type": "integer"}}}, {"n": 5.0}, {"n": 5}),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"x": 5.0}, {"x": 5}),
        (
            {"type": "object", "patternProperties": {"^n": {"type": "integer"}}},
            {"n1": 5.0, "m": 5.0},
            {"n1": 5, "m": 5.0},
        ),
        ({"type": "number"}, 2.0, 2.0),
        ({}, 2.0, 2.0),
        ({"type": "object", "properties": {"n": {"type": "integer", "maximum": 3}}}, {"n": 3.0}, {"n": 3}),
    ],
)
def test_an_integral_number_is_an_integer(schema: Any, given: Any, handed: Any) -> None:
    found = {"it": given}
    whole = {"properties": {"it": schema}, "$defs": {"n": {"type": "integer"}}}
    assert Arguments(whole).check(found) == ""
    assert repr(found["it"]) == repr(handed)


def test_no_integer_is_made_of_a_half() -> None:
    assert Arguments({"properties": {"n": {"type": "integer"}}}).check({"n": 2.5}) == "n must be integer"


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"it": {"type": "strin"}}},
        {"properties": {"it": {"$ref": "http://127.0.0.1:9/schema"}}},
        {"properties": {"it": {"$ref": "file:///etc/passwd"}}},
        {"properties": {"it": {"$ref": "#/$defs/nowhere"}}},
        {"required": "it"},
        {"properties": {"it": {"minimum": "one"}}},
        {"properties": {"it": {"items": [{"type": "string"}]}}},
        {"properties": {"it": {"pattern": "(unclosed"}}},
        {"properties": {"it": {"pattern": r"\p{Nope}"}}},
    ],
)
def test_a_schema_that_cannot_be_built_lets_through_and_says_so(schema: Any) -> None:
    made = Arguments(schema)
    assert len(made.problems) == 1
    assert made.check({"it": {"any": "thing"}}) == ""


@pytest.mark.parametrize(
    ("schema", "given", "wrong"),
    [
        ({"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}}, {"a": 1}, "b is missing"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "b is missing"),
        ({"patternProperties": {"^x": {"type": "string"}}}, {"x1": 1}, "x1 must be string"),
        ({"properties": {"a": {"contains": {"const": 1}}}}, {"a": [2]}, "a does not contain what it must"),
        ({"propertyNames": {"pattern": "^a$"}}, {"b": 1}, "the arguments does not fit (propertyNames)"),
        ({"properties": {"a": {"not": {"type": "string"}}}}, {"a": "x"}, "a is not allowed"),
        ({"properties": {"a": {}}, "unevaluatedProperties": False}, {"b": 1}, "b is not allowed"),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": [1, 1.0]}, "a must not repeat an item"),
        ({"properties": {"a": {"oneOf": [{"minimum": 1}, {"maximum": 3}]}}}, {"a": 2}, "a fits none, or more"),
    ],
)
def test_what_else_json_schema_can_ask(schema: Any, given: Any, wrong: str) -> None:
    assert Arguments(schema).check(given).startswith(wrong)


def test_a_reason_does_not_grow_with_what_was_said() -> None:
    schema = Arguments({"properties": {"a": {"anyOf": [{"type": "string"}, {"items": {"type": "string"}}]}}})
    assert len(schema.check({"a": list(range(10_000))})) < 200
    assert len(Arguments({"additionalProperties": False}).check({"x" * 100_000: 1})) < 200
    assert len(Arguments({"properties": {"a": {"type": "integer"}}}).check({"a": "x" * 1_000_000})) < 200


@pytest.mark.parametrize(
    ("schema", "heavy"),
    [
        ({"type": "object", "properties": {"a": {"type": "string", "pattern": r"^\d{5}$"}}}, False),
        ({"$defs": {"d": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/d"}}}, False),
        ({"properties": {"a": {"$ref": "#"}}}, True),
        ({"properties": {"a": {"pattern": "(?=a)b"}}}, True),
        ({"properties": {"a": {"pattern": "(?:a{1,30}b){1,30}"}}}, True),
        ({"properties": {"a": {"enum": [[number] for number in range(5000)]}}}, True),
        ({"$dynamicAnchor": "m", "properties": {"a": {"$dynamicRef": "#m"}}}, True),
    ],
)
def test_what_is_checked_beside_the_loop(schema: Any, heavy: bool) -> None:
    assert (Arguments(schema).cost(2_000) > 1_000_000) is heavy
