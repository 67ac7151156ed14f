"""What fields mean beyond their type: which are references, which are secret, which lists of values are open."""

from __future__ import annotations

# Which kind's id a field takes, by the field's name: texts and lists of texts.
REFERENCES = {
    "assistantId": "Agent",
    "assistantIds": "Agent",
    "credentialId": "Credential",
    "credentialIds": "Credential",
    "declineToolId": "Tool",
    "fileIds": "File",
    "knowledgeBaseId": "KnowledgeBase",
    "personalityId": "Personality",
    "scenarioId": "Scenario",
    "scorecardIds": "Scorecard",
    "simulationIds": "Simulation",
    "squadId": "Squad",
    "structuredOutputId": "StructuredOutput",
    "structuredOutputIds": "StructuredOutput",
    "toolId": "Tool",
    "toolIds": "Tool",
}

# Fields that take an agent's live name. (`assistantName` of a transcript plan is a label, so the types are named.)
NAME_REFERENCES = {
    ("HandoffDestinationAssistant", "assistantName"): "Agent",
    ("HandoffDestinationSquad", "entryAssistantName"): "Agent",
    ("TransferDestinationAssistant", "assistantName"): "Agent",
}

# Fields that take a provider's own id, which a managed object may hold: its kind, and where the object holds it.
PROVIDER_REFERENCES = {
    ("CartesiaVoice", "pronunciationDictId"): ("Dictionary", "resourceId"),
    ("ElevenLabsPronunciationDictionaryLocator", "pronunciationDictionaryId"): ("Dictionary", "resourceId"),
    ("FallbackCartesiaVoice", "pronunciationDictId"): ("Dictionary", "resourceId"),
    ("VapiPronunciationDictionaryLocator", "pronunciationDictId"): ("Dictionary", "resourceId"),
}

# Fields that belong to the reference beside them: where it is a managed object, they are taken from it.
FOLLOWERS = {
    ("ElevenLabsPronunciationDictionaryLocator", "versionId"): ("pronunciationDictionaryId", "versionId"),
    ("VapiPronunciationDictionaryLocator", "versionId"): ("pronunciationDictId", "versionId"),
}

# Secrets by name, since most are not declared: what grants access by itself, not key ids and account names.
SECRETS = frozenset(
    {
        "accessToken",
        "apiKey",
        "apiSecret",
        "authPassword",
        "authToken",
        "awsSecretAccessKey",
        "clientSecret",
        "hmacSecret",
        "openAIKey",
        "password",
        "privateKey",
        "refreshToken",
        "secretAccessKey",
        "secretKey",
        "serverUrlSecret",
        "slackWebhookUrl",
        "token",
        "twilioApiSecret",
        "twilioAuthToken",
    }
)
SECRET_FIELDS = frozenset(
    {
        ("CreateSlackWebhookCredentialDTO", "webhookUrl"),
        ("Server", "secret"),
        ("UpdateSlackWebhookCredentialDTO", "webhookUrl"),
    }
)

# Lists of models, voices and languages grow faster than the schema: other values are taken too.
OPEN = frozenset(
    {
        "fallbackModels",
        "language",
        "languageBoost",
        "languageCode",
        "languageCodes",
        "languages",
        "model",
        "models",
        "speechModel",
        "voiceId",
        "voiceName",
    }
)
# The same of what a voice or a model can express: it comes with the voice or the model.
OPEN_FIELDS = frozenset(
    {
        ("CartesiaExperimentalControls", "emotion"),
        ("FallbackMicrosoftVoice", "role"),
        ("FallbackMicrosoftVoice", "style"),
        ("FallbackPlayHTVoice", "emotion"),
        ("FallbackVapiVoice", "version"),
        ("MicrosoftVoice", "role"),
        ("MicrosoftVoice", "style"),
        ("OpenAISpeaker", "personalityPacks"),
        ("PlayHTVoice", "emotion"),
        ("VapiModel", "version"),
        ("VapiTranscriber", "version"),
        ("VapiVoice", "version"),
    }
)

# Types whose other keys pass: JSON Schema has more keywords than the vendor lists.
FREE = frozenset({"JsonSchema", "OpenAIFunctionParameters"})

# Keys that the schema requires, though objects without them were seen live.
RELAXED = {"OpenAIFunctionParameters": ("type", "properties")}

# Where a key belongs that people write somewhere else, or that had another name: a path, or a sentence. What the
# fields themselves tell (a key that stands deeper, higher, or in another variant) is not repeated here.
_PROMPT = "model.systemPrompt, or a system message in model.messages"
_QUERY = "a tool of type query, which names its knowledgeBases"
_TRANSFER = "a tool of type transferCall, which names its destinations"
_GONE = "Vapi has taken it out of its API: leave it out."
_ASSISTANT = {
    "agentPrompt": _PROMPT,
    "description": "the manifest itself, beside kind and name",
    "endpointing": "transcriber.endpointing",
    "forwardingPhoneNumbers": _TRANSFER,
    "instructions": _PROMPT,
    "interruptionThreshold": "stopSpeakingPlan.numWords",
    "interruptionsEnabled": "stopSpeakingPlan.numWords",
    "knowledgeBase": _QUERY,
    "knowledgeBaseId": _QUERY,
    "language": "transcriber.language",
    "llm": "model",
    "llmModel": "model",
    "prompt": _PROMPT,
    "smartEndpointingEnabled": "startSpeakingPlan.smartEndpointingPlan",
    "structuredDataPrompt": "analysisPlan.structuredDataPlan.messages",
    "structuredDataSchema": "analysisPlan.structuredDataPlan.schema",
    "successEvaluationPrompt": "analysisPlan.successEvaluationPlan.messages",
    "successEvaluationRubric": "analysisPlan.successEvaluationPlan.rubric",
    "summaryPrompt": "analysisPlan.summaryPlan.messages",
    "systemMessage": _PROMPT,
    "systemPrompt": _PROMPT,
    "toolIds": "model.toolIds",
    "tools": "model.tools",
    "llmRequestNonPunctuatedDelaySeconds": "startSpeakingPlan.transcriptionEndpointingPlan.onNoPunctuationSeconds",
    "videoRecordingEnabled": "artifactPlan.videoRecordingEnabled",
    "webhookUrl": "server.url",
}
_MODEL = {
    "apiKey": "a Credential manifest, which Vapi finds by its provider",
    "functions": "model.tools",
    "instructions": _PROMPT,
    "knowledgeBaseId": _QUERY,
    "prompt": _PROMPT,
    "systemMessage": _PROMPT,
}
_VOICE = {
    "backgroundSound": "backgroundSound of the agent",
    "fillerInjectionEnabled": _GONE,
    "inputMinCharacters": "voice.chunkPlan.minCharacters",
    "inputPreprocessingEnabled": "voice.chunkPlan.enabled",
    "inputReformattingEnabled": "voice.chunkPlan.formatPlan.enabled",
    "minCharacters": "voice.chunkPlan.minCharacters",
    "punctuationBoundaries": "voice.chunkPlan.punctuationBoundaries",
    "reformatting": "voice.chunkPlan.formatPlan",
    "name": "voice.voiceId",
    "voice": "voice.voiceId",
    "voiceName": "voice.voiceId",
}
_TOOL = {
    "description": "function.description",
    "name": "function.name",
    "parameters": "function.parameters",
    "secret": "server.credentialId",
    "serverUrl": "server.url",
    "serverUrlSecret": "server.credentialId",
    "webhookUrl": "server.url",
}
_PHONE = {
    "fallbackForwardingPhoneNumber": "fallbackDestination",
    "phoneNumber": "number",
    "twilioPhoneNumber": "number",
    "webhookUrl": "server.url",
}
# By the names of types, `*` standing for any text.
ELSEWHERE = {
    "AssemblyAITranscriber": {"model": "speechModel"},
    "FallbackAssemblyAITranscriber": {"model": "speechModel"},
    "AssistantOverrides": _ASSISTANT,
    "CreateAssistantDTO": _ASSISTANT,
    "UpdateAssistantDTO": _ASSISTANT,
    "CartesiaVoice": {"speed": "voice.generationConfig.speed"},
    "FallbackCartesiaVoice": {"speed": "generationConfig.speed"},
    "*Model": _MODEL,
    "*Voice": _VOICE,
    "*ToolDTO": _TOOL,
    "*PhoneNumberDTO": _PHONE,
    "TransferDestinationAssistant": {"assistantId": "assistantName, which takes the manifest's name"},
    "SquadMemberDTO": {"assistantName": "agent, which takes the manifest's name"},
}

# What Vapi adds to the objects that it keeps, beyond what the schema of its answers says.
ANSWERED = frozenset(
    {
        "analyticsMetadata",
        "authenticationSession",
        "createdAt",
        "id",
        "isDeleted",
        "isServerUrlSecretSet",
        "latestVersion",
        "modelDeprecations",
        "orgId",
        "providerResourceId",
        "status",
        "stripeSubscriptionCurrentPeriodStart",
        "stripeSubscriptionId",
        "stripeSubscriptionStatus",
        "systemKey",
        "updatedAt",
        "workflowIds",
    }
)
