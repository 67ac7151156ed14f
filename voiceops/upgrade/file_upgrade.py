"""One file with its old fields rewritten, one after another, and those named that are not. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import Any

from voiceops.errors import Mark
from voiceops.manifest.strict_yaml import read_documents
from voiceops.manifest.yaml_edit import CannotEdit, replaced
from voiceops.model.values import format_path
from voiceops.upgrade.decisions import InTheWay, Left, Respelled, Rewrite
from voiceops.upgrade.find_old import OldPlace, old_fields
from voiceops.upgrade.known_manifests import KnownManifests
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


def upgraded(text: str, file: str, known: KnownManifests) -> FileUpgrade:
    """The file with every old field rewritten that can be. Raises InvalidProject where it can't be read.

    `known` is what the project's other manifests tell.
    """
    marks = {_place(found): found.mark for found in old_fields(text, file, known)}
    if not marks:
        return FileUpgrade(file=file, before=text, after=text, rewritten=(), left=())
    parts, done, left, number = [], [], [], 0
    for part in _documents(text):  # each on its own: a long file is not read anew for each of its fields
        found = _Part(part, file, known, number, marks)
        parts.append(found.upgrade())
        done += found.done
        left += found.left
        number += len(read_documents(part, file))
    left.sort(key=lambda kept: (kept.mark.line, kept.mark.column))
    return FileUpgrade(file=file, before=text, after="".join(parts), rewritten=tuple(done), left=tuple(left))


def _documents(text: str) -> list[str]:
    """The text cut where its documents begin; in one piece where more than a `---` could say where that is."""
    if re.search(r"(?m)^(?:%|\.\.\.)", text):
        return [text]
    return re.split(r"(?m)^(?=---(?:\s|\Z))", text)


@dataclass(slots=True)
class _Part:
    """A piece of a file, whose first document has this number in it; `marks` say where the file's old fields stand."""

    text: str
    file: str
    known: KnownManifests
    number: int
    marks: Mapping[tuple[Any, ...], Mark]
    done: list[Rewritten] = field(default_factory=list)
    left: list[LeftField] = field(default_factory=list)

    def upgrade(self) -> str:
        """The text with its old fields rewritten, one after another."""
        refused: set[tuple[Any, ...]] = set()
        while True:
            # Every edit moves what stands below it: places are taken from the text as it reads now.
            places = old_fields(self.text, self.file, self.known)
            found = next((place for place in places if _place(place) not in refused), None)
            if found is None:
                return self.text
            mark = self.marks.get(_place(found, self.number), found.mark)
            path = format_path((*found.where, found.key))
            try:
                self.text, successor, note = _edited(self.text, found)
            except _Stays as stays:
                refused.add(_place(found))
                reason, successor = str(stays), stays.successor
                self.left.append(
                    LeftField(address=found.address, path=path, mark=mark, reason=reason, successor=successor)
                )
            else:
                self.done.append(Rewritten(address=found.address, path=path, mark=mark, successor=successor, note=note))


class _Stays(Exception):
    """A field is left, for this reason."""

    def __init__(self, reason: str, successor: str = "") -> None:
        super().__init__(reason)
        self.successor = successor


def _place(found: OldPlace, before: int = 0) -> tuple[Any, ...]:
    """By what an old field is known, in a text behind so many documents."""
    return (before + found.document, found.where, found.key)


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
