"""A spec over the project's `defaults:`: what they say already is left out, what they would add is unset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voiceops.model.values import JSON


def over_defaults(
    spec: dict[str, Any], defaults: Mapping[str, JSON], full: Callable[[], Mapping[str, JSON]]
) -> dict[str, Any]:
    """What has to be written so that the defaults beneath it make the same. `full` has also what was left out because
    the server would fill it in."""
    if not defaults:
        return spec
    whole = full()
    return _over(spec, defaults, whole)


def _over(spec: dict[str, Any], defaults: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(spec)
    for key, default in defaults.items():
        if key not in result:
            result[key] = whole.get(key)
        elif result[key] == default and isinstance(result[key], bool) is isinstance(default, bool):
            del result[key]
        elif isinstance(result[key], dict) and isinstance(default, dict):
            inner = whole.get(key)
            result[key] = _over(result[key], default, inner if isinstance(inner, dict) else {})
    return result
