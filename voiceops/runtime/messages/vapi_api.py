"""The little that the runtime asks Vapi for: ids by name or number, and the TwiML of a bypassed call.

Ids come from the state where there is one, else from Vapi's lists, and again when Vapi doesn't know one any more.
Nothing here raises anything but VapiFailed; the key goes nowhere but into the request's header.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from voiceops.errors import VoiceopsError
from voiceops.model.json_in import NoJson, parsed
from voiceops.net.lanes import Lanes
from voiceops.net.receiving import ask
from voiceops.net.trust import trust
from voiceops.net.user_agent import HEADERS
from voiceops.providers.answer_forms import maps_of
from voiceops.runtime.json_text import dumps, scrubbed
from voiceops.runtime.observe.log import log
from voiceops.runtime.spec import LineSpec, RuntimeSpec

Known = Callable[[], Awaitable[Mapping[str, str]]]

_E164 = re.compile(r"\+[1-9]\d{3,18}\Z")
_TWIML = re.compile(r"\s*(<\?xml[^>]*>)?\s*(<!--.*?-->\s*)*<Response[\s/>]", re.DOTALL)
_PATIENCE = 15.0  # seconds for a request with its whole answer
_CONNECTIONS = 200
_PAGES = 100  # of a list, each of up to 1,000 objects
_FRESH = 300.0  # seconds after which ids are looked up again
_PATHS = {"Agent": "/assistant", "Squad": "/squad", "Phone": "/phone-number"}


class VapiFailed(Exception):
    """Vapi gave no usable answer; the text names no secret and no caller."""


class VapiApi:
    """One Vapi organisation, as the runtime sees it."""

    def __init__(
        self, spec: RuntimeSpec, url: str, key: str, known: Known | None = None, *, connections: int = _CONNECTIONS
    ) -> None:
        self._spec = spec
        self._wanted = {agent.address: agent.name for agent in spec.agents}
        self._wanted |= {line.address: line.number or line.name for line in spec.lines}
        self._by_number = {line.address for line in spec.lines if line.number}
        self._known = known
        self._ids: dict[str, str] = {}
        self._since = time.monotonic()  # when they were asked for
        self._asked: set[str] = set()  # kinds of which everything was asked for
        self._stale = False
        self._key = key
        self._url = url
        # No pool, which requests that are cut off would use up: they come late, or nobody waits for them any more.
        self._lanes = Lanes(self._new_client)
        self._room = asyncio.Semaphore(connections)
        self._looking = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """End the connections to Vapi."""
        if self._refreshing is not None:
            self._refreshing.cancel()
        await self._lanes.aclose()

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self._url,
            verify=trust(self._url),
            headers={"authorization": f"Bearer {self._key}", "accept-encoding": "gzip", **HEADERS},
            timeout=httpx.Timeout(10, connect=3),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30),
        )

    @property
    def can_look(self) -> bool:
        """Is there anything that tells ids?"""
        return bool(self._key) or self._known is not None

    @property
    def known_ids(self) -> frozenset[str]:
        """The ids that were found so far."""
        return frozenset(self._ids.values())

    async def id_of(self, address: str) -> str:
        """The live id of an agent, a squad or a line. Raises VapiFailed."""
        if address in self._ids:
            self._age()
            return self._ids[address]
        async with self._looking:
            if address not in self._ids:
                self._ids |= await self._from_state()
            if address not in self._ids:
                if not self._key:
                    raise VapiFailed(f"{address} has no id here: neither a state nor VAPI_API_KEY tells it")
                ids = (await self._from_list(address.partition("/")[0])).get(address, [])
                if len(ids) != 1:
                    named = "number" if address in self._by_number else "name"
                    raise VapiFailed(f"{address}: Vapi has {len(ids)} with this {named}")
                self._ids[address] = ids[0]
            return self._ids[address]

    async def address_of(self, id_: str, kind: str) -> str:
        """The address of a kind that has this live id; empty where nothing tells it."""
        self._age()
        if not (found := self._owner(id_, kind)) and kind not in self._asked:
            async with self._looking:
                if kind not in self._asked:  # once: an id that nobody knows must not ask Vapi with every message
                    self._asked.add(kind)
                    self._ids |= await self._from_state()
                    if not self._owner(id_, kind):
                        with contextlib.suppress(VapiFailed):
                            self._ids = _single(await self._from_list(kind)) | self._ids
            found = self._owner(id_, kind)
        return found

    def _owner(self, id_: str, kind: str) -> str:
        return next((a for a, known in self._ids.items() if known == id_ and a.startswith(f"{kind}/")), "")

    def forget(self) -> None:
        """Vapi doesn't know an id any more: the lists are right, whatever the state says."""
        self._ids.clear()
        self._asked.clear()
        self._stale = bool(self._key)

    def _age(self) -> None:
        """Look again now and then, beside the calls: what was made anew at Vapi has another id."""
        if time.monotonic() - self._since > _FRESH and (self._refreshing is None or self._refreshing.done()):
            self._since = time.monotonic()
            self._refreshing = asyncio.get_running_loop().create_task(self._refresh())

    async def _refresh(self) -> None:
        async with self._looking:
            self._asked.clear()
            found = await self._from_state()
            kinds = {address.partition("/")[0] for address in self._ids if address not in found}
            for kind in sorted(kinds):
                with contextlib.suppress(VapiFailed):
                    found = _single(await self._from_list(kind)) | found
            self._ids |= found

    async def _from_state(self) -> dict[str, str]:
        """What a state knows: nothing where there is none, or it can't be read, or it was found to be outdated."""
        if self._known is None or self._stale:
            return {}
        try:
            return dict(await self._known())
        except VoiceopsError as error:
            log("state", logging.WARNING, error=error.summary)
            return {}

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
            answer = await self._request(
                "POST", "/call", content=dumps(body), headers={"content-type": "application/json"}
            )
            if answer.status_code in (200, 201):
                found = _json(answer)
                details = found.get("phoneCallProviderDetails") if isinstance(found, dict) else None
                twiml = details.get("twiml") if isinstance(details, dict) else None
                if isinstance(twiml, str) and _TWIML.match(twiml) and twiml == scrubbed(twiml):
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

    async def _from_list(self, kind: str) -> dict[str, list[str]]:
        """Vapi's ids for each address of a kind, by number or name. Raises VapiFailed."""
        path = _PATHS.get(kind)
        if path is None or not self._key:
            raise VapiFailed(f"ids of kind {kind} can't be looked up here")
        found: dict[str, dict[str, Any]] = {}
        bounds: dict[str, str] = {}
        for _ in range(_PAGES):
            answer = await self._request("GET", path, params={"limit": "1000", **bounds})
            data = _json(answer)
            items = data.get("results") if isinstance(data, dict) else data
            if answer.status_code != 200 or not isinstance(items, list):
                raise VapiFailed(f"Vapi's list of {path} answered {answer.status_code}")
            new = [item for item in maps_of(items) if _id(item) and item["id"] not in found]
            found.update((item["id"], item) for item in new)
            if len(items) < 1000 or not new:
                break
            bounds = {"createdAtLe": min(str(item.get("createdAt")) for item in new)}
        return {
            address: [
                id_
                for id_, item in found.items()
                if item.get("number" if address in self._by_number else "name") == wanted
            ]
            for address, wanted in self._wanted.items()
            if wanted and address.startswith(f"{kind}/")
        }

    async def _request(self, method: str, path: str, **given: Any) -> httpx.Response:
        try:
            async with self._room, self._lanes.one() as client:
                return await ask(client, method, path, patience=_PATIENCE, **given)
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            ValueError,
            ImportError,
        ) as error:  # also what proxies' settings raise
            raise VapiFailed(f"Vapi did not answer: {type(error).__name__}") from None


def _single(found: Mapping[str, list[str]]) -> dict[str, str]:
    return {address: ids[0] for address, ids in found.items() if len(ids) == 1}


def _id(item: Mapping[str, Any]) -> bool:
    return isinstance(item.get("id"), str) and bool(item["id"])


def _json(answer: httpx.Response) -> Any:
    try:
        return parsed(answer.content)
    except NoJson:
        return None


def _customer(caller: str) -> dict[str, Any]:
    """Twilio's `From` as Vapi's customer: callers may hide their number, or have none."""
    if _E164.match(caller):
        return {"number": caller}
    if caller.startswith(("sip:", "sips:")):
        return {"sipUri": caller}
    return {"number": caller if len(caller) >= 3 else "anonymous", "numberE164CheckEnabled": False}
