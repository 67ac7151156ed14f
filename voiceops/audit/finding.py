"""One thing that an audit found, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from voiceops.errors import Mark

Grade = Literal["finding", "note"]

# The order in which they are told: what callers notice first.
CODES = (
    "unanswered",
    "dangling",
    "external-missing",
    "external-ambiguous",
    "retiring",
    "traffic-split",
    "double",
    "unmanaged",
    "unused",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """`code` is stable. A `note` is good to know and may well be meant: only a `finding` makes the audit end with 2.

    `address` and `environment` say which manifest manages the object; both are empty where none does. `path` is a place
    in its live body, `mark` one in a manifest.
    """

    code: str
    kind: str
    what: str
    next: str = ""
    grade: Grade = "finding"
    id: str = ""
    name: str = ""
    address: str = ""
    environment: str = ""
    path: str = ""
    mark: Mark | None = None

    def to_data(self) -> dict[str, Any]:
        """As `audit --format json` has it. What is not known is left out."""
        data: dict[str, Any] = {"code": self.code, "grade": self.grade, "kind": self.kind}
        for key in ("id", "name", "address", "environment", "path"):
            if value := getattr(self, key):
                data[key] = value
        if self.mark is not None:
            data |= {"file": self.mark.file, "line": self.mark.line}
        return data | {"what": self.what, "next": self.next}
