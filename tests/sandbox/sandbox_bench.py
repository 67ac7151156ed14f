"""What the sandbox's tests share: a running sandbox with its clients, and the least that Vapi takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from voiceops.sandbox.client import SandboxClient
from voiceops.sandbox.server import SandboxServer

OWNED = "+14155550100"
NOBODY = "11111111-1111-4111-8111-111111111111"
FUNCTION = {"type": "function", "function": {"name": "lookupOrder"}}
MODEL = {"provider": "openai", "model": "gpt-4o"}


@dataclass
class Bench:
    """One running sandbox with a client for each of its three sides."""

    server: SandboxServer
    vapi: httpx.Client
    twilio: httpx.Client
    control: SandboxClient

    @property
    def numbers_path(self) -> str:
        return f"/2010-04-01/Accounts/{self.server.account_sid}/IncomingPhoneNumbers"

    def make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A new object that must be accepted."""
        response = self.vapi.post(path, json=body)
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.json()
        return found

    def refused(self, method: str, path: str, body: Any = None) -> Any:
        """The message of a 400."""
        response = self.vapi.request(method, path, json=body)
        assert response.status_code == 400, response.text
        assert response.json()["error"] == "Bad Request"
        assert response.json()["statusCode"] == 400
        return response.json()["message"]

    def import_number(self, **fields: Any) -> httpx.Response:
        body = {
            "provider": "twilio",
            "number": OWNED,
            "twilioAccountSid": self.server.account_sid,
            "twilioAuthToken": self.server.auth_token,
            **fields,
        }
        return self.vapi.post("/phone-number", json={k: v for k, v in body.items() if v is not None})


def http(url: str, **options: Any) -> httpx.Client:
    return httpx.Client(base_url=url, verify=False, trust_env=False, timeout=10, **options)
