"""Values as a plan may show them: live objects only as far as we speak of them, and no secret of theirs or ours.

Some APIs echo secrets, and none of them may reach a screen or a revision. Hidden is what the schema knows as secret,
what a manifest sent as a secret, and headers that carry keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from voiceops.engine.fields.body import holds_secret
from voiceops.engine.fields.diff import Difference
from voiceops.kinds.nodes import body_node, entries_of, items_of, secret_names
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import Node, per_facts
from voiceops.model.plan import FieldChange
from voiceops.model.values import ABSENT, JSON, Fingerprint, Ref, Secret, Template, copy, get_path, identical

HIDDEN = Fingerprint((), "live")
_HEADERS = "headers"
_HEADER = re.compile(r"authorization|api[-_]?key|secret|token|password|cookie", re.IGNORECASE)


def visible(kind: str, live: dict[str, Any], *sent: JSON) -> dict[str, Any]:
    """The live object with every secret hidden; `sent` are bodies whose secrets are fingerprints.

    It may be the very object: where nothing in it has the name of a secret, and nothing secret was sent.
    """
    secrets = [body for body in sent if holds_secret(body)]
    if not secrets and not _may_hide(live, _names()):
        return live
    shown: dict[str, Any] = _visible(body_node(KINDS[kind], "create"), live, secrets)
    return shown


@per_facts
def _names() -> frozenset[str]:
    return secret_names() | {_HEADERS}


def _may_hide(value: dict[str, Any] | list[Any], names: frozenset[str]) -> bool:
    """Is there a key in it, at any depth, under which something can be secret?"""
    if isinstance(value, dict):
        if not names.isdisjoint(value):
            return True
        value = list(value.values())
    return any(isinstance(item, (dict, list)) and _may_hide(item, names) for item in value)


def _visible(node: Node | None, value: JSON, sent: list[JSON]) -> JSON:
    if isinstance(value, dict):
        entries, maps = entries_of(node, value), [body for body in sent if isinstance(body, dict)]
        return {
            key: _headers(item, [body[key] for body in maps if key in body])
            if key == _HEADERS and isinstance(item, dict)
            else _visible(entries.get(key), item, [body[key] for body in maps if key in body])
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


def before_as_seen(difference: Difference, seen: JSON) -> Difference:
    """The difference with its live value as it may be shown; `seen` is the live object without secrets."""
    value = get_path(seen, difference.path)
    return difference if value is ABSENT else replace(difference, before=value)


def after_as_seen(difference: Difference, seen: JSON) -> Difference:
    """The difference with what it leads to as that may be shown; `seen` is what will be there, without secrets."""
    value = get_path(seen, difference.path)
    return difference if value is ABSENT else replace(difference, after=value)


def before_masked(difference: Difference) -> JSON:
    """The live value of a difference: under a secret it is as secret as what we send."""
    if isinstance(difference.after, Fingerprint) and difference.before not in (None, ABSENT):
        return HIDDEN
    return difference.before


def with_values(shown: JSON, fields: Iterable[FieldChange]) -> JSON:
    """What is shown of a live object, with the value of each changed field: also of fields that nobody owns."""
    result: JSON = copy(shown)
    for field in fields:
        parent = get_path(result, field.path[:-1])
        last = field.path[-1]
        if isinstance(parent, dict) and isinstance(last, str) and field.before is not ABSENT:
            parent[last] = field.before
    return result


def project(live: JSON, like: JSON) -> JSON:
    """The live value as far as `like` speaks of it: a plan shows owned fields only, and no secret."""
    if identical(live, like):
        return live
    if isinstance(like, dict) and isinstance(live, dict):
        return {key: project(live[key], value) for key, value in like.items() if key in live}
    if isinstance(like, list) and isinstance(live, list) and len(like) == len(live):
        return [project(a, b) for a, b in zip(live, like, strict=True)]
    return like if isinstance(like, (Fingerprint, Secret)) else live
