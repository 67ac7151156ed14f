"""The bodies that are sent: Vapi's PATCH replaces whole top-level keys, so a touched key is sent complete.

The complete value is the live one with what we own laid over it: what the dashboard added stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from voiceops.engine.diff import Applied, Difference, _get, empty, item_name, same
from voiceops.kinds.base import SERVER_KEYS, Kind
from voiceops.kinds.schema import Node, root, select, type_of
from voiceops.model.values import ABSENT, JSON, Fingerprint, Path, Secret, copy, delete_path


def create_body(kind: Kind, desired: dict[str, Any], leaving_out: Iterable[Path] = ()) -> dict[str, Any]:
    """What a POST sends: nulls at the top mean nothing to a new object and are left out."""
    body = copy(desired)
    for path in leaving_out:
        delete_path(body, path)
    return {key: value for key, value in body.items() if value is not None}


def update_body(
    kind: Kind,
    desired: dict[str, Any],
    applied: Applied,
    live: dict[str, Any],
    changed: Iterable[Difference],
    keep: tuple[Path, ...] = (),
) -> dict[str, Any]:
    """What a PATCH sends for the changed fields. `keep` are paths whose live value stays."""
    keys = dict.fromkeys(str(difference.path[0]) for difference in changed)
    fields, required = _definition(root(kind.name, "update"), {**live, **desired})
    keys |= dict.fromkeys(key for key in required if key in desired)
    body: dict[str, Any] = {}
    for key in keys:
        if key in kind.patch_omits:
            continue
        value = desired.get(key, ABSENT)
        was = applied.owned.get(key, ABSENT) if isinstance(applied.owned, dict) else ABSENT
        if value is ABSENT and isinstance(was, dict) and isinstance(live.get(key), dict):
            rest = overlay((key,), {}, was, live[key], fields.get(key), keep)
            body[key] = rest or None
        else:
            body[key] = (
                None if value is ABSENT else overlay((key,), value, was, live.get(key, ABSENT), fields.get(key), keep)
            )
    return body


def overlay(path: Path, desired: JSON, applied: JSON, live: JSON, node: Node | None, keep: tuple[Path, ...]) -> JSON:
    """`desired` over `live`: what only live has is kept, unless we had set it, or the server did by itself."""
    if path in keep and not empty(live):
        return copy(live)
    if isinstance(desired, dict) and isinstance(live, dict) and not _other_variant(desired, live, node):
        fields = _fields(node, {**live, **desired})
        result: dict[str, Any] = {}
        for key in [*(key for key in live if key not in desired), *desired]:
            inner = (*path, key)
            node_here = fields.get(key)
            value, now = desired.get(key, ABSENT), live.get(key, ABSENT)
            if value is ABSENT:
                owned_before = not empty(_get(applied, key))
                if owned_before and isinstance(_get(applied, key), dict) and isinstance(now, dict):
                    rest = overlay(inner, {}, _get(applied, key), now, node_here, keep)
                    if rest:
                        result[key] = rest
                elif inner in keep or (
                    not owned_before and not empty(now) and not (key in SERVER_KEYS and fields and node_here is None)
                ):
                    result[key] = copy(now)
            else:
                result[key] = overlay(inner, value, _get(applied, key), now, node_here, keep)
        return result
    if isinstance(desired, list) and isinstance(live, list):
        items = (node or {}).get("items")
        was = applied if isinstance(applied, list) else []
        return [
            overlay(
                (*path, index),
                item,
                _twin(was, item, index, desired),
                _twin(live, item, index, desired),
                items,
                keep,
            )
            for index, item in enumerate(desired)
        ]
    return copy(desired)


def _twin(items: list[JSON], item: JSON, index: int, desired: list[JSON]) -> JSON:
    """The item of another list that is the same one: by name where it has one, else by place."""
    name = item_name(item)
    if name is not None:
        return next((other for other in items if item_name(other) == name), ABSENT)
    if len(items) == len(desired) and isinstance(items[index], dict) and item_name(items[index]) is None:
        return items[index]
    return ABSENT


def _other_variant(desired: dict[str, Any], live: dict[str, Any], node: Node | None) -> bool:
    """Another provider or type: what live has belongs to the old one."""
    if node is None or node.get("type") != "union":
        return False
    by = node["by"]
    return by in desired and by in live and not same(desired[by], live[by])


def _fields(node: Node | None, value: dict[str, Any]) -> dict[str, Node]:
    return _definition(node, value)[0]


def _definition(node: Node | None, value: dict[str, Any]) -> tuple[dict[str, Node], list[str]]:
    """The fields that a node gives a value, and those of them that the API requires."""
    if node is None or node.get("type") not in ("object", "union"):
        return {}, []
    name = select(node, value)
    return (type_of(name)["fields"], type_of(name)["required"]) if name else ({}, [])


def additions(body: JSON, desired: JSON, path: Path = ()) -> Iterator[Path]:
    """The paths of a body that are not ours: the live extras that an overlay kept."""
    if isinstance(body, dict):
        for key, value in body.items():
            if not isinstance(desired, dict) or key not in desired:
                yield (*path, key)
            else:
                yield from additions(value, desired[key], (*path, key))
    elif isinstance(body, list) and isinstance(desired, list) and len(body) == len(desired):
        for index, value in enumerate(body):
            yield from additions(value, desired[index], (*path, index))


def stored_otherwise(sent: JSON, answer: JSON, path: Path = ()) -> Iterator[tuple[Path, JSON]]:
    """Where an answer holds something else than what was sent: normalised, or dropped (ABSENT).

    Secrets are never compared: whether and how they are echoed says nothing.
    """
    if isinstance(sent, (Secret, Fingerprint)):
        return
    if isinstance(sent, dict):
        if isinstance(answer, dict):
            for key, value in sent.items():
                yield from stored_otherwise(value, answer.get(key, ABSENT), (*path, key))
        elif not same(sent, answer):
            yield path, answer
    elif isinstance(sent, list) and isinstance(answer, list) and len(sent) == len(answer) and not same(sent, answer):
        for index, value in enumerate(sent):
            yield from stored_otherwise(value, answer[index], (*path, index))
    elif not same(sent, answer):
        yield path, answer


def holds_secret(value: JSON) -> bool:
    """Is there a secret anywhere in it?"""
    if isinstance(value, dict):
        return any(holds_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(holds_secret(item) for item in value)
    return isinstance(value, (Secret, Fingerprint))
