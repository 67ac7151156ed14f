"""Collecting problems: everything that is wrong is reported, each once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from voiceops.errors import Diagnostic, InvalidProject, Mark

_LONG_ENOUGH = 6  # letters: between shorter words, codes of languages above all, one letter is no slip


class Problems:
    """The diagnostics of one run, in the order they were found, without repeats."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Diagnostic] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep one problem; the same one at the same place is kept once."""
        mark = diagnostic.mark
        place = (mark.file, mark.line, mark.column) if mark else (diagnostic.address, diagnostic.path)
        key = (diagnostic.code, diagnostic.summary, *place)
        known = self._found.get(key)
        if known is None or (known.severity == "warning" and diagnostic.severity == "error"):
            self._found[key] = diagnostic  # what one manifest may do is still an error of another

    def error(self, code: str, summary: str, mark: Mark | None, hint: str = "", address: str = "") -> None:
        """Keep what makes the project invalid."""
        self.add(Diagnostic(code=code, summary=summary, mark=mark, hint=hint, address=address))

    def warning(self, code: str, summary: str, mark: Mark | None, hint: str = "", address: str = "") -> None:
        """Keep what is valid, and probably not meant."""
        self.add(Diagnostic(code=code, summary=summary, severity="warning", mark=mark, hint=hint, address=address))

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Keep several problems."""
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
        """Is there an error among them?"""
        return any(diagnostic.severity == "error" for diagnostic in self._found.values())

    def raise_errors(self) -> None:
        """Raise InvalidProject when one of the problems is an error."""
        if self.failed:
            raise InvalidProject(self.all)


def nearest(text: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant: spelling aside, `first_message` means `firstMessage`."""
    words = list(known)
    if (same := respelled(text, words)) is not None:
        return same
    close = difflib.get_close_matches(text, words, n=1, cutoff=0.6)
    return close[0] if close else None


def respelled(text: str, known: Iterable[str]) -> str | None:
    """The known word that differs in capitals, dashes and underscores only."""
    squeezed = _squeezed(text)
    return next((word for word in known if _squeezed(word) == squeezed), None)


def nearly(text: str, known: Iterable[str]) -> str | None:
    """The known word that differs by one slip of the hand. Another version of a name is no slip: its digits differ."""
    words = list(known)
    if (same := respelled(text, words)) is not None:
        return same
    digits = re.sub(r"\D", "", text)
    slips = [
        word
        for word in words
        if min(len(word), len(text)) >= _LONG_ENOUGH and re.sub(r"\D", "", word) == digits and _one_slip(text, word)
    ]
    return slips[0] if len(slips) == 1 else None


def _squeezed(text: str) -> str:
    return re.sub(r"[-_ ]", "", text).lower()


def _one_slip(a: str, b: str) -> bool:
    """One letter more, less or other, or two that changed places."""
    if abs(len(a) - len(b)) > 1:
        return False
    start = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    x, y = a[start:], b[start:]
    return x[1:] == y[1:] or x[1:] == y or x == y[1:] or (x[:2] == y[:2][::-1] and x[2:] == y[2:])


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """A hint, or nothing."""
    found = nearest(text, known)
    return f"Did you mean {found}?" if found else ""
