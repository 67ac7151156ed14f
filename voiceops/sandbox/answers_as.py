"""What an answer holds of a kept object: defaults, secrets, and in adversarial mode everything that an API may do to
an answer without breaking a promise."""

from __future__ import annotations

import hashlib
import uuid

from voiceops.kinds.schema import type_of
from voiceops.sandbox.account import World
from voiceops.sandbox.catalog import PHONES, Collection
from voiceops.sandbox.deprecations import notices
from voiceops.sandbox.references import body_node
from voiceops.sandbox.schema_walk import mapped
from voiceops.sandbox.store import Body
from voiceops.sandbox.switches import Secrecy

# The few defaults that are always filled in; adversarial mode fills in every one that the schema has.
_DEFAULTS: dict[str, Body] = {
    "CreateAssistantDTO": {"firstMessageInterruptionsEnabled": False},
    "CreateStructuredOutputDTO": {"type": "ai"},
    "CreateTwilioPhoneNumberDTO": {"smsEnabled": True},
    "OpenAIFunction": {"strict": False},
    "CreateSimulationSuiteDTO": {"targetAssignments": []},
    "Server": {"timeoutSeconds": 20},
}
_MASK = "**********"
_MODELS = ("/assistant", "/squad")  # what carries notices of retired models


def shown(world: World, collection: Collection, body: Body) -> Body:
    """The object as an answer holds it."""
    switches = world.switches
    node = body_node(collection, body)
    adversarial = switches.adversarial
    if node is not None:
        secrecy = switches.phone_secrets if collection.path == PHONES else switches.credential_secrets

        def change(type_: str, value: Body) -> Body:
            value = _secret(type_, value, secrecy)
            if adversarial:
                return _adversarial(type_, value)
            return _completed(value, _DEFAULTS.get(type_, {})) if switches.defaults else value

        body = mapped(node, body, change)
    if collection.path in _MODELS and (found := notices(world, body)):
        body = {**body, "modelDeprecations": found}
    if collection.versioned and switches.versions:
        body = {**body, "latestVersion": f"v{body.get('latestVersion') or 1}"}
    elif "latestVersion" in body:
        body = {key: value for key, value in body.items() if key != "latestVersion"}
    if switches.cleared == "omit":
        body = {key: value for key, value in body.items() if value is not None or key == "orgId"}
    return noisy(world, collection, body) if collection.known else body


def noisy(world: World, collection: Collection, body: Body) -> Body:
    """In adversarial mode with what no schema knows, for objects whose types the facts don't have too."""
    return _noise(world, collection, body) if world.switches.adversarial else body


def _completed(value: Body, defaults: Body) -> Body:
    return {**value, **{key: default for key, default in defaults.items() if key not in value}}


def _secret(type_: str, value: Body, secrecy: Secrecy) -> Body:
    if secrecy == "echo":
        return value
    fields = type_of(type_)["fields"]
    secret = [key for key in value if fields.get(key, {}).get("secret") and value[key] is not None]
    if not secret:
        return value
    if secrecy == "mask":
        return {**value, **dict.fromkeys(secret, _MASK)}
    return {key: item for key, item in value.items() if key not in secret}


def _adversarial(type_: str, value: Body) -> Body:
    """Every default of the schema, a null for every optional field that is absent, id lists in another order."""
    added: Body = {}
    for key, field in type_of(type_)["fields"].items():
        if key not in value:
            added[key] = None if field.get("secret") else field.get("default")
        elif field.get("set") and isinstance(value[key], list):
            value = {**value, key: value[key][::-1]}
    return _completed(value, added)


def _noise(world: World, collection: Collection, body: Body) -> Body:
    """Fields that no schema knows, fields that change by themselves, and keys in no order."""
    body = {
        **body,
        "isDeleted": False,
        "workflowIds": None,
        "analyticsMetadata": {},
        "sandboxInternal": {"shard": 7},
    }
    if collection.path == "/assistant":
        body["isServerUrlSecretSet"] = False
    if collection.path in _MODELS and "modelDeprecations" not in body:
        body["modelDeprecations"] = [{"model": "gpt-4o", "judgedAt": world.timestamp()}]
    model = body.get("model")
    if isinstance(model, dict) and isinstance(model.get("tools"), list):
        owned = {key: body.get(key) for key in ("orgId", "createdAt", "updatedAt")}
        tools = [
            {**tool, **owned, "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{body['id']}/{index}"))}
            if isinstance(tool, dict)
            else tool
            for index, tool in enumerate(model["tools"])
        ]
        body["model"] = {**model, "tools": tools}
    return dict(sorted(body.items(), key=lambda item: hashlib.sha1(item[0].encode()).digest()))
