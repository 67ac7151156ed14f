"""A project that works at once: one agent and one phone line on the local sandbox. All of its files, or none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from voiceops.errors import VoiceopsError
from voiceops.packaging.release import Release
from voiceops.scaffold.editor_schemas import write_schemas
from voiceops.scaffold.pipeline import pipeline_files
from voiceops.templating import render_files

_IGNORED = ".gitignore"  # lines come to one that is there
_SANDBOX = "dev"  # the environment of the templates that pull requests are checked on


def write_first_project(target: Path, *, with_runtime: bool, ci: str | None, release: Release | None) -> list[str]:
    """Write a project into that folder, with a tool and its handler, and with a pipeline that installs `release`.

    Returns the files' names. Raises VoiceopsError, with nothing written, where a file is there already, and where this
    installation lacks a template; also where the disk takes no more, with what it still took.
    """
    name = _project_name(target)
    files = render_files("init/base", project=name, with_runtime=with_runtime)
    if with_runtime:
        files |= render_files("init/runtime")
    if ci is not None and release is not None:
        files |= pipeline_files(ci, name, _SANDBOX, release)
    _write(target, files)
    write_schemas(target)
    return sorted(files)


def _project_name(folder: Path) -> str:
    """The folder's name as a project's name."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")[:63]
    return name or "phone-agents"


def _write(target: Path, files: Mapping[str, bytes]) -> None:
    taken = [n for n in sorted(files) if (target / n).exists() and n != _IGNORED and _differs(target / n, files[n])]
    if taken:
        raise VoiceopsError(
            f"{target} holds {', '.join(taken)} already",
            hint="Nothing was written. Choose another folder, or move these files away.",
        )
    for name, content in files.items():
        path = target / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if name == _IGNORED and path.exists():
                _add_lines(path, content.decode())
            else:
                path.write_bytes(content)
        except OSError as error:
            raise VoiceopsError(f"{path} can't be written: {error.strerror}") from None


def _differs(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() != content
    except OSError:
        return True


def _add_lines(path: Path, text: str) -> None:
    held = path.read_text(encoding="utf-8")
    missing = [line for line in text.splitlines() if line not in held.splitlines()]
    if missing:
        path.write_text(held.rstrip("\n") + "\n" + "\n".join(missing) + "\n", encoding="utf-8")
