"""A requirements file in which voiceops and everything that it needs has hashes."""

from __future__ import annotations

from voiceops.packaging.release import Release


def locked(release: Release, extras: tuple[str, ...], pins: str, name: str, folder: str = "") -> str:
    """The file's text: `release` first, then `pins`, the lock that is shipped for these extras. It is called `name`,
    and lies in `folder` (with a slash at its end) as seen from where pip is called.
    """
    return (
        f"# voiceops and all that it needs, each with the hashes that pip checks. In the {_WHERE[bool(folder)]}:\n"
        f"# pip install --require-hashes -r {folder}{name}\n"
        f"{release.requirement(extras, folder)}\n{pins}"
    )


_WHERE = {False: "folder of this file", True: "project's folder"}
