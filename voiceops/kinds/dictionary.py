"""Dictionary: a provider's pronunciation dictionary, kept through Vapi (`/provider/…/pronunciation-dictionary`).

Voices name a dictionary by the provider's own id, and ElevenLabs' by its version too, which every update changes.
https://docs.vapi.ai/assistants/pronunciation-dictionaries
"""

from typing import Any

from voiceops.kinds.base import Kind

_CONTENT = ("name", "description", "rules", "items")
_VERSIONS = ("version_id", "versionId", "latest_version_id")


def _read(live: dict[str, Any]) -> dict[str, Any]:
    """The provider's own object stands inside Vapi's; ElevenLabs names the version in several ways."""
    inner = live["resource"] if isinstance(live.get("resource"), dict) else live
    found = {key: value for key, value in live.items() if key not in ("resource", "resourceName")}
    found |= {key: inner[key] for key in _CONTENT if key in inner}
    version = next((inner[key] for key in _VERSIONS if inner.get(key)), live.get("versionId"))
    return found | {"resourceId": live.get("resourceId") or inner.get("id"), "versionId": version}


def _patch(body: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """Cartesia's items are added and taken away: by their text, one that changes by both."""
    if live.get("provider") != "cartesia" or not isinstance(body.get("items"), list):
        return body
    wanted = {str(item["text"]): item for item in body["items"]}
    held = {str(item["text"]): item for item in live.get("items") or ()}
    added = [item for text, item in wanted.items() if held.get(text) != item]
    removed = [text for text, item in held.items() if wanted.get(text) != item]
    rest = {key: value for key, value in body.items() if key != "items"}
    return rest | ({"itemsToAdd": added} if added else {}) | ({"itemsToRemove": removed} if removed else {})


KIND = Kind(
    name="Dictionary",
    type="vapi_pronunciation_dictionary",
    path="/provider/{}/pronunciation-dictionary",
    title="pronunciation dictionary",
    listing="page",
    immutable=frozenset({"provider"}),
    patch_omits=frozenset({"provider"}),
    path_by="provider",
    path_values=("11labs", "cartesia"),
    immutable_by={"11labs": frozenset({"name", "description"})},  # "Only rules can be updated"
    read=_read,
    patch=_patch,
    attributes={"resourceId": (), "versionId": ("11labs",)},
    volatile=frozenset({"versionId"}),
)
