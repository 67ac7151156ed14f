"""Is this request Vapi's? Decided over the raw bytes, in constant time, for each of the three ways of `runtime.auth`.

Pure: bytes, headers, secrets and a clock's value in, a verdict out. https://docs.vapi.ai/server-url/server-authentication
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

SIGNATURE_HEADER = b"x-vapi-signature"
TIMESTAMP_HEADER = b"x-vapi-timestamp"
SECRET_HEADER = b"x-vapi-secret"
WINDOW = 300.0  # seconds that a timestamp may be off

Headers = Iterable[tuple[bytes, bytes]]
# A verdict: empty when the request is Vapi's, else why not, for a counter and never for the answer.
Verify = Callable[[Headers, bytes, float], str]


def _unheard() -> None:
    return None


_TIME = re.compile(rb"[0-9]{1,16}(?:\.[0-9]{1,9})?\Z")
_MILLISECONDS = 1e11  # as seconds that would be in the year 5138


def verifier(auth: str, secrets: Sequence[bytes], older: Callable[[], None] = _unheard) -> Verify:
    """The check for one way of authentication; `secrets` are all valid at once, while they are rotated, the newest
    first. `older` is called for each request that only one of the others fits.

    Raises ValueError: there is no such way, or no secret.
    """
    if not secrets or not all(secrets):
        raise ValueError("a secret is needed")
    if auth == "hmac":
        return _hmac(tuple(secrets), older)
    if auth == "bearer":
        return _shared(b"authorization", [b"Bearer " + secret for secret in secrets], older)
    if auth == "secret":
        return _shared(SECRET_HEADER, list(secrets), older)
    raise ValueError(f"no such way: {auth}")


def sign(secret: bytes, body: bytes, timestamp: str) -> str:
    """The signature that a request with this body and timestamp carries."""
    return hmac.digest(secret, timestamp.encode() + b"." + body, "sha256").hex()


def _hmac(secrets: tuple[bytes, ...], older: Callable[[], None]) -> Verify:
    keyed = [hmac.new(secret, None, "sha256") for secret in secrets]  # a copy costs less than a key
    same = hmac.compare_digest

    def verify(headers: Headers, body: bytes, now: float) -> str:
        signature = timestamp = b""
        for name, value in headers:
            if name == SIGNATURE_HEADER:
                if signature:
                    return "malformed"
                signature = value
            elif name == TIMESTAMP_HEADER:
                if timestamp:
                    return "malformed"
                timestamp = value
        if not signature or not timestamp:
            return "missing"
        if _TIME.match(timestamp) is None:
            return "malformed"
        sent = float(timestamp)
        if abs(now - (sent / 1000 if sent > _MILLISECONDS else sent)) > WINDOW:
            return "expired"
        fits = 0
        for place, key in enumerate(keyed):  # all of them, so that the time taken doesn't tell which one it was
            code = key.copy()
            code.update(timestamp + b".")
            code.update(body)
            fits |= same(code.hexdigest().encode(), signature) << place
        if fits and not fits & 1:
            older()
        return "" if fits else "signature"

    return verify


def _shared(header: bytes, expected: list[bytes], older: Callable[[], None]) -> Verify:
    same = hmac.compare_digest
    digests = [sha256(value).digest() for value in expected]  # of one length, so that not even that shows in the time

    def verify(headers: Headers, body: bytes, now: float) -> str:
        found = [value for name, value in headers if name == header]
        if len(found) != 1:
            return "malformed" if found else "missing"
        offered = sha256(found[0]).digest()
        fits = 0
        for place, digest in enumerate(digests):
            fits |= same(digest, offered) << place
        if fits and not fits & 1:
            older()
        return "" if fits else "signature"

    return verify
