"""The little that the runtime asks Vapi for: ids by name or number, and the TwiML of a bypassed call.

Ids come from the state where there is one, else from Vapi's lists, and again when Vapi doesn't know one any more.
Nothing here raises anything but VapiFailed; the key goes nowhere but into the request's header.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from voiceops.runtime.spec import LineSpec, RuntimeSpec

Known = Callable[[], Awaitable[Mapping[str, str]]]

_E164 = re.compile(r"\+[1-9]\d{3,18}\Z")
_PATHS = {"Agent": "/assistant", "Squad": "/squad", "Phone": "/phone-number"}


class VapiFailed(Exception):
    """Vapi gave no usable answer; the text names no secret and no caller."""


class VapiApi:
    """One Vapi organisation, as the runtime sees it."""

    def __init__(self, spec: RuntimeSpec, url: str, key: str, known: Known | None = None) -> None:
        self._spec = spec
        self._names = {agent.address: agent.name for agent in spec.agents}
        self._numbers = {line.address: line.number for line in spec.lines}
        self._known = known
        self._ids: dict[str, str] = {}
        self._stale = False
        self._key = key
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"authorization": f"Bearer {key}", "user-agent": "voiceops-runtime"},
            timeout=httpx.Timeout(10, connect=3),
            limits=httpx.Limits(max_connections=200, keepalive_expiry=30),
        )
        self._looking = asyncio.Lock()

    async def close(self) -> None:
        await self._http.aclose()

    async def id_of(self, address: str) -> str:
        """The live id of an agent, a squad or a line. Raises VapiFailed."""
        if address in self._ids:
            return self._ids[address]
        async with self._looking:
            if address not in self._ids and self._known is not None and not self._stale:
                self._ids.update(await self._known())
            if address not in self._ids:
                self._ids[address] = await self._listed(address)
        return self._ids[address]

    def forget(self) -> None:
        """Vapi doesn't know an id any more: the lists are right, whatever the state says."""
        self._ids.clear()
        self._stale = True

    async def twiml(self, line: LineSpec, caller: str, target: Mapping[str, Any]) -> str:
        """Create the call with the provider bypass, and give the TwiML that connects it. Raises VapiFailed.

        https://docs.vapi.ai/calls/call-handling-with-vapi-and-twilio
        """
        for attempt in (1, 2):
            body = {
                "phoneNumberId": await self.id_of(line.address),
                "phoneCallProviderBypassEnabled": True,
                "customer": _customer(caller),
                **await self.resolved(target),
            }
            answer = await self._request("POST", "/call", json=body)
            if answer.status_code in (200, 201):
                found = _json(answer)
                details = found.get("phoneCallProviderDetails") if isinstance(found, dict) else None
                twiml = details.get("twiml") if isinstance(details, dict) else None
                if isinstance(twiml, str) and twiml:
                    return twiml
                raise VapiFailed("Vapi's answer holds no TwiML")
            if attempt == 1 and (
                answer.status_code == 404 or (answer.status_code == 400 and "not found" in answer.text)
            ):
                self.forget()  # nothing was created: once more, with the ids that are there now
                continue
            break
        raise VapiFailed(f"Vapi answered {answer.status_code}")

    async def resolved(self, target: Mapping[str, Any]) -> dict[str, Any]:
        """A target with live ids in place of addresses: `{"agent": "Agent/x"}` → `{"assistantId": …}`."""
        body = dict(target)
        for key, wanted in (("agent", "assistantId"), ("squad", "squadId")):
            if isinstance(body.get(key), str):
                body[wanted] = await self.id_of(body.pop(key))
        return body

    async def _listed(self, address: str) -> str:
        kind = address.partition("/")[0]
        path = _PATHS.get(kind)
        if path is None or not self._key:
            raise VapiFailed(f"{address} has no id here: neither a state nor VAPI_API_KEY tells it")
        field, wanted = (
            ("number", self._numbers.get(address)) if kind == "Phone" else ("name", self._names.get(address))
        )
        found: dict[str, Any] = {}
        bounds: dict[str, str] = {}
        while True:
            answer = await self._request("GET", path, params={"limit": "1000", **bounds})
            data = _json(answer)
            items = data.get("results") if isinstance(data, dict) else data
            if answer.status_code != 200 or not isinstance(items, list):
                raise VapiFailed(f"Vapi's list of {path} answered {answer.status_code}")
            new = [item for item in items if isinstance(item, dict) and item.get("id") not in found]
            found.update((str(item["id"]), item) for item in new)
            if len(items) < 1000 or not new:
                break
            bounds = {"createdAtLe": min(str(item.get("createdAt")) for item in new)}
        ids = [id_ for id_, item in found.items() if item.get(field) == wanted]
        if len(ids) != 1:
            raise VapiFailed(f"{address}: Vapi has {len(ids)} with this {field}")
        return ids[0]

    async def _request(self, method: str, path: str, **given: Any) -> httpx.Response:
        try:
            return await self._http.request(method, path, **given)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise VapiFailed(f"Vapi did not answer: {type(error).__name__}") from None


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _customer(caller: str) -> dict[str, Any]:
    """Twilio's `From` as Vapi's customer: callers may hide their number, or have none."""
    if _E164.match(caller):
        return {"number": caller}
    if caller.startswith(("sip:", "sips:")):
        return {"sipUri": caller}
    return {"number": caller if len(caller) >= 3 else "anonymous", "numberE164CheckEnabled": False}
