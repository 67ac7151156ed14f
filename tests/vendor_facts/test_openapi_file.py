"""The vendor's document as a file: JSON or YAML, and everything that it may be instead."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.vendor_facts.test_from_openapi import OPENAPI
from voiceops.errors import VoiceopsError
from voiceops.kinds.own_facts import own_facts
from voiceops.vendor_facts.facts_text import render
from voiceops.vendor_facts.from_openapi import build
from voiceops.vendor_facts.openapi_file import read_openapi
from voiceops.vendor_facts.plain_yaml import NoYaml, plain_yaml


def _with(**schemas: Any) -> dict[str, Any]:
    return {**OPENAPI, "components": {"schemas": {**OPENAPI["components"]["schemas"], **schemas}}}


def _read(tmp_path: Path, text: str) -> dict[str, Any]:
    (tmp_path / "openapi").write_text(text, encoding="utf-8")
    return read_openapi(tmp_path / "openapi")


def test_json_and_yaml_say_the_same(tmp_path: Path) -> None:
    assert _read(tmp_path, json.dumps(OPENAPI)) == OPENAPI
    assert _read(tmp_path, "\ufeff" + json.dumps(OPENAPI)) == OPENAPI
    assert _read(tmp_path, "# as YAML\n" + json.dumps(OPENAPI)) == OPENAPI


def test_a_word_of_yaml_is_a_text() -> None:
    read = plain_yaml(b"on: off\nno: [yes, 1, 1.5, 1e3, 007, 9:30, true, null, ~, +1, 'true']\n")
    assert read == {"on": "off", "no": ["yes", 1, 1.5, 1000.0, "007", "9:30", True, None, "~", "+1", "true"]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"a: &x [1]\nb: *x", "has an alias (line 2)"),
        (b"[" * 5_000 + b"]" * 5_000, "is not valid YAML"),
        (b"[" * 500 + b"]" * 500, "is nested more than 100 deep"),
        (b"? [a]\n: b", "has a key that is no text (line 1)"),
        (b"a: [", "is not valid YAML"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"a: \x01", "is not valid YAML"),
    ],
)
def test_yaml_that_is_not_read(text: bytes, problem: str) -> None:
    with pytest.raises(NoYaml) as raised:
        plain_yaml(text)
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "has no `openapi`"),
        ({"swagger": "2.0"}, "has no `openapi`"),
        ({"openapi": "2.0"}, "is not of OpenAPI 3"),
        ({"openapi": "3.0.0", "components": {"schemas": {}}}, "does not describe AssistantOverrides"),
        ({**OPENAPI, "paths": []}, "paths must be a map"),
        (_with(X={"properties": {"a": 1}}), "components.schemas.X.a must be a map, not a number"),
        (_with(X={"required": "a"}), "components.schemas.X.required must be a list of texts, not a text"),
        (_with(X={"enum": [[]]}), "components.schemas.X.enum must be a list of plain values"),
        (_with(X={"oneOf": []}), "components.schemas.X.oneOf must be a list with items"),
        (_with(X={"minimum": "1"}), "components.schemas.X.minimum must be a number"),
        (_with(X={"description": {}}), "components.schemas.X.description must be a text"),
        (_with(X={"oneOf": [{}], "discriminator": {}}), "components.schemas.X.discriminator has no propertyName"),
        (_with(X={"discriminator": {"mapping": {"a": 1}}}), "components.schemas.X.discriminator.mapping"),
    ],
)
def test_a_document_of_somebody_else_is_told_in_one_line(tmp_path: Path, document: Any, problem: str) -> None:
    with pytest.raises(VoiceopsError) as raised:
        _read(tmp_path, json.dumps(document))
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


def test_half_a_file_and_a_huge_one(tmp_path: Path) -> None:
    with pytest.raises(VoiceopsError, match="it is no JSON"):
        _read(tmp_path, json.dumps(OPENAPI)[:-20])
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(100 << 20)
    with pytest.raises(VoiceopsError, match="larger than 32 MiB"):
        read_openapi(tmp_path / "huge")
    with pytest.raises(VoiceopsError, match="can't be read"):
        read_openapi(tmp_path / "none")


_ONE = {"type": "string", "enum": ["a"]}
_LOOPS = {
    "to-itself": {"A": {"properties": {"type": _ONE, "a": {"$ref": "#/components/schemas/A"}}}},
    "through-a-union-that-nothing-tells-apart": {
        name: {
            "properties": {
                "type": _ONE,
                "both": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}]},
            },
            "required": ["type"],
        }
        for name in ("A", "B")
    },
    "to-nowhere": {"A": {"properties": {"a": {"$ref": "#/components/schemas/Gone"}}}},
    "a-union-with-nowhere": {
        "A": {
            "properties": {
                "a": {
                    "oneOf": [{"$ref": "#/components/schemas/Gone"}, {"$ref": "#/components/schemas/Server"}],
                    "discriminator": {"propertyName": "x", "mapping": {"g": "Gone", "s": "Server"}},
                }
            }
        }
    },
    "a-pattern-without-bounds": {"A": {"properties": {"a": {"type": "string", "pattern": "^(?=x)(a+)+$"}}}},
    "an-empty-pattern-in-javascript": {"A": {"properties": {"a": {"type": "string", "pattern": "//"}}}},
}


@pytest.mark.parametrize("schemas", _LOOPS.values(), ids=_LOOPS)
def test_references_that_go_in_circles_or_nowhere_end(tmp_path: Path, schemas: dict[str, Any]) -> None:
    server = {"properties": {"a": {"$ref": "#/components/schemas/A"}}}
    document = _read(tmp_path, json.dumps(_with(**{**schemas, "Server": server})))
    limit = sys.getrecursionlimit()
    facts, _ = build(document)
    assert "A" in own_facts(render(facts).encode()).types
    assert sys.getrecursionlimit() == limit
