"""The examples of a Markdown page: its fenced blocks, and the commands in them.

`<!-- not run: REASON -->` on the line before a block says why nobody runs it; its commands are parsed all the same.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.bench import REPOSITORY

_FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
_INLINE = re.compile(r"`(voiceops(?: [^`\n]+(?:\n[^`\n]+)?)?)`")
_BETWEEN = ("|", "||", "&&", ";", "(", ")", "&")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block."""

    page: str  # from the repository's root
    line: int
    language: str
    text: str
    reason: str | None  # why it is not run

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def lines(self) -> list[str]:
        """What is typed: without blank lines, and without what a console answers."""
        text = self.text.replace("\\\n", " ")
        found = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        if self.language == "console":
            return [line.removeprefix("$ ") for line in found if line.startswith("$ ")]
        return found


def pages() -> list[Path]:
    """README.md and the pages of docs/; those about lints are read with the lints."""
    docs = REPOSITORY / "docs"
    found = [REPOSITORY / "README.md", *docs.rglob("*.md")]
    return sorted(path for path in found if not path.name.startswith("VO"))


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(REPOSITORY).as_posix()
    return [
        Block(name, text.count("\n", 0, found.start("info")) + 1, found["info"].strip(), found["text"], found["reason"])
        for found in _FENCE.finditer(text)
    ]


def blocks_of(name: str, *languages: str) -> list[Block]:
    """The blocks of one page in these languages."""
    return [block for block in blocks(REPOSITORY / name) if block.language in languages]


def commands(line: str) -> Iterator[list[str]]:
    """The commands of a line of shell, as words: without comments, redirections and assignments."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>")
    lexer.whitespace_split = True
    found: list[str] = []
    skip = False
    for word in lexer:
        if word in _BETWEEN:
            yield found
            found = []
        elif word.startswith((">", "<")):
            skip = True
        elif skip:
            skip = False
        elif found or not re.match(r"\w+=", word):
            found.append(word)
    yield found


def inline(page: Path) -> list[str]:
    """The `voiceops …` of a page's prose, each in one line."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return [" ".join(found.split()) for found in _INLINE.findall(text)]
