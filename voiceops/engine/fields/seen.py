"""Values as a plan shows them: what is secret masked, and live objects only as far as we speak of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from voiceops.engine.fields.diff import (
    Difference,
)
from voiceops.model.plan import FieldChange
from voiceops.model.values import (
    ABSENT,
    JSON,
    Fingerprint,
    Secret,
    copy,
    get_path,
)


def before_as_seen(difference: Difference, seen: JSON) -> Difference:
    value = get_path(seen, difference.path)
    return difference if value is ABSENT else replace(difference, before=value)


def after_as_seen(difference: Difference, seen: JSON) -> Difference:
    value = get_path(seen, difference.path)
    return difference if value is ABSENT else replace(difference, after=value)


def masked(difference: Difference) -> JSON:
    """A live value under a secret is as secret as what we send."""
    return (
        Fingerprint((), "live")
        if isinstance(difference.after, Fingerprint) and difference.before not in (None, ABSENT)
        else difference.before
    )


def with_values(shown: JSON, fields: Iterable[FieldChange]) -> JSON:
    """What is shown of a live object, with the value of each changed field: also of fields that nobody owns."""
    result: JSON = copy(shown)
    for field in fields:
        parent = get_path(result, field.path[:-1])
        last = field.path[-1]
        if isinstance(parent, dict) and isinstance(last, str) and field.before is not ABSENT:
            parent[last] = field.before
    return result


def without(body: dict[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in keys} if keys else body


def project(live: JSON, like: JSON) -> JSON:
    """The live value as far as `like` speaks of it: a plan shows owned fields only, and no secret."""
    if isinstance(like, dict) and isinstance(live, dict):
        return {key: project(live[key], value) for key, value in like.items() if key in live}
    if isinstance(like, list) and isinstance(live, list) and len(like) == len(live):
        return [project(a, b) for a, b in zip(live, like, strict=True)]
    return like if isinstance(like, (Fingerprint, Secret)) else live
