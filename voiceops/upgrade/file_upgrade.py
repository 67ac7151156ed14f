"""One file with its old fields rewritten, one after another, and those named that are not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from voiceops.errors import Mark
from voiceops.manifest.yaml_edit import CannotEdit, replaced
from voiceops.model.values import format_path
from voiceops.upgrade.decisions import InTheWay, Left, Respelled, Rewrite
from voiceops.upgrade.find_old import OldPlace, old_fields
from voiceops.upgrade.text_edit import rewritten


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """An old field that has its successor now; the line is that of the text as it was."""

    address: str
    path: str
    mark: Mark
    successor: str
    note: str = ""

    def to_data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "address": self.address,
            "path": self.path,
            "line": self.mark.line,
            "successor": self.successor,
            **({"note": self.note} if self.note else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftField:
    """An old field that stays, and why."""

    address: str
    path: str
    mark: Mark
    reason: str
    successor: str = ""

    def to_data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "address": self.address,
            "path": self.path,
            "line": self.mark.line,
            "reason": self.reason,
            **({"successor": self.successor} if self.successor else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FileUpgrade:
    """A file before and after."""

    file: str
    before: str
    after: str
    rewritten: tuple[Rewritten, ...]
    left: tuple[LeftField, ...]

    @property
    def changed(self) -> bool:
        """Is there anything to write?"""
        return self.before != self.after

    def diff(self) -> str:
        """What changes, as a unified diff."""
        old, new = (text.splitlines(keepends=True) for text in (self.before, self.after))
        lines = unified_diff(old, new, f"a/{self.file}", f"b/{self.file}")
        return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)

    def to_data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "file": self.file,
            "rewritten": [found.to_data() for found in self.rewritten],
            "left": [found.to_data() for found in self.left],
            "diff": self.diff(),
        }


def upgraded(text: str, file: str, tools: Mapping[str, str]) -> FileUpgrade:
    """The file with every old field rewritten that can be. Raises InvalidProject where it can't be read.

    `tools` are the types of the project's Tool manifests by name.
    """
    lines = {_place(found): found.mark for found in old_fields(text, file, tools)}
    now, done, left = text, [], []
    refused: set[tuple[Any, ...]] = set()
    while True:
        # Every edit moves what stands below it: places are taken from the text as it reads now.
        found = next((f for f in old_fields(now, file, tools) if _place(f) not in refused), None)
        if found is None:
            break
        mark = lines.get(_place(found), found.mark)
        path = format_path((*found.where, found.key))
        try:
            now, successor, note = _edited(now, found)
            done.append(Rewritten(address=found.address, path=path, mark=mark, successor=successor, note=note))
        except _Stays as stays:
            refused.add(_place(found))
            left.append(
                LeftField(address=found.address, path=path, mark=mark, reason=str(stays), successor=stays.successor)
            )
    left.sort(key=lambda kept: (kept.mark.line, kept.mark.column))
    return FileUpgrade(file=file, before=text, after=now, rewritten=tuple(done), left=tuple(left))


class _Stays(Exception):
    """A field is left, for this reason."""

    def __init__(self, reason: str, successor: str = "") -> None:
        super().__init__(reason)
        self.successor = successor


def _place(found: OldPlace) -> tuple[Any, ...]:
    return (found.document, found.where, found.key)


def _edited(text: str, found: OldPlace) -> tuple[str, str, str]:
    """The text after it, the successor and what to know of it. Raises _Stays."""
    decision = found.decision
    if isinstance(decision, Left):
        raise _Stays(decision.reason, decision.successor)
    successor = decision.successor if isinstance(decision, Rewrite) else ""
    try:
        if isinstance(decision, Respelled):
            if "\r\n" in text and text.count("\n") != text.count("\r\n"):
                raise CannotEdit("the file has both kinds of line ends, LF and CRLF")
            return replaced(text, found.mark, [found.key], decision.value), f"{found.key}: {decision.value}", ""
        return rewritten(text, found.document, found.where, found.key, decision.steps), successor, decision.note
    except (CannotEdit, InTheWay) as error:
        raise _Stays(str(error), successor) from None
