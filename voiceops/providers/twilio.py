"""Twilio: the account's phone numbers. https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource

A number is configured by POST to its own resource; POST to the collection buys one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from voiceops.errors import Ambiguous, NotFound, ProviderError
from voiceops.kinds.base import Kind
from voiceops.kinds.twilio import KIND as NUMBER
from voiceops.kinds.twilio import TWILIO_FIELDS, TWILIO_STICKY
from voiceops.model.json_in import described
from voiceops.providers.answer_forms import items_of, number_of, object_of, unexpected
from voiceops.providers.http import Api
from voiceops.providers.paging import Reading
from voiceops.providers.provider import Live, Promises, Provider

PAGE_SIZE = 1000


# Twilio limits how many requests are under way, not their rate: https://www.twilio.com/docs/api/errors/20429
PROMISES = Promises(most_at_once=4)


class Twilio(Provider):
    """The phone numbers of one account at Twilio: its only kind."""

    def __init__(self, api: Api, account: str) -> None:
        self.api = api
        self.account = account
        self._path = f"/2010-04-01/Accounts/{account}/IncomingPhoneNumbers"

    async def status(self) -> str:
        """The account's own status: active, suspended or closed; "" where Twilio does not tell.

        A suspended account may still be read with the key of the account above it; most API keys may not read it.
        """
        try:
            data = (await self.api.call("GET", f"/2010-04-01/Accounts/{self.account}.json")).data
        except ProviderError:
            return ""
        found = data.get("status") if isinstance(data, dict) else None
        return found if isinstance(found, str) else ""

    def now(self) -> float:
        """Twilio's clock (epoch seconds); 0 before the first answer."""
        return self.api.now()

    def on_wait(self, told: Callable[[str], None]) -> None:
        """Who hears of waits for Twilio from now on."""
        self.api.on_wait = told

    async def all(self, kind: Kind = NUMBER) -> list[Live]:
        """Every number of the account, following the links to the end."""
        path = f"{self._path}.json"
        endpoint = f"GET {path}"
        reading = Reading("Twilio's list of numbers", endpoint)
        params: dict[str, Any] = {"PageSize": PAGE_SIZE}
        asked = []
        while True:
            asked.append(params)
            answer = await self.api.call("GET", path, params=params)
            if not isinstance(answer.data, dict):
                raise unexpected(reading.what, "a map", described(answer.data), endpoint)
            items = items_of(answer.data.get("incoming_phone_numbers"), reading.what, endpoint, key="sid")
            new = reading.add(map(number_of, items), answer.size, key="sid")
            following = answer.data.get("next_page_uri")
            if following in (None, ""):
                return reading.items
            if items and not new:
                raise reading.broken("its pages bring nothing new")
            params = self._query(reading, following)
            if params in asked:
                raise reading.broken("its pages lead in a circle")

    def _query(self, reading: Reading, following: Any) -> dict[str, Any]:
        """What the link to the next page asks for. Raises ProviderError on a link that leads anywhere else."""
        if not isinstance(following, str):
            raise unexpected(reading.what, "a `next_page_uri` that is a text", described(following), reading.endpoint)
        try:
            split, own = urlsplit(following), urlsplit(self.api.base_url)
            query = dict(parse_qsl(split.query, keep_blank_values=True, max_num_fields=50))
        except ValueError:
            raise unexpected(reading.what, "a `next_page_uri`", "a text that is none", reading.endpoint) from None
        elsewhere = split.netloc and (split.scheme, split.netloc) != (own.scheme, own.netloc)
        if elsewhere or not split.path.endswith(f"{self._path}.json") or "#" in following:
            raise reading.broken("its next page is at another address")
        return query

    async def get(self, kind: Kind, id_: str) -> Live | None:
        """One number, or None."""
        try:
            data = (await self.api.call("GET", f"{self._path}/{id_}.json")).data
        except NotFound:
            return None
        return self._number(data, id_, f"GET {self._path}/{id_}.json")

    async def update(
        self,
        kind: Kind,
        id_: str,
        body: Live,
        live: Live | None = None,
        renew: Callable[[], Awaitable[Live]] | None = None,
    ) -> tuple[Live, float]:
        """Set voice settings, by their names in answers; the answer is the whole number after the change."""
        form = _form(body, live or {})
        answer = await self.api.call("POST", f"{self._path}/{id_}.json", form=form)
        return self._number(answer.data, id_, f"POST {self._path}/{id_}.json"), answer.date

    def _number(self, data: Any, sid: str, endpoint: str) -> dict[str, Any]:
        found = object_of(data, "Twilio's answer", endpoint, key="sid")
        if found["sid"] != sid:
            raise ProviderError(
                "Twilio answered for another number",
                endpoint=endpoint,
                hint="Run apply again: it looks at what is live.",
            )
        return number_of(found)

    async def create(
        self, kind: Kind, body: Live, send_by: float | None = None, content: bytes = b""
    ) -> tuple[Live, float]:
        """Buy the number that `body` names: never sent twice. Raises Ambiguous: it may or may not have been bought."""
        number = str(body["phone_number"])
        answer = await self.api.call(
            "POST", f"{self._path}.json", form={"PhoneNumber": number}, creates=True, send_by=send_by
        )
        endpoint = f"POST {self._path}.json"
        try:
            bought = object_of(answer.data, "Twilio's answer to a purchase", endpoint, key="sid")
        except ProviderError as error:
            raise Ambiguous(error.summary, endpoint=endpoint) from None
        if bought.get("phone_number") != number:
            raise Ambiguous("Twilio's answer to a purchase names another number", endpoint=endpoint)
        return number_of(bought), answer.date

    async def delete(self, kind: Kind, id_: str) -> None:
        """Give a number back to Twilio for good; one that is gone already is fine."""
        try:
            await self.api.call("DELETE", f"{self._path}/{id_}.json")
        except NotFound:
            return


def _form(values: Live, live: Live) -> dict[str, str]:
    """The form fields that write settings. Twilio takes a fallback URL only together with a voice URL (21405)."""
    sent = {key: value for key, value in values.items() if not (key in TWILIO_STICKY and not value)}
    if sent.get("voice_fallback_url") and "voice_url" not in sent and live.get("voice_url"):
        sent["voice_url"] = live["voice_url"]
    return {TWILIO_FIELDS[key]: value or "" for key, value in sent.items()}
