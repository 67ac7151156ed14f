"""A live object as a plan may show it: some APIs echo secrets, and none of them may reach a screen or a revision.

Hidden is what the schema knows as secret, what a manifest sent as a secret, and headers that carry keys.
"""

from __future__ import annotations

import re
from typing import Any

from voiceops.engine.fields.body import holds_secret
from voiceops.kinds.nodes import field_of, items_of
from voiceops.kinds.schema import Node, root
from voiceops.model.values import JSON, Fingerprint, Ref, Template

HIDDEN = Fingerprint((), "live")
_HEADER = re.compile(r"authorization|api[-_]?key|secret|token|password|cookie", re.IGNORECASE)


def visible(kind: str, live: dict[str, Any], *sent: JSON) -> dict[str, Any]:
    """The live object with every secret hidden; `sent` are bodies whose secrets are fingerprints."""
    shown: dict[str, Any] = _visible(root(kind), live, [body for body in sent if holds_secret(body)])
    return shown


def _visible(node: Node | None, value: JSON, sent: list[JSON]) -> JSON:
    if isinstance(value, dict):
        return {
            key: _headers(item, [body[key] for body in maps if key in body])
            if key == "headers" and isinstance(item, dict)
            else _visible(field_of(node, key, value), item, [body[key] for body in maps if key in body])
            for maps in [[body for body in sent if isinstance(body, dict)]]
            for key, item in value.items()
        }
    if isinstance(value, list):
        # Any item may be any of the items that were sent: one too many is hidden rather than one too few.
        inner = [item for body in sent if isinstance(body, list) for item in body if holds_secret(item)]
        return [_visible(items_of(node), item, inner) for item in value]
    if isinstance(value, (Fingerprint, Ref, Template)):
        return value
    secret = (node is not None and node.get("secret")) or any(isinstance(body, Fingerprint) for body in sent)
    return HIDDEN if secret and value not in (None, "") else value


def _headers(headers: dict[str, Any], sent: list[JSON]) -> dict[str, Any]:
    def hidden(key: str, item: JSON) -> bool:
        if isinstance(item, (Fingerprint, Ref, Template)) or not item:
            return False
        secret = any(isinstance(body, dict) and isinstance(body.get(key), Fingerprint) for body in sent)
        return secret or _HEADER.search(key) is not None

    return {key: HIDDEN if hidden(key, item) else item for key, item in headers.items()}
