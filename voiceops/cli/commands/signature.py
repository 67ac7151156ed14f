"""`voiceops doctor signature`: why a request was not taken for Twilio's, or for Vapi's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click

from voiceops.cli.terminal.console import Console
from voiceops.errors import VoiceopsError


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
    from voiceops.runtime.auth.twilio_auth import candidates

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


@click.command("signature")
@click.option("--url", required=True, help="The address that Twilio was given, as in the runtime's log.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter of the request; repeat.")
@click.option("--body", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Or its body, from a file.")
@click.option("--signature", default="", metavar="TEXT", help="What its X-Twilio-Signature said.")
@click.pass_obj
def signature_command(console: Console, url: str, params: tuple[str, ...], body: Path | None, signature: str) -> int:
    """Say why Twilio's signature of a request did not fit.

    It signs with TWILIO_AUTH_TOKEN, and with TWILIO_AUTH_TOKEN_PREVIOUS where that is set. Without --signature it
    prints what the signature should be.

    \b
    Example:
      voiceops doctor signature --url https://voice.example.com/twilio/voice/main \\
        --param CallSid=CA123 --param From=+14155550123 --signature 'abc='
    """
    import hmac

    from voiceops.cli.wiring import environment_variables, load_settings
    from voiceops.runtime.auth.twilio_auth import parameters
    from voiceops.runtime.auth.twilio_auth import signature as sign

    project = load_settings(console)
    environ: dict[str, Any] = environment_variables(project.root)
    names = ("TWILIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN_PREVIOUS")
    tokens = [(name, environ[name]) for name in names if environ.get(name)]
    if not tokens:
        raise VoiceopsError("TWILIO_AUTH_TOKEN is not set", hint="Set it, or put it into .env.")
    pairs = parameters(body.read_bytes()) if body is not None else []
    for text in params:
        name, separator, value = text.partition("=")
        if not separator:
            raise click.UsageError(f"{text!r} is no parameter: write NAME=VALUE.")
        pairs.append((name, value))
    _compare_url(console, url, project.runtime_url)
    found = list(readings(url, pairs, tokens))
    if not signature:
        for reading in found[:2]:
            console.out(f"{reading.url}\n    {sign(reading.token, reading.url, reading.pairs)}")
        return 0
    for reading in found:
        if hmac.compare_digest(sign(reading.token, reading.url, reading.pairs), signature):
            console.out(f"The signature fits {reading.what}:\n    {reading.url}")
            if reading.advice:
                console.out(reading.advice)
            return 0 if not reading.advice else 1
    console.out("The signature fits no reading of this request.")
    console.out(
        "Either the token is another account's (a subaccount's number is signed with the subaccount's token), or a "
        "parameter is missing here: all of them count, blank ones too."
    )
    return 1


def _compare_url(console: Console, url: str, configured: str | None) -> None:
    """Where the address is not below runtime.url, nothing that arrives there can fit."""
    if configured and not url.startswith(configured.rstrip("/") + "/"):
        console.note(f"Note: runtime.url is {configured}, and {url} is not below it.")
