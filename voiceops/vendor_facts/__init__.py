"""What the vendor publishes of its API, as the facts that voiceops works with (schema/vapi.json, or a project's own).

Reads the vendor's OpenAPI document, or its client's classes; both are data, and nothing of them is run.
"""
