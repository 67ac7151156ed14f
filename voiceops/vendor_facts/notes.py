"""What was expected of the vendor's description and not found there: somebody should know, and nothing stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

NoteKind: TypeAlias = Literal[
    "no-body",
    "undescribed",
    "untried",
    "unreadable",
    "not-in-client",
    "repair-gone",
    "repair-published",
    "repair-needless",
]


@dataclass(frozen=True, slots=True)
class Note:
    """One such thing: a repair or a root needs a look. `reason`: why the repair is there."""

    kind: NoteKind
    where: str
    text: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"
