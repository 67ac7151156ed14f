"""Made-up arguments: a value that a JSON Schema allows, always the same one, as plain as the schema lets it be.

Works as a search: plausible values are put together from the schema's words, and a validator of the standard
(draft 2020-12) has the last word about each. Knows schemas; knows nothing of tools or calls.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice, product
from typing import Any

from voiceops.simulate.pattern_text import texts_for

Schema = Mapping[str, Any]

_TRIES = 400  # values that one place of a schema is given a chance with
_DEEP = 12  # nested levels, after which nothing is made any more: a schema may contain itself
_ROOT = "urn:voiceops:schema"
_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")

# Plausible values by `format`, and by what a property is called.
_FORMATS: Mapping[str, tuple[str, ...]] = {
    "date": ("2026-03-02", "2026-03-03"),
    "time": ("10:30:00Z", "11:30:00Z"),
    "date-time": ("2026-03-02T10:30:00Z", "2026-03-03T10:30:00Z"),
    "duration": ("PT30M", "P1D"),
    "email": ("someone@example.com", "somebody@example.com", "a@b.co"),
    "idn-email": ("someone@example.com", "somebody@example.com"),
    "hostname": ("www.example.com", "example.org"),
    "idn-hostname": ("www.example.com", "example.org"),
    "ipv4": ("192.0.2.1", "192.0.2.2"),
    "ipv6": ("2001:db8::1", "2001:db8::2"),
    "uri": ("https://www.example.com/", "https://www.example.com/a", "a:b"),
    "iri": ("https://www.example.com/", "https://www.example.com/a"),
    "uri-reference": ("/orders/1", "/orders/2"),
    "iri-reference": ("/orders/1", "/orders/2"),
    "uri-template": ("/orders/{id}", "/shops/{id}"),
    "uuid": ("3f1c2a64-5b7d-4e8f-9a0b-1c2d3e4f5a6b", "3f1c2a64-5b7d-4e8f-9a0b-1c2d3e4f5a6c"),
    "json-pointer": ("/orders/0", "/orders/1"),
    "relative-json-pointer": ("0", "1"),
    "regex": ("^a+$", "^b+$"),
}
_NAMED = (("mail", _FORMATS["email"]), ("phone", ("+14155550123",)), ("date", _FORMATS["date"]))
_PLAIN = ("1234", "text", "5678", "a", "A", "1", "some words", "")


def sample(schema: Any) -> Any:
    """A value that the schema allows; where none is found, the one that comes nearest."""
    root = _rooted(schema)
    return _Maker(root).value(root)


class _Maker:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._checks: dict[str, Callable[[Any], bool]] = {}
        self._registry: Any = None

    def value(self, schema: Any) -> Any:
        tried = next(iter(self.values(schema, "", 0)), None)
        return tried if tried is not None or self._fits(schema)(None) else next(self._plausible(schema, "", 0), None)

    def values(self, schema: Any, name: str, depth: int) -> Iterator[Any]:
        """Different values that the schema allows."""
        fits = self._fits(schema)
        seen: set[str] = set()
        for value in islice(self._plausible(schema, name, depth), _TRIES):
            if (key := same(value)) not in seen:
                seen.add(key)
                if fits(value):
                    yield value

    def _fits(self, schema: Any) -> Callable[[Any], bool]:
        """The standard's word about a value; a schema that no validator reads allows everything."""
        import jsonschema_rs

        key = same(schema)
        if key not in self._checks:
            try:
                if self._registry is None:
                    self._registry = jsonschema_rs.Registry([(_ROOT, self._root)])
                validator = jsonschema_rs.Draft202012Validator(schema, registry=self._registry, validate_formats=True)
                self._checks[key] = validator.is_valid
            except (ValueError, jsonschema_rs.ReferencingError):
                self._checks[key] = lambda value: True
        return self._checks[key]

    def _plausible(self, schema: Any, name: str, depth: int) -> Iterator[Any]:
        if depth > _DEEP or schema is False:
            return
        for flat in self._variants(schema, 0):
            for key in ("default", "examples"):
                given = flat.get(key, ())
                yield from given if key == "examples" and isinstance(given, list) else [given] if key in flat else ()
            if "enum" in flat:
                yield from flat["enum"]
                continue
            for kind in _kinds(flat):
                yield from self._of(kind, flat, name, depth)

    def _of(self, kind: str, flat: Schema, name: str, depth: int) -> Iterator[Any]:
        match kind:
            case "object":
                yield from self._objects(flat, depth)
            case "array":
                yield from self._arrays(flat, depth)
            case "string":
                yield from _texts(flat, name)
            case "integer" | "number":
                yield from _numbers(flat, kind == "integer")
            case "boolean":
                yield from (True, False)
            case "null":
                yield None

    # ── one schema without $ref, allOf, anyOf, oneOf, if ──────────────────────────────────────────────────────────

    def _variants(self, schema: Any, depth: int) -> Iterator[Schema]:
        """What a schema comes down to, one plain schema for each of its choices."""
        if schema is True:
            yield {}
        if not isinstance(schema, Mapping) or depth > _DEEP:
            return
        parts: list[list[Any]] = []
        if isinstance(schema.get("$ref"), str):
            parts.append([self._referred(schema["$ref"])])
        parts += [[part] for part in _listed(schema, "allOf")]
        parts += [choices for key in ("anyOf", "oneOf") if (choices := _listed(schema, key))]
        if "if" in schema:
            parts.append([{"allOf": [schema["if"], schema.get("then", True)]}, schema.get("else", True)])
        own = {k: v for k, v in schema.items() if k not in ("$ref", "allOf", "anyOf", "oneOf", "if", "then", "else")}
        if "const" in own:
            own["enum"] = [own.pop("const")]
        yield from self._joined(own, parts, depth)

    def _joined(self, flat: Schema, parts: Sequence[list[Any]], depth: int) -> Iterator[Schema]:
        if not parts:
            yield flat
            return
        for choice in parts[0]:
            for variant in self._variants(choice, depth + 1):
                if (both := _both(flat, variant)) is not None:
                    yield from self._joined(both, parts[1:], depth)

    def _referred(self, reference: str) -> Any:
        """What a reference within the schema points at; anything where it points elsewhere."""
        found = self._root
        path = reference.removeprefix(f"{_ROOT}#")
        if not reference.startswith(_ROOT) or (path and not path.startswith("/")):
            return True
        for part in path.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
                found = found[int(key)]
            else:
                return True
        return found

    # ── objects and lists ─────────────────────────────────────────────────────────────────────────────────────────

    def _objects(self, flat: Schema, depth: int) -> Iterator[dict[str, Any]]:
        required = [key for key in _listed(flat, "required") if isinstance(key, str)]
        known = [key for key in _mapped(flat, "properties") if key not in required]
        for names in (required, *([*required, key] for key in known), [*required, *known], *self._invented(flat)):
            yield from self._with(flat, self._dependent(flat, names), depth)

    def _with(self, flat: Schema, names: list[str], depth: int) -> Iterator[dict[str, Any]]:
        """Objects with these properties; one property at a time is varied."""
        streams = {key: list(islice(self.values(self._property(flat, key), key, depth + 1), 4)) for key in names}
        if all(streams.values()):
            base = {key: found[0] for key, found in streams.items()}
            yield base
            for key, found in streams.items():
                yield from ({**base, key: value} for value in found[1:])

    def _invented(self, flat: Schema) -> Iterator[list[str]]:
        """Names beside the known ones, where an object needs more of them."""
        least = int(flat.get("minProperties", 0))
        known = list(_mapped(flat, "properties"))
        if least <= 0:
            return
        required = _listed(flat, "required")
        yield list(dict.fromkeys([*required, *known]))[: max(least, len(required))]
        patterns = [text for pattern in _mapped(flat, "patternProperties") for text in islice(texts_for(pattern), 8)]
        rule = flat.get("propertyNames", True)
        plain = [text for text in islice(self.values(rule, "", 0), least + 8) if isinstance(text, str)]
        names = dict.fromkeys([*required, *known, *patterns, *plain, *(f"name{n}" for n in range(least))])
        fits = self._fits(rule)
        yield [name for name in names if fits(name)][:least]

    def _dependent(self, flat: Schema, names: Sequence[str]) -> list[str]:
        found = list(names)
        for key in found:  # grows while it is walked
            needed = _mapped(flat, "dependentRequired").get(key, ())
            found += [name for name in needed if name not in found]
        return found

    def _property(self, flat: Schema, key: str) -> Any:
        """What a property has to be."""
        import re

        parts = [_mapped(flat, "properties")[key]] if key in _mapped(flat, "properties") else []
        for pattern, schema in _mapped(flat, "patternProperties").items():
            try:
                if re.search(pattern, key):
                    parts.append(schema)
            except re.error:
                continue
        if not parts:
            return flat.get("additionalProperties", True)
        return parts[0] if len(parts) == 1 else {"allOf": parts}

    def _arrays(self, flat: Schema, depth: int) -> Iterator[list[Any]]:
        least, most = int(flat.get("minItems", 0)), flat.get("maxItems")
        wanted = int(flat.get("minContains", 1)) if "contains" in flat else 0
        distinct = flat.get("uniqueItems") is True
        first = _listed(flat, "prefixItems")
        longest = max(least, len(first))
        for length in dict.fromkeys((max(least, wanted), least + 1, longest, longest + wanted)):
            if most is not None and length > most:
                continue
            items: list[Any] = []
            for index in range(length):
                rule = first[index] if index < len(first) else flat.get("items", True)
                if wanted and index >= length - wanted:
                    rule = {"allOf": [rule, flat["contains"]]}
                taken = {same(item) for item in items} if distinct else set()
                fresh = (value for value in self.values(rule, "", depth + 1) if same(value) not in taken)
                if (found := next(fresh, _NONE)) is _NONE:
                    break
                items.append(found)
            if len(items) == length:
                yield items


_NONE = object()


def _kinds(flat: Schema) -> Sequence[str]:
    """The types that a value may have, the likeliest first."""
    given = flat.get("type")
    if isinstance(given, str):
        return (given,)
    if isinstance(given, list) and given:
        return [kind for kind in given if kind != "null"] + [kind for kind in given if kind == "null"]
    for kind, words in (
        ("object", ("properties", "required", "minProperties", "additionalProperties", "patternProperties")),
        ("array", ("items", "prefixItems", "minItems", "contains", "uniqueItems")),
        ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
    ):
        if any(word in flat for word in words):
            return [kind, *(other for other in _TYPES if other != kind)]
    return ("string", "object", "array", "integer", "number", "boolean", "null")


def _texts(flat: Schema, name: str) -> Iterator[str]:
    least, most = int(flat.get("minLength", 0)), flat.get("maxLength")
    patterns = _patterns(flat)
    for pattern in patterns:
        yield from texts_for(pattern, least)
    if len(patterns) == 2:  # the beginning of one, the end of the other
        for one, other in product(*(list(islice(texts_for(pattern), 12)) for pattern in patterns)):
            yield from (one + other, other + one)
    named = next((texts for word, texts in _NAMED if word in name.lower()), ())
    for text in (*_FORMATS.get(str(flat.get("format")), ()), *named, *_PLAIN):
        long = text.ljust(least, text[-1:] or "a")
        yield long if most is None else long[: int(most)]
    for number in range(1, 60):  # as many different ones as a list may want
        text = str(number)
        yield text.rjust(max(least, len(text)), "a")


def _numbers(flat: Schema, whole: bool) -> Iterator[int | float]:
    low = max((Fraction(flat[key]) for key in ("minimum", "exclusiveMinimum") if key in flat), default=None)
    high = min((Fraction(flat[key]) for key in ("maximum", "exclusiveMaximum") if key in flat), default=None)
    step = Fraction(str(flat["multipleOf"])) if flat.get("multipleOf") else Fraction(1)
    if whole:
        step = Fraction(step.numerator)  # the least common multiple of a fraction and one
    start = Fraction(1) if low is None or low <= 1 <= (high if high is not None else 1) else low
    if high is not None and start > high:
        start = high
    first = math.ceil(start / step)
    found = [_number(factor * step) for turn in range(60) for factor in (first + turn, first - turn)]
    # Validators divide floats: what comes out whole there, too, is first.
    yield from sorted(found, key=lambda value: not (value / float(step)).is_integer())
    if low is not None and high is not None and not whole:
        for part in (2, 3, 5, 7):  # a range between two steps
            yield _number(low + (high - low) / part)


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


# ── two schemas at once ───────────────────────────────────────────────────────────────────────────────────────────

_HIGHER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
_LOWER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains")


def _both(one: Schema, other: Schema) -> Schema | None:
    """One plain schema that asks what two ask; None where no value could do."""
    result = {**one, **other}
    for key in one.keys() & other.keys():
        a, b = one[key], other[key]
        if key in _HIGHER or key in _LOWER:
            result[key] = max(a, b) if key in _HIGHER else min(a, b)
        elif key == "enum":
            known = {same(value) for value in b}
            result[key] = [value for value in a if same(value) in known]
        elif key == "type":
            result[key] = _common(a, b)
            if not result[key]:
                return None
        elif key == "required":
            result[key] = list(dict.fromkeys([*a, *b]))
        elif key in ("properties", "patternProperties"):
            result[key] = {**a, **b, **{k: {"allOf": [a[k], b[k]]} for k in a.keys() & b.keys()}}
        elif key in ("items", "additionalProperties", "propertyNames", "contains"):
            result[key] = {"allOf": [a, b]}
        elif key == "multipleOf":
            x, y = Fraction(str(a)), Fraction(str(b))
            common = Fraction(math.lcm(x.numerator, y.numerator), math.gcd(x.denominator, y.denominator))
            result[key] = _number(common)
        elif key == "uniqueItems":
            result[key] = a or b
    if len(patterns := [*_patterns(one), *_patterns(other)]) > 1:
        result["patterns"] = list(dict.fromkeys(patterns))
    return result


def _patterns(flat: Schema) -> list[str]:
    return list(flat.get("patterns", [flat["pattern"]] if "pattern" in flat else []))


def _common(one: Any, other: Any) -> list[str]:
    a, b = ([given] if isinstance(given, str) else list(given) for given in (one, other))
    found = [kind for kind in a if kind in b or (kind == "integer" and "number" in b)]
    return found + [kind for kind in b if kind == "integer" and "number" in a and kind not in found]


def same(value: Any) -> str:
    """One text for values that JSON Schema calls equal: 1 and 1.0, maps in any order."""

    def plain(item: Any) -> Any:
        if isinstance(item, float) and item.is_integer():
            return int(item)
        if isinstance(item, Mapping):
            return {str(key): plain(part) for key, part in item.items()}
        return [plain(part) for part in item] if isinstance(item, (list, tuple)) else item

    return json.dumps(plain(value), sort_keys=True, default=str)


def _rooted(schema: Any) -> Any:
    """The schema with its inner references as full ones, so that its parts can be looked at alone."""
    if isinstance(schema, Mapping):
        return {
            key: _ROOT + value if key == "$ref" and isinstance(value, str) and value.startswith("#") else _rooted(value)
            for key, value in schema.items()
            if key not in ("$schema", "$id")
        }
    return [_rooted(item) for item in schema] if isinstance(schema, (list, tuple)) else schema


def _listed(schema: Schema, key: str) -> list[Any]:
    found = schema.get(key)
    return list(found) if isinstance(found, (list, tuple)) else []


def _mapped(schema: Schema, key: str) -> Mapping[str, Any]:
    found = schema.get(key)
    return found if isinstance(found, Mapping) else {}
