"""Ids of others as keys of ours: compared whole, kept short, and in characters that every database takes. Pure."""

from __future__ import annotations

from hashlib import blake2b

from voiceops.runtime.json_text import storable


def whole(text: str) -> str:
    """A text that is equal for equal ids, and for no others: one that had to be changed carries its hash."""
    shown = storable(text)
    return text if shown == text and not text.startswith("#") else f"#{_hash(text)}"


def claim_key(call: str, tool_call: str) -> str:
    """Under which a tool call is claimed: Vapi's id of the phone call, and its own."""
    key = f"{call}/{tool_call}"
    plain = storable(key) == key and key.count("/") == 1 and not call.startswith("#") and call != "twilio"
    return key if plain else f"#{_hash(call)}/{_hash(tool_call)}"


def prefix_of(call: str) -> tuple[str, str]:
    """The keys of one phone call's tool calls: from the first text on, before the second one."""
    start = claim_key(call, "").rpartition("/")[0]
    return f"{start}/", f"{start}0"  # 0 comes after /


def request_key(token: str) -> str:
    """Under which one of Twilio's requests is claimed."""
    return f"twilio/{whole(token)}"


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
