"""Secrets of what was found: each value gets one name, by which every manifest asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from voiceops.adopt.leaves import Hidden
from voiceops.adopt.naming import site_of, slug
from voiceops.model.address import kind_of, name_of
from voiceops.model.key_forms import keys_in
from voiceops.model.redactor import KEYS, SHORTEST, Redactor, forms
from voiceops.model.values import format_path

_NO_LETTERS = re.compile(r"[^A-Z0-9]+")
_BEARER = re.compile(r"(?P<before>(?:Bearer|Basic|Token) )(?P<value>\S+)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NeededSecret:
    """A secret that the manifests ask for. `value` is None where the API does not show it."""

    name: str
    address: str  # where it was found first
    path: str
    value: str | None = field(repr=False)


class SecretNames:
    """The secrets of one account, as they turn up: first all are noted, then texts are written with their names."""

    def __init__(self, known: Mapping[str, str | None]) -> None:
        self._known = dict(known)
        self._names = {value: name for name, value in known.items() if value}
        self._unseen: dict[tuple[str, str], str] = {}  # (address, path) → name
        self._redactor = Redactor()
        self.needed: list[NeededSecret] = []
        self._heads: frozenset[str] | None = None  # how the forms of secrets begin; None: to be made
        for name, value in known.items():
            if value:
                self._learn(value, name)

    def note(self, address: str, hidden: Hidden) -> None:
        """A field that is secret, with its value or without."""
        path = format_path(hidden.path)
        if hidden.value is None:
            if (address, path) not in self._unseen:
                self._unseen[(address, path)] = self._new(address, hidden, None)
            return
        for value in _secret_parts(hidden.value):
            if value not in self._names:
                self._names[value] = self._new(address, hidden, value)
            self._learn(value, self._names[value])

    def _learn(self, value: str, name: str) -> None:
        self._redactor.add(value, name)
        self._heads = None

    def look(self, address: str, text: str) -> None:
        """Any text: what looks like a key is one."""
        for value in keys_in(text):
            if value not in self._names and not any(value in other for other in self._names):
                self._names[value] = self._new(address, Hidden(value, ("key",)), value)
                self._learn(value, self._names[value])

    def field(self, address: str, hidden: Hidden) -> str:
        """What the manifest says in a secret field."""
        if hidden.value is None:
            return f"${{secret:{self._unseen[(address, format_path(hidden.path))]}}}"
        match = _BEARER.match(hidden.value)
        if match:
            return f"{match['before']}${{secret:{self._names[match['value']]}}}"
        return f"${{secret:{self._names[hidden.value]}}}"

    def text(self, address: str, text: str) -> tuple[str, bool]:
        """What the manifest says for any other text, and whether a secret stands in it."""
        escaped = text.replace("${", "$${")
        if not self._may_hold(text) or self._redactor.found(text) is None:
            return escaped, False
        pieces = list(self._cut(text))
        written = "".join(piece if is_name else piece.replace("${", "$${") for piece, is_name in pieces)
        if any(not is_name and self._redactor.found(piece) is not None for piece, is_name in pieces):
            self.note(address, Hidden(text, ("key",)))  # in a form that can't be cut out: all of it is secret
            return f"${{secret:{self._names[text]}}}", True
        return written, True

    def _may_hold(self, text: str) -> bool:
        """A quick look for most texts: does a secret begin anywhere in it? Escapes take the long way."""
        if len(text) < SHORTEST:
            return False
        if self._heads is None:
            self._heads = frozenset(form[:SHORTEST] for value in self._names for form in forms(value))
        if len(text) > len(self._heads) or any(sign in text for sign in ("%", "\\", "&#")):
            return True
        return any(text[at : at + SHORTEST] in self._heads for at in range(len(text) - SHORTEST + 1))

    def _cut(self, text: str) -> Iterator[tuple[str, bool]]:
        values = sorted((value for value in self._names if len(value) >= SHORTEST and value in text), key=len)
        if not values:
            yield text, False
            return
        longest = values[-1]
        before, _, after = text.partition(longest)
        if before:
            yield from self._cut(before)
        yield f"${{secret:{self._names[longest]}}}", True
        if after:
            yield from self._cut(after)

    def _new(self, address: str, hidden: Hidden, value: str | None) -> str:
        name = self._free(_name_of(address, hidden), value)
        self._known[name] = value
        self.needed.append(NeededSecret(name, address, format_path(hidden.path), value))
        return name

    def _free(self, name: str, value: str | None) -> str:
        if name in KEYS:
            name = f"{name}_OF_LINE" if "TWILIO" in name else f"{name}_LIVE"
        free, number = name, 2
        while free in self._known:
            free, number = f"{name}_{number}", number + 1
        return free


def _secret_parts(value: str) -> list[str]:
    match = _BEARER.match(value)
    return [match["value"]] if match else [value]


def _name_of(address: str, hidden: Hidden) -> str:
    """`CRM_TOKEN`: where the secret is sent, or whose it is, and what it is."""
    whose = site_of(hidden.host) or name_of(address).partition("[")[0]
    what = next((str(step) for step in reversed(hidden.path) if isinstance(step, str)), "secret")
    words = _words(what)
    if words[:1] == ["X"]:
        words = words[1:]
    if "AUTHORIZATION" in words:
        words = ["TOKEN"]
    before = _words(whose)
    while before and words and before[-1] == words[0]:
        before = before[:-1]
    if kind_of(address) == "Phone" and words[:1] == ["TWILIO"]:
        before, words = ["TWILIO"], [*words[1:], *before]
    name = "_".join([*before, *words]) or "SECRET"
    return f"S_{name}" if name[0].isdigit() else name


def _words(text: str) -> list[str]:
    return [word for word in _NO_LETTERS.split(slug(text).upper()) if word]
