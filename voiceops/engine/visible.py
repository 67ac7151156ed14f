"""A live object as a plan may show it: some APIs echo secrets, and none of them may reach a screen or a revision.

Hidden is what the schema knows as secret, what a manifest sent as a secret, and headers that carry keys.
"""

from __future__ import annotations

import re
from typing import Any

from voiceops.engine.body import _fields, _twin
from voiceops.engine.diff import _get
from voiceops.kinds.schema import Node, root
from voiceops.model.values import JSON, Fingerprint

HIDDEN = Fingerprint((), "live")
_HEADER = re.compile(r"authorization|api[-_]?key|secret|token|password|cookie", re.IGNORECASE)


def visible(kind: str, live: dict[str, Any], *sent: JSON) -> dict[str, Any]:
    """The live object with every secret hidden; `sent` are bodies whose secrets are fingerprints."""
    shown: dict[str, Any] = _visible(root(kind), live, list(sent))
    return shown


def _visible(node: Node | None, value: JSON, sent: list[JSON]) -> JSON:
    if isinstance(value, dict):
        fields = _fields(_option(node, dict), value)
        return {
            key: _headers(item)
            if key == "headers" and isinstance(item, dict)
            else _visible(fields.get(key), item, [_get(body, key) for body in sent])
            for key, item in value.items()
        }
    if isinstance(value, list):
        items = (_option(node, list) or {}).get("items")
        lists = [body for body in sent if isinstance(body, list)]
        return [
            _visible(items, item, [_twin(body, item, index, value) for body in lists])
            for index, item in enumerate(value)
        ]
    secret = (node is not None and node.get("secret")) or any(isinstance(body, Fingerprint) for body in sent)
    return HIDDEN if secret and value not in (None, "") else value


def _headers(headers: dict[str, Any]) -> dict[str, Any]:
    return {key: HIDDEN if _HEADER.search(key) and item else item for key, item in headers.items()}


def _option(node: Node | None, wanted: type) -> Node | None:
    """Of several possible shapes the one that fits a map, or a list."""
    if node is None or node["type"] != "anyOf":
        return node
    names = ("object", "union") if wanted is dict else ("array",)
    return next((option for option in node["options"] if option["type"] in names), None)
