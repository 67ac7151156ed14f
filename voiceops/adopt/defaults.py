"""A spec over the project's `defaults:`: what they say already is left out, what they would add is unset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voiceops.model.values import JSON


def over_defaults(spec: dict[str, Any], defaults: Mapping[str, JSON]) -> dict[str, Any]:
    """What has to be written so that it means the same with the defaults beneath it."""
    result = dict(spec)
    for key, default in defaults.items():
        if key not in result:
            result[key] = None
        elif result[key] == default and isinstance(result[key], bool) is isinstance(default, bool):
            del result[key]
        elif isinstance(result[key], dict) and isinstance(default, Mapping):
            result[key] = over_defaults(result[key], default)
    return result
