"""The requirements.lock of what is generated: voiceops and everything that it needs, each with its hashes."""

from __future__ import annotations

from voiceops.packaging.release import Release
from voiceops.templating import render_file, shipped

LOCK_FILE = "requirements.lock"


def lock_file(release: Release, extras: tuple[str, ...], pins: str, folder: str = "") -> bytes:
    """The file's bytes: `release` first, then the lock that is shipped for these extras, `lock/PINS.txt`.

    It lies in `folder` (with a slash at its end) as seen from where pip is called. Raises VoiceopsError where this
    installation lacks a template.
    """
    return render_file(
        f"lock/{LOCK_FILE}.j2",
        voiceops=release.requirement(extras, folder),
        pins=shipped(f"lock/{pins}.txt").removesuffix("\n"),
        folder=folder,
    ).encode()
