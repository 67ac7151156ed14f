"""`voiceops doctor signature`: why a request was not taken for Twilio's, or for Vapi's."""

from __future__ import annotations

from pathlib import Path

import click

from voiceops import use
from voiceops.cli.terminal.console import Console


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
      voiceops doctor signature --url https://v.example.com/twilio/voice/main \\
        --param CallSid=CA123 --param From=+14155550123 --signature 'abc='
    """
    opened = use.open_project(*console.place)
    pairs = []
    for text in params:
        name, separator, value = text.partition("=")
        if not separator:
            raise click.UsageError(f"{text!r} is no parameter: write NAME=VALUE.")
        pairs.append((name, value))
    found = use.readings_with(url, pairs, opened.environ, body.read_bytes() if body is not None else b"")
    _compare_url(console, url, opened.project.runtime_url)
    if not signature:
        for reading in found[:2]:
            console.out(f"{reading.url}\n    {use.signature_of(reading)}")
        return 0
    fits = use.fitting(found, signature)
    if fits is not None:
        console.out(f"The signature fits {fits.what}:\n    {fits.url}")
        if fits.advice:
            console.prose(fits.advice)
        return 0 if not fits.advice else 1
    console.out("The signature fits no reading of this request.")
    console.prose(
        "Either the token is another account's (a subaccount's number is signed with the subaccount's token), or a "
        "parameter is missing here: all of them count, blank ones too."
    )
    return 1


def _compare_url(console: Console, url: str, configured: str | None) -> None:
    """Where the address is not below runtime.url, nothing that arrives there can fit."""
    if configured and not url.startswith(configured.rstrip("/") + "/"):
        console.note(f"Note: runtime.url is {configured}, and {url} is not below it.")
