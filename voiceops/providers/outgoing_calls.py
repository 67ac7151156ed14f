"""Calls that Vapi makes for us. https://docs.vapi.ai/api-reference/calls/create"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.errors import Ambiguous, ProviderError
from voiceops.model.json_in import as_map, as_number
from voiceops.providers.answer_forms import object_of
from voiceops.providers.call_pages import call_pages
from voiceops.providers.http import Api

_ENDPOINT = "POST /call"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCall:
    """What Vapi answered. `full`: the account has no slot left for another call."""

    call: Mapping[str, Any]
    full: bool = False


async def make_call(api: Api, body: Mapping[str, Any], send_by: float) -> MadeCall:
    """Have a call made. Raises Ambiguous: there may be a call, or not; other kinds of ProviderError: there is none."""
    answer = await api.call("POST", "/call", body=dict(body), creates=True, send_by=send_by)
    try:
        call = object_of(answer.data, "Vapi's answer to a call", _ENDPOINT, answer.status)
    except ProviderError as error:
        raise Ambiguous(error.summary, endpoint=_ENDPOINT, status=answer.status) from None
    if call.get("name") not in (None, body.get("name")):
        raise Ambiguous("Vapi's answer is about another call", endpoint=_ENDPOINT, status=answer.status)
    limits = as_map(answer.data.get("subscriptionLimits"))
    left = as_number(limits.get("remainingConcurrentCalls"))
    none_left = left is not None and left <= 0
    return MadeCall(call=call, full=limits.get("concurrencyBlocked") is True or none_left)


async def one_call(api: Api, id_: str) -> dict[str, Any]:
    """How a call stands now. Raises ProviderError, NotFound where there is none of the id."""
    answer = await api.call("GET", f"/call/{id_}")
    return object_of(answer.data, "Vapi's answer", f"GET /call/{id_}", answer.status)


async def calls_since(api: Api, since: str, line: str = "") -> list[dict[str, Any]]:
    """Every call that was made since (ISO 8601), of one line or of all. Raises ProviderError."""
    found: list[dict[str, Any]] = []
    async for page in call_pages(api, since, line=line):
        found += page
    return found
