"""VO307 and VO308: a handler's signature against its tool's schema; and that calls go as they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lints.projects import places, validate
from tests.runtime.runtime_bench import serving, spec_of, tool

FILES = {
    "voiceops.yaml": "version: 1\nproject: shop\nruntime: {url: https://voice.shop.example}\n",
}
TOOL = """
kind: Tool
name: look-up
spec:
  type: function
  server: runtime
  function:
    name: lookUp
    description: Finds an order by its number.
    parameters: {SCHEMA}
handler: orders:look_up
---
kind: Agent
name: desk
spec:
  server: runtime
  firstMessage: Hello, this is the garden shop.
  model: {provider: openai, model: gpt-4.1-mini, maxTokens: 400, tools: [look-up]}
"""
TWO = {
    "type": "object",
    "properties": {"number": {"type": "string"}, "from": {"type": "string"}},
    "required": ["number"],
}
ALL = {**TWO, "required": ["number", "from"]}
NONE: dict[str, Any] = {"type": "object", "properties": {}}


def found(folder: Path, source: str, schema: dict[str, Any]) -> list[tuple[str, str, int]]:
    files = FILES | {
        "agents/all.yaml": TOOL.replace("{SCHEMA}", json.dumps(schema)),
        "agents/handlers/orders.py": source,
    }
    return places(validate(folder, files))


PY = "agents/handlers/orders.py"
CASES: dict[str, tuple[str, dict[str, Any], list[tuple[str, str, int]]]] = {
    "alike": ("def look_up(number, from_=''): ...\n", TWO, []),
    "with-the-call": ("async def look_up(call, number: str, from_: str) -> str: ...\n", ALL, []),
    "keyword-only": ("def look_up(call, *, number, from_=None): ...\n", TWO, []),
    "the-rest": ("def look_up(**rest): ...\n", ALL, []),
    "nothing": ("def look_up(): ...\n", NONE, []),
    "only-optional-left-out": ("def look_up(number): ...\n", TWO, []),
    "defaults": ("def look_up(number, other=1, *, more=2): ...\n", TWO, []),
    "misspelt": ("\ndef look_up(nunber): ...\n", TWO, [("VO307", PY, 2), ("VO308", "agents/all.yaml", 10)]),
    "misspelt-with-rest": ("def look_up(nunber, **rest): ...\n", TWO, [("VO307", PY, 1)]),
    "no-schema": ("def look_up(number): ...\n", NONE, [("VO307", PY, 1)]),
    "keyword-only-missing": ("def look_up(number, *, other): ...\n", TWO, [("VO307", PY, 1)]),
    "on-its-line": ("def look_up(\n    number,\n    other,\n): ...\n", TWO, [("VO307", PY, 3)]),
    "call-comes-second": ("def look_up(number, call): ...\n", TWO, [("VO307", PY, 1)]),
    "positional-only": ("def look_up(number, /): ...\n", TWO, [("VO308", "agents/all.yaml", 10), ("VO307", PY, 1)]),
    "may-be-left-out": ("def look_up(number, from_): ...\n", TWO, [("VO308", PY, 1)]),
    "not-taken": ("def look_up(number): ...\n", ALL, [("VO308", "agents/all.yaml", 10)]),
    # What can't be known from reading is left alone.
    "decorated": ("from functools import cache\n@cache\ndef look_up(other): ...\n", TWO, []),
    "replaced": ("def look_up(other): ...\nlook_up = print\n", TWO, []),
    "defined-twice": ("def look_up(other): ...\ndef look_up(number): ...\n", TWO, []),
    "imported": ("from os import getpid as look_up\n", TWO, []),
    "a-class": ("class look_up:\n    def __init__(self, other): ...\n", TWO, []),
}


@pytest.mark.parametrize(("source", "schema", "expected"), CASES.values(), ids=CASES)
def test_signature_and_schema(
    tmp_path: Path, source: str, schema: dict[str, Any], expected: list[tuple[str, str, int]]
) -> None:
    assert sorted(found(tmp_path, source, schema)) == sorted(expected)


def test_a_composed_schema_is_left_alone(tmp_path: Path) -> None:
    schema = json.dumps({"type": "object", "properties": {}, "allOf": [TWO]})
    manifests = TOOL.replace("{SCHEMA}", schema).replace("handler: orders", "allowUnknown: true\nhandler: orders")
    files = FILES | {"agents/all.yaml": manifests, PY: "def look_up(number, other): ...\n"}
    assert not validate(tmp_path, files)


def test_a_column_counts_characters(tmp_path: Path) -> None:
    files = FILES | {
        "agents/all.yaml": TOOL.replace("{SCHEMA}", json.dumps(NONE)),
        PY: "def look_up(größe='ß', *, zahl): ...\n",
    }
    (diagnostic,) = validate(tmp_path, files)
    assert diagnostic.mark is not None
    assert diagnostic.mark.column == 27
    assert diagnostic.address == "Tool/look-up"
    assert "lookUp" in diagnostic.summary


def test_a_package_and_a_dotted_module(tmp_path: Path) -> None:
    for handler, file in (("orders.desk:look_up", "orders/desk.py"), ("orders:look_up", "orders/__init__.py")):
        files = FILES | {
            "agents/all.yaml": TOOL.replace("{SCHEMA}", json.dumps(NONE)).replace("orders:look_up", handler),
            f"agents/handlers/{file}": "def look_up(number): ...\n",
        }
        assert places(validate(tmp_path / file.replace("/", "-"), files)) == [("VO307", f"agents/handlers/{file}", 1)]


FAILING = ["misspelt", "no-schema", "keyword-only-missing", "call-comes-second", "positional-only"]
GOING = ["alike", "with-the-call", "keyword-only", "the-rest", "only-optional-left-out", "not-taken", "defaults"]


@pytest.mark.parametrize("case", [*FAILING, *GOING])
def test_the_runtime_does_as_the_lint_says(tmp_path: Path, case: str) -> None:
    """VO307 is an error: every call fails. What the lint lets pass is answered."""
    source, schema, expected = CASES[case]
    spec = spec_of(tool("lookUp", "h:look_up", parameters=schema))
    given = dict.fromkeys(schema["properties"], "1")
    with serving(tmp_path, spec, source) as client:
        answer = client.tool("lookUp", given)
    assert ("error" in answer) == (case in FAILING)
    assert any(code == "VO307" for code, _, _ in expected) == (case in FAILING)
