"""Collecting problems: everything that is wrong is reported, each once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from voiceops.errors import Diagnostic, InvalidProject, Mark


class Problems:
    """The diagnostics of one run, in the order they were found, without repeats."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Diagnostic] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        mark = diagnostic.mark
        place = (mark.file, mark.line, mark.column) if mark else (diagnostic.address, diagnostic.path)
        self._found.setdefault((diagnostic.code, diagnostic.summary, *place), diagnostic)

    def error(self, code: str, summary: str, mark: Mark | None, hint: str = "", address: str = "") -> None:
        self.add(Diagnostic(code=code, summary=summary, mark=mark, hint=hint, address=address))

    def warning(self, code: str, summary: str, mark: Mark | None, hint: str = "", address: str = "") -> None:
        self.add(Diagnostic(code=code, summary=summary, severity="warning", mark=mark, hint=hint, address=address))

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            self.add(diagnostic)

    @property
    def all(self) -> tuple[Diagnostic, ...]:
        """Errors and warnings, sorted by file and line."""
        return tuple(
            sorted(
                self._found.values(),
                key=lambda d: (d.mark.file, d.mark.line, d.mark.column) if d.mark else ("", 0, 0),
            )
        )

    @property
    def failed(self) -> bool:
        return any(diagnostic.severity == "error" for diagnostic in self._found.values())

    def raise_errors(self) -> None:
        """Raise InvalidProject when one of the problems is an error."""
        if self.failed:
            raise InvalidProject(self.all)


def nearest(text: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant: spelling aside, `first_message` means `firstMessage`."""
    words = list(known)
    squeezed = re.sub(r"[-_ ]", "", text).lower()
    for word in words:
        if re.sub(r"[-_ ]", "", word).lower() == squeezed:
            return word
    close = difflib.get_close_matches(text, words, n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """A hint, or nothing."""
    found = nearest(text, known)
    return f"Did you mean {found}?" if found else ""
