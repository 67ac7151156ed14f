"""Errors and diagnostics: what went wrong, where, and what to do next.

    VoiceopsError                  exit 1
    ├── InvalidProject             exit 1   manifests, project file, environment, flags: a list of diagnostics
    ├── StateError                 exit 1   the state can't be read or written
    ├── ProviderError              exit 1   an API answered with an error, or did not answer
    │   ├── Unauthorized           exit 1   the key is missing, wrong, or may not do this
    │   ├── NotFound               exit 1   the object is not there (404)
    │   ├── Rejected               exit 1   the request was understood and refused (400, 409, 422)
    │   ├── NotSent                exit 1   the request waited for so long that it was not sent
    │   └── Ambiguous              exit 1   no usable answer: the request may have been executed
    ├── Stale                      exit 1   the live object changed after it was planned
    ├── PartialApply               exit 3   some changes were made, others failed
    ├── Locked                     exit 4   another process holds the state
    └── Refused                    exit 5   a safety rule, a plan that is not applyable, another account

This module knows nothing of the rest of the package.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning"]


class Mark(NamedTuple):
    """A place in a file that a user wrote: 1-based line and column, and the path inside the document."""

    file: str
    line: int
    column: int
    path: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def place(self) -> str:
        """Where it is, as a sentence tells it: `file:line`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem: `code` is stable, `hint` says what to do next."""

    code: str
    summary: str
    severity: Severity = "error"
    mark: Mark | None = None
    address: str = ""
    path: str = ""
    hint: str = ""

    def to_data(self) -> dict[str, Any]:
        """For JSON output. A place that is not known is left out."""
        data: dict[str, Any] = {"severity": self.severity, "code": self.code, "summary": self.summary}
        if self.mark is not None:
            data |= {"file": self.mark.file, "line": self.mark.line, "column": self.mark.column}
        if path := self.shown_path:
            data["path"] = path
        if self.address:
            data["address"] = self.address
        if self.hint:
            data["hint"] = self.hint
        return data

    def __str__(self) -> str:
        where = f"{self.mark}: " if self.mark else ""
        path = self.shown_path
        subject = " ".join(part for part in (self.address, path) if part)
        text = f"{where}{self.severity}[{self.code}]: {subject + ': ' if subject else ''}{self.summary}"
        return f"{text}\n    {self.hint}" if self.hint else text

    @property
    def shown_path(self) -> str:
        """Its own, else the mark's; a manifest begins at its `kind`, which the address says already."""
        marked = self.mark.path if self.mark else ""
        return self.path or ("" if self.address and marked == "kind" else marked)


class VoiceopsError(Exception):
    """The root: every error that a user can meet carries diagnostics and an exit code."""

    exit_code = 1
    code = "error"

    def __init__(self, summary: str, *, hint: str = "", diagnostics: Iterable[Diagnostic] = ()) -> None:
        super().__init__(summary)
        self.summary = summary
        self.hint = hint
        self.diagnostics = tuple(diagnostics)

    def to_data(self) -> dict[str, Any]:
        """For JSON output: what a machine reads instead of the text."""
        data: dict[str, Any] = {"code": self.code, "summary": self.summary}
        if self.hint:
            data["hint"] = self.hint
        if self.diagnostics:
            data["diagnostics"] = [diagnostic.to_data() for diagnostic in self.diagnostics]
        return data


class InvalidProject(VoiceopsError):
    """The project can't be used as it is written; `diagnostics` holds every problem found."""

    code = "invalid-project"

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        listed = tuple(diagnostics)
        count = sum(1 for diagnostic in listed if diagnostic.severity == "error")
        super().__init__(f"{count} error{'' if count == 1 else 's'}", diagnostics=listed)


class StateError(VoiceopsError):
    code = "state"


class ProviderError(VoiceopsError):
    """An API said no, or said nothing.

    `status` is the HTTP status (0: no answer), `request_id` the vendor's own, `fields` the problems by the
    path that the API named (`voice.speed`), so that they can be shown at the manifest's line. `names_missing`: the
    vendor says that something which the request names is not there.
    """

    code = "provider"

    def __init__(
        self,
        summary: str,
        *,
        endpoint: str = "",
        status: int = 0,
        request_id: str = "",
        fields: Iterable[tuple[str, str]] = (),
        hint: str = "",
        names_missing: bool = False,
    ) -> None:
        super().__init__(summary, hint=hint)
        self.endpoint = endpoint
        self.names_missing = names_missing
        self.status = status
        self.request_id = request_id
        self.fields = tuple(fields)

    def __str__(self) -> str:
        where = f" ({self.endpoint}" + (f", request {self.request_id}" if self.request_id else "") + ")"
        return f"{self.summary}{where if self.endpoint else ''}"

    def to_data(self) -> dict[str, Any]:
        """With what tells the vendor's support which request it was, as far as it is known."""
        data = super().to_data()
        for key in ("endpoint", "status", "request_id"):
            if value := getattr(self, key):
                data[key] = value
        return data


class Unauthorized(ProviderError):
    code = "unauthorized"


class NotFound(ProviderError):
    code = "not-found"


class Rejected(ProviderError):
    code = "rejected"


class NotSent(ProviderError):
    code = "not-sent"


class Ambiguous(ProviderError):
    """The request was sent and may have been executed: it must be looked for, never sent again blindly."""

    code = "ambiguous"


class Stale(VoiceopsError):
    code = "stale"


class PartialApply(VoiceopsError):
    exit_code = 3
    code = "partial"


class Locked(VoiceopsError):
    exit_code = 4
    code = "locked"


class Refused(VoiceopsError):
    exit_code = 5
    code = "refused"
