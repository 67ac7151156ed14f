"""From small OpenAPI documents to facts: the rules, every repair, the marks, the file."""

import json
from typing import Any

import pytest

from voiceops.vendor_facts.facts_text import render
from voiceops.vendor_facts.from_openapi import apply_repair, build, names_in
from voiceops.vendor_facts.hand_written import ROOTS, TYPES
from voiceops.vendor_facts.marks import NAME_REFERENCES, PROVIDER_REFERENCES, REFERENCES, SECRET_FIELDS, SECRETS
from voiceops.vendor_facts.openapi_nodes import Tag, Translator, python_pattern
from voiceops.vendor_facts.repairs import REPAIRS, TAGS, Repair


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _schema(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _one(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


CAT = _schema(("kind", "type"), type=_one("cat"), kind={"type": "string"}, lives={"type": "number"})
DOG = _schema(("type",), type=_one("dog"), kind={"type": "string"})
PLANS = {"Cat": CAT, "Dog": DOG, "Empty": {"type": "object", "properties": {}}}


def _node(schema: dict[str, Any], schemas: dict[str, Any] = PLANS, tags: dict[Any, Tag] | None = None) -> Any:
    return Translator(schemas, tags or {}).node(schema)


RULES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ranges-and-defaults-are-kept-and-descriptions-are-not": (
        {"type": "number", "minimum": 1, "maximum": 5, "default": 2, "description": "x", "example": 3},
        {"type": "number", "minimum": 1, "maximum": 5, "default": 2},
    ),
    "lengths-and-formats": (
        {"type": "string", "minLength": 1, "maxLength": 40, "format": "uuid"},
        {"type": "string", "minLength": 1, "maxLength": 40, "format": "uuid"},
    ),
    "a-value-listed-twice-is-listed-once": (_one("a", "b", "a"), {"type": "string", "enum": ["a", "b"]}),
    "deprecated-and-nullable-beside-a-reference": (
        {"allOf": [_ref("Cat")], "deprecated": True, "nullable": True},
        {"type": "object", "of": "Cat", "deprecated": True, "nullable": True},
    ),
    "a-reference": (_ref("Cat"), {"type": "object", "of": "Cat"}),
    "a-type-without-fields-is-any-map": (_ref("Empty"), {"type": "object"}),
    "an-enum-on-a-list-belongs-to-its-items": (
        {"type": "array", "enum": ["a", "b"], "items": {"type": "string"}},
        {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
    ),
    "an-enum-on-a-list-and-on-its-items": (
        {"type": "array", "enum": ["a"], "items": _one("a")},
        {"type": "array", "items": {"type": "string", "enum": ["a"]}},
    ),
    "a-length-on-a-list-is-that-of-its-items": (
        {"type": "array", "maxLength": 20, "items": {"type": "string", "maxLength": 20}},
        {"type": "array", "items": {"type": "string", "maxLength": 20}},
    ),
    "counts-of-items-are-kept": (
        {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string"}, "default": ["a"]},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3, "default": ["a"]},
    ),
    "a-list-of-anything": ({"type": "array"}, {"type": "array", "items": {"type": "any"}}),
    "an-object-with-texts-is-a-text": (
        {"type": "object", "enum": ["fixed", "exponential"]},
        {"type": "string", "enum": ["fixed", "exponential"]},
    ),
    "an-object-with-a-text-as-default-is-a-text": (
        {"type": "object", "enum": ["refer", "bye"], "default": "refer"},
        {"type": "string", "enum": ["refer", "bye"], "default": "refer"},
    ),
    "an-object-with-a-text-as-example-is-a-text": ({"type": "object", "example": "en"}, {"type": "string"}),
    "a-free-map": ({"type": "object", "example": {"a": 1}}, {"type": "object"}),
    "a-map-of-maps": (
        {"type": "object", "additionalProperties": _ref("Cat")},
        {"type": "object", "values": {"type": "object"}},
    ),
    "a-schema-that-says-nothing": ({"description": "x"}, {"type": "any"}),
    "a-javascript-pattern": (
        {"type": "string", "pattern": r"/^[a-z]+(?:\/[a-z]+)?$/"},
        {"type": "string", "pattern": "^[a-z]+(?:/[a-z]+)?$"},
    ),
    "a-pattern-that-python-can-not-compile-is-left-out": (
        {"type": "string", "pattern": r"/^\p{L}+$/u"},
        {"type": "string"},
    ),
    "known-texts-beside-any-text": (
        {"oneOf": [_one("off", "office"), {"type": "string", "format": "uri"}]},
        {"type": "string", "examples": ["off", "office"]},
    ),
    "no-known-texts-beside-any-text": ({"oneOf": [_one(), {"type": "string"}]}, {"type": "string"}),
    "two-lists-of-texts-are-one": ({"oneOf": [_one("a"), _one("b")]}, {"type": "string", "enum": ["a", "b"]}),
    "an-enum-beside-alternatives-that-contradict-it": (
        {"enum": ["1", "2"], "oneOf": [_one("1", "2"), {"type": "number", "enum": [1, 2]}]},
        {
            "type": "anyOf",
            "options": [{"type": "string", "enum": ["1", "2"]}, {"type": "number", "enum": [1, 2]}],
        },
    ),
    "alternatives-beside-allOf": (
        {"oneOf": [_ref("Cat"), _ref("Dog")], "allOf": [_ref("Cat")]},
        {"type": "union", "by": "type", "variants": {"cat": "Cat", "dog": "Dog"}},
    ),
    "alternatives-are-told-apart-by-a-key": (
        {"oneOf": [_ref("Cat"), _ref("Dog")]},
        {"type": "union", "by": "type", "variants": {"cat": "Cat", "dog": "Dog"}},
    ),
    "one-alternative-is-a-union-still": (
        {"oneOf": [_ref("Dog")]},
        {"type": "union", "by": "type", "variants": {"dog": "Dog"}},
    ),
    "a-map-or-a-text": (
        {"oneOf": [{"type": "string"}, _ref("Dog")]},
        {"type": "union", "by": "type", "variants": {"dog": "Dog"}, "others": [{"type": "string"}]},
    ),
    "a-declared-discriminator-and-an-alternative-that-it-forgot": (
        {
            "oneOf": [_ref("Cat"), _ref("Dog")],
            "discriminator": {"propertyName": "type", "mapping": {"cat": "#/components/schemas/Cat"}},
        },
        {"type": "union", "by": "type", "variants": {"cat": "Cat", "dog": "Dog"}},
    ),
    "a-discriminator-beside-allOf": (
        {
            "allOf": [_ref("Cat")],
            "discriminator": {"propertyName": "type", "mapping": {"cat": "#/components/schemas/Cat"}},
        },
        {"type": "union", "by": "type", "variants": {"cat": "Cat"}},
    ),
    "scalars": (
        {"oneOf": [{"type": "number"}, {"type": "boolean"}]},
        {"type": "anyOf", "options": [{"type": "number"}, {"type": "boolean"}]},
    ),
}


@pytest.mark.parametrize(("schema", "expected"), RULES.values(), ids=RULES)
def test_a_schema_becomes_a_node(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert _node(schema) == expected


def test_a_free_text_discriminator_is_recognised_by_its_tag() -> None:
    schemas = {"A": _schema(("on",), on=_one("a")), "B": _schema(("on",), on={"type": "string"})}
    tags = {("B", "on"): Tag(values=("b",), patterns=(r"^b\[.+\]$",))}
    assert _node({"oneOf": [_ref("A"), _ref("B")]}, schemas, tags) == {
        "type": "union",
        "by": "on",
        "variants": {"a": "A", "b": "B"},
        "patterns": {r"^b\[.+\]$": "B"},
    }


def test_alternatives_that_list_the_same_values_are_told_apart_by_their_tags() -> None:
    every = _one("vapi", "livekit")
    schemas = {"V": _schema(("provider",), provider=every), "L": _schema(("provider",), provider=every)}
    tags = {("V", "provider"): Tag(values=("vapi",)), ("L", "provider"): Tag(values=("livekit",))}
    assert _node({"oneOf": [_ref("V"), _ref("L")]}, schemas, tags)["variants"] == {"vapi": "V", "livekit": "L"}


def test_alternatives_that_nothing_tells_apart_are_merged() -> None:
    schemas = {
        "Number": _schema(("type", "value", "unit"), type=_one("is"), value={"type": "number"}, unit=_one("s")),
        "Flag": _schema(("type", "value"), type=_one("is"), value={"type": "boolean"}, not_={"type": "boolean"}),
        "Other": _schema(("type",), type=_one("was")),
    }
    translator = Translator(schemas, {})
    node = translator.node({"oneOf": [_ref("Number"), _ref("Flag"), _ref("Other")]})
    assert node == {"type": "union", "by": "type", "variants": {"is": "Number+Flag", "was": "Other"}}
    assert translator.merged["Number+Flag"] == {
        "required": ["type", "value"],
        "fields": {
            "type": {"type": "string", "enum": ["is"]},
            "value": {"type": "anyOf", "options": [{"type": "number"}, {"type": "boolean"}]},
            "unit": {"type": "string", "enum": ["s"]},
            "not_": {"type": "boolean"},
        },
    }


def test_alternatives_without_any_common_key() -> None:
    schemas = {"A": _schema(a={"type": "string"}), "B": _schema(b={"type": "string"})}
    assert _node({"oneOf": [_ref("A"), _ref("B")]}, schemas) == {
        "type": "anyOf",
        "options": [{"type": "object", "of": "A"}, {"type": "object", "of": "B"}],
    }


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (None, None),
        ("^a$", "^a$"),
        ("/^a$/", "^a$"),
        ("/^a$/u", "^a$"),
        ("/^a$/i", None),
        ("/(/", None),
    ],
)
def test_patterns_are_pythons(pattern: str | None, expected: str | None) -> None:
    assert python_pattern(pattern) == expected


def _holds(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and _holds(whole[key], part[key]) for key in part)
    return bool(whole == part)


def _name(repair: Repair) -> str:
    return f"{repair.types[0]}.{repair.field}"


@pytest.mark.parametrize("repair", REPAIRS, ids=_name)
def test_each_repair_changes_its_field_and_leaves_the_others(repair: Repair) -> None:
    published = {"type": "array", "items": {"type": "union", "by": "on", "variants": {"old": "Old"}}}
    other = {"type": "string"}
    if repair.how == "extend":
        published = {"type": "array", "items": {"type": "string", "enum": ["old"]}}
    types = {
        name: {"required": [], "fields": {"other": other} | ({} if repair.how == "add" else {repair.field: published})}
        for name in repair.types
    }

    assert list(apply_repair(repair, types)) == []

    for definition in types.values():
        if repair.how == "extend":
            assert definition["fields"][repair.field]["items"]["enum"] == ["old", *repair.node["enum"]]
        else:
            assert _holds(definition["fields"][repair.field], repair.node)
        assert definition["fields"]["other"] == other
        if repair.how == "merge":
            assert definition["fields"][repair.field]["items"]["variants"]["old"] == "Old"
    assert repair.reason.endswith(".")


def test_a_repair_reaches_merged_types_too() -> None:
    types = {name: {"required": [], "fields": {}} for name in ("A", "A+B", "AB")}
    assert list(apply_repair(Repair(("A",), "x", {"type": "string"}, "Why."), types)) == []
    assert [name for name, definition in types.items() if definition["fields"]] == ["A", "A+B"]


@pytest.mark.parametrize(
    ("repair", "note"),
    [
        (Repair(("B",), "x", {}, "Why."), "B.x: no such type to repair"),
        (Repair(("A",), "y", {}, "Why.", how="merge"), "A.y: no such field to repair"),
        (Repair(("A",), "y", {}, "Why.", how="replace"), "A.y: no such field to repair"),
        (Repair(("A",), "x", {"type": "any"}, "Why."), "A.x: published now, compare it with the repair"),
        (
            Repair(("A",), "x", {"type": "string"}, "Why.", how="replace"),
            "A.x: published as repaired, the repair can go",
        ),
        (Repair(("A",), "x", {"type": "string"}, "Why.", how="merge"), "A.x: published as repaired, the repair can go"),
    ],
)
def test_a_repair_that_does_not_fit_is_noted(repair: Repair, note: str) -> None:
    types = {"A": {"required": [], "fields": {"x": {"type": "string"}}}}
    assert list(map(str, apply_repair(repair, types))) == [note]


ASSISTANT = _schema(
    name={"type": "string", "maxLength": 40},
    voice={"oneOf": [_ref("ElevenLabsVoice")]},
    server=_ref("Server"),
    credentialIds={"type": "array", "items": {"type": "string"}},
    artifactPlan=_ref("TranscriptPlan"),
    handoff={"oneOf": [_ref("HandoffDestinationAssistant"), _ref("TransferDestinationAssistant")]},
)
SCHEMAS: dict[str, Any] = {
    "CreateAssistantDTO": ASSISTANT,
    "UpdateAssistantDTO": ASSISTANT,
    "ElevenLabsVoice": _schema(
        ("provider", "voiceId"),
        provider=_one("11labs"),
        voiceId=_one("sarah"),
        model=_one("eleven_v3"),
        stability=_one("low"),
        language={"type": "string"},
        languages={"type": "array", "items": _one("en")},
        locators={"type": "array", "items": _ref("ElevenLabsPronunciationDictionaryLocator")},
    ),
    "ElevenLabsPronunciationDictionaryLocator": _schema(
        pronunciationDictionaryId={"type": "string"}, versionId={"type": "string"}
    ),
    "Server": _schema(url={"type": "string"}, credentialId={"type": "string", "format": "uuid"}),
    "TranscriptPlan": _schema(assistantName={"type": "string"}, scenarioId={"type": "number"}),
    "HandoffDestinationAssistant": _schema(("type",), type=_one("assistant"), assistantName={"type": "string"}),
    "TransferDestinationAssistant": _schema(("type",), type=_one("assistant"), assistantName={"type": "string"}),
    "JsonSchema": _schema(("type",), type=_one("string")),
    "CreateFileDTO": _schema(("file",), file={"type": "string", "format": "binary"}),
    "UpdateFileDTO": _schema(name={"type": "string"}),
    "CreateFunctionToolDTO": _schema(("type",), type=_one("function"), parameters=_ref("JsonSchema")),
    "CreateMakeToolDTO": _schema(("type",), type=_one("make")),
    "UpdateMakeToolDTO": _schema(),
    "CreateHttpCredentialDTO": _schema(
        ("provider",),
        provider=_one("http"),
        apiKey={"type": "string"},
        apiKeyId={"type": "string"},
        pin={"type": "string", "writeOnly": True},
        code={"type": "string", "description": "A code. This is not returned in the API."},
        token={"type": "number"},
    ),
    "UpdateHttpCredentialDTO": _schema(apiKey={"type": "string"}),
    "AssistantOverrides": ASSISTANT,
    "Unused": _schema(x={"type": "string"}),
}
OPENAPI: dict[str, Any] = {
    "openapi": "3.0.0",
    "paths": {
        "/assistant": {
            "post": {"requestBody": {"content": {"application/json": {"schema": _ref("CreateAssistantDTO")}}}}
        },
        "/assistant/{id}": {
            "patch": {"requestBody": {"content": {"application/json": {"schema": _ref("UpdateAssistantDTO")}}}}
        },
        "/file": {"post": {"requestBody": {"content": {"multipart/form-data": {"schema": _ref("CreateFileDTO")}}}}},
        "/file/{id}": {"patch": {"requestBody": {"content": {"application/json": {"schema": _ref("UpdateFileDTO")}}}}},
        "/tool": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"oneOf": [_ref("CreateFunctionToolDTO")]}}}}
            }
        },
    },
    "components": {"schemas": SCHEMAS},
}


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return build(OPENAPI)[0]


def test_the_roots_are_the_bodies_of_the_collections(facts: dict[str, Any]) -> None:
    roots = facts["roots"]
    assert roots["Agent"] == {"create": "CreateAssistantDTO", "update": "UpdateAssistantDTO"}
    assert roots["File"] == {
        "create": "CreateFileDTO",
        "media": "multipart/form-data",
        "update": "UpdateFileDTO",
        "manifest": "FileManifest",
    }
    assert roots["Voice"] == {"by": "provider", "variants": {"11labs": "ElevenLabsVoice"}, "aliases": ANY_SPELLING}
    assert roots["Server"] == "Server"
    assert roots["Dictionary"] == ROOTS["Dictionary"]


def test_a_spec_that_is_not_the_body_has_a_type_of_its_own(facts: dict[str, Any]) -> None:
    assert facts["types"]["CreateFileDTO"]["fields"].keys() == {"file"}
    written = facts["types"]["FileManifest"]
    assert (written["required"], list(written["fields"])) == (["path"], ["metadata", "name", "path"])


def test_a_version_follows_the_reference_beside_it(facts: dict[str, Any]) -> None:
    fields = facts["types"]["ElevenLabsPronunciationDictionaryLocator"]["fields"]
    assert fields["versionId"] == {
        "type": "string",
        "follows": "pronunciationDictionaryId",
        "attribute": "versionId",
    }


ANY_SPELLING = {"eleven-labs": "11labs", "elevenlabs": "11labs"}


def test_credentials_and_tools_are_found_by_name_too(facts: dict[str, Any]) -> None:
    assert facts["roots"]["Credential"] == {
        "create": {"by": "provider", "variants": {"http": "CreateHttpCredentialDTO"}},
        "update": {"by": "provider", "variants": {"http": "UpdateHttpCredentialDTO"}},
    }
    assert facts["roots"]["Tool"] == {
        "create": {"by": "type", "variants": {"function": "CreateFunctionToolDTO", "make": "CreateMakeToolDTO"}},
        "update": {"by": "type", "variants": {"make": "UpdateMakeToolDTO"}},
    }


def test_only_what_the_roots_reach_is_kept_in_order(facts: dict[str, Any]) -> None:
    assert "Server" in facts["types"]
    assert "Unused" not in facts["types"]
    assert list(facts["types"]) == sorted(facts["types"])
    assert all(list(one["fields"]) == sorted(one["fields"]) for one in facts["types"].values())


def test_references_are_marked_by_their_names(facts: dict[str, Any]) -> None:
    fields = facts["types"]["CreateAssistantDTO"]["fields"]
    assert fields["credentialIds"] == {
        "type": "array",
        "items": {"type": "string"},
        "reference": "Credential",
        "set": True,
    }
    assert facts["types"]["Server"]["fields"]["credentialId"] == {
        "type": "string",
        "format": "uuid",
        "reference": "Credential",
    }


def test_a_number_of_the_same_name_is_no_reference_and_a_label_is_none(facts: dict[str, Any]) -> None:
    fields = facts["types"]["TranscriptPlan"]["fields"]
    assert fields == {"assistantName": {"type": "string"}, "scenarioId": {"type": "number"}}


def test_references_by_name_are_marked_in_merged_types_too(facts: dict[str, Any]) -> None:
    merged = facts["types"]["HandoffDestinationAssistant+TransferDestinationAssistant"]
    assert merged["fields"]["assistantName"] == {"type": "string", "reference": "Agent", "referenceBy": "name"}


def test_a_providers_own_id_may_be_that_of_a_managed_object(facts: dict[str, Any]) -> None:
    fields = facts["types"]["ElevenLabsPronunciationDictionaryLocator"]["fields"]
    assert fields["pronunciationDictionaryId"] == {
        "type": "string",
        "mayReference": "Dictionary",
        "attribute": "resourceId",
    }


def test_secrets_are_marked_by_name_and_by_what_the_schema_says(facts: dict[str, Any]) -> None:
    fields = facts["types"]["CreateHttpCredentialDTO"]["fields"]
    assert {key for key, node in fields.items() if node.get("secret")} == {"apiKey", "code", "pin"}


def test_lists_of_models_voices_and_languages_are_open(facts: dict[str, Any]) -> None:
    fields = facts["types"]["ElevenLabsVoice"]["fields"]
    assert {key for key, node in fields.items() if node.get("open")} == {"model", "voiceId"}
    assert fields["languages"]["items"]["open"]


def test_json_schema_is_free(facts: dict[str, Any]) -> None:
    assert [name for name, one in facts["types"].items() if one.get("free")] == ["JsonSchema"]


def test_what_is_expected_and_missing_is_noted() -> None:
    notes = list(map(str, build(OPENAPI)[1]))
    assert "Squad: POST /squad takes no body" in notes
    assert "BackoffPlan.excludedStatusCodes: no such type to repair" in notes
    assert "CartesiaPronunciationDictItem: named, but not described" in notes


def test_the_file_has_a_field_a_line_and_reads_back(facts: dict[str, Any]) -> None:
    text = render(facts)
    assert json.loads(text) == facts
    assert ' "name": {"type": "string", "maxLength": 40},\n' in text
    assert render(json.loads(text)) == text


def test_hand_written_types_name_only_each_other_and_published_ones() -> None:
    published = {"CartesiaPronunciationDictItem", "MessageAddHookAction", "SayHookAction", "ToolCallHookAction"}
    named = {name for one in TYPES.values() for name in names_in(one["fields"])}
    assert {name for name in named - TYPES.keys() - published if not name.startswith("Create")} == set()


def test_the_data_has_no_doubles() -> None:
    places = [(name, repair.field) for repair in REPAIRS if repair.how != "merge" for name in repair.types]
    assert len(places) == len(set(places))
    assert not SECRETS & {key for _, key in SECRET_FIELDS}
    assert not REFERENCES.keys() & {key for _, key in (*NAME_REFERENCES, *PROVIDER_REFERENCES)}
    assert all(tag.values for tag in TAGS.values())
