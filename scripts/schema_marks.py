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
OPEN = frozenset({"fallbackModels", "language", "languageCodes", "languages", "model", "models", "voiceId"})

# Types whose other keys pass: JSON Schema has more keywords than the vendor lists.
FREE = frozenset({"JsonSchema"})
