"""Every lint by its code, in order."""

from __future__ import annotations

from collections.abc import Iterator

from voiceops.lints import (
    bodies,
    bypass,
    endpointing,
    handlers,
    keys,
    lines,
    prompts,
    schemas,
    secrets,
    servers,
    silence,
    simulations,
    speaking,
    squads,
    tools,
    voices,
    yaml_texts,
)
from voiceops.lints.context import Context
from voiceops.lints.rule import DEFINED, Lint, lint
from voiceops.lints.spot import Finding

UNUSED = "VO001"
DOCS_URL = "https://github.com/voiceops/voiceops/blob/main/docs/lints"  # where a lint's page is read from afar


@lint(UNUSED, "ignore-unused", "An ignore comment silences nothing")
def unused(context: Context) -> Iterator[Finding]:
    """Found by the comments themselves, once everything else has run."""
    yield from ()


# Imported for their lints: whoever adds a module adds it here, and a test finds one that is missing.
MODULES = (
    bodies,
    bypass,
    endpointing,
    handlers,
    keys,
    lines,
    prompts,
    schemas,
    secrets,
    servers,
    silence,
    simulations,
    speaking,
    squads,
    tools,
    voices,
    yaml_texts,
)
LINTS: dict[str, Lint] = dict(sorted(DEFINED.items()))


def find(text: str) -> Lint | None:
    """A lint by its code or its name."""
    return LINTS.get(text) or next((known for known in LINTS.values() if known.name == text), None)
