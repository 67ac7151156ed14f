"""Why a request was not taken for Twilio's: the ways in which it may have been signed, one of which fits."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from voiceops.errors import VoiceopsError
from voiceops.runtime.auth.twilio_auth import candidates, parameters
from voiceops.runtime.auth.twilio_auth import signature as sign

_NAMES = ("TWILIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN_PREVIOUS")


@dataclass(frozen=True, slots=True)
class Reading:
    """One way in which a URL, its parameters and a token may have been signed."""

    what: str
    url: str
    pairs: tuple[tuple[str, str], ...]
    token: str
    advice: str = ""


def readings(url: str, pairs: list[tuple[str, str]], tokens: list[tuple[str, str]]) -> Iterator[Reading]:
    """The right way first, then the mistakes that people make, each with what to do about it."""
    parts = urlsplit(url)
    other = "http" if parts.scheme == "https" else "https"
    given = tuple(pairs)
    for name, token in tokens:
        note = "" if name == "TWILIO_AUTH_TOKEN" else f", with {name}"
        for form in candidates(url):
            yield Reading(f"as Twilio does it{note}", form, given, token)
        for form in candidates(parts._replace(scheme=other).geturl()):
            advice = f"Twilio has the {other} address: set runtime.url to it, or the number's voice URL to this one."
            yield Reading(f"over {other}{note}", form, given, token, advice)
        slashed = parts.path.removesuffix("/") if parts.path.endswith("/") else parts.path + "/"
        for form in candidates(parts._replace(path=slashed).geturl()):
            yield Reading(
                f"with the path {slashed}{note}",
                form,
                given,
                token,
                "The number's URL and runtime.url differ in a slash.",
            )
        if parts.query:
            for form in candidates(parts._replace(query="").geturl()):
                yield Reading(
                    f"without the query{note}", form, given, token, "Something added or cut the query string."
                )
        decoded = parts._replace(path=unquote(parts.path)).geturl()
        if decoded != url:
            for form in candidates(decoded):
                yield Reading(f"with the path decoded{note}", form, given, token, "A proxy decodes the path.")
        filled = tuple((name, value) for name, value in pairs if value)
        if filled != given:
            for form in candidates(url):
                yield Reading(
                    f"without blank parameters{note}",
                    form,
                    filled,
                    token,
                    "Something drops blank parameters: they count.",
                )
        stripped = tuple((name, value.strip()) for name, value in pairs)
        if stripped != given:
            for form in candidates(url):
                yield Reading(
                    f"with values trimmed{note}", form, stripped, token, "Something trims the parameters' values."
                )
        if pairs:
            for form in candidates(url):
                yield Reading(
                    f"without parameters{note}", form, (), token, "The request was a GET, or the body was JSON."
                )


def readings_with(
    url: str, pairs: list[tuple[str, str]], environ: Mapping[str, str], body: bytes = b""
) -> list[Reading]:
    """Every reading with the tokens at hand; `pairs` are parameters beside those of `body`. Raises VoiceopsError where
    there is no token."""
    tokens = [(name, environ[name]) for name in _NAMES if environ.get(name)]
    if not tokens:
        raise VoiceopsError("TWILIO_AUTH_TOKEN is not set", hint="Set it, or put it into .env.")
    return list(readings(url, [*(parameters(body) if body else []), *pairs], tokens))


def signature_of(reading: Reading) -> str:
    """What Twilio's signature would be."""
    return sign(reading.token, reading.url, reading.pairs)


def fitting(readings: list[Reading], signature: str) -> Reading | None:
    """The first reading that has this signature."""
    return next((r for r in readings if hmac.compare_digest(signature_of(r), signature)), None)
