"""A server of Terraform's HTTP state protocol, as its client sees it: GET, POST and the lock of one document.

Knows addresses, methods and credentials; nothing of what is in the document. The settings are those of Terraform's
`http` back end, by the same variables.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from voiceops.errors import Locked, StateError
from voiceops.net.trust import trust
from voiceops.net.user_agent import HEADERS
from voiceops.state.store import LockInfo

if TYPE_CHECKING:
    import httpx

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_GITLAB = re.compile(r"/api/v4/projects/[^/]+/terraform/state/[^/]+$")
_AGAIN = (0.3, 1.5)  # seconds before each new try of what can be tried again
_TRANSIENT = {429, 500, 502, 503, 504}
_HELD = {409, 423}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the document is, and how it is locked."""

    address: str
    lock_address: str
    unlock_address: str
    lock_method: str = "LOCK"
    unlock_method: str = "UNLOCK"
    update_method: str = "POST"
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Settings({self.address!r})"

    @classmethod
    def of(cls, url: str, environment: str, environ: Mapping[str, str]) -> Settings:
        """From the address in `state:` and TF_HTTP_*. Raises StateError for plain http to another machine."""
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise StateError(f"state at http://{parts.hostname} would travel in the clear", hint="Use https://.")
        host = parts.netloc.rpartition("@")[2]
        address = parts._replace(netloc=host, fragment="").geturl()
        gitlab = _GITLAB.search(parts.path) is not None
        lock = environ.get("TF_HTTP_LOCK_ADDRESS", "") or (f"{address}/lock" if gitlab else address)
        job_token = environ.get("CI_JOB_TOKEN", "") if gitlab and _is_own_gitlab(address, environ) else ""
        return cls(
            address=address,
            lock_address=lock.replace("{environment}", environment),
            unlock_address=(environ.get("TF_HTTP_UNLOCK_ADDRESS") or lock).replace("{environment}", environment),
            lock_method=environ.get("TF_HTTP_LOCK_METHOD") or ("POST" if gitlab else "LOCK"),
            unlock_method=environ.get("TF_HTTP_UNLOCK_METHOD") or ("DELETE" if gitlab else "UNLOCK"),
            update_method=environ.get("TF_HTTP_UPDATE_METHOD") or "POST",
            username=unquote(parts.username or "")
            or environ.get("TF_HTTP_USERNAME", "")
            or ("gitlab-ci-token" if job_token else ""),
            password=unquote(parts.password or "") or environ.get("TF_HTTP_PASSWORD", "") or job_token,
        )


def _is_own_gitlab(address: str, environ: Mapping[str, str]) -> bool:
    api = environ.get("CI_API_V4_URL", "")
    return bool(api) and address.startswith(api.rstrip("/") + "/")


class Server:
    """The client. Inside `connected()` one connection serves all requests; without, each has its own."""

    def __init__(self, settings: Settings, pauses: Sequence[float] = _AGAIN) -> None:
        self._settings = settings
        self._pauses = pauses
        self._client: httpx.AsyncClient | None = None
        self._users = 0

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client for as long as somebody needs one; users at the same time share it."""
        import httpx

        self._users += 1
        if self._client is None:
            named = (self._settings.username, self._settings.password)
            self._client = httpx.AsyncClient(
                auth=named if any(named) else None,
                headers={**HEADERS, "accept-encoding": "gzip"},
                timeout=httpx.Timeout(30, connect=5),
                verify=trust(self._settings.address),
            )
        try:
            yield self._client
        finally:
            self._users -= 1
            if not self._users:
                client, self._client = self._client, None
                await client.aclose()

    async def get(self) -> bytes | None:
        """The document, or None before the first one. Raises StateError."""
        answer = await self._send_until_answered("GET", self._settings.address)
        if answer.status_code in (204, 404):
            return None
        if answer.status_code != 200:
            raise self._refused(answer)
        if not answer.content:
            return None
        digest = answer.headers.get("content-md5")
        if digest and base64.b64encode(hashlib.md5(answer.content, usedforsecurity=False).digest()).decode() != digest:
            raise StateError(f"the state from {self._settings.address} arrived damaged", hint="Try again.")
        return answer.content

    async def post(self, content: bytes, lock_id: str | None) -> None:
        """Replace the document. Raises Locked, and StateError; after that the document may have been taken or not."""
        answer = await self._send(
            self._settings.update_method,
            self._settings.address,
            content=content,
            params={"ID": lock_id} if lock_id else None,
            headers={
                "content-type": "application/json",
                "content-md5": base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
            },
        )
        if answer.status_code in _HELD:
            raise Locked(
                f"{self._settings.address} is locked by {_who(_holder_in(answer))}",
                hint="Find out who took the lock, then plan again.",
            )
        if answer.status_code not in (200, 201, 204):
            raise self._refused(answer)

    async def lock(self, info: LockInfo) -> LockInfo | None:
        """None when the lock is ours now, else its holder."""
        answer = await self._send_until_answered(
            self._settings.lock_method, self._settings.lock_address, content=_terraform_info(info)
        )
        if answer.status_code == 200:
            return None
        if answer.status_code in _HELD:
            held = _holder_in(answer)
            return None if held.id == info.id else held  # ours: an earlier try whose answer was lost
        raise self._refused(answer)

    async def unlock(self, info: LockInfo) -> bool:
        """False when the lock is not held under this id."""
        answer = await self._send_until_answered(
            self._settings.unlock_method, self._settings.unlock_address, content=_terraform_info(info)
        )
        if answer.status_code in (*_HELD, 400, 404):
            return False
        if answer.status_code not in (200, 204):
            raise self._refused(answer)
        return True

    async def _send_until_answered(self, method: str, url: str, **fields: Any) -> httpx.Response:
        """For what can be sent twice."""
        for pause in self._pauses:
            with contextlib.suppress(StateError):
                answer = await self._send(method, url, **fields)
                if answer.status_code not in _TRANSIENT:
                    return answer
            await asyncio.sleep(pause)
        return await self._send(method, url, **fields)

    async def _send(self, method: str, url: str, **fields: Any) -> httpx.Response:
        import httpx

        from voiceops.net.receiving import ask

        if "content" in fields:
            fields.setdefault("headers", {"content-type": "application/json"})
        try:
            async with self.connected() as client:
                return await ask(client, method, url, **fields)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise StateError(
                f"{url} can't be reached: {str(error) or type(error).__name__}",
                hint="Check the address, the server and the network.",
            ) from None

    def _refused(self, answer: httpx.Response) -> StateError:
        hints = {
            401: "Set TF_HTTP_USERNAME and TF_HTTP_PASSWORD.",
            403: "The user may not do this to the state.",
            405: "The server locks otherwise: see TF_HTTP_LOCK_ADDRESS, TF_HTTP_LOCK_METHOD, TF_HTTP_UNLOCK_METHOD.",
            413: "The document grew too large for this server: migrate to another back end.",
        }
        return StateError(
            f"{answer.request.method} {self._settings.address} was answered {answer.status_code}",
            hint=hints.get(answer.status_code, ""),
        )


@cache
def _terraform_info(info: LockInfo) -> bytes:
    data = {
        "ID": info.id,
        "Operation": info.operation,
        "Info": "voiceops",
        "Who": info.who,
        "Version": "",
        "Created": info.since,
        "Path": "",
    }
    return json.dumps(data).encode()


def _holder_in(answer: httpx.Response) -> LockInfo:
    """Whom the server names: what it leaves out is unknown."""
    try:
        data = answer.json()
    except ValueError:
        data = None
    found = data if isinstance(data, dict) else {}

    def text(key: str, default: str) -> str:
        return str(found.get(key) or default)

    return LockInfo(
        id=text("ID", "unknown"),
        who=text("Who", "somebody"),
        operation=text("Operation", "unknown"),
        since=text("Created", "an unknown time"),
    )


def _who(held: LockInfo) -> str:
    return f"{held.who} since {held.since} (lock {held.id})"
