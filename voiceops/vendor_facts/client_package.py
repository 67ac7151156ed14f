"""The vendor's Python client as files: a wheel, a source archive, or the folder that it is installed in.

The files are data: they are read as text, up to a size, and nothing of them is ever imported or run.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from voiceops.errors import VoiceopsError

_PACKAGE = "vapi"
_MOST_FILES = 20_000
_LARGEST_FILE = 2 << 20
_MOST_BYTES = 64 << 20  # of all modules together, unpacked
_MOST_UNPACKED = 256 << 20  # of an archive, whatever is in it
_LARGEST_ARCHIVE = 64 << 20
# The modules that describe bodies: `vapi/types/NAME.py`, and `vapi/RESOURCE/types/NAME.py`.
_MODULE = re.compile(rf"(?:.*/)?{_PACKAGE}/(?:[a-z0-9_]+/)?types/(?P<name>[a-z0-9_]+)\.py\Z")
_VERSION = re.compile(r"(?:.*/)?vapi_server_sdk-(?P<version>[0-9][A-Za-z0-9.+!]{0,40}?)(?:\.dist-info/|/|\.tar\.gz\Z)")
_NEXT = "Give a wheel of it (pip download --no-deps vapi-server-sdk), or the folder `vapi` of an installation."


class _TooMuch(ValueError):
    """More than is read of a client; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPackage:
    """The sources of a client's modules by name, and its version where the file tells it."""

    modules: dict[str, str]
    version: str = ""


def read_client(path: Path) -> ClientPackage:
    """The client in a wheel, a source archive or a folder. Raises VoiceopsError where there is none."""
    try:
        found = _collected(_in_folder(path) if path.is_dir() else _in_archive(path))
    except _TooMuch as problem:
        raise VoiceopsError(f"{path} holds {problem}: it is not read", hint=_NEXT) from None
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise VoiceopsError(f"{path} is no archive that can be read: {_words(error)}", hint=_NEXT) from None
    except OSError as error:
        raise VoiceopsError(f"{path} can't be read: {error.strerror or _words(error)}") from None
    if not found.modules:
        raise VoiceopsError(f"{path} holds no client of Vapi's: no folder {_PACKAGE}/types with modules", hint=_NEXT)
    return found


def is_client(path: Path) -> bool:
    """Is it a folder or an archive, and no document? Raises VoiceopsError where it can't be read."""
    if path.is_dir():
        return True
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise VoiceopsError(f"{path} can't be read: {error.strerror}") from None
    return start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b"))


def _words(error: Exception) -> str:
    return str(error).splitlines()[0][:100] if str(error) else type(error).__name__


def _collected(files: Iterator[tuple[str, IO[bytes] | None]]) -> ClientPackage:
    """The modules among the files (None: what is no plain file). Raises _TooMuch."""
    modules: dict[str, str] = {}
    version, total = "", 0
    for number, (name, file) in enumerate(files):
        if number >= _MOST_FILES:
            raise _TooMuch(f"more than {_MOST_FILES:,} files")
        if not version and (match := _VERSION.match(name)):
            version = match["version"]
        match = _MODULE.match(name)
        if match is None or file is None:
            continue
        content = file.read(_LARGEST_FILE + 1)
        total += len(content)
        if len(content) > _LARGEST_FILE or total > _MOST_BYTES:
            raise _TooMuch(f"modules of more than {_MOST_BYTES >> 20} MiB")
        modules[match["name"]] = content.decode("utf-8", "replace")
    return ClientPackage(modules=modules, version=version)


def _in_folder(path: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    """The files of `vapi` itself, or of a folder that holds it; links are not followed."""
    package = path if path.name == _PACKAGE else path / _PACKAGE
    if not package.is_dir():
        return
    for info in islice(package.parent.glob("vapi_server_sdk-*.dist-info"), 1):
        yield f"{info.name}/", None
    for file in (*package.glob("types/*.py"), *package.glob("*/types/*.py")):
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                yield f"{_PACKAGE}/{file.relative_to(package).as_posix()}", opened


def _in_archive(path: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    if path.stat().st_size > _LARGEST_ARCHIVE:
        raise _TooMuch(f"more than {_LARGEST_ARCHIVE >> 20} MiB")
    yield path.name, None
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
        file.seek(0)
        yield from _in_zip(file) if is_zip else _in_tar(file)


def _in_zip(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes] | None]]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.is_dir() or not _MODULE.match(member.filename):
                yield member.filename, None
                continue
            with archive.open(member) as opened:
                yield member.filename, opened


def _in_tar(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes] | None]]:
    with gzip.open(file) as unpacked, tarfile.open(fileobj=_Bounded(unpacked), mode="r|") as archive:
        for member in archive:
            yield member.name, archive.extractfile(member) if member.isfile() else None


class _Bounded(io.RawIOBase):
    """A stream that ends in an error where more is read of it than an archive of the client unpacks to."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = _MOST_UNPACKED

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises _TooMuch."""
        content = self._stream.read(size if 0 <= size <= 1 << 20 else 1 << 20)
        self._left -= len(content)
        if self._left < 0:
            raise _TooMuch(f"more than {_MOST_UNPACKED >> 20} MiB")
        return content
