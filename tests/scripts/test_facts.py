"""The checked-in facts: complete in themselves, and holding what is documented of the API."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from make_schema import BY_NAME, COLLECTIONS, PARTS, names_in, render
from schema_types import ROOTS

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
