"""A body with every old field replaced that can be: two bodies that come out equal mean the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voiceops.kinds.nodes import entries_of, items_of, type_name
from voiceops.kinds.schema import Node, root
from voiceops.model.values import JSON
from voiceops.upgrade.decisions import InTheWay, Left, Respelled, done
from voiceops.upgrade.known_manifests import KnownManifests
from voiceops.upgrade.successors import OldField, decision_for


def modern(kind: str, body: Mapping[str, JSON], known: KnownManifests) -> JSON:
    """The body of a kind as today's API has it, as far as every old field has a successor.

    `known` is what the project's other manifests tell.
    """
    return _modern(root(kind, "update"), dict(body), known)


def _modern(node: Node | None, value: Any, known: KnownManifests) -> Any:
    if node is None:
        return value
    if isinstance(value, list):
        return [_modern(items_of(node), item, known) for item in value]
    if not isinstance(value, dict):
        return value
    value = _rewritten(node, value, known)
    fields = entries_of(node, value)
    return {key: _modern(fields.get(key), item, known) for key, item in value.items()}


def _rewritten(node: Node, value: dict[str, Any], known: KnownManifests) -> dict[str, Any]:
    for key in list(value):
        found = decision_for(
            OldField(
                key=key,
                value=value[key],
                around=value,
                type_name=type_name(node, value) or "",
                node=node,
                known=known,
            )
        )
        if isinstance(found, Respelled):
            value = {**value, key: found.value}
        elif found is not None and not isinstance(found, Left):
            try:
                value = done(found.steps, value, key)
            except InTheWay:
                continue
    return value
