"""Texts as they are written in YAML: what its signs make of them without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from voiceops.errors import Mark
from voiceops.lints.context import Context
from voiceops.lints.index import text_of
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding, Spot, body_of
from voiceops.model.values import Secret, Template

# A comment right behind a text, with no blank after its sign: `You are caller #1`.
_BEHIND = re.compile(r"(?<=\S)\s+#(?P<rest>[^\s#!].*)$")
_SPOKEN = re.compile(r"(?:message|content|prompt|description|name|exact|summary|instructions|title)$", re.IGNORECASE)


@lint("VO210", "text-cut-off", "A comment takes the end of a text with it")
def text_cut_off(context: Context) -> Iterator[Finding]:
    for spot, text, mark in _beside_comments(context):
        if not (" " in text or _SPOKEN.search(str(spot.path[-1]))) or "\n" in text:
            continue
        line = context.texts.line(mark)
        behind = _BEHIND.search(line, mark.column)
        plain = line[: behind.start()].rstrip() if behind else ""
        if behind and plain.endswith(text) and not plain.endswith(("'", '"', "]", "}")):
            yield spot.finding(
                f"the text ends before #{behind['rest'][:20]}: YAML reads the rest as a comment",
                hint="Put the whole text into quotes, or a blank after the # where a comment is meant.",
            )


def _beside_comments(context: Context) -> Iterator[tuple[Spot, str, Mark]]:
    """The texts on whose lines a `#` stands, with their places."""
    lines = {file: found for file in context.files if (found := context.texts.numbers_of_lines_with(file, "#"))}
    for resource in context.graph.resources.values() if lines else ():
        for path, mark in resource.sources.items():
            if mark.line in lines.get(mark.file, ()):
                spot = body_of(resource).at(*path)
                if isinstance(spot.value, (str, Template)) or (isinstance(spot.value, Secret) and spot.value.names):
                    yield spot, text_of(spot.value), mark
