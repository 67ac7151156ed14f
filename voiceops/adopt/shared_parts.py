"""Parts that several manifests share: taken out, and named by what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceops.adopt.leaves import Name, PartHere, Prompt
from voiceops.adopt.naming import LONGEST, host_of, site_of, slug
from voiceops.model.address import address, name_of
from voiceops.model.values import JSON, canonical

_LEAST_USERS = 2
_MODEL_SAYS = 3  # fields of a model that are worth a manifest; provider and model alone read as well in place
_MOST_DIFFERENT = 2
_LEAST_EQUAL = 3
# What a part is, first of all: parts that differ here are no variants of each other.
_IS = {
    "Voice": ("provider", "voiceId", "model"),
    "Transcriber": ("provider", "model", "language"),
    "Model": ("provider", "model"),
    "Server": ("url",),
}
_SHORT_ID, _LONG_ID = 10, 20  # characters of an id with digits in it, and of any
_RESERVED = {"Server": frozenset({"runtime"})}


@dataclass(frozen=True, slots=True)
class SharedPart:
    """A part that was taken out, and whose manifests use it."""

    address: str
    value: dict[str, JSON] = field(repr=False)
    used_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    user: str
    part: PartHere


class SharedParts:
    """Which parts of these manifests stand by name, and what stands at their places."""

    def __init__(
        self,
        users: Mapping[str, Iterable[PartHere]],
        declared: Mapping[str, Mapping[str, JSON]],
        taken: Mapping[str, Iterable[str]],
    ) -> None:
        self.shared: list[SharedPart] = []
        self._names: dict[tuple[str, str], str] = {}
        self._values: dict[tuple[str, str], dict[str, JSON]] = {}
        for where, value in sorted(declared.items()):
            kind = where.partition("/")[0]
            key = (kind, canonical(dict(value)))
            self._names.setdefault(key, name_of(where))
            if kind in _IS and "from" not in value:
                self._values.setdefault(key, dict(value))
        self._taken = {kind: set(names) for kind, names in taken.items()}
        self._take_out(users)

    def _take_out(self, users: Mapping[str, Iterable[PartHere]]) -> None:
        used: dict[tuple[str, str], dict[str, None]] = {}
        values: dict[tuple[str, str], dict[str, JSON]] = {}
        for user, parts in users.items():
            for part in parts:
                key = (part.kind, _said(part.value))
                used.setdefault(key, {})[user] = None
                values[key] = part.value
        chosen = [
            key
            for key, by in used.items()
            if key not in self._names and len(by) >= _LEAST_USERS and _is_worth_it(key[0], values[key])
        ]
        declared: dict[str, list[dict[str, JSON]]] = {}
        for (kind, _), value in self._values.items():
            declared.setdefault(kind, []).append(value)
        for key in sorted(chosen, key=lambda k: (k[0], -len(used[k]), k[1])):
            kind = key[0]
            names = self._taken.setdefault(kind, set())
            rivals = [values[other] for other in chosen if other[0] == kind and other != key] + declared.get(kind, [])
            name = _free(_name(kind, values[key], rivals), names | _RESERVED.get(kind, frozenset()))
            names.add(name)
            self._names[key] = name
            self._values[key] = values[key]
            self.shared.append(SharedPart(address(kind, name), values[key], tuple(used[key])))
        self.shared.sort(key=lambda part: (list(_IS).index(part.address.partition("/")[0]), part.address))

    def written(self, part: PartHere) -> Any:
        """What a manifest says at the place of a part: its name, what differs from one, or all of it."""
        name = self._names.get((part.kind, _said(part.value)))
        if name is not None:
            return {"from": name, **part.own} if part.own else name
        near = self._near(part)
        if near is not None:
            base, different = near
            return {"from": base, **different, **part.own}
        return {**part.value, **part.own}

    def _near(self, part: PartHere) -> tuple[str, dict[str, JSON]] | None:
        found: list[tuple[int, str, dict[str, JSON]]] = []
        for (kind, _), value in self._values.items():
            if kind != part.kind or any(value.get(key) != part.value.get(key) for key in _IS[kind]):
                continue
            different = {key: item for key, item in part.value.items() if key not in value or value[key] != item}
            plain = all(not isinstance(item, (dict, list)) for item in different.values())
            equal = len(part.value) - len(different)
            if (
                plain
                and value.keys() <= part.value.keys()
                and len(different) <= _MOST_DIFFERENT
                and equal >= _LEAST_EQUAL
            ):
                found.append((len(different), self._names[(kind, _said(value))], different))
        if not found:
            return None
        _, name, different = min(found, key=lambda one: one[:2])
        return name, different


def _said(value: Mapping[str, JSON]) -> str:
    """One text for equal parts, with the parts in them."""
    return canonical(_plain(dict(value)))


def _plain(value: Any) -> Any:
    if isinstance(value, PartHere):
        return _plain({**value.value, **value.own})
    if isinstance(value, Prompt):
        return value.text
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _is_worth_it(kind: str, value: Mapping[str, JSON]) -> bool:
    return bool(value) and (kind != "Model" or len(value) >= _MODEL_SAYS)


def _name(kind: str, value: Mapping[str, JSON], rivals: list[dict[str, JSON]]) -> str:
    """What the part is, and by what it differs from others that are the same."""
    base = _base(kind, value)
    alike = [other for other in rivals if _base(kind, other) == base]
    if not alike:
        return base
    words = [word for key in sorted(value) if (word := _telling(key, value, alike))]
    return f"{base}-{words[0]}"[:LONGEST].rstrip("-") if words else base


def _base(kind: str, value: Mapping[str, JSON]) -> str:
    match kind:
        case "Voice":
            found = [_voice(value)]
        case "Transcriber":
            found = [str(value.get("model") or value.get("provider") or ""), str(value.get("language") or "")]
        case "Model":
            found = [str(value.get("model") or value.get("provider") or "")]
        case _:
            found = [site_of(host_of(value.get("url"))) or host_of(value.get("url"))]
    return slug(" ".join(found)) or kind.lower()


def _voice(value: Mapping[str, JSON]) -> str:
    """The voice's name; of one that has only its provider's id, the provider and the model."""
    name = value.get("voiceId")
    if isinstance(name, str) and name and not _is_opaque(name):
        return name
    provider, model = str(value.get("provider") or "voice"), value.get("model")
    said = str(model).removeprefix("eleven_") if model else str(name or "")[:6].lower()
    return f"{provider} {said}"


def _is_opaque(text: str) -> bool:
    """Is it an id, not a name?"""
    return len(text) >= _LONG_ID or (len(text) >= _SHORT_ID and any(c.isdigit() for c in text))


def _telling(key: str, value: Mapping[str, JSON], alike: list[dict[str, JSON]]) -> str:
    """One field in a word or two, where none of the others has it like this."""
    item = value[key]
    if any(other.get(key) == item for other in alike):
        return ""
    if isinstance(item, Name):
        return slug(item.text)
    if isinstance(item, (dict, list)):
        return "" if any(key in other for other in alike) else slug(key)
    if key == "speed" and isinstance(item, (int, float)):
        return "fast" if item > 1 else "slow" if item < 1 else "even"
    if key == "url" and isinstance(item, str):
        return slug(item.partition("://")[2].partition("/")[2].rpartition("/")[2])
    if key == "voiceId":
        return slug(str(item)[:6].lower())
    if isinstance(item, bool):
        return slug(key) if item else f"no-{slug(key)}"
    if isinstance(item, str):
        return slug(item)
    return f"{slug(key)}-{slug(str(item))}"


def _free(name: str, taken: Iterable[str]) -> str:
    used = set(taken)
    if name not in used:
        return name
    number = 2
    while f"{name}-{number}" in used:
        number += 1
    return f"{name}-{number}"
