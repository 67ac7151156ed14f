"""To whom a key may be sent: hosts as addresses name them, the vendors' own, and those that a person allowed.

Pure: no name is looked up. An address that can be read in two ways is read in none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

ALLOWED_HOSTS = "VOICEOPS_ALLOWED_HOSTS"

# No user, no backslash, no percent sign, no letters beyond ASCII: what every parser takes for the same host.
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(
    rf"(?P<scheme>https?)://(?:(?P<name>{_NAME})|\[(?P<six>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/{}-]*)?\Z",
    re.ASCII,
)
_PORTS = {"http": 80, "https": 443}

# https://docs.vapi.ai/security-and-privacy/eu-region
_VAPI = re.compile(r"api(\.eu)?\.vapi\.ai\Z")
# https://www.twilio.com/docs/global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region
_TWILIO = re.compile(r"api((\.[a-z]+(-[a-z]+)*)?\.[a-z]{2}[0-9])?\.twilio\.com\Z")
_VENDORS = {"Vapi": _VAPI, "Twilio": _TWILIO}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes: scheme, host in lower case, port."""

    scheme: str
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """This machine, by a literal address or the name `localhost`: no other name, wherever it may lead today."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS.get(self.scheme) else f"{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Is a host this machine?"""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def place_of(url: str) -> Place | None:
    """Where an http(s) address leads; None where that can't be said beyond doubt."""
    match = _ADDRESS.match(url)
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else _PORTS[match["scheme"]]
    host = (match["name"] or match["six"]).lower()
    if match["six"]:
        try:
            host = str(ip_address(host))
        except ValueError:
            return None
    return Place(match["scheme"], host, port) if 0 < port < 65536 else None


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts that a person allowed: `host` means https, `host:port` that port, `http://host` what it says."""

    entries: frozenset[tuple[str, str, int]] = frozenset()  # scheme (empty: either), host, port (0: the scheme's own)

    @classmethod
    def of(cls, text: str) -> Hosts:
        """From a list with commas; what is no host allows nothing."""
        found = set()
        for word in text.replace(",", " ").split():
            place = place_of(word if "://" in word else f"https://{word}")
            if place is None:
                continue
            ported = re.search(r":[0-9]+/?\Z", word) is not None
            scheme = word.partition("://")[0] if "://" in word else "" if ported else "https"
            found.add((scheme.lower(), place.host, place.port if ported else 0))
        return cls(frozenset(found))

    def allow(self, place: Place) -> bool:
        """Is this place one of them?"""
        return any(
            host == place.host and scheme in ("", place.scheme) and (port or _PORTS[place.scheme]) == place.port
            for scheme, host, port in self.entries
        )

    def allow_host(self, host: str, ports: Iterable[int] = ()) -> bool:
        """The same for what is no http: a database's host and its ports."""
        return any(host == known and (not port or port in ports) for _, known, port in self.entries)


def is_vendors_own(vendor: str, place: Place) -> bool:
    """Is it a host that the vendor documents as its API's, over https?"""
    return place.scheme == "https" and place.port == 443 and _VENDORS[vendor].match(place.host) is not None
