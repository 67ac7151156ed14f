"""Is this request Twilio's? Its signature over the public URL, as configured, and the parameters.

Pure. The URL is the configured one with the request's raw path and query: what the web framework makes of them is
decoded, and a proxy's idea of scheme and host is not Twilio's. https://www.twilio.com/docs/usage/security
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha1, sha256
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

SIGNATURE_HEADER = b"x-twilio-signature"

_HASHES: dict[str, Any] = {"HMAC_SHA1": sha1, "HMAC_SHA256": sha256}
_PORTS = {"https": 443, "http": 80, "wss": 443, "ws": 80}

Pairs = Iterable[tuple[str, str]]


def public_url(base: str, raw_path: bytes, query: bytes) -> str:
    """The URL that Twilio was given: the configured base, and the path and query as they came over the wire.

    The path may still carry the base's own path, where a proxy leaves it on.
    """
    path = raw_path.decode("latin-1")
    parts = urlsplit(base)
    prefix = parts.path.rstrip("/")
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        base = base[: len(base) - len(parts.path)]
    return base.rstrip("/") + path + (f"?{query.decode('latin-1')}" if query else "")


def candidates(url: str) -> list[str]:
    """The forms of a URL that Twilio may have signed: userinfo never, the port with or without."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return [url]
    end = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    netloc, tail = rest[:end].rpartition("@")[2], rest[end:].partition("#")[0]
    host, port = _host_and_port(netloc)
    without = f"{scheme}://{host}{tail}"
    with_port = f"{scheme}://{host}:{port or _PORTS.get(scheme, 443)}{tail}"
    return [without, with_port]


def _host_and_port(netloc: str) -> tuple[str, str]:
    if netloc.startswith("["):
        host, bracket, port = netloc.rpartition("]")
        return host + bracket, port.removeprefix(":")
    host, _, port = netloc.partition(":")
    return host, port


def parameters(body: bytes) -> list[tuple[str, str]]:
    """A form's pairs in order, blank values and repeats included."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def signature(token: str, url: str, pairs: Pairs = (), algorithm: str = "HMAC_SHA1") -> str:
    """Twilio's signature of one form of the URL with these parameters."""
    values: dict[str, set[str]] = {}
    for name, value in pairs:
        values.setdefault(name, set()).add(value)
    text = url + "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    digest = hmac.new(token.encode(), text.encode("utf-8", "surrogatepass"), _HASHES[algorithm]).digest()
    return b64encode(digest).decode("ascii")


def algorithm_of(settings: str) -> str | None:
    """The algorithm that the settings header names; None where it is none that is known."""
    for part in settings.split(","):
        name, separator, value = part.partition("=")
        if separator and name.strip() == "algorithm" and value.strip():
            return value.strip().upper() if value.strip().upper() in _HASHES else None
    return "HMAC_SHA1"


def verify(
    tokens: Sequence[str],
    url: str,
    *,
    body: bytes,
    content_type: str,
    given: str,
    settings: str = "",
) -> str:
    """Empty when the request is Twilio's, else why not. `url` is what Twilio was given."""
    algorithm = algorithm_of(settings)
    if not given or not tokens:
        return "missing"
    if algorithm is None:
        return "malformed"
    form = content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"
    hashed = parse_qs(urlsplit(url).query, keep_blank_values=True).get("bodySHA256")
    intact = True
    pairs: list[tuple[str, str]] = []
    if form:
        pairs = parameters(body)
    elif hashed:
        intact = hmac.compare_digest(sha256(body).hexdigest().encode(), hashed[0].encode("utf-8", "replace"))
    elif body:
        return "unsigned-body"  # nothing in the signature covers these bytes
    offered = given.encode("utf-8", "replace")
    valid = False
    for token in tokens:
        for form_of_url in candidates(url):
            valid |= hmac.compare_digest(signature(token, form_of_url, pairs, algorithm).encode(), offered)
    return "" if valid and intact else "signature"
