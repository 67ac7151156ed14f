"""The wheel of the running voiceops, from the files that run: the same bytes each time, on every machine.

A wheel is a zip archive in a known order (https://packaging.python.org/specifications/binary-distribution-format):
the package's files, then `….dist-info` with RECORD, the hashes of all, at its end. Nothing in it is compressed, since
what a zlib makes of a text differs from version to version, and git and registries compress anyway.
"""

from __future__ import annotations

import base64
import hashlib
import io
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path

from voiceops.errors import VoiceopsError
from voiceops.packaging.metadata import DISTRIBUTION, LICENSE, is_checkout, read_metadata

_PACKAGE = Path(__file__).parent.parent
_DATA = "_data"  # in a wheel; in a checkout these folders stand beside the package
_FOLDERS = ("schema", "templates")
_THEN = (2020, 2, 2, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel's file name and bytes."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """64 hex digits."""
        return hashlib.sha256(self.content).hexdigest()


def build_wheel(package: Path = _PACKAGE) -> Wheel:
    """Of the package in that folder. Raises VoiceopsError where its files or its metadata can't be read."""
    try:
        metadata = read_metadata(package)
        files = package_files(package)
    except OSError as error:
        raise VoiceopsError(
            f"{error.filename or package} can't be read: {error.strerror or error}", hint="Install voiceops again."
        ) from None
    stem = f"{DISTRIBUTION.replace('-', '_')}-{metadata.version}"
    info = f"{stem}.dist-info"
    files |= {
        f"{info}/METADATA": metadata.to_text().encode(),
        f"{info}/WHEEL": (
            f"Wheel-Version: 1.0\nGenerator: voiceops {metadata.version}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ).encode(),
        f"{info}/entry_points.txt": metadata.entry_points().encode(),
        f"{info}/licenses/{LICENSE}": metadata.license_text,
    }
    record = "".join(f"{name},{_hash(content)},{len(content)}\n" for name, content in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    return Wheel(f"{stem}-py3-none-any.whl", _packed(files))


def package_files(package: Path) -> dict[str, bytes]:
    """Every file of the package by its name in a wheel, sorted. Raises VoiceopsError and OSError."""
    package.stat()
    found = {f"voiceops/{name}": path for name, path in _under(package).items()}
    if is_checkout(package.parent):
        for folder in _FOLDERS:
            inside = _under(package.parent / folder)
            found |= {f"voiceops/{_DATA}/{folder}/{name}": path for name, path in inside.items()}
    if "voiceops/__init__.py" not in found or not any(name.startswith(f"voiceops/{_DATA}/schema/") for name in found):
        raise VoiceopsError(
            f"this voiceops, in {package}, is not whole, so that no wheel can be made of it",
            hint="Install voiceops again, or name a wheel: --from https://HOST/FILE.whl#sha256=HASH",
        )
    return {name: found[name].read_bytes() for name in sorted(found)}


def _under(folder: Path) -> dict[str, Path]:
    """Files below a folder, without what Python, editors and systems leave there."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        left = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if path.is_file() and not left and path.suffix not in (".pyc", ".orig", ".rej") and not path.name.endswith("~"):
            found[name.as_posix()] = path
    return found


def _hash(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _packed(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _THEN)
            entry.create_system = 3  # Unix, also where it is built on Windows
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, content)
    return packed.getvalue()
