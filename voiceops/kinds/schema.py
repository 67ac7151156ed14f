"""The vendor's schema as facts: types, fields, ranges, unions, references, secrets.

Reads the checked-in `schema/*.json`; knows nothing of manifests. The format is described in
docs/schema-format.md.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from voiceops.errors import VoiceopsError

Node: TypeAlias = dict[str, Any]

# A wheel carries the files inside the package, a checkout beside it.
_FOLDERS = (
    Path(__file__).parent.parent / "_data" / "schema",
    Path(__file__).parent.parent.parent / "schema",
)


@cache
def facts(name: str = "vapi") -> dict[str, Any]:
    """The facts file `schema/NAME.json`. Raises FileNotFoundError: this installation has none."""
    for folder in _FOLDERS:
        path = folder / f"{name}.json"
        if path.is_file():
            loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return loaded
    raise FileNotFoundError(f"schema/{name}.json is missing from this installation")


@cache
def type_of(name: str, source: str = "vapi") -> dict[str, Any]:
    """A named type: `{"required": […], "fields": {…}}`."""
    found: dict[str, Any] = facts(source)["types"][name]
    return found


@cache
def root(kind: str, operation: str = "create") -> Node:
    """The node of a kind's body: an object, or a union chosen by its discriminator.

    `operation` is create, update, or manifest: the spec as people write it, where that is not the body.
    Raises VoiceopsError: the facts don't have the kind.
    """
    entry = facts()["roots"].get(kind)
    if entry is None:
        raise VoiceopsError(
            f"schema/vapi.json does not describe the bodies of the kind {kind}",
            hint="Write it anew from the vendor's OpenAPI file: make schema OPENAPI=FILE. A kind whose bodies it does "
            "not have gets them in scripts/schema_types.py first.",
        )
    target = (
        entry.get(operation, entry.get("create", entry)) if isinstance(entry, dict) and "by" not in entry else entry
    )
    return as_node(target)


def as_node(target: Any) -> Node:
    """A root as the facts write it (a type's name, or a union) as an ordinary node."""
    if isinstance(target, str):
        return {"type": "object", "of": target}
    return {"type": "union", **target}
