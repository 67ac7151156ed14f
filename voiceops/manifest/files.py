"""Reading a user's files: only inside the project, only text, only up to a size."""

from __future__ import annotations

from pathlib import Path

from voiceops.errors import Diagnostic, InvalidProject, Mark

MAX_FILE_BYTES = 1_048_576


class FileProblem(Exception):
    """A file can't be read; the text says why."""


def inside(root: Path, path: Path) -> Path:
    """The real path, if it lies in the project. Raises FileProblem, also for links that lead out."""
    real = path.resolve()
    if not real.is_relative_to(root.resolve()):
        raise FileProblem(f"{path.name} lies outside the project")
    return real


def load(root: Path, path: Path) -> str:
    """The text of a file in the project. Raises FileProblem."""
    real = inside(root, path)
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
