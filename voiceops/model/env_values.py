"""Keys, secrets and addresses from environment variables: what comes along when people paste them.

A line end at the end, a blank, quotes that an env file kept, a zero-width space from a web page: the ends are taken
off, anything else is named at once, with its place and never with the value. The command line and the runtime read
their variables through here, so that both sides of a signature have the same secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from voiceops.errors import VoiceopsError

KEYS = (
    "VAPI_API_KEY",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_API_KEY",
    "TWILIO_API_SECRET",
    "VAPI_WEBHOOK_SECRET",
    "VOICEOPS_DASHBOARD_TOKEN",
    "VOICEOPS_METRICS_TOKEN",
    "VOICEOPS_METRICS_TOKEN",
)
ADDRESSES = ("VAPI_BASE_URL", "TWILIO_BASE_URL", "VOICEOPS_STATE", "RUNTIME_URL")
_TRIMMED = frozenset((*KEYS, *(f"{name}_PREVIOUS" for name in KEYS), *ADDRESSES, "VOICEOPS_ENV"))
_ENDS = " \t\r\n"
_QUOTES = "\"'`"
_NAMES = {
    "\0": "NULL",
    "\t": "TAB",
    "\n": "LINE FEED",
    "\x0b": "VERTICAL TAB",
    "\x0c": "FORM FEED",
    "\r": "CARRIAGE RETURN",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
    "\x85": "NEXT LINE",
    "\ufeff": "BYTE ORDER MARK",
}


def trimmed(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with keys and addresses freed of blanks and line ends around them."""
    return {name: value.strip(_ENDS) if name in _TRIMMED else value for name, value in environ.items()}


def stray(value: str, *, plain: bool = False) -> str | None:
    """What is in the value that no key or secret holds: the character and its place; None where all is well.

    `plain`: letters and digits only, as in the ids that stand in addresses.
    """
    for at, character in enumerate(value):
        if not "!" <= character <= "~" or (plain and not character.isalnum()):
            return f"{character_name(character)} as character {at + 1} of {len(value)}"
    if value and value[0] in _QUOTES and len(value) > 1:
        return f"{character_name(value[0])} as character 1 of {len(value)}"
    if value and value[-1] in _QUOTES:
        return f"{character_name(value[-1])} as character {len(value)} of {len(value)}"
    return None


def checked(name: str, value: str, *, plain: bool = False) -> str:
    """A key or secret as it is to be used, ends taken off. Raises VoiceopsError that says what is in its way."""
    value = value.strip(_ENDS)
    if found := stray(value, plain=plain):
        quotes = value[:1] in _QUOTES or value[-1:] in _QUOTES
        raise VoiceopsError(
            f"{name} holds {found}, which is no part of a key",
            hint=f"Set {name} again, without the quotes." if quotes else f"Copy it again and set {name} anew.",
        )
    return value


def url_problem(url: str) -> str | None:
    """What keeps a text from being an http(s) address of a server, in words; None where it is one."""
    for at, character in enumerate(url):
        if not "!" <= character <= "~":
            return f"it holds {character_name(character)} as character {at + 1} of {len(url)}"
    if not re.match(r"https?://", url, re.IGNORECASE):
        return "it does not begin with http:// or https://"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return "its port is no number from 1 to 65535" if "ort" in str(error) else f"it can't be read ({error})"
    host = parts.hostname or ""
    if port == 0:
        return "its port is no number from 1 to 65535"
    if not host:
        return "it names no host"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return "it has a query or a fragment"
    if ":" not in host and not re.fullmatch(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?", host):
        return "its host is no name"
    return "its host has an empty part" if ".." in host else None


def character_name(character: str) -> str:
    """`ZERO WIDTH SPACE (U+200B)`."""
    import unicodedata

    name = _NAMES.get(character) or unicodedata.name(character, "a control character")
    return f"{name} (U+{ord(character):04X})"
