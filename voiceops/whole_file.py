"""A file written whole: whoever reads it meanwhile finds the old one or the new, and so after a power cut."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Put a file in the place of what is there; where a link is, in the place of what it leads to.

    `mode`: its rights; None: those of the file that is there, else those of every new file. Raises OSError; then all is
    as it was.
    """
    path = path.resolve()
    if path.exists() and not os.access(path, os.W_OK):  # a rename would not ask
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    if mode is None and path.exists():
        mode = stat.S_IMODE(path.stat().st_mode)
    with _beside(path, content, mode) as beside:
        beside.replace(path)
    sync_folder(path.parent)


def write_new(path: Path, content: bytes) -> None:
    """Make a file that is not there, never over one that somebody writes meanwhile. Its folder is not synced.

    Raises OSError, FileExistsError where something is there.
    """
    with _beside(path, content, None) as beside:
        if path.exists() or path.is_symlink():
            raise FileExistsError(path)
        try:
            os.link(beside, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            beside.rename(path)


@contextmanager
def _beside(path: Path, content: bytes, mode: int | None) -> Iterator[Path]:
    """A file of the same folder, on the disk; gone at the end, if it has not become another."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)  # what a kill left may be the very file that stands at `path` now, by another name
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        yield beside
    finally:
        beside.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
