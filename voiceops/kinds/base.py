"""What a kind is: data that the engine, the providers and the manifest layer read.

A kind says where its objects live, how one is recognised, what can't change, and which fields come from the
server. What a manifest of the kind may say beyond the vendor's own body is manifest/shapes.py's to translate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from voiceops.model.values import ABSENT, Path, get_path

# Keys that Vapi adds to every object by itself: never ours, never sent back.
SERVER_KEYS = frozenset(
    {
        "id",
        "orgId",
        "createdAt",
        "updatedAt",
        "latestVersion",
        "modelDeprecations",
        "isServerUrlSecretSet",
        "workflowIds",
        "analyticsMetadata",
        "isDeleted",
        "status",
        "authenticationSession",
        "systemKey",
        "providerResourceId",
        "stripeSubscriptionId",
        "stripeSubscriptionStatus",
        "stripeSubscriptionCurrentPeriodStart",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of manifest with a live object.

    `type` is its name in plans; `path` its collection at Vapi; `listing` the shape of its list: a bare array,
    or pages of `{results, metadata}`.
    """

    name: str
    type: str
    path: str
    title: str
    listing: Literal["array", "page"] = "array"
    named: bool = True  # `name` is a field of the body, and defaults to the manifest's name
    identity: tuple[Path, ...] = (("name",),)  # where a live object's name stands, first found
    immutable: frozenset[str] = frozenset()  # a change is a replacement
    create_only: frozenset[str] = frozenset()  # sent once, never compared
    patch_omits: frozenset[str] = frozenset()  # the API refuses these keys in a PATCH
    patch_query: tuple[tuple[str, str, str], ...] = ()  # (changed key, parameter, value)
    replace_order: tuple[str, str] = ("create", "delete")

    def name_of(self, body: Any) -> str | None:
        """The name by which people know the object: of a live one, or of a desired body."""
        for path in self.identity:
            value = get_path(body, path)
            if value is not ABSENT and isinstance(value, str):
                return value
        return None


def is_stock(live: dict[str, Any]) -> bool:
    """Vapi's own objects, the same in every org: read-only, never ours."""
    return ("orgId" in live and live["orgId"] is None) or live.get("systemKey") is not None
