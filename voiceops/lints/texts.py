"""The texts that manifests came from: their lines, and where in them a character of a value stands.

Reads only inside the project, through the manifest layer's own reader.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path

from voiceops.errors import Mark
from voiceops.manifest.files import FileProblem, load

_BROUGHT = re.compile(r"\$\{(?:file|template):([^{}]+)\}")
_WORD = re.compile(r"\S{4,}")
_NEAR = 400  # lines after a key in which its text is looked for


@dataclass(slots=True)
class Texts:
    """Files of one project by the name that marks use."""

    root: Path
    _texts: dict[str, str] = field(default_factory=dict)
    _lines: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def text(self, file: str) -> str:
        """A file's text; empty where it can't be read (marks of built-in defaults name no real file)."""
        if file not in self._texts:
            try:
                self._texts[file] = load(self.root, self.root / file, hidden=True)
            except (FileProblem, ValueError):
                self._texts[file] = ""
        return self._texts[file]

    def lines(self, file: str) -> tuple[str, ...]:
        """A file's lines; none where it can't be read."""
        if file not in self._lines:
            self._lines[file] = tuple(self.text(file).splitlines())
        return self._lines[file]

    def numbers_of_lines_with(self, file: str, part: str) -> frozenset[int]:
        """Which of a file's lines, counted from 1, have this in them."""
        if part not in self.text(file):
            return frozenset()
        return frozenset(number for number, line in enumerate(self.lines(file), 1) if part in line)

    def line(self, mark: Mark) -> str:
        """The line that a mark lies in."""
        lines = self.lines(mark.file)
        return lines[mark.line - 1] if 0 < mark.line <= len(lines) else ""

    def contains(self, file: str, text: str) -> bool:
        """Does a line of this file hold a text?"""
        return any(text in line for line in self.lines(file))

    def place(self, mark: Mark, value: str, offset: int) -> Mark:
        """Where the character at `offset` of the value set at `mark` stands: in a prompt's own file, if it has one."""
        before = value[:offset]
        row = before.count("\n")
        column = offset - (before.rfind("\n") + 1)
        wanted = value.splitlines()[row] if value.splitlines() else ""
        brought = _BROUGHT.search(self.line(mark))
        if brought:
            return self._in_file(mark, brought.group(1), row, column)
        lines = self.lines(mark.file)
        # A block text starts below its key, and every line of it stands in a line of its own.
        for index in (mark.line + row, *range(mark.line - 1, min(len(lines), mark.line + _NEAR))):
            if index < len(lines) and wanted.strip() and wanted.strip() in lines[index]:
                start = lines[index].index(wanted.strip()) - (len(wanted) - len(wanted.lstrip()))
                return Mark(mark.file, index + 1, max(0, start + column) + 1, mark.path)
        # A folded text has other lines than its file: the word alone has to do.
        word = _WORD.match(value, offset)
        for index in range(mark.line - 1, min(len(lines), mark.line + _NEAR)) if word else ():
            if word and word.group() in lines[index]:
                return Mark(mark.file, index + 1, lines[index].index(word.group()) + 1, mark.path)
        return mark

    def _in_file(self, mark: Mark, named: str, row: int, column: int) -> Mark:
        file = posixpath.normpath(posixpath.join(posixpath.dirname(mark.file), named))
        lines = self.lines(file)
        return Mark(file, row + 1, column + 1, mark.path) if row < len(lines) else mark
