"""An entry and intents for the ledger's tests."""

from __future__ import annotations

from typing import Any

from voiceops.model.state import Entry, Intent
from voiceops.model.values import ABSENT, Fingerprint


def entry_of(address: str = "Agent/a", **fields: Any) -> Entry:
    values: dict[str, Any] = {
        "id": "id-1",
        "name": "a",
        "owned": {"name": "a", "key": Fingerprint(("K",), "scrypt:00")},
        "stored": {("model", "messages", 0, "content"): "x", ("odd.key",): ABSENT},
        "depends": ("Tool/t",),
        "deposed": ("id-0",),
        "recorded_at": 12.5,
        "prior": {"voice_url": "https://before"},
        "protected": True,
        "release": True,
        "digest": "sha256:0",
        "updated_at": "2026-01-01T00:00:00.000Z",
    }
    return Entry(address=address, kind="Agent", type="vapi_assistant", **(values | fields))


def intent_of(nonce: str = "n1", **fields: Any) -> Intent:
    values: dict[str, Any] = {
        "address": "Agent/a",
        "kind": "Agent",
        "type": "vapi_assistant",
        "action": "create",
        "name": "a",
        "body": {"name": "a", "key": Fingerprint(("K",), "scrypt:00")},
        "digest": "sha256:1",
        "before": ("id-7", "id-8"),
        "sent_at": 3.5,
        "entry": entry_of().to_data(),
    }
    return Intent(nonce=nonce, **(values | fields))
