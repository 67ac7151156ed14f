"""JSON values, the markers that stand in them until apply, and paths into them.

Knows nothing of manifests or APIs. A path is a tuple of keys and indexes; its text is the field's own
notation (`model.messages[0].content`).
"""

from __future__ import annotations

import hashlib
import json
import marshal
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

JSON: TypeAlias = Any
Path: TypeAlias = tuple[str | int, ...]

_LEAVES = frozenset({str, int, float, bool, type(None)})  # leaves that are no markers: most of every tree

SENSITIVE = "(sensitive)"
SENSITIVE_UNCHECKED = "(sensitive, not checked)"
KNOWN_AFTER_APPLY = "(known after apply)"


@dataclass(frozen=True, slots=True)
class Ref:
    """Another resource's id (or live name), not known before that resource is live."""

    address: str
    attribute: str = "id"


@dataclass(frozen=True, slots=True)
class Outside:
    """The id (or live name) of an object that somebody else manages, under the address of its `external:` manifest."""

    address: str
    attribute: str = "id"


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A sensitive text: literal parts and names of secrets, read only at the moment of sending.

    `literal` is set where a user wrote the value itself into a field that the API knows as secret.
    """

    names: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()  # texts before, between and after the names: one more than names

    def __repr__(self) -> str:
        return f"Secret({', '.join(self.names) or 'literal'})"

    def reveal(self, lookup: Callable[[str], str | None]) -> str | None:
        """The text itself, or None where one of its secrets is not at hand."""
        if not self.parts:
            return None  # a literal that was read back from a revision, which keeps none
        text = self.parts[0]
        for name, part in zip(self.names, self.parts[1:], strict=True):
            value = lookup(name)
            if value is None:
                return None
            text += value + part
        return text


def secret(name: str) -> Secret:
    """The secret `name` alone."""
    return Secret((name,), ("", ""))


@dataclass(frozen=True, slots=True)
class Template:
    """A text with other resources' ids in it: `https://x/${ref:Agent/a.id}`."""

    parts: tuple[str | Ref | Outside, ...]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the state keeps of a secret: enough to see that it changed, not enough to read it."""

    names: tuple[str, ...]
    digest: str

    @property
    def key(self) -> str:
        """Under which key it was made: only fingerprints of one key can be compared."""
        return self.digest.rpartition(":")[0]


class Absent:
    """The value of a path that is not there; one instance, `ABSENT`."""

    _instance: Absent | None = None

    def __new__(cls) -> Absent:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT = Absent()


_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$:-]*\Z")
_STEP = re.compile(r"\[(\d+)\]|\[\"((?:[^\"\\]|\\.)*)\"\]|\.?([^.\[\]]+)")


def format_path(path: Path) -> str:
    """`("model", "messages", 0)` → `model.messages[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.match(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step)}]"
    return text


def parse_path(text: str) -> Path:
    """The reverse of `format_path`. Raises ValueError on text that is no path."""
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None or match.end() == position:
            raise ValueError(f"not a path: {text!r}")
        index, quoted, key = match.groups()
        steps.append(int(index) if index is not None else json.loads(f'"{quoted}"') if quoted is not None else key)
        position = match.end()
    return tuple(steps)


def empty(value: JSON) -> bool:
    """Null and absent are one."""
    return value is None or value is ABSENT


def get_key(value: JSON, key: str) -> JSON:
    """What a map has under a key; `ABSENT` also where it is no map."""
    return value.get(key, ABSENT) if isinstance(value, dict) else ABSENT


def get_path(value: JSON, path: Path) -> JSON:
    """The value at `path`, or `ABSENT`."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return ABSENT
            value = value[step]
        else:
            if not isinstance(value, dict) or step not in value:
                return ABSENT
            value = value[step]
    return value


def set_path(value: JSON, path: Path, new: JSON) -> None:
    """Set in place, creating maps and lists on the way."""
    for here, following in pairwise(path):
        if isinstance(here, int) and here == len(value):
            value.append([] if isinstance(following, int) else {})
        elif isinstance(here, str) and here not in value:
            value[here] = [] if isinstance(following, int) else {}
        value = value[here]
    last = path[-1]
    if isinstance(last, int) and last == len(value):
        value.append(new)
    else:
        value[last] = new


def delete_path(value: JSON, path: Path) -> None:
    """Remove in place; a path that is not there is fine."""
    parent = get_path(value, path[:-1])
    if isinstance(parent, dict):
        parent.pop(path[-1], None)
    elif isinstance(parent, list) and isinstance(path[-1], int) and path[-1] < len(parent):
        del parent[path[-1]]


def copy(value: JSON) -> JSON:
    """A deep copy of maps and lists; leaves are shared, for they are never changed."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy(item) for item in value]
    return value


def is_plain(value: JSON) -> bool:
    """Is it free of markers, found out at once? False may also mean that it can't be told so."""
    try:
        marshal.dumps(value, 2)
    except ValueError:
        return False
    return True


def identical(one: JSON, other: JSON) -> bool:
    """Are two values the same to the last type (true is not 1), found out at once, in whatever order their keys stand?

    False may also mean that it can't be told so: where a marker is in it, or 1 stands for 1.0.
    """
    if type(one) is not type(other) or one != other:
        return False
    if isinstance(one, str):
        return True
    try:
        if marshal.dumps(one, 2) == marshal.dumps(other, 2):
            return True
    except ValueError:
        return False
    # To Python, true equals 1; or the keys stand in another order.
    return isinstance(one, (dict, list)) and _same_types(one, other)


def _same_types(one: JSON, other: JSON) -> bool:
    """Of two equal maps or lists: do they hold the same types, all the way down?"""
    items = ((item, other[key]) for key, item in one.items()) if isinstance(one, dict) else zip(one, other, strict=True)
    for item, twin in items:
        if type(item) is not type(twin) or (isinstance(item, (dict, list)) and not _same_types(item, twin)):
            return False
    return True


def map_leaves(value: JSON, change: Callable[[JSON], JSON]) -> JSON:
    """The same tree with every leaf (all that is no map and no list) replaced by `change(leaf)`."""
    if type(value) in _LEAVES:
        return change(value)
    if isinstance(value, dict):
        return {key: map_leaves(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [map_leaves(item, change) for item in value]
    return change(value)


def leaves(value: JSON, path: Path = ()) -> Iterator[tuple[Path, JSON]]:
    """Every leaf with its path; empty maps and lists count as leaves."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def refs_in(value: JSON) -> Iterator[Ref]:
    """Every reference in a tree, those inside texts included."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, Template):
        yield from (part for part in value.parts if isinstance(part, Ref))
    elif isinstance(value, (dict, list)) and not is_plain(value):
        for item in value.values() if isinstance(value, dict) else value:
            yield from refs_in(item)


def outside_in(value: JSON) -> Iterator[Outside]:
    """Every object of somebody else's that a tree refers to, those inside texts included."""
    for _, leaf in leaves(value):
        if isinstance(leaf, Outside):
            yield leaf
        elif isinstance(leaf, Template):
            yield from (part for part in leaf.parts if isinstance(part, Outside))


def encode(value: JSON) -> JSON:
    """Markers as plain JSON, for the state and its revisions. Secrets never: fingerprint them first.

    A marker is a map whose first key starts with `::`; such a key of a user's own map gets one more colon.
    """
    if type(value) in _LEAVES:
        return value
    if isinstance(value, dict):
        return {f":{key}" if key.startswith("::") else key: encode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [encode(item) for item in value]
    match value:
        case Ref():
            return {"::ref": value.address, "attribute": value.attribute}
        case Outside():
            return {"::outside": value.address, "attribute": value.attribute}
        case Template():
            return {"::template": [part if isinstance(part, str) else encode(part) for part in value.parts]}
        case Fingerprint():
            return {"::secret": list(value.names), "fingerprint": value.digest}
        case Secret() if value.names:
            return {"::secret": list(value.names), "parts": list(value.parts)}
        case Secret():
            return {"::secret": []}
        case Absent():
            return {"::absent": True}
    return value


def decode(value: JSON) -> JSON:
    """The reverse of `encode`. Raises ValueError where a marker doesn't say what it stands for."""
    if isinstance(value, dict):
        if "::ref" in value:
            return Ref(_text(value["::ref"]), _text(value.get("attribute", "id")))
        if "::outside" in value:
            return Outside(_text(value["::outside"]), _text(value.get("attribute", "id")))
        if "::template" in value:
            parts = [part if isinstance(part, str) else decode(part) for part in _list(value["::template"])]
            if not all(isinstance(part, (str, Ref, Outside)) for part in parts):
                raise ValueError("a template holds something else than texts and references")
            return Template(tuple(parts))
        if "::secret" in value:
            names = tuple(map(_text, _list(value["::secret"])))
            if "fingerprint" in value:
                return Fingerprint(names, _text(value["fingerprint"]))
            texts = tuple(map(_text, _list(value.get("parts", []))))
            if texts and len(texts) != len(names) + 1:
                raise ValueError("a secret has another number of names than it has places for")
            return Secret(names, texts)
        if "::absent" in value:
            return ABSENT
        return {key[1:] if key.startswith(":::") else key: decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decode(item) for item in value]
    return value


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise ValueError("a marker names something that is no text")
    return value


def _list(value: JSON) -> list[JSON]:
    if not isinstance(value, list):
        raise ValueError("a marker holds something that is no list")
    return value


def canonical(value: JSON) -> str:
    """One text for equal values: sorted keys, no spaces; whole floats as integers, as JSON knows one number."""
    return json.dumps(_one_number(encode(value)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _one_number(value: JSON) -> JSON:
    """Encoded JSON with whole floats as integers."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: _one_number(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_one_number(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def digest(value: JSON) -> str:
    """`sha256:…` of the canonical text."""
    return "sha256:" + hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def merge_patch(base: JSON, patch: JSON) -> JSON:
    """RFC 7396: maps merge, null removes, everything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(base) if isinstance(base, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result
