"""Vapi's list of calls, page by page, the newest first. https://docs.vapi.ai/api-reference/calls/list"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from voiceops.errors import ProviderError
from voiceops.providers.answer_forms import items_of, wrapped
from voiceops.providers.http import Api

PAGE = 1000  # the most that a list returns
_ENDPOINT = "GET /call"


async def call_pages(api: Api, since: str = "", until: str = "", line: str = "") -> AsyncIterator[list[dict[str, Any]]]:
    """Every call that was made in this time (ISO 8601; both included, empty: no bound), each once. `line`: only those
    of the phone number with this id.

    Raises ProviderError: an answer makes no sense, or the list does not go on.
    """
    bounds = ({"createdAtGe": since} if since else {}) | ({"createdAtLe": until} if until else {})
    which = {"phoneNumberId": line} if line else {}
    at_edge: set[str] = set()  # the calls of the time at which the last page ended: they come again
    while True:
        answer = await api.call("GET", "/call", params={"limit": PAGE, **which, **bounds})
        items, _ = wrapped(answer.data, ("results", "data", "items"))
        page = items_of(items, "Vapi's list of calls", _ENDPOINT)
        new = [call for call in page if str(call["id"]) not in at_edge]
        if new:
            yield new
        if len(page) < PAGE:
            return
        oldest = min(str(call.get("createdAt") or "") for call in page)
        if not oldest or not new or oldest == bounds.get("createdAtLe") == max(str(c.get("createdAt")) for c in page):
            raise ProviderError(
                "Vapi's list of calls can't be read to its end: its pages bring nothing new",
                endpoint=_ENDPOINT,
                hint="Give --since, so that less is asked for. What was read is kept.",
            )
        at_edge = {str(call["id"]) for call in page if str(call.get("createdAt")) == oldest}
        bounds["createdAtLe"] = oldest
