"""What the vendors' answers must be before anything else sees them: checked once, where they come in.

An object that can't be told from others, or a list that is none, is an error that names the endpoint, what was
expected and what came. One odd field inside an object is no reason to stop: a field that the code reads is put
right or left out here, and every other one is compared and kept as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from voiceops.errors import ProviderError
from voiceops.kinds.twilio import TWILIO_FIELDS
from voiceops.model.json_in import described, is_id

_HINT = "Nothing was changed. If it goes on, it is the vendor's fault, or a proxy's between."
_TEXTS = ("createdAt", "updatedAt", "orgId", "date_created", "date_updated", "phone_number")


def unexpected(what: str, expected: str, came: str, endpoint: str, status: int = 0) -> ProviderError:
    """An answer of an unknown shape: what was expected, and what came."""
    return ProviderError(
        f"{what} has an unknown shape: expected {expected}, came {came}", endpoint=endpoint, status=status, hint=_HINT
    )


def object_of(data: Any, what: str, endpoint: str, status: int = 0, key: str = "id") -> dict[str, Any]:
    """One object that says which one it is. Raises ProviderError."""
    if not isinstance(data, dict):
        raise unexpected(what, "a map", described(data), endpoint, status)
    if not is_id(data.get(key)):
        raise unexpected(what, f"an `{key}` that is one", _id_described(data, key), endpoint, status)
    return _cleaned(data)


def items_of(items: Any, what: str, endpoint: str, key: str = "id") -> list[dict[str, Any]]:
    """The objects of a list, each with its id. Raises ProviderError."""
    if not isinstance(items, list):
        raise unexpected(what, "a list", described(items), endpoint)
    for number, item in enumerate(items, 1):
        place = f"item {number} of {len(items)}"
        if not isinstance(item, dict):
            raise unexpected(what, "maps", f"{described(item)} ({place})", endpoint)
        if not is_id(item.get(key)):
            expected = f"an `{key}` in each item"
            raise unexpected(what, expected, f"{_id_described(item, key)} ({place})", endpoint)
    return [_cleaned(item) for item in items]


def wrapped(data: Any, keys: Iterable[str]) -> tuple[Any, int | None]:
    """The list inside an answer, under the first of its known names, and how many objects it says there are."""
    if not isinstance(data, dict):
        return data, None
    items = next((data[key] for key in keys if isinstance(data.get(key), list)), None)
    metadata = data.get("metadata")
    total = metadata.get("totalItems") if isinstance(metadata, dict) else None
    if isinstance(total, str) and total.isascii() and total.isdigit():
        total = int(total[:18])
    known = isinstance(total, int) and not isinstance(total, bool) and total >= 0
    return items, total if known else None


def maps_of(data: Any) -> list[dict[str, Any]]:
    """The maps of a list that is only looked at: whatever else is in it, or instead of it, is passed over."""
    return [_cleaned(item) for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def number_of(item: dict[str, Any]) -> dict[str, Any]:
    """A Twilio number whose voice settings are texts: an odd one as its JSON, so that it is seen and never lost."""
    odd = {key: json.dumps(item[key]) for key in TWILIO_FIELDS if item.get(key) and not isinstance(item.get(key), str)}
    return item | odd if odd else item


def _id_described(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    if key not in item:
        return "none"
    return "a text that is no id" if isinstance(value, str) and value else described(value)


def _cleaned(item: dict[str, Any]) -> dict[str, Any]:
    """Without the odd ones among the few fields that are read as texts."""
    for key in _TEXTS:
        value = item.get(key)
        if value is not None and not isinstance(value, str):
            item = {name: kept for name, kept in item.items() if name != key}
    return item
