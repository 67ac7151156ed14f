"""Texts as they are written in YAML: what its signs make of them without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from voiceops.lints.context import Context
from voiceops.lints.rule import Finding, lint

# A comment right behind a text, with no blank after its sign: `You are caller #1`.
_BEHIND = re.compile(r"(?<=\S)\s+#(?P<rest>[^\s#!].*)$")
_SPOKEN = re.compile(r"(?:message|content|prompt|description|name|exact|summary|instructions|title)$", re.IGNORECASE)


@lint("VO210", "text-cut-off", "A comment takes the end of a text with it")
def text_cut_off(context: Context) -> Iterator[Finding]:
    for spot, text in context.strings:
        if not spot.path or not (" " in text or _SPOKEN.search(str(spot.path[-1]))) or "\n" in text:
            continue
        mark = spot.mark()
        line = context.texts.line(mark)
        behind = _BEHIND.search(line, mark.column) if "#" in line else None
        plain = line[: behind.start()].rstrip() if behind else ""
        if behind and plain.endswith(text) and not plain.endswith(("'", '"', "]", "}")):
            yield spot.finding(
                f"the text ends before #{behind['rest'][:20]}: YAML reads the rest as a comment",
                hint="Put the whole text into quotes, or a blank after the # where a comment is meant.",
            )
