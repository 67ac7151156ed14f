"""The facts as the text of their file: one root, and one field of a type, on a line each, so that a diff tells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from voiceops.vendor_facts import marks
from voiceops.vendor_facts.hand_written import ROOTS, SPECS, TYPES
from voiceops.vendor_facts.repairs import REPAIRS, TAGS

FORMAT = 1
_LATER = ("roots", "answered", "elsewhere", "types")


def rules() -> str:
    """What tells these repairs, marks and hand-written types from those of another voiceops."""
    repairs = [(repair.types, repair.field, repair.node, repair.how) for repair in REPAIRS]
    tags = sorted((*place, *tag.values, *tag.patterns) for place, tag in TAGS.items())
    said = {name: value for name, value in sorted(vars(marks).items()) if name.isupper()}
    text = json.dumps([repairs, tags, TYPES, ROOTS, {kind: asdict(spec) for kind, spec in SPECS.items()}])
    marked = json.dumps({name: _sorted(value) for name, value in said.items()}, default=str)
    return hashlib.sha256((text + marked).encode()).hexdigest()[:12]


def _sorted(value: Any) -> Any:
    return sorted(map(str, value.items() if isinstance(value, dict) else value))


def copied(value: Any) -> Any:
    """A copy all through, of JSON's values: a tuple becomes a list."""
    return json.loads(json.dumps(value))


def render(facts: Mapping[str, Any]) -> str:
    """The facts as text."""
    lines = ["{", *(f"{_json(key)}: {_json(value)}," for key, value in facts.items() if key not in _LATER)]
    lines.append('"roots": {')
    lines.append(",\n".join(f"{_json(kind)}: {_json(root)}" for kind, root in facts["roots"].items()))
    lines.append("},")
    for section in ("answered", "elsewhere"):
        if section in facts:
            rows = ",\n".join(f"{_json(name)}: {_json(value)}" for name, value in facts[section].items())
            lines.append(f'"{section}": {{\n{rows}}},')
    lines.append('"types": {')
    lines.append(
        ",\n".join(f"{_json(name)}: {_rendered_type(definition)}" for name, definition in facts["types"].items())
    )
    return "\n".join([*lines, "}", "}"]) + "\n"


def _rendered_type(definition: Mapping[str, Any]) -> str:
    head = "".join(f"{_json(key)}: {_json(value)}, " for key, value in definition.items() if key != "fields")
    fields = ",\n".join(f" {_json(key)}: {_json(node)}" for key, node in definition["fields"].items())
    return f'{{{head}"fields": {{\n{fields}}}}}' if fields else f'{{{head}"fields": {{}}}}'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
