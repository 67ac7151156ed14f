"""The bodies of runs, chats and sessions as Vapi's OpenAPI file has them, in the form of the facts.

The facts hold what manifests are made of; these are requests that no manifest makes, so they stand here.
"""

from __future__ import annotations

from typing import Any

from voiceops.kinds.schema import Node

_TEXT: Node = {"type": "string"}
_ID: Node = {"type": "string", "format": "uuid"}
_FLAG: Node = {"type": "boolean"}
_ASSISTANT: Node = {"type": "object", "of": "CreateAssistantDTO"}
_SQUAD: Node = {"type": "object", "of": "CreateSquadDTO"}
_OVERRIDES: Node = {"type": "object", "of": "AssistantOverrides"}


def _object(name: str) -> Node:
    return {"type": "object", "of": name}


def _text(most: int) -> Node:
    return {"type": "string", "maxLength": most}


def _one_of(*values: str) -> Node:
    return {"type": "string", "enum": list(values)}


TYPES: dict[str, dict[str, Any]] = {
    "CreateSimulationRunDTO": {
        "required": ["simulations", "target"],
        "fields": {
            "simulations": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "union",
                    "by": "type",
                    "variants": {
                        "simulation": "SimulationRunSimulationEntry",
                        "simulationSuite": "SimulationRunSuiteEntry",
                    },
                },
            },
            "target": {
                "type": "union",
                "by": "type",
                "variants": {"assistant": "SimulationRunTargetAssistant", "squad": "SimulationRunTargetSquad"},
            },
            "iterations": {"type": "integer", "minimum": 1, "maximum": 10},
            "transport": _object("SimulationRunTransportConfiguration"),
        },
    },
    "SimulationRunSimulationEntry": {
        "required": ["type"],
        "fields": {
            "type": _one_of("simulation"),
            "simulationId": _ID,
            "scenarioId": _ID,
            "scenario": _object("CreateScenarioDTO"),
            "personalityId": _ID,
            "personality": _object("CreatePersonalityDTO"),
            "name": _text(80),
        },
    },
    "SimulationRunSuiteEntry": {
        "required": ["type"],
        "fields": {"type": _one_of("simulationSuite"), "simulationSuiteId": _ID, "suiteId": _TEXT},
    },
    "SimulationRunTargetAssistant": {
        "required": ["type"],
        "fields": {"type": _one_of("assistant"), "assistantId": _ID, "assistant": _ASSISTANT},
    },
    "SimulationRunTargetSquad": {
        "required": ["type"],
        "fields": {"type": _one_of("squad"), "squadId": _ID, "squad": _SQUAD},
    },
    "SimulationRunTransportConfiguration": {
        "required": ["provider"],
        "fields": {"provider": _one_of("vapi.websocket", "vapi.webchat")},
    },
    "CreateEvalRunDTO": {
        "required": ["target", "type"],
        "fields": {
            "eval": _object("CreateEvalDTO"),
            "target": {
                "type": "union",
                "by": "type",
                "variants": {"assistant": "EvalRunTargetAssistant", "squad": "EvalRunTargetSquad"},
            },
            "type": _one_of("eval"),
            "evalId": _TEXT,
        },
    },
    "EvalRunTargetAssistant": {
        "required": ["type"],
        "fields": {
            "type": _one_of("assistant"),
            "assistant": _ASSISTANT,
            "assistantOverrides": _OVERRIDES,
            "assistantId": _TEXT,
        },
    },
    "EvalRunTargetSquad": {
        "required": ["type"],
        "fields": {
            "type": _one_of("squad"),
            "squad": _SQUAD,
            "assistantOverrides": _OVERRIDES,
            "squadId": _TEXT,
        },
    },
    "CreateChatDTO": {
        "required": ["input"],
        "fields": {
            "assistantId": _TEXT,
            "assistant": _ASSISTANT,
            "assistantOverrides": _OVERRIDES,
            "squadId": _TEXT,
            "squad": _SQUAD,
            "name": _text(40),
            "sessionId": _TEXT,
            "input": {"type": "anyOf", "options": [_TEXT, {"type": "array", "items": {"type": "any"}}]},
            "stream": _FLAG,
            "previousChatId": _TEXT,
            "transport": {"type": "any"},
        },
    },
    "CreateSessionDTO": {
        "required": [],
        "fields": {
            "name": _text(40),
            "status": _one_of("active", "completed"),
            "expirationSeconds": {"type": "number", "minimum": 60, "maximum": 2592000},
            "assistantId": _TEXT,
            "assistant": _ASSISTANT,
            "assistantOverrides": _OVERRIDES,
            "squadId": _TEXT,
            "squad": _SQUAD,
            "messages": {"type": "array", "items": {"type": "any"}},
            "customer": {"type": "any"},
            "customerId": _TEXT,
            "phoneNumberId": _TEXT,
            "phoneNumber": {"type": "any"},
        },
    },
    "UpdateSessionDTO": {
        "required": [],
        "fields": {
            "name": _text(40),
            "status": _one_of("active", "completed"),
            "expirationSeconds": {"type": "number", "minimum": 60, "maximum": 2592000},
            "messages": {"type": "array", "items": {"type": "any"}},
        },
    },
}
