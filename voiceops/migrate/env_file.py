"""`.env.ORG` of a VapiAI/gitops folder: the organization's key and address, and the UUIDs that its names stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from voiceops.manifest.resolve import UUID

_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*?)\s*\Z")
_KEYS = ("VAPI_PRIVATE_API_KEY", "VAPI_TOKEN")  # newest first
_CREDENTIAL = "VAPI_CREDENTIAL_"
_PHONE = "VAPI_PHONE_NUMBER_"


@dataclass(frozen=True, slots=True)
class OrgConnection:
    """What the files of one organization say. `credentials` and `phones`: UUIDs by the name in capitals."""

    key: str = field(default="", repr=False)
    url: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    phones: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()  # the names of what else stands there


def connection_of(texts: Iterable[str]) -> OrgConnection:
    """What env files say together, the first of them first: in each file the last line of a name counts."""
    values: dict[str, str] = {}
    for text in texts:
        values = _assignments(text) | values
    given = {name: value for name, value in values.items() if value}
    bound = {name: value.lower() for name, value in given.items() if UUID.match(value)}
    key = next((given[name] for name in _KEYS if name in given), "")
    taken = {*_KEYS, "VAPI_BASE_URL"}
    return OrgConnection(
        key=key,
        url=given.get("VAPI_BASE_URL", ""),
        credentials={n.removeprefix(_CREDENTIAL): v for n, v in bound.items() if n.startswith(_CREDENTIAL)},
        phones={n.removeprefix(_PHONE): v for n, v in bound.items() if n.startswith(_PHONE)},
        others=tuple(sorted(n for n in given if n not in taken and not n.startswith((_CREDENTIAL, _PHONE)))),
    )


def in_capitals(name: str) -> str:
    """A name as such a file spells it: `acme-server` is ACME_SERVER."""
    return re.sub(r"[^A-Z0-9]+", "_", name.strip().upper()).strip("_")


def _assignments(text: str) -> dict[str, str]:
    found = {}
    for line in text.removeprefix("\ufeff").splitlines():
        match = _LINE.match(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        value = match["value"]
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'`":
            value = value[1:-1]
        elif " #" in value:
            value = value.partition(" #")[0].rstrip()
        found[match["name"]] = value
    return found
