"""Secrets that people wrote into files. What is found is never shown."""

from __future__ import annotations

from collections.abc import Iterator

from voiceops.errors import Mark
from voiceops.lints.bypass import found, texts
from voiceops.lints.context import Context
from voiceops.lints.rule import lint
from voiceops.lints.settings import setting
from voiceops.lints.spot import Finding
from voiceops.model.key_forms import FORMS, SIGNS

_SHORTEST = 6


@lint("VO601", "secret-in-text", "A key or a token in a prompt, another text, or a handler")
def secret_in_text(context: Context) -> Iterator[Finding]:
    for spot, mark, text in texts(context, *SIGNS):
        for pattern, what in FORMS:
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
