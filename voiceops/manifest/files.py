"""Reading a user's files: only inside the project, only text, only up to a size."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from voiceops.errors import Diagnostic, InvalidProject, Mark

MAX_FILE_BYTES = 1_048_576
_MOST_HIDDEN = 50_000


class FileProblem(Exception):
    """A file can't be read; the text says why."""


def inside(root: Path, path: Path, *, hidden: bool = False) -> Path:
    """The real path, if it lies in the project and may be named.

    Dot files and dot folders may not: `.env`, `.git/` and `.voiceops/` hold keys and what was done with them. Raises
    FileProblem, also for links that lead out or to one of those. `hidden` lets them pass: for who shows none of it.
    """
    base = root.resolve()
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError):  # a link to itself, a name that no file can have
        raise FileProblem(f"{display(root, path)} is no path of a file") from None
    if not real.is_relative_to(base):
        raise FileProblem(f"{path.name} lies outside the project")
    if not hidden and (_in_hidden(real.relative_to(base)) or _is_hidden_twin(base, real)):
        raise FileProblem(
            f"{display(root, path)} is a dot file, or in a dot folder: those may hold keys, and can't be named here"
        )
    return real


def _in_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _is_hidden_twin(base: Path, real: Path) -> bool:
    """Is the file also known by the name of a dot file of the project (a hard link)?"""
    try:
        facts = real.stat()
    except (OSError, ValueError):
        return False
    return facts.st_nlink > 1 and S_ISREG(facts.st_mode) and (facts.st_dev, facts.st_ino) in _hidden_files(base)


@lru_cache(maxsize=16)
def _hidden_files(base: Path) -> frozenset[tuple[int, int]]:
    """The files of the dot files and folders right in the project, as far as there are not far too many."""
    found: set[tuple[int, int]] = set()
    waiting = [entry.path for entry in os.scandir(base) if entry.name.startswith(".")]
    while waiting and len(found) < _MOST_HIDDEN:
        path = waiting.pop()
        try:
            facts = os.lstat(path)
            if S_ISDIR(facts.st_mode):
                waiting += [entry.path for entry in os.scandir(path) if entry.name != "objects"]
            else:
                found.add((facts.st_dev, facts.st_ino))
        except OSError:
            continue
    return frozenset(found)


def load(root: Path, path: Path, *, hidden: bool = False) -> str:
    """The text of a file in the project; dot files only with `hidden`. Raises FileProblem."""
    real = inside(root, path, hidden=hidden)
    try:
        if not real.is_file():
            raise FileProblem(f"there is no file {display(root, path)}")
        if real.stat().st_size > MAX_FILE_BYTES:
            raise FileProblem(f"{display(root, path)} is larger than {MAX_FILE_BYTES:,} bytes")
        return real.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileProblem(f"{display(root, path)} is not UTF-8 text") from None
    except OSError as error:
        raise FileProblem(f"{display(root, path)} can't be read: {error.strerror}") from None


def load_bytes(root: Path, path: Path, limit: int) -> bytes:
    """The content of a file in the project that is to be uploaded. Raises FileProblem."""
    real = inside(root, path)
    try:
        if not real.is_file():
            raise FileProblem(f"there is no file {display(root, path)}")
        size = real.stat().st_size
        if size > limit:
            raise FileProblem(f"{display(root, path)} is larger than {limit:,} bytes")
        if size == 0:
            raise FileProblem(f"{display(root, path)} is empty")
        return real.read_bytes()
    except OSError as error:
        raise FileProblem(f"{display(root, path)} can't be read: {error.strerror}") from None


def read_text(root: Path, path: Path, file: str) -> str:
    """As `load`, for files whose absence ends the command: raises InvalidProject."""
    try:
        return load(root, path)
    except FileProblem as problem:
        raise InvalidProject([Diagnostic(code="file", summary=str(problem), mark=Mark(file, 1, 1))]) from None


def display(root: Path, path: Path) -> str:
    """A path as the user knows it: from the project's folder."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.name
