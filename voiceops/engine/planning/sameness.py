"""Is this live object the one that was sent? Equal on every path that was sent; what the server adds says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from voiceops.engine.fields.equality import same
from voiceops.errors import Diagnostic
from voiceops.kinds.base import SERVER_KEYS
from voiceops.kinds.nodes import body_node, entries_of, items_of
from voiceops.kinds.registry import KINDS, kind_of_type
from voiceops.kinds.schema import Node
from voiceops.model.instants import instant_of
from voiceops.model.live import Snapshot
from voiceops.model.state import State
from voiceops.model.values import JSON, Fingerprint, digest, empty, leaves

# What the server makes for each object, or says of it on the day.
_SERVERS_OWN = frozenset(
    ("id", "createdAt", "updatedAt", "modelDeprecations", "latestVersion", "toolId", "url", "key", "path", "status")
)
KEPT_CLOSED = 86_400.0  # seconds for which an intent without effect is remembered


def equals(sent: JSON, live: JSON, node: Node | None) -> bool:
    """Equal on every path that was sent; what is secret, and what the server hides around it, aside."""
    if isinstance(sent, Fingerprint):
        return True
    if isinstance(sent, dict):
        if empty(live):
            return any(isinstance(value, Fingerprint) for value in sent.values()) or same(sent, live, node)
        if not isinstance(live, dict):
            return False
        entries = entries_of(node, sent, live)
        return all(equals(value, live.get(key), entries.get(key)) for key, value in sent.items())
    if isinstance(sent, list) and isinstance(live, list) and any(isinstance(item, (dict, list)) for item in sent):
        items = items_of(node)
        return len(sent) == len(live) and all(equals(a, b, items) for a, b in zip(sent, live, strict=True))
    return same(sent, live, node)


def nothing_beyond(sent: JSON, live: JSON, node: Node | None) -> bool:
    """Does a live object that equals what would be sent hold nothing else but what a server fills in by itself?"""
    if isinstance(sent, dict) and isinstance(live, dict):
        entries = entries_of(node, sent, live)
        for key, value in live.items():
            field = entries.get(key)
            if key in sent:
                if not nothing_beyond(sent[key], value, field):
                    return False
            elif not (key in SERVER_KEYS or not value or (field is not None and field.get("default") == value)):
                return False
        return True
    if isinstance(sent, list) and isinstance(live, list):
        items = items_of(node)
        return len(sent) == len(live) and all(nothing_beyond(a, b, items) for a, b in zip(sent, live, strict=True))
    return True


def node_of(kind: str, type_: str) -> Node | None:
    """The facts of a kind's body; of what only stands beside an object of the kind (a Twilio number) there are none."""
    return body_node(KINDS[kind], "create") if KINDS[kind].type == type_ else None


def holds_secret(sent: JSON) -> bool:
    """Is there anything in it that no answer shows, so that nothing live can prove that it was taken?"""
    return any(isinstance(leaf, Fingerprint) for _, leaf in leaves(sent))


def interchangeable(objects: list[dict[str, Any]]) -> bool:
    """Do they differ in nothing but their ids and times?"""
    bare = [{k: v for k, v in o.items() if k not in _SERVERS_OWN} for o in objects]
    return all(digest(other) == digest(bare[0]) for other in bare[1:])


def late_arrivals(state: State, snapshot: Snapshot) -> Iterator[Diagnostic]:
    """Objects that turned up after their creation had been given up: probably duplicates."""
    held = {entry.id for entry in state.entries.values()}
    for closed in state.closed:
        if snapshot.date - closed["at"] > KEPT_CLOSED:
            continue
        for id_, live in sorted(snapshot.all(closed["type"]).items()):
            if id_ not in held and id_ not in state.gone and _created(live) >= closed["at"] - 2 and _is(closed, live):
                kind = kind_of_type(closed["type"])
                title = kind.title if kind is not None else "number"
                yield Diagnostic(
                    code="probable-duplicate",
                    severity="warning",
                    address=closed["address"],
                    summary=f"the {title} {id_} looks like one whose creation got no answer and was given up",
                    hint="Look at it, and delete it if it is not wanted: nothing here manages it.",
                )


def _is(closed: dict[str, Any], live: dict[str, Any]) -> bool:
    if kind_of_type(closed["type"]) is None:
        return bool(live.get("phone_number") == closed["name"])
    return equals(closed["body"], live, node_of(closed["kind"], closed["type"]))


def _created(live: dict[str, Any]) -> float:
    if text := live.get("createdAt"):
        return instant_of(text) or 0.0
    try:
        return parsedate_to_datetime(str(live.get("date_created"))).timestamp()
    except (ValueError, TypeError):
        return 0.0
