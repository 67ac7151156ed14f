"""`# voiceops: ignore[VO101]`: comments that silence a lint on a line, or in a whole file.

A comment behind a value is about its own line, one that stands alone about the next line with something on it,
and `ignore-file[…]` before a file's first value about the file. A comment that silences nothing is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from voiceops.errors import Mark
from voiceops.lints.rule import Lint
from voiceops.lints.spot import Finding
from voiceops.lints.texts import Texts
from voiceops.manifest.problems import did_you_mean

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*voiceops:\s*ignore(?P<file>-file)?\b(?:\[(?P<ids>[^\]]*)\])?")
_SIGN = "voiceops:"  # no file without it has such a comment
_ID = re.compile(r"[A-Za-z0-9-]+\Z")
_CODE = re.compile(r"VO\d+\Z", re.IGNORECASE)


@dataclass(slots=True)
class Comment:
    """One comment. `target` is the line that it is about, 0 for the whole file."""

    mark: Mark
    target: int
    ids: tuple[str, ...]
    problem: str = ""
    used: set[str] = field(default_factory=set)
    judged: bool = False  # whether its document is part of an environment that was checked


class Ignores:
    """The comments of every file that was asked about. Kept over several environments of one project."""

    def __init__(self, texts: Texts, lints: Mapping[str, Lint]) -> None:
        self._texts = texts
        self._names = {name: code for code, lint in lints.items() for name in (code, lint.name)}
        self._files: dict[str, list[Comment]] = {}

    def silences(self, code: str, *marks: Mark | None) -> bool:
        """Whether a comment is about this problem; it counts as used then."""
        hit = False
        for mark in marks:
            for comment in self._of(mark.file) if mark else ():
                if comment.problem or comment.target not in (0, mark.line if mark else 0):
                    continue
                for given in comment.ids:
                    if self._names.get(given, given) == code:
                        comment.used.add(given)
                        hit = True
        return hit

    def has(self, file: str) -> bool:
        """Whether a file has any such comment."""
        return bool(self._of(file))

    def judge(self, lines: Mapping[str, Iterable[int]]) -> None:
        """From now on the comments count that stand in one document with one of these lines."""
        for file, active in lines.items():
            comments = self._of(file)
            if not comments:
                continue
            starts = [number for number, line in enumerate(self._texts.lines(file), 1) if line.startswith("---")]
            documents = {sum(start <= line for start in starts) for line in active}
            for comment in comments:
                at = comment.target or comment.mark.line
                if comment.target == 0 or sum(start <= at for start in starts) in documents:
                    comment.judged = True

    def leftovers(self) -> Iterator[Finding]:
        """Every comment that did nothing, and what is wrong with it."""
        for comments in self._files.values():
            for comment in comments:
                if not comment.judged:
                    continue
                if comment.problem:
                    yield Finding(mark=comment.mark, summary=comment.problem, hint="Write # voiceops: ignore[VO101].")
                    continue
                for given in comment.ids:
                    if given not in comment.used:
                        yield self._leftover(comment.mark, given)

    def _leftover(self, mark: Mark, given: str) -> Finding:
        if given not in self._names and (_CODE.match(given) or not _ID.match(given)):
            hint = did_you_mean(given, self._names) or "docs/lints/README.md lists them all."
            return Finding(mark=mark, summary=f"there is no lint {given!r}", hint=hint)
        hint = "Take it out, so that it does not hide the next problem here."
        return Finding(mark=mark, summary=f"ignore[{given}] silences nothing", hint=hint)

    def _of(self, file: str) -> list[Comment]:
        if file not in self._files:
            quiet = file.endswith((".md", ".txt")) or _SIGN not in self._texts.text(file)
            self._files[file] = [] if quiet else list(_comments(file, self._texts.lines(file)))
        return self._files[file]


def _comments(file: str, lines: tuple[str, ...]) -> Iterator[Comment]:
    started = False
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        content = bool(stripped) and not stripped.startswith("#") and stripped != "---"
        for match in _COMMENT.finditer(line):
            mark = Mark(file, number, match.start() + 1)
            ids = tuple(part.strip() for part in (match["ids"] or "").split(",") if part.strip())
            if match["file"]:
                problem = "ignore-file must stand at the top of its file" if started or content else ""
                target = 0
            else:
                problem = ""
                target = number if content else _following(lines, number)
            yield Comment(mark, target, ids, "" if ids and not problem else problem or "ignore names no lint")
        started = started or content


def _following(lines: tuple[str, ...], number: int) -> int:
    """The next line that holds more than a comment."""
    for index in range(number, len(lines)):
        stripped = lines[index].strip()
        if stripped and not stripped.startswith("#"):
            return index + 1
    return number
