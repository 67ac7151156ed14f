"""Who may see more than a stranger: a token as a bearer, or as the password that a browser asks for."""

from __future__ import annotations

import base64
import hmac
import ipaddress
from collections.abc import Sequence
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from voiceops.runtime.http.served import Served

# A request with one of these came through a proxy: that the proxy stands on this machine says nothing of who asks.
_FORWARDED = (
    *("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "via", "x-real-ip"),
    *("cf-connecting-ip", "true-client-ip", "x-client-ip", "x-original-forwarded-for", "x-envoy-external-address"),
)


def login(request: Request, served: Served, tokens: Sequence[str]) -> bool | Response:
    """Does the request carry one of these? Or the answer for a source that has tried too many others.

    What is wrong is counted, limited and logged. Empty tokens are nobody's.
    """
    peer = peer_of(request)
    given = _offered(request)
    if given is None:
        return False
    observer = served.parts.observer
    if not served.logins.may(peer):
        observer.refused("dashboard", "too-many", peer=peer)
        return PlainTextResponse("Too many attempts", 429, {"retry-after": "60"})
    valid = False
    for token in filter(None, tokens):  # digests, so that not even a length shows in the time that this takes
        valid |= hmac.compare_digest(sha256(token.encode()).digest(), sha256(given).digest())
    if not valid:
        served.logins.failed(peer)
        observer.refused("dashboard", "token", peer=peer)
    return valid


def peer_of(request: Request) -> str:
    """The address that the request came from; a proxy's, where one stands between."""
    return request.client.host if request.client is not None else ""


def is_local(request: Request) -> bool:
    """Did it come from this machine, and not only through it?"""
    try:
        address = ipaddress.ip_address(peer_of(request).partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    local = (mapped or address).is_loopback
    return local and not any(name in request.headers for name in _FORWARDED)


def _offered(request: Request) -> bytes | None:
    """The token in a request; None where it has none."""
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    given = text.strip().encode("latin-1", "replace")
    if kind.lower() == "bearer":
        return given
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(given, validate=True).partition(b":")[2]
    except ValueError:
        return b""
