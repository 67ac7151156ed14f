"""JSON and texts as they come and as they go: bodies that strict readers refuse, values that no encoder knows.

What is sent to the runtime was signed by its sender, so that it is read as well as it can be: half an emoji, a byte
that is no UTF-8 or a NaN costs that place, and not the message.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import msgspec

_LONGEST = 200  # characters of a text that is stored as somebody's id


def loads(body: bytes) -> Any:
    """A body as it is meant: what no text holds is U+FFFD, what is no number null. Raises ValueError on no JSON."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass
    try:
        text = body.decode("utf-8-sig", "replace")
        return scrubbed(json.loads(text, parse_constant=lambda _: None, parse_float=_finite, parse_int=_whole))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:  # more digits than Python reads
        return None


def message_of(body: bytes) -> dict[str, Any]:
    """The `message` in a body, or the whole where there is none. Raises ValueError."""
    found = loads(body)
    inner = found.get("message", found) if isinstance(found, dict) else {}
    return inner if isinstance(inner, dict) else {}


def dumps(value: Any) -> bytes:
    """A handler's value as JSON. Raises TypeError on what has no text of its own, ValueError on a circle."""
    try:
        return _encode(value)
    except UnicodeError:
        return _encode(scrubbed(value))
    except RecursionError:
        raise ValueError("it contains itself, or is nested too deeply") from None


def scrubbed(value: Any) -> Any:
    """The same without halves of surrogate pairs, which JSON can hold and UTF-8 can't."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return value
    if isinstance(value, Mapping):
        return {scrubbed(key): scrubbed(item) for key, item in value.items()}
    return [scrubbed(item) for item in value] if isinstance(value, (list, tuple)) else value


def one_line(value: Any) -> str:
    """A handler's value as one line: text as it is, everything else as JSON; nothing at all is said as done.

    Raises TypeError on what has no text of its own, ValueError on a circle.
    """
    if not isinstance(value, str):
        if value is None:
            return "Done."
        value = dumps(value).decode()
    if not value.isprintable():
        value = scrubbed(value)
        value = " ".join(part for line in value.splitlines() if (part := line.strip()))
    return value or "Done."


def storable(text: str) -> str:
    """A text to show, or to look for: what no database takes is left out, and what is too long is cut."""
    if text.isascii() and "\0" not in text and len(text) <= _LONGEST:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:_LONGEST]


def _own_text(value: Any) -> Any:
    """What msgspec does not know: a model's fields, or the text that a class gives itself. Raises TypeError."""
    for name in ("model_dump", "_asdict"):
        method = getattr(value, name, None)
        if callable(method) and not isinstance(value, type):
            return method()
    if isinstance(value, Mapping):
        return dict(value)
    own: Any = type(value).__str__
    if own is object.__str__:
        raise TypeError(f"a {type(value).__name__} has no text")
    return str(value)


_encode = msgspec.json.Encoder(enc_hook=_own_text).encode
