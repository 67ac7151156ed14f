"""Secrets that people wrote into files. What is found is never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from voiceops.errors import Mark
from voiceops.lints.bypass import found, texts
from voiceops.lints.context import Context
from voiceops.lints.rule import lint
from voiceops.lints.settings import setting
from voiceops.lints.spot import Finding

_FORMS = (
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
_SIGNS = (
    *("sk-", "sk_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox"),
    *("hooks.slack.com/services/", "AKIA", "AIza", "PRIVATE KEY-----", "eyJ", "Bearer "),
)
_SHORTEST = 6


@lint("VO601", "secret-in-text", "A key or a token in a prompt, another text, or a handler")
def secret_in_text(context: Context) -> Iterator[Finding]:
    for spot, mark, text in texts(context, *_SIGNS):
        for pattern, what in _FORMS:
            if match := pattern.search(text):
                yield found(
                    context,
                    spot,
                    mark,
                    match,
                    f"this looks like {what}; a prompt is repeated to whoever asks for it, and git keeps it for good",
                    "Revoke it, and keep its successor in the environment: ${secret:NAME}.",
                )
                break


@lint("VO602", "secret-literal", "A secret is written into a manifest")
def secret_literal(context: Context) -> Iterator[Finding]:
    for spot in context.index.literals:
        if spot.value.parts and _written_at(context, spot.mark(), spot.value.parts[0]):
            yield spot.finding(
                "a secret stands in the manifest itself",
                hint="Revoke it, and write ${secret:NAME}; the value comes from the environment, or from .env.",
            )
    providers = context.project.providers
    for value, steps in (
        (providers.vapi_key, ("vapi", "apiKey")),
        (providers.auth_token, ("twilio", "authToken")),
        (providers.api_secret, ("twilio", "apiSecret")),
    ):
        given = setting(context, "providers", *steps)
        if isinstance(value, str) and value and given and given[0] == value:
            yield Finding(
                mark=given[1],
                summary="a secret stands in the project's settings",
                hint="Revoke it, and write ${secret:NAME}, or leave the line out: the usual variables are read anyway.",
            )


def _written_at(context: Context, mark: Mark, secret: str) -> bool:
    """Whether the value itself stands in the file: what came from the environment does not."""
    first = secret.strip().splitlines()[0] if secret.strip() else ""
    if len(first) < _SHORTEST or "${" in context.texts.line(mark):
        return False
    below = context.texts.lines(mark.file)[mark.line - 1 : mark.line + 2]
    return any(first in line for line in below)


@lint("VO603", "env-file-tracked", "git keeps a .env file")
def env_file_tracked(context: Context) -> Iterator[Finding]:
    for name in context.tracked:
        yield Finding(
            mark=Mark(name, 1, 1),
            summary=f"git keeps {name}, with every secret in it, for everybody who can read the repository",
            hint=f"git rm --cached {name}, add it to .gitignore, and revoke what it holds.",
        )
