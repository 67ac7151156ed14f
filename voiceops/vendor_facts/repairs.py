"""What the published schema doesn't say, or says wrongly, about single fields: data, each with its reason.

A repair names the types and the field, and what becomes of the field's node. Field names, types and ranges only;
the rules that repair a whole class of defects are in openapi_nodes.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voiceops.vendor_facts.openapi_nodes import Node, Tag

_ASSISTANT = ("CreateAssistantDTO", "UpdateAssistantDTO", "AssistantOverrides")
_PHONE = tuple(
    f"{verb}{provider}PhoneNumberDTO"
    for verb in ("Create", "Update")
    for provider in ("Byo", "Twilio", "Vonage", "Vapi", "Telnyx")
)
_DEEPGRAM_VOICE = ("DeepgramVoice", "FallbackDeepgramVoice")
_SONIOX = ("SonioxTranscriber", "FallbackSonioxTranscriber")
_ASSEMBLY = ("AssemblyAITranscriber", "FallbackAssemblyAITranscriber")
# Every provider's voice, and the same voice as a fallback of another.
_VOICES = tuple(
    f"{fallback}{provider}Voice"
    for provider in (
        *("Azure", "Cartesia", "Custom", "Deepgram", "ElevenLabs", "Hume", "Inworld", "LMNT", "Microsoft", "Minimax"),
        *("Neuphonic", "OpenAI", "PlayHT", "RimeAI", "Sesame", "SmallestAI", "Tavus", "Vapi", "WellSaid", "Xai"),
    )
    for fallback in ("", "Fallback")
)
_TRANSFERS = ("TransferDestinationAssistant", "TransferDestinationNumber", "TransferDestinationSip")
_SCENARIO = ("CreateScenarioDTO", "UpdateScenarioDTO")
# Tools that the schema gives no `function`, or no `async`.
_WITHOUT_FUNCTION = (
    *("ApiRequest", "Bash", "Computer", "Dtmf", "EndCall", "Ghl", "GoHighLevelCalendarAvailability"),
    *("GoHighLevelCalendarEventCreate", "GoHighLevelContactCreate", "GoHighLevelContactGet"),
    *("GoogleCalendarCheckAvailability", "GoogleCalendarCreateEvent", "GoogleSheetsRowAppend", "Make", "Mcp"),
    *("Output", "Query", "SipRequest", "SlackSendMessage", "Sms", "TextEditor", "TransferCall", "Voicemail"),
)
_WITHOUT_ASYNC = (*_WITHOUT_FUNCTION, "Handoff")
_STRING: Node = {"type": "string"}
_BOOLEAN: Node = {"type": "boolean"}
_NUMBER: Node = {"type": "number"}
_STRINGS: Node = {"type": "array", "items": _STRING}


@dataclass(frozen=True, slots=True)
class Repair:
    """A field's node as it should be: added to the type, in place of the published one, or laid over it.

    `extend` appends the node's `enum` to the values that are published, wherever in the field they stand.
    """

    types: tuple[str, ...]
    field: str
    node: Node
    reason: str
    how: Literal["add", "replace", "merge", "extend"] = "add"


def _legacy(types: tuple[str, ...], field: str, node: Node, successor: str) -> Repair:
    """A field that left the schema while live objects still hold it and the API still takes it."""
    return Repair(
        types,
        field,
        {**node, "deprecated": True, "legacy": True} | ({"successor": successor} if successor else {}),
        "No longer published, but still found in live objects and still taken.",
    )


WRONG = (
    Repair(
        ("BackoffPlan",),
        "excludedStatusCodes",
        {"type": "array", "items": {"type": "number"}},
        "The items are declared as objects; they are HTTP status codes.",
        how="replace",
    ),
    Repair(
        ("SayHookAction",),
        "prompt",
        {
            "type": "anyOf",
            "options": [
                _STRING,
                {
                    "type": "array",
                    "items": {
                        "type": "union",
                        "by": "role",
                        "variants": {
                            "system": "PromptMessage",
                            "user": "PromptMessage",
                            "assistant": "AssistantMessage",
                            "tool": "ToolMessage",
                            "developer": "DeveloperMessage",
                        },
                    },
                },
            ],
        },
        "SystemMessage and UserMessage name two types each; the published ones are those of a transcript.",
        how="replace",
    ),
    Repair(
        ("CreateSimulationSuiteDTO", "UpdateSimulationSuiteDTO"),
        "targetAssignments",
        {
            "type": "array",
            "items": {
                "type": "union",
                "by": "targetType",
                "variants": {"assistant": "SuiteTargetAssistant", "squad": "SuiteTargetSquad"},
            },
        },
        "One id field for assistants and squads: as a union, the id's kind is known.",
        how="replace",
    ),
    Repair(
        ("KeypadInputPlan",),
        "delimiters",
        {"type": "array", "items": {"type": "string", "enum": ["#", "*", ""]}},
        "Declared as one text; the API refuses a text (it must be an array) and answers with a list.",
        how="replace",
    ),
    Repair(
        ("EvaluationPlanItem",),
        "value",
        {"type": "any"},
        "Declared as one plain value; live scenarios hold maps, too.",
        how="replace",
    ),
    Repair(
        ("ChatEvalAssistantMessageMockToolCall",),
        "arguments",
        {"type": "object"},
        "Declared as an object whose example is a text; the vendor's guide and its client give a map.",
        how="replace",
    ),
    Repair(
        ("ChunkPlan",),
        "punctuationBoundaries",
        {
            "type": "array",
            "items": {
                "type": "anyOf",
                "options": [
                    {
                        "type": "string",
                        "enum": ["。", "，", ".", "!", "?", ";", ")", "،", "۔", "।", "॥", "|", "||", ",", ":"],
                    },
                    {"type": "object", "uncertain": True},
                ],
            },
        },
        "Live objects hold maps of value and label beside the texts.",
        how="replace",
    ),
    Repair(
        ("Server",),
        "timeoutSeconds",
        {"default": 20},
        "Only the description names the default; answers hold it where nobody set it.",
        how="merge",
    ),
    Repair(
        _SCENARIO,
        "evaluations",
        {"minItems": 1},
        "The API refuses an empty list.",
        how="merge",
    ),
)

UNPUBLISHED = (
    Repair(
        _ASSISTANT,
        "silenceTimeoutSeconds",
        {"type": "number", "minimum": 10},
        "Left out of the schema, but documented, returned, and refused below 10.",
    ),
    Repair(("CompliancePlan",), "zdrEnabled", _BOOLEAN, "Returned by the API."),
    Repair(
        ("VapiVoice",),
        "fallbackPlan",
        {"type": "object", "of": "FallbackPlan"},
        "Every other voice has it, and live objects hold it.",
    ),
    Repair(
        ("DeepgramTranscriber", "FallbackDeepgramTranscriber"),
        "eagerEotThreshold",
        {"type": "number", "minimum": 0, "maximum": 1},
        "Taken for the Flux models.",
    ),
    Repair(
        ("DeepgramTranscriber", "FallbackDeepgramTranscriber", *_ASSEMBLY),
        "languageDetection",
        {"type": "any"},
        "Returned by the API.",
    ),
    Repair(
        ("FallbackTranscriberPlan",),
        "autoFallback",
        {"type": "any"},
        "Returned by the API.",
    ),
    Repair(
        ("TransferPlan",),
        "transferAssistant",
        {"type": "object", "of": "TransferAssistant"},
        "The type is published and the guides set the field; only the field itself is missing.",
    ),
    Repair(("SummaryPlan",), "useAssistantLlm", _BOOLEAN, "Returned by the API in transfers' summary plans."),
    Repair(
        ("CreateStructuredOutputDTO", "UpdateStructuredOutputDTO"),
        "target",
        {"type": "any"},
        "Returned by the API.",
    ),
    *(
        Repair(
            tuple(f"{verb}{tool}ToolDTO" for verb in ("Create", "Update") for tool in tools),
            field,
            node,
            "Left out of the schema for these types of tools, but usual in live ones: it is how a model calls them.",
        )
        for field, node, tools in (
            ("function", {"type": "object", "of": "OpenAIFunction"}, _WITHOUT_FUNCTION),
            ("async", _BOOLEAN, _WITHOUT_ASYNC),
            ("metadata", {"type": "object"}, ("Sms",)),
        )
    ),
)

# Fields of the vendor's Python client 3.0.0, which is newer than the schema.
_NEWER: tuple[tuple[tuple[str, ...], str, Node], ...] = (
    (
        ("AnthropicBedrockModel",),
        "fallbackModels",
        _STRINGS,
    ),
    (_ASSEMBLY, "agentContextAutoUpdateEnabled", _BOOLEAN),
    (_SCENARIO, "latencyExpectations", {"type": "array", "items": {"type": "object", "of": "LatencyExpectation"}}),
    (_DEEPGRAM_VOICE, "expressivity", {"type": "number", "minimum": -2, "maximum": 2}),
    (_DEEPGRAM_VOICE, "speed", {"type": "number", "minimum": 0.5, "maximum": 1.5}),
    (_SONIOX, "confidenceThreshold", {"type": "number", "minimum": 0, "maximum": 1}),
    (_SONIOX, "endpointLatencyAdjustmentLevel", {"type": "integer", "minimum": 0, "maximum": 3}),
    (_SONIOX, "endpointSensitivity", {"type": "number", "minimum": -1, "maximum": 1}),
    (_TRANSFERS, "name", _STRING),
    (("OpenAIModel",), "serviceTier", {"type": "string", "enum": ["auto", "default", "fast", "priority"]}),
    (("OpenAIModel",), "speaker", {"type": "object", "of": "OpenAISpeaker"}),
    (("OpenAIModel",), "reasoner", {"type": "object", "of": "OpenAIReasoner"}),
)
NEWER = tuple(
    Repair(types, field, node, "In the vendor's Python client 3.0.0, which is newer than the schema.")
    for types, field, node in _NEWER
)

# Values of that client which the schema doesn't list yet: models, voices and languages, and where they are taken.
_NEWER_VALUES: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...] = (
    (_ASSEMBLY, "speechModel", ("universal-3-6-pro",)),
    (
        _ASSEMBLY,
        "languageCodes",
        ("af", "ca", "et", "fa", "gl", "ko", "mr", "nn", "ro", "ru", "ur", "xh", "yue", "zu"),
    ),
    (("DeepSeekModel",), "model", ("deepseek-flash", "deepseek-flash-thinking")),
    (("OpenAIModel",), "model", ("gpt-6-luna", "gpt-live-1")),
    (("OpenAIModel",), "fallbackModels", ("gpt-6-luna",)),
    (("EvalOpenAIModel", "WorkflowOpenAIModel"), "model", ("gpt-6-luna",)),
    (("ElevenLabsVoice", "FallbackElevenLabsVoice"), "model", ("eleven_v4_turbo",)),
    (("RimeAIVoice", "FallbackRimeAIVoice"), "model", ("mistv3", "coda")),
    (_DEEPGRAM_VOICE, "model", ("flux",)),
    (
        _DEEPGRAM_VOICE,
        "voiceId",
        (
            *("alexis", "bree", "brittany", "brooke", "bruce", "cliff", "cole", "colin", "conor", "donovan", "drew"),
            *("elise", "gemma", "haley", "hannah", "heather", "jack", "kai", "kelsey", "kit", "maeve", "marcelo"),
            *("marcus", "meena", "meghan", "miles", "naveen", "paige", "priya", "rufus", "sean", "sharon", "sienna"),
            *("tanner", "wade", "wes"),
        ),
    ),
)
NEWER_VALUES = tuple(
    Repair(
        types,
        field,
        {"enum": list(values)},
        "In the vendor's Python client 3.0.0, which is newer than the schema.",
        how="extend",
    )
    for types, field, values in _NEWER_VALUES
)

LEGACY = (
    _legacy(_ASSISTANT, "serverUrl", _STRING, "server.url"),
    _legacy(_ASSISTANT, "serverUrlSecret", _STRING, "server.credentialId"),
    _legacy(_ASSISTANT, "backgroundDenoisingEnabled", _BOOLEAN, "backgroundSpeechDenoisingPlan"),
    _legacy(_ASSISTANT, "endCallFunctionEnabled", _BOOLEAN, "model.tools with {type: endCall}"),
    _legacy(_ASSISTANT, "dialKeypadFunctionEnabled", _BOOLEAN, "model.tools with {type: dtmf}"),
    _legacy(_ASSISTANT, "forwardingPhoneNumber", _STRING, "model.tools with {type: transferCall}"),
    _legacy(_ASSISTANT, "recordingEnabled", _BOOLEAN, "artifactPlan.recordingEnabled"),
    _legacy(_ASSISTANT, "hipaaEnabled", _BOOLEAN, "compliancePlan.hipaaEnabled"),
    _legacy(_ASSISTANT, "responseDelaySeconds", _NUMBER, "startSpeakingPlan.waitSeconds"),
    _legacy(
        _ASSISTANT,
        "llmRequestDelaySeconds",
        _NUMBER,
        "startSpeakingPlan.transcriptionEndpointingPlan.onPunctuationSeconds",
    ),
    _legacy(_ASSISTANT, "numWordsToInterruptAssistant", _NUMBER, "stopSpeakingPlan.numWords"),
    _legacy(_ASSISTANT, "messagePlan", {"type": "object", "of": "MessagePlan"}, "hooks on customer.speech.timeout"),
    _legacy(_PHONE, "serverUrl", _STRING, "server.url"),
    _legacy(_PHONE, "serverUrlSecret", _STRING, "server.credentialId"),
    _legacy(
        ("CreateTwilioPhoneNumberDTO", "UpdateTwilioPhoneNumberDTO"),
        "fallbackForwardingPhoneNumber",
        _STRING,
        "fallbackDestination",
    ),
    _legacy(("Server",), "secret", _STRING, "credentialId"),
    _legacy(_VOICES, "inputPunctuationBoundaries", _STRINGS, "chunkPlan.punctuationBoundaries"),
    _legacy(_ASSISTANT, "backchannelingEnabled", _BOOLEAN, ""),
    _legacy(_ASSISTANT, "functions", {"type": "array", "items": {"type": "object"}}, "model.tools"),
    *(
        _legacy(("AnalysisPlan",), field, node, successor)
        for field, node, successor in (
            ("summaryPrompt", _STRING, "summaryPlan.messages"),
            ("summaryRequestTimeoutSeconds", _NUMBER, "summaryPlan.timeoutSeconds"),
            ("structuredDataPrompt", _STRING, "structuredDataPlan.messages"),
            ("structuredDataSchema", {"type": "object", "of": "JsonSchema"}, "structuredDataPlan.schema"),
            ("structuredDataRequestTimeoutSeconds", _NUMBER, "structuredDataPlan.timeoutSeconds"),
            ("successEvaluationPrompt", _STRING, "successEvaluationPlan.messages"),
            ("successEvaluationRubric", _STRING, "successEvaluationPlan.rubric"),
            ("successEvaluationRequestTimeoutSeconds", _NUMBER, "successEvaluationPlan.timeoutSeconds"),
        )
    ),
)

# Values that the API still takes in their old spelling, and keeps in the new one.
RENAMED = (
    Repair(
        ("TransferPlan",),
        "mode",
        {
            "renamed": {
                f"{first}with-{what}": f"{first}{new}"
                for first in ("warm-transfer-", "warm-transfer-wait-for-operator-to-speak-first-and-then-")
                for what, new in (("message", "say-message"), ("summary", "say-summary"), ("twiml", "twiml"))
                if (first, what) != ("warm-transfer-wait-for-operator-to-speak-first-and-then-", "twiml")
            }
        },
        "The guides write the old modes, and the API answers with the new ones.",
        how="merge",
    ),
)


def _succeeded(types: tuple[str, ...], field: str, successor: str) -> Repair:
    """What to use instead of a field that the schema itself calls deprecated."""
    return Repair(types, field, {"successor": successor}, "The schema names no successor.", how="merge")


SUCCESSORS = (
    _succeeded(_ASSISTANT, "analysisPlan", "artifactPlan.structuredOutputIds"),
    _succeeded(("AnalysisPlan",), "structuredDataPlan", "artifactPlan.structuredOutputIds of the agent"),
    _succeeded(("AnalysisPlan",), "structuredDataMultiPlan", "artifactPlan.structuredOutputIds of the agent"),
    _succeeded(("AnalysisPlan",), "successEvaluationPlan", "artifactPlan.structuredOutputIds of the agent"),
    _succeeded(("AnalysisPlan",), "summaryPlan", "artifactPlan.structuredOutputIds of the agent"),
    _succeeded(("StartSpeakingPlan",), "smartEndpointingEnabled", "smartEndpointingPlan"),
)

# Hooks that the API runs on an assistant, though its schema lists them for workflows or not at all.
HOOKS = tuple(
    Repair(
        _ASSISTANT,
        "hooks",
        {"items": {"variants": {event: name}}},
        "Documented and taken by the API; the schema lists fewer events.",
        how="merge",
    )
    for event, name in (
        ("assistant.transcriber.endpointedSpeechLowConfidence", "CallHookTranscriberEndpointedSpeechLowConfidence"),
        ("call.timeElapsed", "CallHookTimeElapsed"),
        ("model.response.timeout", "CallHookModelResponseTimeout"),
    )
)

# A provider's name as people write it, and as the API calls it.
_SPELLINGS: Node = {"aliases": {"eleven-labs": "11labs", "elevenlabs": "11labs"}}
ALIASES = tuple(
    Repair(types, field, node, "The most usual wrong name; the right one is not similar to it.", how="merge")
    for types, field, node in (
        (_ASSISTANT, "transcriber", _SPELLINGS),
        (_ASSISTANT, "voice", _SPELLINGS),
        (("FallbackPlan",), "voices", {"items": _SPELLINGS}),
        (("FallbackTranscriberPlan",), "transcribers", {"items": _SPELLINGS}),
    )
)

REPAIRS = (*WRONG, *UNPUBLISHED, *NEWER, *NEWER_VALUES, *LEGACY, *RENAMED, *SUCCESSORS, *HOOKS, *ALIASES)

# What a union's key says where the schema declares free text, or the same list for every variant.
TAGS: dict[tuple[str, str], Tag] = {
    ("CallHookCustomerSpeechTimeout", "on"): Tag(
        values=("customer.speech.timeout",), patterns=(r"^customer\.speech\.timeout\[.+\]$",)
    ),
    ("CallHookTranscriberEndpointedSpeechLowConfidence", "on"): Tag(
        values=("assistant.transcriber.endpointedSpeechLowConfidence",)
    ),
    ("VapiSmartEndpointingPlan", "provider"): Tag(values=("vapi",)),
    ("LivekitSmartEndpointingPlan", "provider"): Tag(values=("livekit",)),
    ("CustomEndpointingModelSmartEndpointingPlan", "provider"): Tag(values=("custom-endpointing-model",)),
}
