"""Twilio: the account's phone numbers. https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource

A number is configured by POST to its own resource; POST to the collection buys one.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from voiceops.errors import Ambiguous, NotFound, ProviderError
from voiceops.providers.http import Api

PAGE_SIZE = 1000


class Twilio:
    """The operations that voiceops needs, for one account."""

    def __init__(self, api: Api, account: str) -> None:
        self.api = api
        self.account = account
        self._path = f"/2010-04-01/Accounts/{account}/IncomingPhoneNumbers"

    async def numbers(self) -> list[dict[str, Any]]:
        """Every number of the account, following the links to the end."""
        found: dict[str, dict[str, Any]] = {}
        path: str = f"{self._path}.json"
        params: dict[str, Any] = {"PageSize": PAGE_SIZE}
        while True:
            data = (await self.api.call("GET", path, params=params)).data
            items = data.get("incoming_phone_numbers") if isinstance(data, dict) else None
            if not isinstance(items, list):
                raise ProviderError("Twilio's list of numbers has an unknown shape", endpoint=f"GET {path}")
            found.update((item["sid"], item) for item in items)
            following = data.get("next_page_uri")
            if not following:
                return list(found.values())
            split = urlsplit(following)
            path, params = split.path, dict(parse_qsl(split.query, keep_blank_values=True))

    async def get(self, sid: str) -> dict[str, Any] | None:
        """One number, or None."""
        try:
            data = (await self.api.call("GET", f"{self._path}/{sid}.json")).data
        except NotFound:
            return None
        if not isinstance(data, dict) or data.get("sid") != sid:
            raise ProviderError(
                "Twilio answered for another number",
                endpoint=f"GET {self._path}/{sid}.json",
                hint="Run apply again: it looks at what is live.",
            )
        return data

    async def update(self, sid: str, form: dict[str, str]) -> tuple[dict[str, Any], float]:
        """Set voice settings; the answer is the whole number after the change."""
        answer = await self.api.call("POST", f"{self._path}/{sid}.json", form=form)
        if not isinstance(answer.data, dict) or answer.data.get("sid") != sid:
            raise ProviderError(
                "Twilio answered for another number",
                endpoint=f"POST {self._path}/{sid}.json",
                hint="Run apply again: it looks at what is live.",
            )
        return answer.data, answer.date

    async def buy(self, number: str, send_by: float | None = None) -> tuple[dict[str, Any], float]:
        """Buy a number: never sent twice. Raises Ambiguous when it may or may not have been bought."""
        answer = await self.api.call(
            "POST", f"{self._path}.json", form={"PhoneNumber": number}, creates=True, send_by=send_by
        )
        if not isinstance(answer.data, dict) or answer.data.get("phone_number") != number:
            raise Ambiguous("Twilio's answer to a purchase names another number", endpoint=f"POST {self._path}.json")
        return answer.data, answer.date

    async def release(self, sid: str) -> None:
        """Give a number back to Twilio; one that is gone already is fine."""
        try:
            await self.api.call("DELETE", f"{self._path}/{sid}.json")
        except NotFound:
            return
