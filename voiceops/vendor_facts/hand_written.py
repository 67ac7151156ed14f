"""Types that the published schema doesn't have, with where their facts come from, and the roots that need them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from voiceops.vendor_facts.openapi_nodes import Node

_STRING: Node = {"type": "string"}
_BOOLEAN: Node = {"type": "boolean"}
_NUMBER: Node = {"type": "number"}
_STRINGS: Node = {"type": "array", "items": _STRING}
_HOOK_ACTIONS: Node = {
    "type": "array",
    "items": {
        "type": "union",
        "by": "type",
        "variants": {"say": "SayHookAction", "tool": "ToolCallHookAction", "message.add": "MessageAddHookAction"},
    },
}
_SKILL_TOOLS: Node = {
    "type": "array",
    "items": {
        "type": "union",
        "by": "type",
        "variants": {
            "apiRequest": "CreateApiRequestToolDTO",
            "dtmf": "CreateDtmfToolDTO",
            "endCall": "CreateEndCallToolDTO",
            "function": "CreateFunctionToolDTO",
            "mcp": "CreateMcpToolDTO",
            "transferCall": "CreateTransferCallToolDTO",
        },
    },
}
_ELEVENLABS_RULES: Node = {
    "type": "array",
    "items": {
        "type": "union",
        "by": "type",
        "variants": {"alias": "ElevenLabsAliasRule", "phoneme": "ElevenLabsPhonemeRule"},
    },
}
# They are added and taken away one by one: in which order they stand says nothing.
_CARTESIA_ITEMS: Node = {
    "type": "array",
    "items": {"type": "object", "of": "CartesiaPronunciationDictItem"},
    "set": True,
}


def _type(required: tuple[str, ...] = (), /, **fields: Node) -> dict[str, Any]:
    return {"required": list(required), "fields": fields}


def _one(*values: str) -> Node:
    return {"type": "string", "enum": list(values)}


def _in_path(value: str) -> Node:
    """A field that a manifest has and the body has not: the address says it."""
    return _one(value) | {"in": "path"}


TYPES: dict[str, dict[str, Any]] = {
    # The vendor's guide to idle messages, from before hooks replaced them.
    "MessagePlan": _type(
        idleMessages=_STRINGS,
        idleMessageMaxSpokenCount=_NUMBER,
        idleMessageResetCountOnUserSpeechEnabled=_BOOLEAN,
        idleTimeoutSeconds=_NUMBER,
        silenceTimeoutMessage=_STRING,
    ),
    # The shape of its siblings; the published example of SayHookAction.prompt shows role and content.
    "PromptMessage": _type(("role", "content"), role=_one("system", "user"), content=_STRING, name=_STRING),
    # The vendor's notes on call duration.
    "CallHookTimeElapsed": _type(
        ("on", "do"),
        on=_one("call.timeElapsed"),
        do=_HOOK_ACTIONS,
        options={"type": "object", "of": "TimeElapsedOptions"},
        name=_STRING,
    ),
    "TimeElapsedOptions": _type(("seconds",), seconds={"type": "number", "minimum": 1, "maximum": 3600}),
    # SimulationSuiteTargetAssignment, once for each kind of target.
    "SuiteTargetAssistant": _type(
        ("targetType", "targetId"), targetType=_one("assistant"), targetId=_STRING | {"reference": "Agent"}
    ),
    "SuiteTargetSquad": _type(
        ("targetType", "targetId"), targetType=_one("squad"), targetId=_STRING | {"reference": "Squad"}
    ),
    # The vendor's Python client 3.0.0.
    "LatencyExpectation": _type(
        ("metric", "aggregation", "thresholdMs"),
        metric=_one("turn", "model", "voice"),
        aggregation=_one("mean", "median", "p95", "max"),
        thresholdMs=_NUMBER,
        required=_BOOLEAN,
    ),
    "OpenAISpeaker": _type(
        instructions=_STRING,
        personalityPacks={"type": "array", "items": _one("eager-listener", "idle-hummer", "bouncy", "unhurried")},
    ),
    "OpenAIReasoner": _type(
        provider=_one("openai"),
        model=_one("gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna"),
        reasoningEffort=_one("none", "low", "medium", "high", "xhigh", "max"),
        instructions=_STRING,
        skills={"type": "array", "items": {"type": "object", "of": "OpenAIReasonerSkill"}},
    ),
    "OpenAIReasonerSkill": _type(
        ("name", "description", "content"),
        name=_STRING,
        description=_STRING,
        content=_STRING,
        toolIds=_STRINGS,
        tools=_SKILL_TOOLS,
    ),
    # Pronunciation dictionaries: the body of /provider/{provider}/pronunciation-dictionary has no schema. These are
    # the shapes of the vendor's guide; an ElevenLabs dictionary takes nothing but rules in an update.
    "CreateElevenLabsDictionary": _type(
        ("provider", "name", "rules"),
        provider=_in_path("11labs"),
        name=_STRING,
        description=_STRING,
        rules=_ELEVENLABS_RULES,
    ),
    "UpdateElevenLabsDictionary": _type(("rules",), provider=_in_path("11labs"), rules=_ELEVENLABS_RULES),
    "ElevenLabsAliasRule": _type(
        ("stringToReplace", "type", "alias"), stringToReplace=_STRING, type=_one("alias"), alias=_STRING
    ),
    "ElevenLabsPhonemeRule": _type(
        ("stringToReplace", "type", "phoneme", "alphabet"),
        stringToReplace=_STRING,
        type=_one("phoneme"),
        phoneme=_STRING,
        alphabet=_one("ipa", "cmu-arpabet"),
    ),
    "CreateCartesiaDictionary": _type(
        ("provider", "name", "items"), provider=_in_path("cartesia"), name=_STRING, items=_CARTESIA_ITEMS
    ),
    "UpdateCartesiaDictionary": _type(provider=_in_path("cartesia"), name=_STRING, items=_CARTESIA_ITEMS),
}

# Roots whose bodies have no schema.
ROOTS: dict[str, Any] = {
    "Dictionary": {
        operation: {
            "by": "provider",
            "variants": {"11labs": f"{verb}ElevenLabsDictionary", "cartesia": f"{verb}CartesiaDictionary"},
        }
        for operation, verb in (("create", "Create"), ("update", "Update"))
    }
}


@dataclass(frozen=True, slots=True)
class Spec:
    """How a manifest's `spec` differs from the body of its kind: `adds` and `drops` fields."""

    adds: dict[str, Node] = field(default_factory=dict)
    drops: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()


# A form with a file's bytes is written as the file's path; what is attached afterwards as a list of names.
SPECS = {
    "File": Spec(
        adds={
            "path": _STRING,
            "name": {"type": "string", "minLength": 1, "maxLength": 40},
            "metadata": {"type": "object"},
        },
        drops=("file",),
        requires=("path",),
    ),
    "KnowledgeBase": Spec(
        adds={"files": {"type": "array", "items": _STRING, "reference": "File", "set": True}},
    ),
}
