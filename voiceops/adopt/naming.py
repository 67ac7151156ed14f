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

LONGEST = 63
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHERS = re.compile(r"[^a-z0-9]+")
# Letters that are no base letter with a mark.
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "", "'": ""}
)
# Names that are one word, with a capital in it.
_BRANDS = re.compile(
    r"OpenAI|ElevenLabs|PlayHT|LiveKit|HubSpot|WhatsApp|GoHighLevel|DeepSeek|AssemblyAI|SmallestAI|RimeAI"
)
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}\Z")


@dataclass(frozen=True, slots=True)
class GivenName:
    """The name that a found object gets, and the addresses of those of its kind that have the same live name."""

    name: str
    twins: tuple[str, ...] = ()


def slug(text: str) -> str:
    """A manifest's name out of any text; empty where the text says too little in letters a to z."""
    words = text if text.isupper() or " " in text else _CAMEL.sub(" ", _BRANDS.sub(_as_one_word, text))
    spelled = unicodedata.normalize("NFKD", words.casefold().translate(_LETTERS))
    letters = [c for c in spelled if c.isalnum()]
    plain = sum(c.isascii() for c in letters)
    if 2 * plain < len(letters):
        return ""
    marks_gone = "".join(c for c in spelled if not unicodedata.combining(c))
    return _OTHERS.sub("-", marks_gone).strip("-")[:LONGEST].strip("-")


def _as_one_word(brand: re.Match[str]) -> str:
    return brand.group().capitalize()


def names_for(
    found: Iterable[Found], taken: Mapping[str, Iterable[str]], prefix: str = "", suffix: str = ""
) -> dict[int, GivenName]:
    """A name for each found object, by its place in `found`; of equal ones the oldest is served first."""
    objects = list(found)
    used = {kind: set(names) for kind, names in taken.items()}
    names: dict[int, str] = {}
    alike: dict[tuple[str, str], list[int]] = {}
    order = sorted(range(len(objects)), key=lambda i: _seniority(objects[i]))
    for index in sorted(order, key=lambda i: not objects[i].wanted):
        one = objects[index]
        others = used.setdefault(one.kind, set())
        names[index] = _free(one.wanted or base_name(one, prefix, suffix), others)
        others.add(names[index])
        if live := live_name(one):
            alike.setdefault((one.kind, live), []).append(index)
    addresses = {index: address(objects[index].kind, name) for index, name in names.items()}
    twins = {i: tuple(addresses[j] for j in group if j != i) for group in alike.values() for i in group}
    return {index: GivenName(name, twins.get(index, ())) for index, name in names.items()}


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
    if one.kind == "File":
        text = _ENDING.sub("", text)
    if one.kind == "Phone" and not one.named():
        return _line(text)
    found = slug(text)
    if NAME.match(found):
        return found
    told = slug(str(one.body.get("type") or "")) if one.kind == "Tool" else ""
    if told:
        return told
    tail = _OTHERS.sub("", one.id.lower())[:4]
    return f"{slug(one.kind)}-{tail}" if tail else slug(one.kind)


def _line(text: str) -> str:
    """A line without a name: by the end of its number, or by whom its SIP address names."""
    if text.lower().startswith("sip:"):
        return slug(text[4:].partition("@")[0]) or "line"
    digits = "".join(c for c in text if c.isdigit())
    return f"line-{digits[-4:]}" if digits else "line"


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


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


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
