"""Keys and tokens known by their look, wherever they stand in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator

FORMS = (
    (re.compile(r"\bsk-(?:proj-|ant-|or-)?[A-Za-z0-9_-]{20,}"), "an API key of a model's provider"),
    (re.compile(r"\bsk_(?:live|test)?_?[A-Za-z0-9]{24,}"), "an API key"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{30,}|\bglpat-[\w-]{20,}"), "a token of a git host"),
    (re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{20,}|hooks\.slack\.com/services/T\w+/B\w+/\w+"), "a Slack token"),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}"), "a cloud key"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"), "a token (JWT)"),
    (re.compile(r"\bBearer [A-Za-z0-9._~+/-]{20,}"), "a bearer token"),
)
# One of these is in every text that has one of those forms.
SIGNS = (
    *("sk-", "sk_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox"),
    *("hooks.slack.com/services/", "AKIA", "AIza", "PRIVATE KEY-----", "eyJ", "Bearer "),
)
# What a parameter of an address is called that holds a key: `client_secret`, `X-Api-Key`, `accessToken`.
KEY_PARAMETER = (
    r"[?&](?:[\w.-]*[-_.])?(?:(?:api|access|private)[-_]?key|(?:access|auth|bearer)?[-_]?token|secret|authorization"
    r"|password|passwd|sig|signature)="
)
# Secrets within an address: a password, or what a parameter is called; `key` and `code` alone may mean anything, so
# that there the value has to look like one, too.
_IN_ADDRESSES = (
    re.compile(r"://[^/\s:@{}]+:(?P<key>[^/\s@{}]{6,})@"),
    re.compile(rf"{KEY_PARAMETER}(?P<key>[^&#\s{{}}]{{8,}})", re.IGNORECASE),
    re.compile(
        r"[?&](?:(?:[\w.-]*[-_.])?key|code)=(?P<key>(?=[^&#\s]*[0-9])(?=[^&#\s]*[a-z])[^&#\s{}]{16,})", re.IGNORECASE
    ),
)
_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")


def keys_in(text: str) -> Iterator[str]:
    """Every key that stands in a text: a private key with all its lines, a token without the word before it."""
    if "://" in text:
        for address in _IN_ADDRESSES:
            yield from (match["key"] for match in address.finditer(text))
    if not any(sign in text for sign in SIGNS):
        return
    for pattern, _ in FORMS:
        for match in pattern.finditer(text):
            found = match.group()
            if found.startswith("-----BEGIN"):
                end = _END.search(text, match.end())
                found = text[match.start() : end.end() if end else len(text)]
            yield found.removeprefix("Bearer ")
