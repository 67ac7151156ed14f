"""The bodies that are sent: Vapi's PATCH replaces whole top-level keys, so a touched key is sent complete.

The complete value is the live one with what we own laid over it: what the dashboard added stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from voiceops.engine.fields.diff import Applied, Difference, is_left_alone
from voiceops.engine.fields.equality import as_set, same
from voiceops.engine.fields.pairing import pairs
from voiceops.kinds.base import SERVER_KEYS, Kind
from voiceops.kinds.fits import fitting
from voiceops.kinds.nodes import (
    body_node,
    entries_of,
    fields_of,
    is_set,
    items_of,
    lacks_required,
    type_name,
    variant_key,
)
from voiceops.kinds.schema import Node, type_of
from voiceops.model.values import (
    ABSENT,
    JSON,
    Fingerprint,
    Path,
    Secret,
    copy,
    delete_path,
    empty,
    get_key,
    identical,
    is_plain,
    leaves,
)


def create_body(kind: Kind, desired: dict[str, Any], leaving_out: Iterable[Path] = ()) -> dict[str, Any]:
    """What a POST sends: nulls at the top mean nothing to a new object and are left out."""
    body = copy(desired)
    for path in leaving_out:
        delete_path(body, path)
    return {key: value for key, value in body.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Kept:
    """Live values that a write has to do with beyond what is ours, by path.

    `as_live` stay as they are (ignoreChanges, drift that the project keeps); `refused` are shown by the API, which
    does not take them back.
    """

    as_live: tuple[Path, ...] = ()
    refused: tuple[Path, ...] = ()


def update_body(
    kind: Kind,
    desired: dict[str, Any],
    applied: Applied,
    live: dict[str, Any],
    changed: Iterable[Difference],
    kept: Kept = Kept(),
) -> dict[str, Any]:
    """What a PATCH sends for the changed fields: each of their top-level keys complete, or null to clear it."""
    keys = dict.fromkeys(str(difference.path[0]) for difference in changed)
    node = body_node(kind)
    name = type_name(node, {**live, **desired})
    keys |= dict.fromkeys(key for key in (type_of(name)["required"] if name else ()) if key in desired)
    body: dict[str, Any] = {}
    entries = entries_of(node, desired, live)
    for key in keys:
        if key in kind.patch_omits:
            continue
        here = entries.get(key)
        value = laid_over((key,), get_key(desired, key), get_key(applied.owned, key), get_key(live, key), here, kept)
        body[key] = None if value is ABSENT else value
    return body


def laid_over(path: Path, desired: JSON, applied: JSON, live: JSON, node: Node | None, kept: Kept) -> JSON:
    """`desired` over `live`: what only live has is kept, unless we had set it; ABSENT where nothing is left.

    Of another variant (another provider or type) live's extras are kept as far as the new one takes them.
    """
    if kept.as_live and is_left_alone(path, kept.as_live, live):
        return ABSENT if empty(live) else copy(live)
    if identical(desired, live):
        return copy(desired)
    if desired is ABSENT:
        return _left(path, applied, live, node, kept)
    if isinstance(desired, dict) and isinstance(live, dict):
        switched, entries = _other_variant(desired, live, node), entries_of(node, desired, live)
        result: dict[str, Any] = {}
        for key in [*(key for key in live if key not in desired), *desired]:
            inner, here, now = (*path, key), entries.get(key), live.get(key, ABSENT)
            if switched:
                now = fitting(here, now)
            elif key not in desired and _is_servers_own(key, here, node, desired, live):
                continue
            value = laid_over(inner, desired.get(key, ABSENT), get_key(applied, key), now, here, kept)
            if value is not ABSENT:
                result[key] = value
        return result
    if isinstance(desired, list) and isinstance(live, list):
        return _list_over(path, desired, applied if isinstance(applied, list) else [], live, node, kept)
    return copy(desired)


def _left(path: Path, applied: JSON, live: JSON, node: Node | None, kept: Kept) -> JSON:
    """What stays of a live value that no manifest sets: all of it, less what we had set before."""
    if empty(live) or path in kept.refused:
        return ABSENT
    if empty(applied):
        return copy(live) if not any(out[: len(path)] == path for out in kept.refused) else _without(path, live, kept)
    if isinstance(applied, dict) and isinstance(live, dict):
        rest = laid_over(path, {}, applied, live, node, kept)
        return rest if rest and not lacks_required(node, rest) else ABSENT
    return ABSENT


def _without(path: Path, live: JSON, kept: Kept) -> JSON:
    if path in kept.refused:
        return ABSENT
    if isinstance(live, dict):
        found = {key: _without((*path, key), value, kept) for key, value in live.items()}
        return {key: value for key, value in found.items() if value is not ABSENT}
    if isinstance(live, list):
        items = [_without((*path, index), value, kept) for index, value in enumerate(live)]
        return [item for item in items if item is not ABSENT]
    return live


def _list_over(
    path: Path, desired: list[JSON], applied: list[JSON], live: list[JSON], node: Node | None, kept: Kept
) -> list[JSON]:
    if is_set(node):
        same_items = as_set(desired) == as_set(live)
        return list(live if same_items else desired)
    items = items_of(node)
    now = pairs(desired, live, node)
    was = now if identical(applied, live) else pairs(desired, applied, node)

    def twin(of: list[JSON], index: int | None) -> JSON:
        return ABSENT if index is None else of[index]

    return [
        laid_over((*path, index), item, twin(applied, was[index]), twin(live, now[index]), items, kept)
        for index, item in enumerate(desired)
    ]


def _other_variant(desired: dict[str, Any], live: dict[str, Any], node: Node | None) -> bool:
    """Another provider or type: what live has belongs to the old one."""
    by = variant_key(node, desired, live)
    return by is not None and by in desired and by in live and not same(desired[by], live[by])


def _is_servers_own(key: str, field: Node | None, node: Node | None, *values: JSON) -> bool:
    """A key that Vapi adds to nested objects by itself, and takes from nobody."""
    return key in SERVER_KEYS and field is None and bool(fields_of(node, *values))


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


def stored_otherwise(sent: JSON, answer: JSON, node: Node | None, path: Path = ()) -> Iterator[tuple[Path, JSON]]:
    """Where an answer holds something else than what was sent: normalised, or dropped (ABSENT).

    Secrets are never compared: whether and how they are echoed says nothing.
    """
    if isinstance(sent, (Secret, Fingerprint)):
        return
    if isinstance(sent, dict):
        if isinstance(answer, dict):
            entries = entries_of(node, sent, answer)
            for key, value in sent.items():
                yield from stored_otherwise(value, answer.get(key, ABSENT), entries.get(key), (*path, key))
        elif not same(sent, answer, node) or (path and holds_secret(sent) and empty(answer)):
            yield path, answer  # also a map that is not shown for the secret in it
    elif isinstance(sent, list) and isinstance(answer, list) and not is_set(node) and len(sent) == len(answer):
        for index, value in enumerate(sent):
            yield from stored_otherwise(value, answer[index], items_of(node), (*path, index))
    elif not same(sent, answer, node):
        yield path, answer


def set_values(kind: Kind, body: dict[str, Any]) -> dict[str, Any]:
    """What a body sets: in a manifest `KEY: null` means "not set here", where the schema knows the key.

    In maps that take any keys (metadata, a tool's own JSON Schema) null is a value like others.
    """
    if not _has_null(body):
        return dict(body)
    entries = entries_of(body_node(kind, "create"), body)
    return {
        key: _set(entries.get(key), value)
        for key, value in body.items()
        if value is not None or key in kind.null_counts
    }


def _has_null(value: dict[str, Any] | list[Any]) -> bool:
    for item in value.values() if isinstance(value, dict) else value:
        if item is None or (isinstance(item, (dict, list)) and _has_null(item)):
            return True
    return False


def _set(node: Node | None, value: JSON) -> JSON:
    if isinstance(value, dict):
        entries = entries_of(node, value)
        known = fields_of(node, value) if None in value.values() else {}
        return {
            key: _set(entries.get(key), item) for key, item in value.items() if item is not None or key not in known
        }
    if isinstance(value, list):
        return [_set(items_of(node), item) for item in value]
    return value


def holds_secret(value: JSON) -> bool:
    """Is there a secret anywhere in it?"""
    return not is_plain(value) and any(isinstance(leaf, (Secret, Fingerprint)) for _, leaf in leaves(value))
