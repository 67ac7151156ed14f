"""Manifests' names for the ids of a folder: the same again for the same folder, each once within its kind."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping

from voiceops.migrate.checkout import Key
from voiceops.model.address import NAME

LONGEST = 63
_HASH = 8  # characters


def manifest_names(uuids: Mapping[Key, str]) -> dict[Key, str]:
    """A name for each (kind, id); `uuids` are the live ids as far as they are known.

    A `-1a2b3c4d` at the end goes where it is the head of the object's own UUID. What can stay as it is stays.
    """
    names: dict[Key, str] = {}
    taken: set[Key] = set()
    for key in sorted(uuids, key=lambda key: (key[0], _plain(key[1]) != key[1], key[1])):
        kind, id_ = key
        head = f"-{uuids[key][:8]}" if uuids[key] else ""
        shorter = id_[: -len(head)] if head and id_.lower().endswith(head) else id_
        for text in dict.fromkeys((shorter, id_)):
            name = _cut(_plain(text), id_)
            if NAME.match(name) and (kind, name) not in taken:
                break
        else:
            name = _cut(f"{_plain(id_) or kind.lower()}-{'x' * LONGEST}", id_)
        taken.add((kind, name))
        names[key] = name
    return names


def _plain(text: str) -> str:
    spelled = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in spelled if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _cut(name: str, id_: str) -> str:
    """At most as long as a name may be; cut, it ends with a hash of the whole id."""
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(id_.encode()).hexdigest()[:_HASH]
    return f"{name[: LONGEST - _HASH - 1].rstrip('-x') or 'x'}-{digest}"
