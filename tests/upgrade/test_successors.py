"""Each old field as data: what it becomes, or why it stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from voiceops.kinds.schema import facts, root
from voiceops.upgrade.file_upgrade import FileUpgrade, upgraded
from voiceops.upgrade.known_manifests import KnownManifests
from voiceops.upgrade.modern_body import modern
from voiceops.upgrade.successors import OldField, decision_for

MODEL = {"provider": "openai", "model": "gpt-4o"}
KNOWN = KnownManifests(
    tools={"bye": "endCall", "find": "function", "pass-on": "transferCall"}, credentials={"${secret:KEPT}": "kept"}
)
VOICE = {"provider": "11labs", "voiceId": "x"}
TRANSCRIPT = {"role": "user", "content": "Here is the transcript:\n\n{{transcript}}\n\n"}

# An agent's spec before and after.
REWRITTEN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"serverUrl": "https://x.example"}, {"server": {"url": "https://x.example"}}),
    (
        {"serverUrl": "https://x.example", "server": {"timeoutSeconds": 5}},
        {"server": {"timeoutSeconds": 5, "url": "https://x.example"}},
    ),
    (
        {"serverUrl": "https://x.example", "server": {"url": "https://x.example"}},
        {"server": {"url": "https://x.example"}},
    ),
    ({"endCallFunctionEnabled": True, "model": MODEL}, {"model": MODEL | {"tools": [{"type": "endCall"}]}}),
    (
        {"endCallFunctionEnabled": True, "model": MODEL | {"tools": ["find"]}},
        {"model": MODEL | {"tools": ["find", {"type": "endCall"}]}},
    ),
    (
        {"endCallFunctionEnabled": True, "model": MODEL | {"tools": [{"type": "endCall", "messages": []}]}},
        {"model": MODEL | {"tools": [{"type": "endCall", "messages": []}]}},
    ),
    ({"endCallFunctionEnabled": True, "model": MODEL | {"tools": ["bye"]}}, {"model": MODEL | {"tools": ["bye"]}}),
    ({"endCallFunctionEnabled": True, "model": MODEL | {"toolIds": ["bye"]}}, {"model": MODEL | {"toolIds": ["bye"]}}),
    ({"endCallFunctionEnabled": False, "model": MODEL}, {"model": MODEL}),
    ({"dialKeypadFunctionEnabled": True, "model": MODEL}, {"model": MODEL | {"tools": [{"type": "dtmf"}]}}),
    (
        {"forwardingPhoneNumber": "+14155550100", "model": MODEL},
        {
            "model": MODEL
            | {"tools": [{"type": "transferCall", "destinations": [{"type": "number", "number": "+14155550100"}]}]}
        },
    ),
    ({"recordingEnabled": False}, {"artifactPlan": {"recordingEnabled": False}}),
    ({"recordingEnabled": "${var:recorded}"}, {"artifactPlan": {"recordingEnabled": "${var:recorded}"}}),
    ({"videoRecordingEnabled": True}, {"artifactPlan": {"videoRecordingEnabled": True}}),
    ({"hipaaEnabled": True}, {"compliancePlan": {"hipaaEnabled": True}}),
    ({"responseDelaySeconds": 0.6}, {"startSpeakingPlan": {"waitSeconds": 0.6}}),
    (
        {"llmRequestDelaySeconds": 0.2, "llmRequestNonPunctuatedDelaySeconds": 1.2},
        {
            "startSpeakingPlan": {
                "transcriptionEndpointingPlan": {"onPunctuationSeconds": 0.2, "onNoPunctuationSeconds": 1.2}
            }
        },
    ),
    ({"numWordsToInterruptAssistant": 2}, {"stopSpeakingPlan": {"numWords": 2}}),
    (
        {"backgroundDenoisingEnabled": True},
        {"backgroundSpeechDenoisingPlan": {"smartDenoisingPlan": {"enabled": True}}},
    ),
    (
        {"backgroundDenoisingEnabled": False},
        {"backgroundSpeechDenoisingPlan": {"smartDenoisingPlan": {"enabled": False}}},
    ),
    ({"backchannelingEnabled": False}, {}),
    ({"interruptionsEnabled": True}, {}),
    ({"systemPrompt": "Hello.", "model": MODEL}, {"model": MODEL | {"systemPrompt": "Hello."}}),
    ({"model": MODEL | {"systemMessage": "Hello."}}, {"model": MODEL | {"systemPrompt": "Hello."}}),
    ({"tools": [{"type": "dtmf"}], "model": MODEL}, {"model": MODEL | {"tools": [{"type": "dtmf"}]}}),
    ({"toolIds": ["find"], "model": MODEL}, {"model": MODEL | {"toolIds": ["find"]}}),
    (
        {"startSpeakingPlan": {"smartEndpointingEnabled": True}},
        {"startSpeakingPlan": {"smartEndpointingPlan": {"provider": "vapi"}}},
    ),
    (
        {"startSpeakingPlan": {"smartEndpointingEnabled": "livekit"}},
        {"startSpeakingPlan": {"smartEndpointingPlan": {"provider": "livekit"}}},
    ),
    ({"smartEndpointingEnabled": True}, {"startSpeakingPlan": {"smartEndpointingPlan": {"provider": "vapi"}}}),
    ({"startSpeakingPlan": {"smartEndpointingEnabled": False}}, {"startSpeakingPlan": {}}),
    (
        {"voice": VOICE | {"inputPunctuationBoundaries": [".", "!"]}},
        {"voice": VOICE | {"chunkPlan": {"punctuationBoundaries": [".", "!"]}}},
    ),
    ({"voice": VOICE | {"inputMinCharacters": 20}}, {"voice": VOICE | {"chunkPlan": {"minCharacters": 20}}}),
    ({"voice": VOICE | {"provider": "elevenlabs"}}, {"voice": VOICE}),
    ({"keypadInputPlan": {"delimiters": "#"}}, {"keypadInputPlan": {"delimiters": ["#"]}}),
    (
        {"analysisPlan": {"summaryPrompt": "Sum up."}},
        {"analysisPlan": {"summaryPlan": {"messages": [{"role": "system", "content": "Sum up."}, TRANSCRIPT]}}},
    ),
    ({"analysisPlan": {"summaryPrompt": ""}}, {"analysisPlan": {"summaryPlan": {"enabled": False}}}),
    ({"summaryPrompt": "off"}, {"analysisPlan": {"summaryPlan": {"enabled": False}}}),
    (
        {"analysisPlan": {"summaryRequestTimeoutSeconds": 9}},
        {"analysisPlan": {"summaryPlan": {"timeoutSeconds": 9}}},
    ),
    (
        {"analysisPlan": {"structuredDataSchema": {"type": "object"}}},
        {"analysisPlan": {"structuredDataPlan": {"schema": {"type": "object"}, "enabled": True}}},
    ),
    (
        {"analysisPlan": {"structuredDataSchema": {"type": "object"}, "structuredDataPlan": {"enabled": False}}},
        {"analysisPlan": {"structuredDataPlan": {"enabled": False, "schema": {"type": "object"}}}},
    ),
    (
        {"analysisPlan": {"successEvaluationRubric": "Checklist"}},
        {"analysisPlan": {"successEvaluationPlan": {"rubric": "Checklist"}}},
    ),
]

REWRITTEN += [
    (
        {"serverUrl": "https://x.example", "serverUrlSecret": "${secret:KEPT}"},
        {"server": {"url": "https://x.example", "credentialId": "kept"}},
    ),
    (
        {"server": {"url": "https://x.example", "secret": "${secret:KEPT}"}},
        {"server": {"url": "https://x.example", "credentialId": "kept"}},
    ),
]

# An agent's spec that stays as it is, the field, and why.
LEFT: list[tuple[dict[str, Any], str, str]] = [
    ({"serverUrl": "https://a.example", "server": {"url": "https://b.example"}}, "serverUrl", "with another value"),
    ({"serverUrl": "https://a.example", "server": "runtime"}, "serverUrl", "'runtime', which holds no fields"),
    (
        {"serverUrl": "https://a.example", "serverUrlSecret": "${secret:HOOK}"},
        "serverUrl",
        "together with serverUrlSecret",
    ),
    ({"server": {"url": "https://a.example", "secret": "${secret:HOOK}"}}, "secret", "kept in a Credential"),
    ({"endCallFunctionEnabled": True}, "endCallFunctionEnabled", "sets no model"),
    ({"endCallFunctionEnabled": True, "model": "fast"}, "endCallFunctionEnabled", "the part Model/fast"),
    ({"endCallFunctionEnabled": True, "model": {"from": "fast"}}, "endCallFunctionEnabled", "those of Model/fast"),
    ({"endCallFunctionEnabled": "${var:bye}", "model": MODEL}, "endCallFunctionEnabled", "${var:bye}"),
    (
        {"forwardingPhoneNumber": "+14155550100", "model": MODEL | {"tools": [{"type": "transferCall"}]}},
        "forwardingPhoneNumber",
        "has a transferCall already",
    ),
    (
        {"forwardingPhoneNumber": "+14155550100", "model": MODEL | {"tools": ["pass-on"]}},
        "forwardingPhoneNumber",
        "pass-on",
    ),
    ({"responseDelaySeconds": 9}, "responseDelaySeconds", "between 0 and 5"),
    (
        {"responseDelaySeconds": 1, "startSpeakingPlan": {"waitSeconds": 2}},
        "responseDelaySeconds",
        "waitSeconds is there",
    ),
    ({"backchannelingEnabled": True}, "backchannelingEnabled", "no successor"),
    ({"interruptionsEnabled": False}, "interruptionsEnabled", "nothing turns interruptions off"),
    ({"functions": [{"name": "find"}]}, "functions", "function-call message"),
    ({"messagePlan": {"idleMessages": ["Hello?"]}}, "messagePlan", "choose them"),
    ({"analysisPlan": {"summaryPlan": {"enabled": True}}}, "analysisPlan", "artifact.structuredOutputs"),
    (
        {"startSpeakingPlan": {"smartEndpointingEnabled": False, "smartEndpointingPlan": {"provider": "vapi"}}},
        "smartEndpointingEnabled",
        "says yes",
    ),
    (
        {"systemPrompt": "A.", "model": MODEL | {"messages": [{"role": "system", "content": "B."}]}},
        "systemPrompt",
        "has a system message already",
    ),
    ({"tools": [{"type": "dtmf"}]}, "tools", "sets no model"),
    ({"toolIds": ["find"], "model": "fast"}, "toolIds", "sets no model"),
    ({"forwardingPhoneNumbers": ["+14155550100"]}, "forwardingPhoneNumbers", "names its destinations"),
    (
        {"voice": VOICE | {"inputPunctuationBoundaries": ["~"]}},
        "inputPunctuationBoundaries",
        "does not take this value",
    ),
]


def upgrade(spec: Mapping[str, Any], kind: str = "Agent") -> FileUpgrade:
    text = yaml.safe_dump({"kind": kind, "name": "a", "spec": spec}, sort_keys=False)
    return upgraded(text, "a.yaml", KNOWN)


def spec_of(found: FileUpgrade) -> Any:
    return yaml.safe_load(found.after)["spec"]


@pytest.mark.parametrize(("before", "after"), REWRITTEN, ids=lambda value: ",".join(value))
def test_rewritten(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = upgrade(before)
    assert [kept.path for kept in found.left if kept.path != "spec.analysisPlan"] == []
    assert (spec_of(found) or {}) == after
    assert not upgrade(spec_of(found) or {}).changed  # and again: nothing


@pytest.mark.parametrize(("spec", "key", "why"), LEFT, ids=[key for _, key, _ in LEFT])
def test_left(spec: dict[str, Any], key: str, why: str) -> None:
    found = upgrade(spec)
    assert not found.changed
    reasons = {kept.path.rpartition(".")[2]: kept.reason for kept in found.left}
    assert why in reasons[key]


@pytest.mark.parametrize(("before", "after"), REWRITTEN, ids=lambda value: ",".join(value))
def test_a_body_means_what_it_meant(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert modern("Agent", before, KNOWN) == modern("Agent", after, KNOWN) == after


def test_other_kinds() -> None:
    phone = {"provider": "twilio", "number": "+14155550100", "fallbackForwardingPhoneNumber": "+14155550199"}
    assert spec_of(upgrade(phone, "Phone"))["fallbackDestination"] == {"type": "number", "number": "+14155550199"}
    plan = {"mode": "warm-transfer-with-summary"}
    destination = {"type": "number", "number": "+14155550100", "transferPlan": plan}
    tool = spec_of(upgrade({"type": "transferCall", "destinations": [destination]}, "Tool"))
    assert tool["destinations"][0]["transferPlan"]["mode"] == "warm-transfer-say-summary"
    squad = {
        "members": [{"agent": "a", "assistantOverrides": {"recordingEnabled": False, "endCallFunctionEnabled": True}}]
    }
    found = upgrade(squad, "Squad")
    assert spec_of(found)["members"][0]["assistantOverrides"] == {
        "artifactPlan": {"recordingEnabled": False},
        "endCallFunctionEnabled": True,
    }
    assert "an override takes the place" in found.left[0].reason
    assert spec_of(upgrade({"provider": "elevenlabs", "voiceId": "x"}, "Voice"))["provider"] == "11labs"
    assert spec_of(upgrade({"type": "function", "serverUrl": "https://x.example"}, "Tool"))["server"] == {
        "url": "https://x.example"
    }


def test_every_deprecated_field_of_the_schema_is_decided() -> None:
    for name, type_ in facts()["types"].items():
        for key, node in type_["fields"].items():
            if not node.get("deprecated") or key.endswith("Plan"):
                continue
            value: Any = {"boolean": True, "number": 1, "array": ["x"], "object": {"type": "object"}}.get(
                node["type"], "x"
            )
            field = OldField(
                key=key, value=value, around={key: value}, type_name=name, node={"type": "object", "of": name}
            )
            assert decision_for(field) is not None, f"{name}.{key}"


def test_what_is_not_old_is_not_touched() -> None:
    assert root("Agent")
    found = upgrade({"silenceTimeoutSeconds": 30, "tolls": [1], "model": MODEL, "metadata": {"serverUrl": "x"}})
    assert not found.changed
    assert not found.left
