"""The traffic allocations of a Vapi organization: which versions callers get. In beta: many organizations have none."""

from __future__ import annotations

from typing import Any

from voiceops.errors import NotFound, ProviderError
from voiceops.model.json_in import as_number
from voiceops.model.live import Allocation
from voiceops.providers.answer_forms import items_of, maps_of, wrapped
from voiceops.providers.http import Api
from voiceops.providers.paging import Reading

PATH = "/traffic-allocations"
_LIMIT = 1000
_FORBIDDEN = 403


async def allocations(api: Api) -> dict[str, Allocation] | None:
    """What governs each assistant that has an allocation, by its id; None where the organization may not split.

    Raises ProviderError.
    """
    found: dict[str, Allocation] = {}
    reading = Reading("Vapi's list of traffic allocations", f"GET {PATH}")
    page = 1
    while True:
        try:
            answer = await api.call("GET", PATH, params={"limit": _LIMIT, "page": page})
        except NotFound:
            return None
        except ProviderError as error:
            if error.status == _FORBIDDEN:
                return None
            raise
        listed, _ = wrapped(answer.data, ("results", "data", "items"))
        rows = items_of(listed, reading.what, reading.endpoint)
        new = reading.add(rows, answer.size)
        for row in rows:
            allocation = _read(row)
            known = found.get(allocation.assistant) if allocation else None
            # Newest first, unless asked otherwise; of two with one time the first.
            if allocation and (known is None or allocation.created_at > known.created_at):
                found[allocation.assistant] = allocation
        if len(rows) < _LIMIT or not new:
            return found
        page += 1


def _read(row: dict[str, Any]) -> Allocation | None:
    if not isinstance(row.get("assistantId"), str):
        return None
    targets = row.get("targets")
    shares = tuple(
        (str(target.get("assistantVersion")), (as_number(target.get("percentage")) or 0.0))
        for target in maps_of(targets)
    )
    return Allocation(
        id=str(row["id"]),
        assistant=row["assistantId"],
        explicit=row.get("allocationIntent") == "explicit" or (bool(shares) and "allocationIntent" not in row),
        shares=shares,
        created_at=str(row.get("createdAt") or ""),
        actor=str(row.get("actorType") or ""),
    )
