"""Schemas that models fill in, against an independent judge: jsonschema's own check of a schema, draft 2020-12."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lints.projects import PROJECT
from voiceops import use
from voiceops.errors import Mark
from voiceops.lints.context import Context
from voiceops.lints.schemas import schema_invalid
from voiceops.lints.texts import Texts
from voiceops.model.graph import Resource
from voiceops.model.values import Secret

NAMES = st.sampled_from(["a", "b", "type", "required", "x-y"])
PATTERNS = st.sampled_from(["^a+$", "[a-z]{2,3}", "", "(", "[a", "*", "a{3,1}", "a|b", "(?P<"])
JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(-2, 2), NAMES, st.lists(NAMES, max_size=2), st.just({})
)
TYPES = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string", "strin", "Integer"])
ONE = ("not", "if", "then", "else", "contains", "additionalProperties", "propertyNames", "items")
BESIDE = ("unevaluatedItems", "unevaluatedProperties")
NAMED = ("properties", "$defs", "dependentSchemas", "definitions")
LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains")
NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
TEXTS = ("title", "description", "format", "$comment", "contentEncoding", "contentMediaType")


def mostly(fitting: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(fitting, fitting, fitting, JUNK)


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    said: dict[str, st.SearchStrategy[Any]] = {
        "type": mostly(st.one_of(TYPES, st.lists(TYPES, max_size=3))),
        "required": mostly(st.lists(NAMES, max_size=3)),
        "enum": mostly(st.lists(JUNK, max_size=3)),
        "const": JUNK,
        "default": JUNK,
        "examples": mostly(st.lists(JUNK, max_size=2)),
        "pattern": mostly(PATTERNS),
        "uniqueItems": mostly(st.booleans()),
        "dependentRequired": mostly(st.dictionaries(NAMES, st.lists(NAMES, max_size=2), max_size=2)),
        "patternProperties": mostly(st.dictionaries(PATTERNS, inner, max_size=2)),
        **{name: mostly(inner) for name in (*ONE, *BESIDE)},
        **{name: mostly(st.dictionaries(NAMES, inner, max_size=2)) for name in NAMED},
        **{name: mostly(st.lists(inner, max_size=2)) for name in LISTED},
        **{name: mostly(st.integers(-1, 3)) for name in COUNTS},
        **{name: mostly(st.floats(-1, 3)) for name in NUMBERS},
        **{name: mostly(st.text(max_size=3)) for name in TEXTS},
    }
    one = st.sampled_from(sorted(said)).flatmap(lambda name: st.tuples(st.just(name), said[name]))
    return st.lists(one, max_size=4).map(dict)


SCHEMAS = st.recursive(st.one_of(st.booleans(), st.just({}), keywords(st.booleans())), keywords, max_leaves=8)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> use.Loaded:
    """A project with one agent."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "agents").mkdir()
    (folder / "voiceops.yaml").write_text(PROJECT)
    (folder / "agents/a.yaml").write_text("kind: Agent\nname: desk\nspec: {firstMessage: Hello}\n")
    return use.load(folder)


def told(desk: use.Loaded, schema: Any) -> list[str]:
    """What VO309 says of a structured output's schema."""
    output = Resource(
        address="StructuredOutput/o",
        kind="StructuredOutput",
        type="vapi_structured_output",
        name="o",
        body={"schema": schema},
        mark=Mark("o.yaml", 1, 1),
    )
    graph = replace(desk.graph, resources={output.address: output})
    return [finding.summary for finding in schema_invalid(Context(desk.project, graph, Texts(desk.project.root)))]


def judged(schema: dict[str, Any]) -> bool:
    """Does jsonschema take it for a schema?"""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError:
        return False
    return True


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schema=keywords(SCHEMAS))
def test_a_schema_is_wrong_where_another_judge_finds_it_wrong(desk: use.Loaded, schema: dict[str, Any]) -> None:
    assert (told(desk, schema) == []) is judged(schema)


PLACES: list[Any] = [
    *({name: "X"} for name in (*ONE, *BESIDE)),
    *({name: {"a": "X"}} for name in (*NAMED, "patternProperties", "dependencies")),
    *({name: ["X"]} for name in LISTED),
    *({name: {"not": {"items": "X"}}} for name in ONE),
]


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize(
    "inner",
    [{"pattern": "("}, {"pattern": "a"}, {"patternProperties": {"[a": {}}}, {"type": "strin"}, {"minimum": "low"}],
    ids=str,
)
def test_wherever_a_schema_stands(desk: use.Loaded, place: Any, inner: dict[str, Any]) -> None:
    """Random schemas seldom have what is wrong so deep."""
    schema = _with(place, inner)
    assert (told(desk, schema) == []) is judged(schema)


def _with(place: Any, inner: Any) -> Any:
    if isinstance(place, dict):
        return {name: _with(item, inner) for name, item in place.items()}
    if isinstance(place, list):
        return [_with(item, inner) for item in place]
    return inner


def test_a_value_that_is_known_later_hides_nothing_else(desk: use.Loaded) -> None:
    token = Secret(parts=("", ""), names=("TOKEN",))
    assert len(told(desk, {"properties": {"a": {"minimum": "low"}, "b": {"const": token}}})) == 1
