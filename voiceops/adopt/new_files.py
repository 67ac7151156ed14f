"""New files in a project: none that is there is changed, and where the way was cut short it can be gone to its end.

What is to be written is first kept in one file, the marker, with the ids that are to be managed: from then on the next
pull finishes what this one began, whatever ended it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceops.adopt.pull_marker import marker
from voiceops.errors import VoiceopsError
from voiceops.whole_file import sync_folder, write_new, write_whole

_VERSION = 1
_WRITERS = 16
_ENV = ".env"
_IGNORES_ENV = frozenset({".env", "/.env", "*.env", ".env*", "/.env*", "**/.env"})


@dataclass(frozen=True, slots=True)
class Begun:
    """What a pull has set out to do: files by their paths from the project's folder, and live ids by address."""

    files: Mapping[str, str]
    ids: Mapping[str, str]


def begin(root: Path, environment: str, begun: Begun) -> None:
    """Write down what is to be done, before any of it is. Raises VoiceopsError: it can't be written."""
    path = marker(root, environment)
    data = {"version": _VERSION, "files": dict(begun.files), "ids": dict(begun.ids)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
        write_whole(path, content, mode=0o600)
    except OSError as error:
        raise _unwritable(path, error) from None


def begun(root: Path, environment: str) -> Begun | None:
    """What a pull that was cut off had set out to do. Raises VoiceopsError where that can't be read."""
    path = marker(root, environment)
    try:
        data: Any = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
        if data["version"] != _VERSION:
            raise ValueError(f"its version is {data['version']!r}")
        files, ids = dict(data["files"]), dict(data["ids"])
        if not all(isinstance(text, str) for text in (*files, *files.values(), *ids, *ids.values())):
            raise ValueError("it holds something else than texts")
        if any(_leads_out(name) for name in files):
            raise ValueError("it names files outside of the project")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = error.strerror if isinstance(error, OSError) else f"it is not as pull writes it ({error})"
        raise VoiceopsError(
            f"a pull was cut off, and {path} can't be read: {why}",
            hint="Nothing was changed. Restore that file, or delete it and the manifests which that pull has written.",
        ) from None
    return Begun(files, ids)


def end(root: Path, environment: str) -> None:
    """Everything is done: there is nothing to finish any more."""
    with contextlib.suppress(FileNotFoundError):
        marker(root, environment).unlink()


def in_the_way(root: Path, files: Iterable[str]) -> list[str]:
    """What stands where files or their folders are to be."""
    found = []
    for name in files:
        path = root / name
        if path.exists() or path.is_symlink():
            found.append(name)
        above = next((p for p in path.parents if p.exists() or p.is_symlink()), root)
        if not above.is_dir():
            found.append(above.relative_to(root).as_posix())
    return list(dict.fromkeys(found))


def place(root: Path, files: Mapping[str, str]) -> list[str]:
    """Write the files that are not there yet; gives those that are there with another text, and were left alone.

    Raises VoiceopsError where the disk takes no more: what this call wrote is gone again.
    """
    folders: list[Path] = []
    at, wrong = root, None
    made: list[Path] = []
    edited: list[str] = []
    try:
        for name in files:
            at = root / name
            folders += _folders_of(at)
        with ThreadPoolExecutor(_WRITERS) as pool:  # a disk takes many at once in the time of one
            came_of = pool.map(_placed, (root / name for name in files), files.values())
            for name, came in zip(files, came_of, strict=True):
                if came == "made":
                    made.append(root / name)
                elif came == "edited":
                    edited.append(name)
                elif isinstance(came, OSError):
                    at, wrong = root / name, wrong or came
        for folder in {path.parent for path in made}:
            sync_folder(folder)
    except OSError as error:
        wrong = error
    if wrong is not None:
        for path in made:
            path.unlink(missing_ok=True)
        for folder in reversed(folders):
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise _unwritable(at, wrong) from None
    return edited


def _placed(path: Path, text: str) -> str | OSError:
    """Write a file that is not there: made, there, edited (it is there with another text), or why it can't be."""
    content = text.encode()
    try:
        write_new(path, content)
        return "made"
    except FileExistsError:
        try:
            return "there" if path.read_bytes() == content else "edited"
        except OSError as error:
            return error
    except OSError as error:
        return error


def _folders_of(path: Path) -> list[Path]:
    """Make the folders above a file; gives those that were not there."""
    missing = [p for p in path.parents if not p.exists()][::-1]
    for folder in missing:
        folder.mkdir(exist_ok=True)
    return missing


def add_variables(root: Path, text: str) -> bool:
    """Put lines at the end of `.env`, which nobody else may read then; is it new to .gitignore?

    Raises VoiceopsError: it can't be written; then it is as it was.
    """
    path = root / _ENV
    try:
        ignored = _is_ignored(root)
        if not ignored:
            ignore = root / ".gitignore"
            held = ignore.read_text(encoding="utf-8") if ignore.exists() else ""
            ignore.write_text(f"{held}{'' if not held or held.endswith(chr(10)) else chr(10)}{_ENV}\n", "utf-8")
        held = path.read_text(encoding="utf-8") if path.exists() else ""
        held += "" if not held or held.endswith("\n") else "\n"
        write_whole(path, f"{held}{text}".encode(), mode=0o600)
    except OSError as error:
        raise _unwritable(path, error) from None
    return not ignored


def _is_ignored(root: Path) -> bool:
    """Does the project's .gitignore name `.env`?"""
    path = root / ".gitignore"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return any(line.strip() in _IGNORES_ENV for line in lines) and f"!{_ENV}" not in lines


def _leads_out(name: str) -> bool:
    path = Path(name)
    return path.is_absolute() or ".." in path.parts


def _unwritable(path: Path, error: OSError) -> VoiceopsError:
    return VoiceopsError(
        f"{path} can't be written: {error.strerror}", hint="Nothing is half done. Mend that, and run pull again."
    )
