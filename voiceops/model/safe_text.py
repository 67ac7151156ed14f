"""Texts that strangers wrote, made safe for where they are shown: one place for every output.

Manifests, live objects, API errors, file names, git and the environment all bring texts that somebody else chose. A
character in them may move a terminal's cursor, turn a line around, or be nothing that anybody sees; a line may be a
command to the pipeline that prints it. Here each becomes text again. A character that hides is written as JSON
writes it (`\\u202e`), so that JSON text stays the same JSON.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

# Controls (but line end and tab), bidirectional overrides and isolates, zero widths and blank letters, line and
# paragraph separators, tags, lone surrogates, and code points that are no characters.
_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]"
)
# What the pipelines' hosts take for commands: GitHub's at the start of a line (blanks before it don't matter), the
# older form and Azure's anywhere in it, TeamCity's at the start.
_COMMAND = re.compile(r"(?m)^((?:[^\S\n]|\x1b\[[\d;]*m)*):(?=:)|#(?=#\[)|(?<!#)#(?=#vso\[)|#(?=#teamcity\[)")


def visible(text: str) -> str:
    """The text with every character that hides written out, as in `\\u202e`; line ends and tabs stay."""
    return _HIDDEN.sub(_spelled, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """A name, a path, an id: what hides and what ends a line is written out."""
    return visible(text.replace("\r\n", "\\r\\n")).replace("\n", "\\n").replace("\t", "\\t")


def flowed(text: str) -> str:
    """A sentence in one line: every run of blanks and line ends is one blank."""
    return visible(" ".join(text.split()))


def indented(text: str, by: int = 4) -> str:
    """A message of several lines: those after the first are moved in, so that none passes for a line of ours."""
    first, *rest = visible(text).split("\n")
    return "\n".join([first, *(" " * by + line for line in rest)])


def shown(text: str) -> str:
    """A whole output for a terminal or a pipeline's log: nothing hides in it, and no line is a command.

    JSON text comes out as the same JSON.
    """
    return without_commands(visible(text))


def without_commands(text: str) -> str:
    """The text with no line in it that a pipeline's host would obey."""
    if "::" not in text and "##" not in text:
        return text
    return _COMMAND.sub(lambda found: f"{found[1] or ''}\\u{ord(found[0][-1]):04x}", text)


def json_text(value: Any, indent: int | None = None) -> str:
    """Exact JSON that is safe to print: readable, and with nothing in it that hides or commands."""
    return shown(json.dumps(value, indent=indent, ensure_ascii=False))


def workflow_command(name: str, properties: dict[str, str], message: str) -> str:
    """A command to GitHub's runner that holds nothing but what it says.

    https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
    """

    def escaped(text: str) -> str:
        return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    given = [f"{key}={escaped(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items()]
    return f"::{name}{' ' + ','.join(given) if given else ''}::{_no_old_command(escaped(message))}"


def html(text: str) -> str:
    """Text inside an HTML page or attribute: no markup, nothing hidden, and no command where a pipeline prints it."""
    escaped = escape(visible(text))
    return _COMMAND.sub(lambda found: f"{found[1] or ''}&#{ord(found[0][-1])};", escaped)


def markdown_code(text: str) -> str:
    """One line as a code span that it can't leave."""
    line = flowed(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line[:1] == "`" or line[-1:] == "`" or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def markdown_prose(text: str) -> str:
    """A sentence in which nothing is markup, a mention or a link."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&$])", r"\\\1", flowed(text)).replace("@", "@\u2060").replace("://", ":\u2060//")


def markdown_fence(lines: list[str], language: str = "") -> list[str]:
    """Lines in a fence that is longer than any that they hold."""
    longest = max((len(run) for line in lines for run in re.findall("`{3,}", line)), default=2)
    fence = "`" * (longest + 1)
    return [f"{fence}{language}", *map(visible, lines), fence]


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def _no_old_command(text: str) -> str:
    return _COMMAND.sub(lambda found: f"\\u{ord(found[0][-1]):04x}" if "#" in found[0] else found[0], text)
