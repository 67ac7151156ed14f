"""Asking a tool's own server, as Vapi does in a simulation and in a chat: only on order, and only on this machine."""

from __future__ import annotations

import hmac
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from voiceops.sandbox.account import World, new_id
from voiceops.sandbox.store import Body

NO_RESULT = "No result returned."
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ToolServer:
    """Where a tool's calls go, and how Vapi proves itself there."""

    url: str
    seconds: float = _SECONDS
    headers: Mapping[str, str] = field(default_factory=dict)
    proof: Mapping[str, Any] = field(default_factory=dict)  # the credential's authenticationPlan

    @property
    def near(self) -> bool:
        """Is it on this machine? No other is ever asked."""
        split = urlsplit(self.url)
        return split.scheme == "http" and split.hostname in _LOOPBACK


def server_of(world: World, *servers: Any) -> ToolServer | None:
    """The first of these that is one: the tool's own server, or its assistant's."""
    body = next((server for server in servers if isinstance(server, dict) and server.get("url")), None)
    if body is None:
        return None
    kept = world.store.get("/credential", str(body.get("credentialId")))
    headers = {str(key): str(value) for key, value in (body.get("headers") or {}).items()}
    if body.get("secret"):
        headers["x-vapi-secret"] = str(body["secret"])
    proof = (kept.body.get("authenticationPlan") or {}) if kept is not None else {}
    return ToolServer(str(body["url"]), float(body.get("timeoutSeconds") or _SECONDS), headers, proof)


def asked(server: ToolServer, name: str, arguments: Mapping[str, Any], about: Body) -> str:
    """What the server returns for a call of a tool, or a sentence that says what went wrong. Blocks.

    `about` is what the message says besides: the call or the chat, and the assistant.
    """
    id_ = new_id()
    call = {"id": id_, "type": "function", "function": {"name": name, "arguments": dict(arguments)}}
    message = {
        "timestamp": int(time.time() * 1000),
        "type": "tool-calls",
        "toolCallList": [call],
        "toolWithToolCallList": [{"type": "function", "function": {"name": name}, "toolCall": call}],
        **about,
    }
    body = json.dumps({"message": message}, ensure_ascii=False).encode()
    try:
        status, text = _posted(server, body)
        answer = json.loads(text) if status == 200 else None
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"Error: the tool's server did not answer: {type(error).__name__}."
    if status != 200:
        return f"Error: the tool's server answered {status}."
    results = answer.get("results") if isinstance(answer, dict) else None
    found = next((item for item in results or () if isinstance(item, dict) and item.get("toolCallId") == id_), {})
    result = found.get("result", found.get("error"))
    if result is None:
        return NO_RESULT
    return result if isinstance(result, str) else json.dumps(result)


def _posted(server: ToolServer, body: bytes) -> tuple[int, str]:
    split = urlsplit(server.url)
    connection = http.client.HTTPConnection(split.hostname or "", split.port or 80, timeout=server.seconds)
    try:
        path = split.path + (f"?{split.query}" if split.query else "")
        headers = {"content-type": "application/json", **server.headers, **_proof(server.proof, body)}
        connection.request("POST", path or "/", body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    finally:
        connection.close()


def _proof(plan: Mapping[str, Any], body: bytes) -> dict[str, str]:
    """The headers by which Vapi proves itself: https://docs.vapi.ai/server-url/server-authentication"""
    if plan.get("type") == "bearer":
        name = str(plan.get("headerName") or "authorization")
        prefix = "" if plan.get("bearerPrefixEnabled") is False else "Bearer "
        return {name: f"{prefix}{plan.get('token', '')}"}
    if plan.get("type") != "hmac":
        return {}
    timestamp = str(int(time.time() * 1000))
    signed = str(plan.get("payloadFormat") or "{body}").encode()
    signed = signed.replace(b"{timestamp}", timestamp.encode()).replace(b"{body}", body)
    digest = hmac.digest(str(plan.get("secretKey", "")).encode(), signed, str(plan.get("algorithm") or "sha256"))
    found = {str(plan.get("signatureHeader") or "x-signature"): digest.hex()}
    if plan.get("timestampHeader"):
        found[str(plan["timestampHeader"])] = timestamp
    return found
