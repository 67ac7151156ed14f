"""From the arguments as a model writes them to those that a handler gets, along the tool's schema.

Two habits of models are mended before the check: `null` for a property that may be left out and can't be null means
that it is left out, and `2.0` is the integer 2 where one is asked for. Follows local references; everything else of the
schema is not its business. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

Schema = Mapping[str, Any] | bool


def local(root: Any, reference: Any) -> Any:
    """What a reference within the schema names; None where it names something else, or nothing."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    found = root
    if reference.startswith("#/"):
        for step in unquote(reference[2:]).split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping):
                found = found.get(step)
            elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
                found = found[int(step)]
            else:
                return None
    elif reference != "#":
        return None
    return found if isinstance(found, (Mapping, bool)) else None


def null_fits(schema: Any, root: Any, above: tuple[int, ...] = ()) -> bool:
    """Does a schema take null?"""
    if not isinstance(schema, Mapping):
        return schema is not False
    if id(schema) in above:
        return True
    above = (*above, id(schema))

    def fits(inner: Any) -> bool:
        return null_fits(inner, root, above)

    kinds = schema.get("type")
    if isinstance(kinds, str) and kinds != "null":
        return False
    if isinstance(kinds, (list, tuple)) and "null" not in kinds:
        return False
    if isinstance(schema.get("enum"), (list, tuple)) and None not in schema["enum"]:
        return False
    if schema.get("const") is not None or ("$ref" in schema and not fits(local(root, schema["$ref"]))):
        return False
    if "not" in schema and fits(schema["not"]):
        return False
    if "if" in schema and not fits(schema.get("then" if fits(schema["if"]) else "else", True)):
        return False
    if not all(map(fits, _list(schema.get("allOf")))):
        return False
    options = [_list(schema[key]) for key in ("anyOf", "oneOf") if key in schema]
    return all(any(map(fits, branches)) for branches in options)


class Shapes:
    """A schema's shapes, made as values need them, and kept."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self._made: dict[tuple[tuple[int, ...], tuple[int, ...]], _Shape] = {}
        self._top = self.shape([root], [])

    def apply(self, arguments: dict[str, Any]) -> None:
        """Change them in place. Raises RecursionError."""
        self._top.apply(arguments)

    def shape(self, sure: Iterable[Schema], perhaps: Iterable[Schema]) -> _Shape:
        """The shape of a value that all of these schemas are for, and perhaps those."""
        surely, maybe = self._spread(sure, perhaps)
        key = tuple(map(id, surely)), tuple(map(id, maybe))
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = _Shape(self, surely, maybe)
        return found

    def _spread(self, sure: Iterable[Schema], perhaps: Iterable[Schema]) -> tuple[list[Mapping[str, Any]], ...]:
        """With what they refer to and are put together from."""
        surely: dict[int, Mapping[str, Any]] = {}
        maybe: dict[int, Mapping[str, Any]] = {}
        waiting = [(schema, True) for schema in sure] + [(schema, False) for schema in perhaps]
        while waiting:
            schema, certain = waiting.pop(0)
            if not isinstance(schema, Mapping) or id(schema) in surely or (not certain and id(schema) in maybe):
                continue
            (surely if certain else maybe)[id(schema)] = schema
            if "$ref" in schema:
                waiting.append((local(self.root, schema["$ref"]), certain))
            waiting += [(inner, certain) for inner in _list(schema.get("allOf"))]
            waiting += [(inner, False) for key in ("anyOf", "oneOf") for inner in _list(schema.get(key))]
            waiting += [(schema[key], False) for key in ("if", "then", "else") if key in schema]
            depending = schema.get("dependentSchemas")
            waiting += [(inner, False) for inner in depending.values()] if isinstance(depending, Mapping) else []
        return list(surely.values()), list(maybe.values())


class _Shape:
    """What to do with a value that some schemas are for."""

    __slots__ = ("_declared", "_known", "_maybe", "_patterned", "_required", "_shapes", "_sure", "integer")

    def __init__(self, shapes: Shapes, sure: list[Mapping[str, Any]], maybe: list[Mapping[str, Any]]) -> None:
        self._shapes = shapes
        self._sure = sure
        self._maybe = maybe
        self._known: dict[Any, tuple[_Shape, bool]] = {}
        self._patterned = [
            (schema, jsonschema_rs.Draft202012Validator({"pattern": pattern}).is_valid, inner)
            for schema in (*sure, *maybe)
            for pattern, inner in _map(schema.get("patternProperties")).items()
        ]
        self._required = {name for schema in sure for name in _list(schema.get("required"))}
        self._declared = self._required.union(*(_map(schema.get("properties")) for schema in (*sure, *maybe)))
        self.integer = any(_asks_integer(schema) for schema in (*sure, *maybe))

    def apply(self, value: Any) -> Any:
        if isinstance(value, dict):
            for name, item in list(value.items()):
                shape, dropped = self._member(name)
                if item is None:
                    if dropped:
                        del value[name]
                elif isinstance(item, (dict, list)):
                    shape.apply(item)
                elif shape.integer and type(item) is float and item.is_integer():
                    value[name] = int(item)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, (dict, list)):
                    self._item(index).apply(item)
                elif type(item) is float and item.is_integer() and self._item(index).integer:
                    value[index] = int(item)
        return value

    def _member(self, name: str) -> tuple[_Shape, bool]:
        """The shape of a property, and whether null means that it is left out."""
        found = self._known.get(name)
        if found is not None:
            return found
        key = name if name in self._declared else None  # names that a caller invents are not kept
        if key is None and self._patterned:
            return self._made(name)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._made(name)
        return found

    def _made(self, name: str) -> tuple[_Shape, bool]:
        sure = [inner for schema in self._sure for inner in self._of(schema, name)]
        maybe = [inner for schema in self._maybe for inner in self._of(schema, name)]
        root = self._shapes.root
        refused = any(not null_fits(inner, root) for inner in sure)
        refused |= bool(maybe) and not any(null_fits(inner, root) for inner in maybe)
        return self._shapes.shape(sure, maybe), refused and name not in self._required

    def _of(self, schema: Mapping[str, Any], name: str) -> Iterator[Any]:
        """Those of a schema's subschemas that a property of this name meets."""
        found = False
        properties = _map(schema.get("properties"))
        if name in properties:
            found = True
            yield properties[name]
        for owner, matches, inner in self._patterned:
            if owner is schema and matches(name):
                found = True
                yield inner
        if not found and "additionalProperties" in schema:
            yield schema["additionalProperties"]

    def _item(self, index: int) -> _Shape:
        """The shape of a list's item."""
        longest = max((len(_list(schema.get("prefixItems"))) for schema in (*self._sure, *self._maybe)), default=0)
        key = min(index, longest)
        found = self._known.get(key)
        if found is None:
            sure = [inner for schema in self._sure for inner in _items(schema, index)]
            maybe = [inner for schema in self._maybe for inner in _items(schema, index)]
            found = self._known[key] = self._shapes.shape(sure, maybe), False
        return found[0]


def _items(schema: Mapping[str, Any], index: int) -> Iterator[Any]:
    first = _list(schema.get("prefixItems"))
    if index < len(first):
        yield first[index]
    elif "items" in schema:
        yield schema["items"]


def _asks_integer(schema: Mapping[str, Any]) -> bool:
    kinds = schema.get("type")
    if kinds == "integer" or (isinstance(kinds, (list, tuple)) and "integer" in kinds):
        return True
    listed = [*_list(schema.get("enum")), schema.get("const")]
    numbers = [item for item in listed if isinstance(item, (int, float)) and not isinstance(item, bool)]
    return bool(numbers) and all(isinstance(item, int) for item in numbers)


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
