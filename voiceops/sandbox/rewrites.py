"""What the API makes of a body before it keeps it: the rewrites that are on record."""

from __future__ import annotations

from typing import Any

from voiceops.kinds.schema import type_of
from voiceops.sandbox.account import World, new_id
from voiceops.sandbox.catalog import Collection
from voiceops.sandbox.references import body_node
from voiceops.sandbox.schema_walk import mapped


def accepted_modes(body: Any) -> Any:
    """The body with the old names of transfer modes replaced: they are accepted whatever else is rewritten."""
    renamed: dict[str, str] = type_of("TransferPlan")["fields"].get("mode", {}).get("renamed", {})
    return _with_modes(body, renamed)


def _with_modes(body: Any, renamed: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {
            key: {**_with_modes(item, renamed), "mode": renamed.get(item["mode"], item["mode"])}
            if key == "transferPlan" and isinstance(item, dict) and isinstance(item.get("mode"), str)
            else _with_modes(item, renamed)
            for key, item in body.items()
        }
    return [_with_modes(item, renamed) for item in body] if isinstance(body, list) else body


def normalised(world: World, collection: Collection, body: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """The body as it is kept."""
    node = body_node(collection, live)
    if node is None or not (world.switches.normalise or world.switches.adversarial):
        return body
    found: dict[str, Any] = mapped(node, body, _rewritten)
    return found


def _rewritten(type_: str, value: dict[str, Any]) -> dict[str, Any]:
    value = dict(value)
    if isinstance(value.get("toolIds"), list) and isinstance(value.get("toolRefs"), list):
        pinned = {ref.get("toolId") for ref in value["toolRefs"] if isinstance(ref, dict)}
        value["toolIds"] = [id_ for id_ in value["toolIds"] if id_ not in pinned]
    if type_ == "CallHookCustomerSpeechTimeout" and not value.get("name"):
        value["name"] = new_id()
    if type_ == "AssistantOverrides":
        value = {key: item for key, item in value.items() if item is not None}
    if type_.endswith(("ApiRequestToolDTO", "CodeToolDTO")) and isinstance(value.get("function"), dict):
        value["function"] = {key: item for key, item in value["function"].items() if key != "strict"}
    return value
