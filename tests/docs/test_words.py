"""One word for one thing: docs/concepts.md has the words; here are those that would be second ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.bench import REPOSITORY

# Another word for it → the word.
SECOND_WORDS = {
    r"desired state|target state|goal state": "desired",
    r"actual state|current state|real state|cloud state": "live",
    r"known state|recorded state": "applied",
    r"reconcil\w+|\bdeploy(?:s|ed|ing|er)?\b|roll(?:s|ed|ing)? out": "apply",
    r"config(?:uration)? drift|out of sync": "drift",
    r"voice ?bots?|\bbots?\b": "agent",
    r"config(?:uration)? files?|spec files?|definition files?": "manifest",
    r"\bworkspaces?\b": "environment",
    r"\bmutex(?:es)?\b|state locking|lease file": "lock",
    r"\bcheckpoints?\b|deployment number|version number of the apply": "revision",
    r"mock server|fake server|\bemulator\b|\bsimulator\b": "sandbox",
    r"webhook server|callback server": "runtime",
    r"webhook function|callback function": "handler",
    r"to-do list of changes|change ?set": "plan",
    r"test cases?\b|scripted calls?\b": "call script",
    r"preview environments?|review apps?\b|ephemeral": "preview",
    r"take(?:s|n)? (?:it )?into management|import(?:s|ed)? into the state": "adopt",
}
# Where such a word is somebody else's, or means something else.
THEIRS = (
    "lets only `main` deploy",  # a forge's environments
    "who may deploy there",
    "github-actions[bot]",
    '== "Bot"',
    '"JENKINS_URL": "WORKSPACE"',
    "voiceops-checkpoint",  # SQLite's
    "checkpoints from a thread of their own",
    "It is a simulator, not a mock",
    "the webhook server: verification",  # what the runtime is, to people who don't know it
    "the webhook server as a",
    '"bot": "agent"',  # the roles in Vapi's messages
    '_message("bot"',
    '"assistant": "bot"',
)


def texts() -> Iterator[tuple[str, str]]:
    """What people read: pages, and the code's comments, docstrings and messages. Not what was decided long ago."""
    for path in sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]):
        if "decisions" not in path.parts and path.name != "CHANGELOG.md":
            yield str(path.relative_to(REPOSITORY)), path.read_text(encoding="utf-8")
    for path in sorted([*(REPOSITORY / "voiceops").rglob("*.py"), *(REPOSITORY / "templates").rglob("*.j2")]):
        yield str(path.relative_to(REPOSITORY)), path.read_text(encoding="utf-8")


@pytest.mark.parametrize("second", SECOND_WORDS, ids=SECOND_WORDS.values())
def test_a_thing_has_one_word(second: str) -> None:
    found = []
    for name, text in texts():
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(second, line, re.I) and not any(theirs in line for theirs in THEIRS):
                found.append(f"{name}:{number}: {line.strip()}")
    assert not found, f"say {SECOND_WORDS[second]}: {found}"


def test_the_words_are_those_of_the_page() -> None:
    page = (REPOSITORY / "docs" / "concepts.md").read_text(encoding="utf-8").lower()
    words = set(SECOND_WORDS.values()) - {"agent"}  # a kind: docs/kinds.md
    assert {word for word in words if f"**{word}**" not in page and f"**{word}s**" not in page} == set()
