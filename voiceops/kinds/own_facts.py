"""A project's own facts: read from what a file holds, and held together with voiceops's.

The file is anybody's: everything in it that is relied on is checked here, once, so that nobody who asks the facts
has to. `voiceops schema update` writes it (voiceops/vendor_facts/).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from voiceops.kinds.patterns import can_be_tried
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import Facts, embedded, facts
from voiceops.model.json_in import NoJson, described, parsed

FILE = "vapi-schema.json"
MAX_BYTES = 8 << 20

_TYPES = ("string", "number", "integer", "boolean", "array", "object", "union", "anyOf", "any")
_FLAGS = ("open", "deprecated", "legacy", "nullable", "uncertain", "secret", "set")
_TEXTS = ("of", "by", "successor", "reference", "referenceBy", "mayReference", "attribute", "follows", "in")
_NUMBERS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
_OPERATIONS = ("create", "update", "manifest")


class NoFacts(ValueError):
    """The file can't be used as facts; the text says where it is wrong."""


@lru_cache(maxsize=4)
def own_facts(content: bytes) -> Facts:
    """The facts that a file holds; what it does not have is as voiceops has it. Raises NoFacts.

    A kind that voiceops learned after the file was written is so described, too.
    """
    data = _read(content)
    base = embedded()
    types = base.types | _map(data, "types")
    for name, definition in data["types"].items():
        _check_type(name, definition, types)
        types[name] = _as_secret(definition, base.types.get(name, definition))
    roots = base.roots | _map(data, "roots")
    for kind, entry in data["roots"].items():
        _check_root(f"roots.{kind}", entry, types)
    answered = _map(data, "answered") if "answered" in data else {}
    if not all(_is_texts(names) for names in answered.values()):
        raise NoFacts("answered: must hold lists of texts")
    return Facts(roots=roots, answered=base.answered | answered, elsewhere=base.elsewhere, types=types)


def _as_secret(definition: dict[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """A type in which nothing is less secret than voiceops has it: a file may show no more than it did."""
    fields = definition["fields"]
    told = {
        key: {**fields[key], "secret": True}
        for key, node in ours["fields"].items()
        if node.get("secret") and key in fields and not fields[key].get("secret")
    }
    return {**definition, "fields": {**fields, **told}} if told else definition


def is_older(content: bytes) -> bool:
    """Were other repairs laid over the file than this voiceops has? The file is one that `own_facts` takes."""
    return bool(_read(content).get("rules") != facts().get("rules"))


@lru_cache(maxsize=4)
def _read(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_BYTES:
        raise NoFacts(f"is larger than {MAX_BYTES:,} bytes")
    try:
        data = parsed(content)
    except NoJson as problem:
        raise NoFacts(str(problem)) from None
    if not isinstance(data, dict) or "format" not in data:
        raise NoFacts("holds no facts of voiceops")
    if data["format"] != facts()["format"]:
        raise NoFacts(f"is of a format that this voiceops does not read ({described(data['format'])})")
    return data


def _map(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    if not isinstance(found, dict):
        raise NoFacts(f"{key}: must be a map, not {described(found)}")
    return found


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _check_type(name: str, definition: Any, types: Mapping[str, Any]) -> None:
    where = f"types.{name}"
    if not isinstance(definition, dict):
        raise NoFacts(f"{where}: must be a map")
    fields, required = definition.get("fields"), definition.get("required")
    if not isinstance(fields, dict) or not _is_texts(required):
        raise NoFacts(f"{where}: must have fields, a map, and required, a list of texts")
    if missing := [key for key in definition["required"] if key not in fields]:
        raise NoFacts(f"{where}: requires {missing[0]}, which is none of its fields")
    for key, node in fields.items():
        _check_node(f"{where}.{key}", node, types)


def _check_root(where: str, entry: Any, types: Mapping[str, Any]) -> None:
    bodies = {"": entry}
    if isinstance(entry, dict) and "by" not in entry:
        bodies = {f".{key}": entry[key] for key in _OPERATIONS if key in entry}
        if "create" not in entry:
            raise NoFacts(f"{where}: has no create")
    for key, body in bodies.items():
        if isinstance(body, str):
            _check_named(where + key, body, types)
        elif isinstance(body, dict):
            _check_node(where + key, {"type": "union", **body}, types)
        else:
            raise NoFacts(f"{where}{key}: must be a type's name, or a union")


def _check_named(where: str, name: Any, types: Mapping[str, Any]) -> None:
    if not isinstance(name, str) or name not in types:
        raise NoFacts(f"{where}: names a type that is not there")


def _check_node(where: str, node: Any, types: Mapping[str, Any]) -> None:
    if not isinstance(node, dict) or node.get("type") not in _TYPES:
        raise NoFacts(f"{where}: is no node with a type")
    _check_plain(where, node)
    match node["type"]:
        case "object" if "of" in node:
            _check_named(where, node["of"], types)
        case "union":
            _check_union(where, node, types)
        case "anyOf":
            if not _options(where, node, "options", types):
                raise NoFacts(f"{where}: has no options")
    for key in ("items", "values"):
        if key in node:
            _check_node(f"{where}.{key}", node[key], types)


def _check_union(where: str, node: Mapping[str, Any], types: Mapping[str, Any]) -> None:
    if not isinstance(node.get("by"), str) or not isinstance(node.get("variants"), dict):
        raise NoFacts(f"{where}: a union has by, a text, and variants, a map")
    for key in ("variants", "patterns"):
        for choice, name in _map(node, key).items() if key in node else ():
            _check_named(f"{where}.{key}.{choice}", name, types)
    for pattern in node.get("patterns", {}):
        _check_pattern(where, pattern)
    if "aliases" in node and not _are(str, _map(node, "aliases").values()):
        raise NoFacts(f"{where}: aliases must hold texts")
    _options(where, node, "others", types)


def _options(where: str, node: Mapping[str, Any], key: str, types: Mapping[str, Any]) -> int:
    options = node.get(key, [])
    if not isinstance(options, list):
        raise NoFacts(f"{where}.{key}: must be a list")
    for option in options:
        _check_node(f"{where}.{key}", option, types)
    return len(options)


_PLAIN = (str, int, float, bool, type(None))
# What each key of a node has to hold, where it is there.
_HOLDS: tuple[tuple[tuple[str, ...], str, Callable[[Any], bool]], ...] = (
    (_FLAGS, "true or false", lambda value: isinstance(value, bool)),
    (_TEXTS, "a text", lambda value: isinstance(value, str)),
    (_NUMBERS, "a number", lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)),
    (("enum", "examples"), "a list of plain values", lambda value: isinstance(value, list) and _are(_PLAIN, value)),
    (("renamed",), "a map of texts", lambda value: isinstance(value, dict) and _are(str, value.values())),
)


def _are(kinds: Any, values: Any) -> bool:
    return all(isinstance(value, kinds) for value in values)


def _check_plain(where: str, node: Mapping[str, Any]) -> None:
    for keys, what, holds in _HOLDS:
        for key in keys:
            if key in node and not holds(node[key]):
                raise NoFacts(f"{where}.{key}: must be {what}, not {described(node[key])}")
    if "pattern" in node:
        _check_pattern(where, node["pattern"])
    for key in ("reference", "mayReference"):
        if key in node and node[key] not in KINDS:
            raise NoFacts(f"{where}.{key}: names a kind that is not there")
    if ("mayReference" in node or "follows" in node) and "attribute" not in node:
        raise NoFacts(f"{where}: refers to another's attribute, and has none")


def _check_pattern(where: str, pattern: Any) -> None:
    if not isinstance(pattern, str) or not can_be_tried(pattern):
        raise NoFacts(f"{where}: has a pattern that can't be tried in bounded time")
