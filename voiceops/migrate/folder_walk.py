"""The files of a stranger's folder, as far as they may be read: regular ones, of a reasonable size, inside it.

A link is never followed, wherever it leads: what it names is left out, and said.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from voiceops.errors import Mark
from voiceops.manifest.files import MAX_FILE_BYTES
from voiceops.manifest.problems import Problems

_DEEPEST = 32  # folders inside each other


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not taken over, and why."""

    file: str
    why: str

    def to_data(self) -> dict[str, str]:
        """For JSON output."""
        return {"file": self.file, "why": self.why}


def walk(root: Path, below: str, skipped: list[Skipped], depth: int = 0) -> Iterator[str]:
    """The files below a folder, as paths from `root`, in order; names with a dot in front are left out."""
    try:
        entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
    except OSError as error:
        skipped.append(Skipped(below, f"it can't be read: {error.strerror}"))
        return
    for entry in entries:
        place = f"{below}/{entry.name}" if below else entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            skipped.append(Skipped(place, "a link: no link is followed"))
        elif entry.is_dir(follow_symlinks=False):
            if entry.name.endswith(".bak"):
                skipped.append(Skipped(f"{place}/", "a copy that somebody keeps"))
            elif depth >= _DEEPEST:
                skipped.append(Skipped(f"{place}/", f"more than {_DEEPEST} folders inside each other"))
            else:
                yield from walk(root, place, skipped, depth + 1)
        else:
            yield place


def read(root: Path, file: str, problems: Problems) -> bytes | None:
    """A file's content, or a problem and None."""
    path, mark = root / file, Mark(file, 1, 1)
    try:
        facts = os.lstat(path)
        if not S_ISREG(facts.st_mode):
            problems.error("file", "it is no regular file: no link is followed", mark)
            return None
        if facts.st_size > MAX_FILE_BYTES:
            problems.error("file", f"it is larger than {MAX_FILE_BYTES:,} bytes", mark)
            return None
        return path.read_bytes()
    except OSError as error:
        problems.error("file", f"it can't be read: {error.strerror}", mark)
        return None


def text_of(root: Path, file: str, problems: Problems) -> str | None:
    """A file's text, or a problem and None."""
    content = read(root, file, problems)
    if content is None:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.error("file", "it is not UTF-8 text", Mark(file, line, 1), "Save it as UTF-8.")
        return None


def is_there(root: Path, file: str) -> bool:
    """Is it a file of the folder, and no link?"""
    path = root / file
    return path.is_file() and not path.is_symlink()
