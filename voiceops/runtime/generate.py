"""Writing the runtime out as a small project: the same bytes for the same manifests, and nobody's edits lost.

Knows the spec, the templates' texts and two folders; starts nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voiceops.errors import VoiceopsError
from voiceops.runtime.project import HANDLERS, SPEC_FILE
from voiceops.runtime.spec import RuntimeSpec, spec_text

_COPIES = "handlers.lock"  # which bytes were copied: a file that differs from them was edited, and is kept


@dataclass(slots=True)
class Written:
    """What was done to each file, by its path in the project."""

    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # edited by hand


def write_project(out: Path, spec: RuntimeSpec, handlers: Path, templates: Mapping[str, str], version: str) -> Written:
    """Write or renew the project. Raises VoiceopsError; then nothing, or the rest, was written."""
    values = {
        "__PROJECT__": spec.project,
        "__ENVIRONMENT__": spec.environment,
        "__URL__": spec.url,
        "__VERSION__": version,
    }
    files = {_RENAMED.get(name, name): _filled(text, values) for name, text in templates.items()}
    files[SPEC_FILE] = spec_text(spec)
    if not spec.answers_lines:
        files[".env.example"] = _without_twilio(files[".env.example"])
    written = Written()
    copies = _copies(handlers)
    known = _known_copies(out)
    try:
        for name, text in sorted(files.items()):
            _put(out / name, text.encode(), name, written)
        for name, content in copies.items():
            path = out / HANDLERS / name
            shown = f"{HANDLERS}/{name}"
            held = path.read_bytes() if path.is_file() else None
            if held is not None and held != content and _digest(held) != known.get(name):
                written.kept.append(shown)
            else:
                _put(path, content, shown, written)
        lock = {name: _digest(content) for name, content in copies.items()}
        _put(out / _COPIES, (json.dumps(lock, indent=2, sort_keys=True) + "\n").encode(), _COPIES, written)
    except OSError as error:
        raise VoiceopsError(f"{out} can't be written: {error.strerror or error}") from None
    return written


# What a template can't be called itself, since tools would act on it in this repository.
_RENAMED = {"env.example": ".env.example", "dockerfile": "Dockerfile", "dockerignore": ".dockerignore"}


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _without_twilio(text: str) -> str:
    """The variables without those that only lines with `answer: runtime` need."""
    blocks = text.split("\n\n")
    return "\n\n".join(block for block in blocks if "TWILIO_AUTH_TOKEN" not in block and "VAPI_API_KEY" not in block)


def _copies(folder: Path) -> dict[str, bytes]:
    """The handlers' files: everything but what Python and editors leave beside them."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if path.is_file() and not hidden and path.suffix not in (".pyc", ".jsonl", ".db"):
            found[name.as_posix()] = path.read_bytes()
    return found


def _known_copies(out: Path) -> dict[str, str]:
    try:
        data = json.loads((out / _COPIES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _put(path: Path, content: bytes, shown: str, written: Written) -> None:
    if path.is_file() and path.read_bytes() == content:
        written.same.append(shown)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    written.changed.append(shown)


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
