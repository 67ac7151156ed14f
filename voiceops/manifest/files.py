"""Reading a user's files: only inside the project, only text, only up to a size."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from errno import ELOOP
from functools import lru_cache
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from voiceops.errors import Diagnostic, InvalidProject, Mark

MAX_FILE_BYTES = 1_048_576
_MOST_HIDDEN = 50_000


_UNWRITTEN: ContextVar[Mapping[str, str] | None] = ContextVar("unwritten", default=None)


class FileProblem(Exception):
    """A file can't be read; the text says why."""


@contextmanager
def as_if_written(root: Path, texts: Mapping[str, str]) -> Iterator[None]:
    """Files that are not there yet, by their paths from the project's folder, are read as if they were: for who has to
    know what would come of them before one is written."""
    base = os.path.realpath(root)
    token = _UNWRITTEN.set({os.path.join(base, path): text for path, text in texts.items()})
    try:
        yield
    finally:
        _UNWRITTEN.reset(token)


def unwritten_in(folder: Path) -> list[Path]:
    """The files of a folder, at any depth, that are only read as if they were there."""
    inner = os.path.join(folder, "")
    return [Path(path) for path in _UNWRITTEN.get() or () if path.startswith(inner)]


def inside(root: Path, path: Path) -> Path:
    """The real path, if it lies in the project and may be named.

    Dot files and dot folders may not: `.env`, `.git/` and `.voiceops/` hold keys and what was done with them. Raises
    FileProblem, also for links that lead out or to one of those.
    """
    return Path(_inside(root, path, hidden=False)[0])


def _inside(root: Path, path: Path, *, hidden: bool) -> tuple[str, os.stat_result | None]:
    """As `inside`, with what the system says of the file; None where it can't be asked. `hidden` lets dot files pass.

    In texts: prompts come in thousands of files, and a path of pathlib's takes longer than to read one.
    """
    base = os.path.realpath(root)
    try:
        real = os.path.realpath(path)
        facts = _facts(real)
    except (OSError, ValueError):  # a link to itself, a name that no file can have
        raise FileProblem(f"{display(root, path)} is no path of a file") from None
    if real != base and not real.startswith(base.rstrip(os.sep) + os.sep):
        raise FileProblem(f"{path.name} lies outside the project")
    if not hidden and (f"{os.sep}." in real[len(base) :] or _is_hidden_twin(base, facts)):
        raise FileProblem(
            f"{display(root, path)} is a dot file, or in a dot folder: those may hold keys, and can't be named here"
        )
    return real, facts


def _facts(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError as error:
        if error.errno == ELOOP:
            raise
        return None


def _is_hidden_twin(base: str, facts: os.stat_result | None) -> bool:
    """Is the file also known by the name of a dot file of the project (a hard link)?"""
    if facts is None or facts.st_nlink < 2 or not S_ISREG(facts.st_mode):
        return False
    return (facts.st_dev, facts.st_ino) in _hidden_files(base)


@lru_cache(maxsize=16)
def _hidden_files(base: str) -> frozenset[tuple[int, int]]:
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
    real, facts = _inside(root, path, hidden=hidden)
    unwritten = _UNWRITTEN.get()
    if unwritten is not None and real in unwritten:
        return unwritten[real]
    try:
        facts = os.stat(real) if facts is None else facts
        if not S_ISREG(facts.st_mode):
            raise FileProblem(f"there is no file {display(root, path)}")
        if facts.st_size > MAX_FILE_BYTES:
            raise FileProblem(f"{display(root, path)} is larger than {MAX_FILE_BYTES:,} bytes")
        with open(real, "rb", buffering=0) as file:
            content = file.read()
        return content.decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise FileProblem(f"there is no file {display(root, path)}") from None
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
