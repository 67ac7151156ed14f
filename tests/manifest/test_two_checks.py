"""Two checks of one schema say the same: ours, which names what is wrong, and jsonschema over the editors' schemas.

Bodies are made out of the facts, then broken in places. What is meant to differ is left out by how they are made and
compared, and stands here once:

- `null` means "not set" to a manifest; an editor's schema knows no null. None is made.
- A name may stand for a part, and `${…}` for any value. Both are resolved before our check; no text is made where one
  of them could be meant, nor one that holds `${`.
- Required keys, and the key that chooses a variant, may come from a part, a default or an environment's file. An
  editor sees none of those, so its schema of a spec asks for no key; ours is told not to (`partial`).
- A key that no type knows is our error with a hint where it belongs. An editor's schema of a spec lets it pass, as
  `allowUnknown` does; the one of voiceops.yaml does not. Only there are keys invented.
- A kind whose facts take further keys (`extra`) checks their values; the editors' schema leaves them alone.
- A deprecated key, and a value that an open list doesn't have yet, are warnings. An editor marks the first and takes
  the second.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voiceops.errors import Diagnostic, Mark
from voiceops.kinds.json_schema import manifest_schema, settings_schema
from voiceops.kinds.registry import ALL, PART_KEYS
from voiceops.kinds.schema import Node, root, type_of
from voiceops.manifest.problems import Problems
from voiceops.manifest.schema_check import Checker
from voiceops.model.located import Map, Seq

DEEPEST = 4
MARK = Mark("a.yaml", 1, 1)
WORDS = st.text(alphabet="abcxyz09-+ ", max_size=12)
WRONG = st.sampled_from([True, False, -1, 0, 7, 10**9, 0.5, "", "x", "zz" * 300, [], {}, [1], ["x"], {"x": 1}])
SETTINGS = ("Project", "Environment", "PolicyRule")


@st.composite
def made(draw: st.DrawFn, node: Node, source: str = "vapi", depth: int = 0, *, named: bool = False) -> Any:
    """A value for a node, now and then a wrong one; `named`: a text would be a part's name here, so none is made."""
    if depth and draw(st.integers(0, 11)) == 0:
        value = draw(WRONG)
        return {} if named and isinstance(value, str) else value
    match node["type"]:
        case "string":
            return draw(st.sampled_from(node["enum"]) if "enum" in node else WORDS)
        case "boolean":
            return draw(st.booleans())
        case "integer" | "number" if "enum" in node:
            return draw(st.sampled_from(node["enum"]))
        case "integer" | "number":
            low, high = int(node.get("minimum", -5)), int(node.get("maximum", 10_000))
            return draw(st.integers(low, high) | st.integers(low - 1, low) | st.integers(high, high + 1))
        case "array":
            if depth > DEEPEST:
                return []
            inner = node.get("items", {"type": "any"})
            return draw(st.lists(made(inner, source, depth + 1, named=named), max_size=3))
        case "object" if "of" in node:
            return draw(objects(node["of"], source, depth))
        case "object" if "values" in node:
            return draw(st.dictionaries(st.sampled_from(["a", "b"]), made(node["values"], source, depth + 1)))
        case "union":
            by = node["by"]
            choice = draw(st.sampled_from(sorted(node["variants"])))
            body = draw(objects(node["variants"][choice], source, depth))
            if draw(st.integers(0, 15)):
                body[by] = choice
            return body
        case "anyOf":
            return draw(made(draw(st.sampled_from(node["options"])), source, depth, named=named))
    return draw(st.sampled_from([{}, {"x": 1}]))


@st.composite
def objects(draw: st.DrawFn, name: str, source: str, depth: int) -> dict[str, Any]:
    """A map of a type: what it requires, and some of the rest."""
    definition = type_of(name, source)
    fields: dict[str, Node] = definition["fields"]
    if depth > DEEPEST:
        return {}
    few = draw(st.lists(st.sampled_from(sorted(fields)), max_size=5, unique=True)) if fields else []
    keys = dict.fromkeys([*(key for key in definition["required"] if draw(st.integers(0, 9))), *few])
    found = {
        key: draw(made(fields[key], source, depth + 1, named=key in PART_KEYS or key == "tools"))
        for key in keys
        if key in fields
    }
    if source == "project" and draw(st.integers(0, 20)) == 0:
        found["unheardOf"] = 1
    return found


def located(value: Any, path: str = "", lines: Iterator[int] | None = None) -> Any:
    """The value as if each entry stood in a line of its own."""
    lines = lines or count(2)
    if isinstance(value, dict):
        result = Map()
        for key, item in value.items():
            here = Mark("a.yaml", next(lines), 1, f"{path}.{key}")
            result.put(key, located(item, here.path, lines), here)
        return result
    if isinstance(value, list):
        items = Seq()
        for index, item in enumerate(value):
            here = Mark("a.yaml", next(lines), 1, f"{path}[{index}]")
            items.put(located(item, here.path, lines), here)
        return items
    return value


def ours(node: Node, value: Any, source: str, *, partial: bool) -> list[Diagnostic]:
    problems = Problems()
    Checker(problems, source=source, partial=partial).check(node, located(value), MARK)
    return [problem for problem in problems.all if problem.severity == "error"]


@cache
def spec_of(kind: str) -> jsonschema.Draft202012Validator:
    schema = manifest_schema(kind)
    (condition,) = schema["allOf"]
    return jsonschema.Draft202012Validator({**condition["then"]["properties"]["spec"], "$defs": schema["$defs"]})


@cache
def settings_of(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(settings_schema(name))


def _first(problem: Diagnostic) -> str:
    """The key of the whole in which a problem lies; an unknown key is a problem of the map around it."""
    steps = problem.mark.path.replace("[", ".").split(".")[1:] if problem.mark else []
    return next(iter(steps[:-1] if problem.code == "schema-unknown-key" else steps), "")


def compare(mine: list[Diagnostic], validator: jsonschema.Draft202012Validator, value: Any) -> None:
    """The same keys of the whole hold something wrong, or the whole itself is wrong."""
    theirs = list(validator.iter_errors(value))
    here = {_first(problem) for problem in mine}
    there = {str(next(iter(error.absolute_path), "")) for error in theirs}
    said = [f"{error.json_path}: {error.message}" for error in theirs]
    assert here == there, "\n".join(["ours:", *map(str, mine), "jsonschema:", *said])


@pytest.mark.parametrize("kind", ALL)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_specs(kind: str, data: st.DataObject) -> None:
    node = root(kind, "manifest")
    value = data.draw(made(node))
    unknown = ("schema-unknown-key", "schema-read-only")
    mine = [problem for problem in ours(node, value, "vapi", partial=True) if problem.code not in unknown]
    compare(mine, spec_of(kind), value)


@pytest.mark.parametrize("name", SETTINGS)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_settings(name: str, data: st.DataObject) -> None:
    node: Node = {"type": "object", "of": name}
    value = data.draw(made(node, "project"))
    compare(ours(node, value, "project", partial=False), settings_of(name), value)
