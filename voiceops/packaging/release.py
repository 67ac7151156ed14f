"""Where a generated project gets voiceops from: a wheel beside it, or an address with its hash. Never a name alone.

A name is looked up in an index, and whoever owns it there decides what runs. The bare name `voiceops` is somebody
else's on the public index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from voiceops.errors import VoiceopsError
from voiceops.packaging.metadata import DISTRIBUTION
from voiceops.packaging.wheel import Wheel, build_wheel

_FORM = "Write it as https://HOST/PATH/voiceops_iac-VERSION-py3-none-any.whl#sha256=64 hex digits."
# Nothing that pip, a shell or YAML would read as more than an address: no blanks, quotes, `$`, braces or backslashes.
_PLAIN = re.compile(r"[A-Za-z0-9._~:/?\[\]!&()*+,=%-]+")
_WHEEL = re.compile(
    r"voiceops_iac-\d[A-Za-z0-9.!+_]*(-\d[A-Za-z0-9_.]*)?-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl"
)


@dataclass(frozen=True, slots=True)
class Release:
    """One wheel: its file, to be written beside what is generated, or the address that it is fetched from."""

    sha256: str
    wheel: Wheel | None = None
    url: str = ""

    def requirement(self, extras: tuple[str, ...], folder: str = "", *, hashed: bool = True) -> str:
        """The line of a requirements file. A wheel's path is what pip takes from where it is called: `folder` says
        where the wheel is from there, with a slash at its end. `hashed` False leaves out the hash of a wheel that is
        there, for a file with lines that have none.
        """
        chosen = f"[{','.join(extras)}]" if extras else ""
        if self.wheel is None:
            return f"{DISTRIBUTION}{chosen} @ {self.url}#sha256={self.sha256}"
        return f"./{folder}{self.wheel.name}{chosen}" + (f" --hash=sha256:{self.sha256}" if hashed else "")


def own_release() -> Release:
    """The wheel of the voiceops that runs. Raises VoiceopsError where none can be made."""
    wheel = build_wheel()
    return Release(wheel.sha256, wheel)


def release_from(given: str) -> Release:
    """From `URL#sha256=HEX`. Raises VoiceopsError with what is wrong with it."""
    url, _, fragment = given.partition("#")
    name, _, digest = fragment.partition("=")
    if name != "sha256" or not re.fullmatch("[0-9A-Fa-f]{64}", digest):
        raise _wrong(given, "has no hash" if not fragment else "has no sha256 of 64 hex digits after its #")
    if not _PLAIN.fullmatch(url.replace("@", "-")):
        raise _wrong(given, "has characters that no address has")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _wrong(given, f"is no address ({error})") from None
    if parts.scheme != "https" or not host:
        raise _wrong(given, "is no https address")
    if parts.username is not None or parts.password is not None:
        # Not repeated: it may hold a password.
        raise VoiceopsError(
            f"--from names a user or a password for {host}, which would be written into files that are committed",
            hint="Leave it out: pip takes credentials from .netrc or its keyring.",
        )
    file = unquote(parts.path.rpartition("/")[2])
    if not _WHEEL.fullmatch(file):
        raise _wrong(given, f"is no wheel of {DISTRIBUTION}, but {file or 'a folder'}")
    return Release(digest.lower(), url=url)


def release_of(given: str | None) -> Release:
    """What `--from` names; without it, the voiceops that runs. Raises VoiceopsError."""
    return own_release() if given is None else release_from(given)


def _wrong(given: str, why: str) -> VoiceopsError:
    # What may hold a password, or what no terminal shows as it is, is not repeated.
    shown = f" {given}" if given.isprintable() and "@" not in given else ""
    return VoiceopsError(f"--from{shown} {why}", hint=_FORM)
