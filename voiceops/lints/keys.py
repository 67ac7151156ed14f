"""Keys in places from which others can read them: TwiML, headers, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from voiceops.lints.bypass import found, texts
from voiceops.lints.context import Context
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding
from voiceops.model.key_forms import KEY_PARAMETER

_KEY = r"(?:api[-_]?key|(?:access|auth|bearer)?[-_]?token|secret|authorization|password|private[-_]?key|key)"
_PARAMETER = re.compile(rf"<Parameter\b[^>]*\bname=\\?[\"']{_KEY}\\?[\"'][^>]*", re.IGNORECASE)
_STREAM_URL = re.compile(rf"<Stream\b[^>]*\burl=\\?[\"'][^\"'>]*[?&]{_KEY}=", re.IGNORECASE)
_QUERY = re.compile(rf"(?:{KEY_PARAMETER}|[?&]key=)(?!\{{\{{)[^&\s]", re.IGNORECASE)
_USER = re.compile(r"\A\w+://[^/@\s:]+:[^/@\s]+@")
_HEADER = re.compile(r"^(?:proxy-)?authorization$|api[-_]?key|secret|token\b|password|^cookie$", re.IGNORECASE)


@lint("VO604", "key-in-twiml", "A key in TwiML")
def key_in_twiml(context: Context) -> Iterator[Finding]:
    for spot, mark, text in texts(context, "<parameter", "<stream", folded=True):
        match = _PARAMETER.search(text) or _STREAM_URL.search(text)
        if match:
            yield found(
                context,
                spot,
                mark,
                match,
                "a key stands in TwiML, which Twilio logs and passes on to whoever takes the stream",
                "Let the server that takes the stream know the key by itself.",
            )


@lint("VO605", "key-in-headers", "A key in headers, which the API shows to everybody who may read the object")
def key_in_headers(context: Context) -> Iterator[Finding]:
    for headers in context.index.maps_at("headers"):
        if headers.path[-1] != "headers":
            continue
        schema = headers.get("properties") if headers.get("type") == "object" else None
        for name, value in (schema if isinstance(schema, dict) else headers.value).items():
            path = ("properties", name) if isinstance(schema, dict) else (name,)
            fixed = not isinstance(value, dict) or any(key in value for key in ("value", "const", "default"))
            if _HEADER.search(name) and value and fixed:
                yield headers.finding(
                    f"the header {name} holds a key, and Vapi shows headers to everybody in the organisation",
                    *path,
                    hint="Make it a Credential manifest and name it in credentialId.",
                )


@lint("VO606", "key-in-url", "A key in an address")
def key_in_url(context: Context) -> Iterator[Finding]:
    for key in context.index.keys_of_texts():
        for spot, text in context.index.texts_at(key) if key.lower().endswith("url") else ():
            match = _QUERY.search(text) or _USER.search(text)
            if match and spot.path[-1] == key:
                yield context.text_finding(
                    spot,
                    match.start(),
                    "a key stands in an address: logs, plans and the API show addresses",
                    "Make it a Credential manifest and name it in credentialId.",
                )
