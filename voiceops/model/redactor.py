"""Secrets known by their values: found in texts in whichever way they are written, and taken out of them.

A value counts as it is, in base64 (both alphabets, wherever in the encoded text it begins), in hexadecimal digits, and
escaped as in URLs, JSON or HTML. Pure; nothing is read here.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from voiceops.model.values import SENSITIVE

_MASKED = re.compile(r"^[*•·]{3,}|[*•·]{4,}")
_PARTS = 3  # levels of maps and lists that are looked through one by one: `plan.resource_changes[0]`
SHORTEST = 8  # characters: what is shorter stands in too many texts by chance

# What voiceops itself reads, whatever the value looks like.
KEYS = frozenset(
    {
        "VAPI_API_KEY",
        "TWILIO_AUTH_TOKEN",
        "TWILIO_AUTH_TOKEN_PREVIOUS",
        "TWILIO_API_SECRET",
        "VAPI_WEBHOOK_SECRET",
        "VAPI_WEBHOOK_SECRET_PREVIOUS",
        "VOICEOPS_DASHBOARD_TOKEN",
        "VOICEOPS_METRICS_TOKEN",
        "VOICEOPS_STATE_KEY",
        "VOICEOPS_STATE_IDENTITY",
    }
)
_WORDS = frozenset(
    {
        *("KEY", "KEYS", "APIKEY", "TOKEN", "TOKENS", "SECRET", "SECRETS", "PRIVATE", "CREDENTIAL", "CREDENTIALS"),
        *("PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "PWD"),
    }
)
# Names that hold one of these words, too, say where something is, or whose, or that everybody may see it.
_HARMLESS = frozenset(
    {
        *("ID", "SID", "FILE", "PATH", "DIR", "URL", "URI", "HOST", "PORT", "NAME", "USER", "PUBLIC", "PUB", "TTL"),
        *("EXPIRY", "TYPE", "ALGORITHM", "SOCK"),
    }
)
_NOT_SECRET = frozenset({"PWD", "OLDPWD", "TWILIO_API_KEY", "GPG_KEY"})  # Twilio calls the id of a key so
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_ESCAPED = re.compile(
    r"%(?P<percent>[0-9A-Fa-f]{2})|\\u00(?P<unicode>[0-9A-Fa-f]{2})|\\x(?P<hex>[0-9A-Fa-f]{2})"
    r"|&#[xX]0*(?P<entity>[0-9A-Fa-f]{2});|&#0*(?P<decimal>[0-9]{2,3});|(?P<colour>\x1b\[[0-9;]*m)"
)
_PLAIN_ESCAPES = ("%", "\\u00", "\\x", "&#")


def is_masked(text: object) -> bool:
    """Is it what an API shows instead of a secret?"""
    return isinstance(text, str) and _MASKED.search(text) is not None


def looks_secret(name: str) -> bool:
    """Is a variable of this name one that holds a key, going by its words?"""
    if name in KEYS:
        return True
    if name in _NOT_SECRET:
        return False
    words = [word.upper() for word in _SPLIT.split(name) if word]
    return not _WORDS.isdisjoint(words) and _HARMLESS.isdisjoint(words)


def secrets_of(environ: Mapping[str, str]) -> dict[str, str]:
    """The values that have to stay secret, by the variables that hold them; passwords within addresses, too."""
    found = {}
    for name, value in environ.items():
        if looks_secret(name):
            if name in KEYS or is_telling(value):
                found[name] = value
        elif "://" in value and "@" in value and is_telling(password := _password(value)):
            found[name] = password
    return {name: value for name, value in found.items() if len(value) >= SHORTEST}


def is_telling(value: str) -> bool:
    """Is a value one that nobody writes by chance? Of a name that only looks like a secret's."""
    if len(value) < 12 or value.startswith("/") or " " in value:
        return len(value) >= 24 and " " not in value and not value.startswith("/")
    return (any(c.isdigit() for c in value) and any(c.isalpha() for c in value)) or len(value) >= 20


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""


class Redactor:
    """The secrets of one command. Learns them as they become known; costs nothing while there are none."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._names: dict[str, str] = {}  # by value
        self._certain: set[str] = set()  # as JSON has them: what is surely a key, not by its variable's look
        self._forms: list[tuple[str, str]] | None = []  # (form, value); None: to be made
        if environ:
            self.learn(environ)

    def learn(self, environ: Mapping[str, str]) -> None:
        """The secrets of an environment."""
        for name, value in secrets_of(environ).items():
            self.add(value, name, certain=name in KEYS)

    @property
    def certain(self) -> frozenset[str]:
        """Keys and secrets that were asked for by name, as JSON writes them."""
        return frozenset(self._certain)

    def add(self, value: str, name: str = "", *, certain: bool = True) -> None:
        """One more secret; what is too short is none. `certain`: it is one for more than its variable's look."""
        lines = value.splitlines() if "\n" in value else []  # a key of several lines is shown line by line
        for part in (value, *(line for line in lines if len(line) >= 16 and not line.startswith("-----"))):
            if len(part) < SHORTEST or part in SENSITIVE:
                continue
            if certain:
                self._certain.add(json.dumps(part, ensure_ascii=False)[1:-1])
            if part not in self._names:
                self._names[part] = name
                self._forms = None

    def names(self, names: Iterable[str], environ: Mapping[str, str]) -> None:
        """The secrets that a project asks for by name."""
        for name in names:
            self.add(environ.get(name, ""), name)

    def found(self, text: str) -> str | None:
        """The name of a secret that stands in a text, in any of its forms; None where there is none."""
        if not self._names:
            return None
        for form, value in self._all():
            if form in text:
                return self._names[value] or "a secret"
        masked = self._unescaped(text)
        return "a secret" if masked != text else None

    def text(self, text: str) -> str:
        """The text without any secret."""
        if not self._names or len(text) < SHORTEST:
            return text
        for form, _ in self._all():
            if form in text:
                text = text.replace(form, SENSITIVE)
        return self._unescaped(text)

    def data(self, value: Any) -> Any:
        """JSON without any secret; what JSON escapes is not cut in two, as it may be where its text is masked."""
        return self._by_parts(value, _PARTS) if self._names else value

    def _by_parts(self, value: Any, depth: int) -> Any:
        """A revision has megabytes, and is not to stand in memory once more as one text: each of its parts is."""
        if depth and isinstance(value, Mapping):
            return {
                self.text(key) if isinstance(key, str) else key: self._by_parts(item, depth - 1)
                for key, item in value.items()
            }
        if depth and isinstance(value, (list, tuple)):
            return [self._by_parts(item, depth - 1) for item in value]
        found = self.found(json.dumps(value, ensure_ascii=False, default=str))
        return value if found is None else self._masked(value)

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(key) if isinstance(key, str) else key: self._masked(item) for key, item in value.items()}
        return [self._masked(item) for item in value] if isinstance(value, (list, tuple)) else value

    def _all(self) -> list[tuple[str, str]]:
        if self._forms is None:
            found = {form: value for value in self._names for form in forms(value)}
            self._forms = sorted(found.items(), key=lambda item: -len(item[0]))
        return self._forms

    def _unescaped(self, text: str) -> str:
        """Values of which some letters are escaped and some are not, or that colours cut in two."""
        if "\x1b[" in text and not any(escape in text for escape in _PLAIN_ESCAPES):
            plain = _COLOURS.sub("", text)
            if not any(value in plain for value in self._names):
                return text
        elif not any(escape in text for escape in _PLAIN_ESCAPES):
            return text
        parts, position = [], 0
        for start, end in self._near_escapes(text):
            parts += [text[position:start], self._masked_beneath(text[start:end])]
            position = end
        return "".join([*parts, text[position:]]) if parts else text

    def _near_escapes(self, text: str) -> Iterator[tuple[int, int]]:
        """The stretches in which an escape may belong to a secret."""
        reach = max(map(len, self._names))
        start = end = -1
        for match in _ESCAPED.finditer(text):
            if start >= 0 and match.start() - reach > end:
                yield start, end
                start = -1
            if start < 0:
                start = max(0, match.start() - reach)
            end = min(len(text), match.end() + reach)
        if start >= 0:
            yield start, end

    def _masked_beneath(self, text: str) -> str:
        letters: list[str] = []
        places: list[int] = []  # where in the text each letter begins
        position = 0
        for match in _ESCAPED.finditer(text):
            letters.append(text[position : match.start()])
            places += range(position, match.start())
            position = match.end()
            if match["colour"] is None:
                digits = match["percent"] or match["unicode"] or match["hex"] or match["entity"]
                letters.append(chr(int(digits, 16) if digits else int(match["decimal"])))
                places.append(match.start())
        letters.append(text[position:])
        places += range(position, len(text) + 1)
        plain = "".join(letters)
        spans = []
        for value in self._names:
            at = plain.find(value)
            while at >= 0:
                spans.append((places[at], places[at + len(value)]))
                at = plain.find(value, at + len(value))
        for start, end in sorted(spans, reverse=True):
            text = text[:start] + SENSITIVE + text[end:]
        return text


def forms(value: str) -> Iterator[str]:
    """The ways in which a value is written, itself first."""
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield from (html.escape(value), html.escape(value, quote=False))
    yield from (quote(value, safe="", errors="surrogatepass"), quote(value, errors="surrogatepass"))
    yield quote_plus(value, errors="surrogatepass")
    content = value.encode("utf-8", "surrogatepass")
    yield content.hex()
    yield content.hex().upper()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + content).decode()
        # Characters that neighbours have a part in are left out: they tell next to nothing.
        core = encoded[(offset * 8 + 5) // 6 : (offset + len(content)) * 8 // 6]
        if len(core) >= SHORTEST:
            yield core
            yield core.replace("+", "-").replace("/", "_")
