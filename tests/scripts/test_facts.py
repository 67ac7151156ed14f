"""The checked-in facts: complete in themselves, and holding what is documented of the API."""

import ast
import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from voiceops.vendor_facts.facts_text import render, rules
from voiceops.vendor_facts.from_openapi import BY_NAME, COLLECTIONS, PARTS, names_in
from voiceops.vendor_facts.hand_written import ROOTS

FILE = Path(__file__).parent.parent.parent / "schema" / "vapi.json"
FACTS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
TYPES = FACTS["types"]
_TYPES = {"string", "number", "integer", "boolean", "array", "object", "union", "anyOf", "any"}


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("type") in _TYPES:
            yield value
        for item in value.values():
            yield from _nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _nodes(item)


NODES = [node for one in TYPES.values() for field in one["fields"].values() for node in _nodes(field)]


def _field(path: str) -> dict[str, Any]:
    name, _, key = path.partition(".")
    found: dict[str, Any] = TYPES[name]["fields"][key]
    return found


def test_the_file_is_as_it_would_be_written_and_small() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert text == render(FACTS)
    assert FACTS["rules"] == rules(), "the repairs have changed since: make schema OPENAPI=FILE"
    assert len(text.encode()) < 600_000


def test_there_is_a_root_for_every_kind_and_part() -> None:
    assert set(FACTS["roots"]) == {*COLLECTIONS, *BY_NAME, *PARTS, *ROOTS}


def test_every_type_that_is_named_is_described() -> None:
    named = {name for one in TYPES.values() for name in names_in(one["fields"])}
    for root in FACTS["roots"].values():
        for body in root.values() if isinstance(root, dict) and "create" in root else [root]:
            named |= {body} if isinstance(body, str) else set(names_in(body))
    assert named - {"multipart/form-data"} == set(TYPES)


def test_required_keys_are_fields() -> None:
    assert [name for name, one in TYPES.items() if not set(one["required"]) <= set(one["fields"])] == []


def test_patterns_are_pythons() -> None:
    patterns = [node["pattern"] for node in NODES if isinstance(node.get("pattern"), str)]
    patterns += [pattern for node in NODES if node["type"] == "union" for pattern in node.get("patterns", {})]
    assert len(patterns) > 10
    for pattern in patterns:
        re.compile(pattern)


def test_references_name_kinds() -> None:
    named = {node[key] for node in NODES for key in ("reference", "mayReference") if isinstance(node.get(key), str)}
    assert named <= set(FACTS["roots"])
    assert named >= {"Agent", "Credential", "File", "Scorecard", "Simulation", "Squad", "StructuredOutput", "Tool"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("CreateAssistantDTO.name", {"maxLength": 40}),
        ("CreateAssistantDTO.silenceTimeoutSeconds", {"minimum": 10}),
        ("AssistantOverrides.silenceTimeoutSeconds", {"minimum": 10}),
        ("CreateAssistantDTO.maxDurationSeconds", {"minimum": 10, "maximum": 43200}),
        ("StopSpeakingPlan.voiceSeconds", {"maximum": 0.5}),
        ("OpenAIFunction.name", {"pattern": "^[a-zA-Z0-9_-]{1,64}$"}),
        ("ElevenLabsVoice.speed", {"minimum": 0.7, "maximum": 1.2}),
        ("CartesiaGenerationConfig.speed", {"minimum": 0.6, "maximum": 1.5}),
        ("DeepgramTranscriber.eotThreshold", {"minimum": 0.5, "maximum": 0.9}),
        ("DeepgramTranscriber.eotTimeoutMs", {"minimum": 500, "maximum": 10000}),
        ("DeepgramTranscriber.eagerEotThreshold", {"minimum": 0, "maximum": 1}),
        ("GladiaTranscriber.endpointing", {"minimum": 0.01, "maximum": 10}),
        ("CreateStructuredOutputDTO.name", {"minLength": 1, "maxLength": 40}),
        ("CreateScenarioDTO.instructions", {"maxLength": 10000}),
        ("CreateScenarioDTO.evaluations", {"minItems": 1}),
        ("CreatePersonalityDTO.name", {"maxLength": 80}),
        ("CreatePersonalityDTO.path", {"maxLength": 255, "nullable": True}),
        ("TimeElapsedOptions.seconds", {"minimum": 1, "maximum": 3600}),
        ("BackoffPlan.type", {"enum": ["fixed", "exponential"]}),
        ("TransferPlan.sipVerb", {"type": "string", "default": "refer"}),
        ("CreateAssistantDTO.serverUrl", {"deprecated": True, "successor": "server.url"}),
        ("Server.secret", {"secret": True, "deprecated": True}),
        ("GcpKey.privateKey", {"secret": True}),
        ("CreateS3CredentialDTO.awsSecretAccessKey", {"secret": True}),
        ("HMACAuthenticationPlan.secretKey", {"secret": True}),
        ("CreateTwilioPhoneNumberDTO.twilioAuthToken", {"secret": True}),
        ("ScorecardMetric.structuredOutputId", {"reference": "StructuredOutput"}),
        ("EvaluationPlanItem.structuredOutputId", {"reference": "StructuredOutput"}),
        ("CreateSimulationDTO.personalityId", {"reference": "Personality"}),
        ("CreateSimulationDTO.scenarioId", {"reference": "Scenario"}),
        ("CreateSimulationSuiteDTO.simulationIds", {"reference": "Simulation", "set": True}),
        ("KnowledgeBase.fileIds", {"reference": "File", "set": True}),
        ("ArtifactPlan.scorecardIds", {"reference": "Scorecard", "set": True}),
        ("HandoffDestinationSquad.entryAssistantName", {"reference": "Agent", "referenceBy": "name"}),
    ],
)
def test_what_is_documented_is_held(path: str, expected: dict[str, Any]) -> None:
    node = _field(path)
    assert {key: node.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("provider", "absent"),
    [
        ("cartesia", {"speed", "stability", "similarityBoost", "enableSsmlParsing"}),
        ("11labs", {"generationConfig", "pronunciationDictId"}),
        ("vapi", {"stability", "similarityBoost", "enableSsmlParsing", "generationConfig"}),
    ],
)
def test_voices_have_their_own_fields_only(provider: str, absent: set[str]) -> None:
    assert not absent & set(TYPES[FACTS["roots"]["Voice"]["variants"][provider]]["fields"])


def test_hooks_are_told_apart_by_their_event() -> None:
    items = _field("CreateAssistantDTO.hooks")["items"]
    assert (items["type"], items["by"]) == ("union", "on")
    assert {"call.ending", "call.timeElapsed", "customer.speech.timeout", "model.response.timeout"} <= set(
        items["variants"]
    )
    [pattern] = items["patterns"]
    assert re.match(pattern, "customer.speech.timeout[timeoutSeconds=10]")
    assert not re.match(pattern, "customer.speech.timeouts")


# Lists of something else in fields whose names speak of models, voices or languages.
_CLOSED = {
    "firstMessageMode": "who speaks first",
    "languageBehaviour": "how a language is found",
    "voicemailDetection": "off, or a plan",
    "voicemailDetectionTypes": "what Twilio tells apart",
    "toolStrictCompatibilityMode": "what becomes of a schema",
}
_OFFER = re.compile(r"model|voice|language|speech|locale", re.IGNORECASE)
_LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Z][A-Za-z]{1,3})?\Z")


def _lists(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The lists of values in a node, its items and its alternatives: not in the types that it names."""
    if "enum" in node:
        yield node
    for inner in (node.get("items"), *node.get("options", ()), *node.get("others", ()), node.get("values")):
        if isinstance(inner, dict):
            yield from _lists(inner)


LISTS = [
    (name, key, found) for name, one in TYPES.items() for key, node in one["fields"].items() for found in _lists(node)
]


def _is_chosen_by(name: str, key: str) -> bool:
    return any(node["type"] == "union" and node["by"] == key and name in node["variants"].values() for node in NODES)


def test_no_list_of_models_voices_or_languages_is_closed() -> None:
    offers = [(name, key, found) for name, key, found in LISTS if _OFFER.search(key) and key not in _CLOSED]
    assert len(offers) > 100
    assert [(name, key) for name, key, found in offers if not found.get("open")] == []


def test_no_closed_list_holds_what_an_open_one_does() -> None:
    """By what stands in them: languages by their form, models and voices by being offered elsewhere."""
    offered = {
        value
        for _, key, found in LISTS
        if found.get("open") and _OFFER.search(key)
        for value in found["enum"]
        if isinstance(value, str) and len(value) > 4
    }
    for name, key, found in LISTS:
        values = [value for value in found["enum"] if isinstance(value, str)]
        if found.get("open") or key in _CLOSED or _is_chosen_by(name, key):
            continue
        languages = sum(bool(_LOCALE.match(value)) for value in values)
        # Three that look like codes of languages are no accident, unless they are regions, hooks of HTTP or the like.
        assert languages < 3 or key in ("operator", "mode", "sipVerb", "outboundProtocol", "metric", "redaction"), (
            name,
            key,
            values,
        )
        assert sum(value in offered for value in values) < 2, (name, key, values)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("AssemblyAITranscriber.speechModel", "universal-3-6-pro"),
        ("FallbackAssemblyAITranscriber.speechModel", "universal-3-6-pro"),
        ("ElevenLabsVoice.model", "eleven_v4_turbo"),
        ("RimeAIVoice.model", "coda"),
        ("DeepgramVoice.model", "flux"),
        ("DeepgramVoice.voiceId", "brooke"),
        ("OpenAIModel.model", "gpt-live-1"),
        ("DeepSeekModel.model", "deepseek-flash"),
    ],
)
def test_the_newest_client_is_a_second_witness(path: str, value: str) -> None:
    values = [known for found in _lists(_field(path)) for known in found["enum"]]
    examples = [known for node in _nodes(_field(path)) for known in node.get("examples", ())]
    assert value in values + examples


def test_every_class_of_the_newest_client_is_held() -> None:
    """Its fields and its values: the facts know them all, however its classes are spelled. Read as text, since
    importing its two thousand modules takes minutes."""
    known = {name.lower(): one["fields"] for name, one in TYPES.items()}
    sources = {path.stem.replace("_", ""): path for path in _CLIENT.glob("*.py")}
    shared = sorted(set(known) & set(sources))
    assert len(shared) > 400
    compared = 0
    for name in shared:
        fields = _client_fields(sources[name])
        if name != "fallbackazurevoice":  # `oneOf` came in by a slip of its generator
            assert not fields - set(known[name]), name
        for key in fields & set(known[name]):
            told = {value for found in _lists(known[name][key]) for value in found["enum"]}
            told |= {value for node in _nodes(known[name][key]) for value in node.get("examples", ())}
            free = any("enum" not in node and node["type"] == "string" for node in _nodes(known[name][key]))
            listed = next((sources[n] for n in (name + key.lower(), name + key.lower() + "item") if n in sources), None)
            if told and not free and listed is not None:
                compared += 1
                assert not _client_values(listed) - told, f"{name}.{key}"
    assert compared > 200


_CLIENT = Path(find_spec("vapi").submodule_search_locations[0]) / "types"  # type: ignore[union-attr, index]
_CLASS_FIELD = re.compile(r"^    (?P<name>[a-z]\w*): (?P<rest>.*?)(?=^    \S|\Z)", re.MULTILINE | re.DOTALL)
_ALIAS = re.compile(r'FieldMetadata\(alias="([^"]+)"\)')


def _client_fields(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    found = _CLASS_FIELD.finditer(text.partition("\nclass ")[2])
    return {alias[1] if (alias := _ALIAS.search(match["rest"])) else match["name"] for match in found}


def _client_values(path: Path) -> set[str]:
    return {
        item.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "typing.Literal"
        for item in ast.walk(node.slice)
        if isinstance(item, ast.Constant) and isinstance(item.value, str)
    }
