"""Secrets at the moment of use, and their removal from everything that is shown."""

from __future__ import annotations

from collections.abc import Mapping

from voiceops.errors import VoiceopsError
from voiceops.model.redactor import Redactor
from voiceops.model.values import JSON, SENSITIVE, Secret, map_leaves


class Secrets:
    """Looks secrets up in the environment; remembers those it gave out, so that no message repeats them."""

    def __init__(self, environ: Mapping[str, str], redactor: Redactor | None = None) -> None:
        self._environ = environ
        self._seen: set[str] = set()
        self._redactor = redactor or Redactor(environ)  # of the command: what is given out here, it learns

    def lookup(self, name: str) -> str | None:
        """The value of a name in the environment, which no output shows from now on; None where there is none."""
        value = self._environ.get(name)
        if value:
            self._remember(value)
        return value or None

    def reveal(self, value: Secret | str) -> str | None:
        """The text of a secret, or None where it is not at hand."""
        if isinstance(value, str):
            self._remember(value)
            return value
        text = value.reveal(self.lookup)
        if text:
            self._remember(text)
        return text

    def require(self, value: Secret | str, what: str) -> str:
        """The text of a secret that is needed now. Raises VoiceopsError."""
        text = self.reveal(value)
        if not text:
            names = ", ".join(value.names) if isinstance(value, Secret) else what
            raise VoiceopsError(f"{what} is missing: {names} is not set", hint=f"Set {names}, or put it into .env.")
        return text

    def revealed(self, body: JSON, where: str) -> JSON:
        """A body with every secret in clear, to be sent and nothing else. Raises VoiceopsError."""
        return map_leaves(body, lambda leaf: self.require(leaf, where) if isinstance(leaf, Secret) else leaf)

    def redact(self, text: str) -> str:
        """The text without any secret that was given out."""
        for secret in sorted(self._seen, key=len, reverse=True):
            text = text.replace(secret, SENSITIVE)
        return self._redactor.text(text)

    def _remember(self, value: str) -> None:
        if len(value) >= 4 and value != "sandbox":
            self._seen.add(value)
            self._redactor.add(value)
