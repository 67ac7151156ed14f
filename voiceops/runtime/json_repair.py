"""JSON that a strict reader refuses, made into JSON that it takes: one pass, whatever comes, in linear time.

Half an emoji becomes U+FFFD, and so does a byte that is no UTF-8. A number that no machine number holds (1e999, NaN,
ten thousand digits) becomes the text that it was written as, so that whoever asked for a number sees that this is none.
What is nested too deeply becomes a text that says so. What is no JSON even then stays none. Pure.
"""

from __future__ import annotations

import json
import math
import re

DEEP = 200  # levels; what real messages have is below 20
TOO_DEEP = b'"(nested too deeply)"'

_TOKEN = re.compile(
    rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'  # a text; the last one may have no end
    rb"|[\[{]|[\]}]"
    rb"|-?+(?:[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+|Infinity|NaN)",
    re.DOTALL,
)
_ESCAPED = re.compile(  # a pair, half a pair, any other escape
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.", re.DOTALL
)
_CONTROL = re.compile(rb"[\x00-\x1f]")
_LONGEST = 4000  # digits; Python makes no number of more than 4,300


def mend(body: bytes) -> bytes:
    """The same JSON for a strict reader."""
    text = body.decode(json.detect_encoding(body), "replace").removeprefix("\ufeff")
    body = text.encode("utf-8", "replace")
    out: list[bytes] = []
    done = depth = 0
    for found in _TOKEN.finditer(body):
        token = found[0]
        if token in (b"{", b"["):
            depth += 1
            if depth == DEEP + 1:
                out.append(body[done : found.start()])
                out.append(TOO_DEEP)
            continue
        if token in (b"}", b"]"):
            if depth == DEEP + 1:
                done = found.end()
            depth -= 1
            continue
        if depth > DEEP:
            continue
        better = _text(token) if token.startswith(b'"') else _number(token)
        if better is not token:
            out.append(body[done : found.start()])
            out.append(better)
            done = found.end()
    if depth <= DEEP:
        out.append(body[done:])
    return b"".join(out)


def _text(token: bytes) -> bytes:
    if b"\\u" in token or b"\\U" in token:
        token = _ESCAPED.sub(_whole, token)
    return token if _CONTROL.search(token) is None else _CONTROL.sub(lambda sign: b"\\u%04x" % ord(sign[0]), token)


def _whole(found: re.Match[bytes]) -> bytes:
    """An escape as it is, unless it is half a pair."""
    escape = found[0]
    return rb"\ufffd" if len(escape) == 6 else escape


def _number(token: bytes) -> bytes:
    if len(token) < 19 and b"e" not in token and b"E" not in token and token[-1:].isdigit():
        return token
    if len(token) <= _LONGEST and token[-1:].isdigit() and math.isfinite(float(token)):
        return token
    return b'"%s"' % token[:_LONGEST]
