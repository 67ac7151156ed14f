"""Names for what was found: manifests' names out of live ones, each once, the same again for the same account."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from voiceops.adopt.found import Found
from voiceops.kinds.registry import KINDS
from voiceops.model.address import NAME, address
from voiceops.model.values import get_path

LONGEST = 63
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHERS = re.compile(r"[^a-z0-9]+")
# Letters that are no base letter with a mark.
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "", "'": ""}
)
_APART = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Named:
    """The name that a found object gets, and who else bears its live name."""

    name: str
    twin: str = ""  # the address of the oldest object of the same live name

    @staticmethod
    def twins_comment(twin: str, id_: str) -> str:
        """What is said above a manifest whose live name another one has, too."""
        return f"{twin} has the same live name; this one is {id_}." if id_ else f"{twin} has the same live name."


def slug(text: str) -> str:
    """A manifest's name out of any text; empty where the text says too little in letters a to z."""
    words = text if text.isupper() or " " in text else _CAMEL.sub(" ", text)  # a function's name, not OpenAI
    spelled = unicodedata.normalize("NFKD", words.casefold().translate(_LETTERS))
    letters = [c for c in spelled if c.isalnum()]
    plain = sum(c.isascii() for c in letters)
    if 2 * plain < len(letters):
        return ""
    marks_gone = "".join(c for c in spelled if not unicodedata.combining(c))
    return _OTHERS.sub("-", marks_gone.replace(_APART, " ")).strip("-")[:LONGEST].strip("-")


def names_for(
    found: Iterable[Found], taken: Mapping[str, Iterable[str]], prefix: str = "", suffix: str = ""
) -> dict[int, Named]:
    """A name for each found object, by its place in `found`; of equal ones the oldest is served first."""
    objects = list(found)
    used = {kind: set(names) for kind, names in taken.items()}
    result: dict[int, Named] = {}
    firsts: dict[tuple[str, str], str] = {}
    order = sorted(range(len(objects)), key=lambda i: _seniority(objects[i]))
    for index in sorted(order, key=lambda i: not objects[i].wanted):
        one = objects[index]
        names = used.setdefault(one.kind, set())
        name = _free(one.wanted or base_name(one, prefix, suffix), names)
        names.add(name)
        live = (one.kind, live_name(one))
        result[index] = Named(name, firsts.get(live, "") if live[1] else "")
        firsts.setdefault(live, address(one.kind, name))
    return result


def live_name(one: Found) -> str:
    """What people call the object: its name, a tool's function, a line's number."""
    kind = KINDS[one.kind]
    label = one.named()
    if one.kind == "Phone" and label:
        return label
    return kind.name_of(one.body) or label


def base_name(one: Found, prefix: str = "", suffix: str = "") -> str:
    """The name that an object would have if it were alone."""
    text = live_name(one)
    if prefix and text.startswith(prefix) and text != prefix:
        text = text[len(prefix) :]
    if suffix and text.endswith(suffix) and text != suffix:
        text = text[: -len(suffix)]
    found = slug(text)
    if NAME.match(found):
        return found
    kind = slug(one.kind)
    told = slug(str(get_path(one.body, ("type",)) or "")) if one.kind == "Tool" else ""
    if told:
        return told[:LONGEST]
    return f"{kind}-{tail}" if (tail := _OTHERS.sub("", one.id.lower())[:4]) else kind


def _seniority(one: Found) -> tuple[str, str, str]:
    return (one.kind, str(one.body.get("createdAt") or "~"), one.id)


def _free(name: str, taken: set[str]) -> str:
    """The name itself, or with the first number that makes it one of its own."""
    if name not in taken:
        return name
    number = 2
    while (numbered := f"{name[: LONGEST - len(str(number)) - 1].rstrip('-')}-{number}") in taken:
        number += 1
    return numbered


_COMMON_HOSTS = frozenset(
    {"www", "api", "hooks", "hook", "webhook", "webhooks", "voice", "app", "dev", "prod", "staging"}
)


def site_of(host: str) -> str:
    """The telling word of a host's name: `crm` of api.crm.example.com; empty where it has none."""
    labels = host.split(".")
    if len(labels) < 2 or all(label.isdigit() for label in labels):
        return ""
    return next((label for label in labels[:-1] if label not in _COMMON_HOSTS), "")


def host_of(url: object) -> str:
    """The host of an address; empty where it is none."""
    try:
        return urlsplit(url).hostname or "" if isinstance(url, str) else ""
    except ValueError:
        return ""
