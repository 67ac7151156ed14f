"""Variables in a project's `.env`: set and taken out all at once, everything else in it as it was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from voiceops.errors import VoiceopsError
from voiceops.whole_file import write_whole

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")
_PLAIN = re.compile(r"[A-Za-z0-9_./+=:@-]+\Z")  # what needs no quotes in such a file


def set_variables(path: Path, values: Mapping[str, str | None]) -> None:
    """Set each variable, or take it out where its value is None. Whoever reads meanwhile finds the old file or the new.

    Raises VoiceopsError: the file can't be read or written, or a value would need quotes.
    """
    for name, value in values.items():
        if value is not None and not _PLAIN.match(value):
            raise VoiceopsError(f"{name} can't be written into {path.name}: its value would need quotes")
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        kept = [line for line in text.splitlines() if (match := _LINE.match(line)) is None or match[1] not in values]
        added = [f"{name}={value}" for name, value in values.items() if value is not None]
        write_whole(path, "".join(f"{line}\n" for line in (*kept, *added)).encode(), mode=0o600)
    except (OSError, UnicodeDecodeError) as error:
        raise VoiceopsError(f"{path} can't be changed: {getattr(error, 'strerror', None) or error}") from None
