"""Does a text match a pattern of the facts? In bounded time, whoever wrote the pattern.

Voiceops's own facts hold a few plain patterns, which Python's engine tries. Those of a project's own facts come
from a file that anybody may have made: they are tried by an engine whose time grows with the text, and no faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

from voiceops.kinds.schema import has_own

_LONGEST = 1_000  # characters of a pattern
_MOST_BYTES = 1 << 20  # of a compiled one

_ours = cache(re.compile)


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in the text. Raises ValueError for a pattern that can't be tried."""
    return _bounded(pattern)(text) if has_own() else _ours(pattern).search(text) is not None


def can_be_tried(pattern: str) -> bool:
    """Is it a pattern whose time is bounded? One that looks ahead or back, or repeats what it found, is none."""
    try:
        _bounded(pattern)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1_000)
def _bounded(pattern: str) -> Callable[[str], bool]:
    import jsonschema_rs

    if len(pattern) > _LONGEST:
        raise ValueError("the pattern is too long")
    options = jsonschema_rs.RegexOptions(size_limit=_MOST_BYTES, dfa_size_limit=_MOST_BYTES)
    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=options).is_valid
    except jsonschema_rs.ValidationError as error:
        raise ValueError("no pattern that can be tried in bounded time") from error
