"""Which files were written into somebody's folder, and with which content: so that edits are told from old versions.

A lock file beside them holds `{"files": {NAME: HASH}}`. Names are paths below the folder, with slashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from voiceops.errors import VoiceopsError


def read_lock(path: Path, older: str = "") -> dict[str, str]:
    """File → the hash of what was written there last; empty where there is no lock yet.

    `older` stands before the names of a lock that is no more than such a map. Raises VoiceopsError, since without the
    lock edits can't be told, and OSError.
    """
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        files = (
            data["files"] if isinstance(data.get("files"), dict) else {f"{older}{name}": data[name] for name in data}
        )
        return {name: str(value) for name, value in files.items() if _inside(name)}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError) as error:
        raise VoiceopsError(
            f"{path} can't be read: {error}",
            hint="Take it from version control again, or delete it: then every file that differs is taken for edited.",
        ) from None


def lock_text(files: Mapping[str, str]) -> bytes:
    """What the lock file holds for these hashes."""
    return (json.dumps({"files": dict(files)}, indent=2, sort_keys=True) + "\n").encode()


def digest(content: bytes) -> str:
    """A file's hash, as a lock has it."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def held(path: Path) -> bytes | None:
    """What is in the file; None where there is none. Raises OSError."""
    return path.read_bytes() if path.is_file() else None


def names_it(name: str, folder: Path, kept: list[str]) -> bool:
    """Does one of the files that stay as they are name the file? Then it is still needed."""
    short = PurePosixPath(name).name.encode()
    return any(short in (held(folder / other) or b"") for other in kept)


def _inside(name: str) -> bool:
    """Is it a file below the folder? Nothing else is deleted, whatever the lock says."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts
