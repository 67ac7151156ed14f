"""Why a line is not as it is meant to be: one reason, with what puts it right."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """`code` is stable; `text` is what was read, `fix` the command or the place that puts it right."""

    code: str
    text: str
    fix: str = ""
