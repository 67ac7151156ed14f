"""Shelf's API in the terms of the deployer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from voiceops.errors import Ambiguous, NotFound, ProviderError
from voiceops.kinds.base import Kind
from voiceops.providers.answer_forms import items_of, object_of
from voiceops.providers.http import Api
from voiceops.providers.provider import Live, Promises, Provider

# Shelf is a small house: two at a time, and 503 from its door says that nobody was let in.
PROMISES = Promises(not_executed=frozenset({429, 503}), most_at_once=2)


class Shelf(Provider):
    """One account at Shelf."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def now(self) -> float:
        return self._api.now()

    def on_wait(self, told: Callable[[str], None]) -> None:
        self._api.on_wait = told

    async def all(self, kind: Kind) -> list[Live]:
        answer = await self._api.call("GET", kind.path)
        return items_of(answer.data, "Shelf's list", f"GET {kind.path}", key=kind.id_key)

    async def get(self, kind: Kind, id_: str) -> Live | None:
        try:
            answer = await self._api.call("GET", f"{kind.path}/{id_}")
        except NotFound:
            return None
        return object_of(answer.data, "Shelf's answer", f"GET {kind.path}", key=kind.id_key)

    async def create(
        self, kind: Kind, body: Live, send_by: float | None = None, content: bytes = b""
    ) -> tuple[Live, float]:
        answer = await self._api.call("POST", kind.path, body=body, creates=True, send_by=send_by)
        try:
            return object_of(answer.data, "Shelf's answer", f"POST {kind.path}", key=kind.id_key), answer.date
        except ProviderError as error:
            raise Ambiguous(error.summary, endpoint=error.endpoint) from None

    async def update(
        self,
        kind: Kind,
        id_: str,
        body: Live,
        live: Live | None = None,
        renew: Callable[[], Awaitable[Live]] | None = None,
    ) -> tuple[Live, float]:
        answer = await self._api.call("PATCH", f"{kind.path}/{id_}", body=body, renew=renew)
        return object_of(answer.data, "Shelf's answer", f"PATCH {kind.path}", key=kind.id_key), answer.date

    async def delete(self, kind: Kind, id_: str) -> None:
        try:
            await self._api.call("DELETE", f"{kind.path}/{id_}")
        except NotFound:
            return
