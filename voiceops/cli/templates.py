"""The files under `templates/`, from a wheel or from a checkout."""

from __future__ import annotations

from pathlib import Path

from voiceops.errors import VoiceopsError

_PACKAGE = Path(__file__).parent.parent
_FOLDERS = (_PACKAGE / "_data" / "templates", _PACKAGE.parent / "templates")


def template(name: str) -> dict[str, str]:
    """Every file of one template by its path. Raises VoiceopsError where this installation lacks it."""
    for folder in _FOLDERS:
        root = folder / name
        if root.is_dir():
            return {
                path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
                for path in sorted(root.rglob("*"))
                if path.is_file() and path.suffix != ".pyc"
            }
    raise VoiceopsError(f"this installation has no template {name}", hint="Install voiceops again.")
