"""The pipeline that `init --ci` writes: its files, and how those of an older voiceops are renewed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voiceops.errors import VoiceopsError
from voiceops.packaging.generated import digest, held, lock_text, names_it, read_lock
from voiceops.packaging.release import Release
from voiceops.scaffold.lock_file import LOCK_FILE, lock_file
from voiceops.templating import render_files

FIRST = {"github": ".github/workflows/voiceops.yml", "gitlab": ".gitlab-ci.yml"}
_FOLDER = "ci/"
_LOCK = "ci/generated.lock"
_EXTRAS = ("age", "policy", "postgres", "s3", "sign")  # whatever a project's state, policies and plans need


def pipeline_files(ci: str, project: str, sandbox: str, release: Release) -> dict[str, bytes]:
    """Every file of the pipeline for `ci`; `sandbox` is the environment that pull requests are checked on, if any.

    Raises VoiceopsError where this installation lacks a template.
    """
    files: dict[str, bytes] = {}
    for folder in ("ci/shared", f"ci/{ci}"):
        files |= render_files(folder, project=project, sandbox=sandbox)
    files[f"{_FOLDER}{LOCK_FILE}"] = lock_file(release, _EXTRAS, "ci", _FOLDER)
    if release.wheel is not None:
        files[f"{_FOLDER}{release.wheel.name}"] = release.wheel.content
    files[_LOCK] = lock_text({path: digest(content) for path, content in files.items()})
    return files


@dataclass(slots=True)
class Renewed:
    """What was done to the files of a pipeline. `head` is the one at whose top stands what to set up once."""

    head: str
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # edited by hand


def renew(target: Path, ci: str, files: Mapping[str, bytes], *, keep_edited: bool) -> Renewed:
    """Bring the pipeline for `ci` in `target` to these files.

    What an older voiceops wrote is replaced, or removed where it is no part of a pipeline any more.

    Raises VoiceopsError, with nothing written, where a file is somebody else's, or was edited and `keep_edited` is off.
    """
    try:
        return _renew(target, Renewed(FIRST[ci]), files, keep_edited)
    except OSError as error:
        place = error.filename or target
        raise VoiceopsError(f"{place} can't be read or written: {error.strerror or error}") from None


def _renew(target: Path, done: Renewed, files: Mapping[str, bytes], keep_edited: bool) -> Renewed:
    lock = read_lock(target / _LOCK)
    foreign: list[str] = []
    for name, content in sorted(files.items()):
        there = held(target / name)
        if there == content or name == _LOCK:
            continue
        if there is None or digest(there) == lock.get(name):
            done.changed.append(name)
        else:
            (done.kept if name in lock else foreign).append(name)
    if foreign or (done.kept and not keep_edited):
        hint = "Nothing was written. Move these files away"
        raise VoiceopsError(
            f"{target} holds {', '.join(foreign or done.kept)} already" + ("" if foreign else ", edited there"),
            hint=f"{hint}." if foreign else f"{hint}, or add --keep-edited, which leaves them and renews the others.",
        )
    for name in sorted(lock.keys() - files.keys()):
        there = held(target / name)
        if there is not None and digest(there) == lock[name] and not names_it(name, target, done.kept):
            done.removed.append(name)
    for name in done.changed:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(files[name])
    for name in done.removed:
        (target / name).unlink()
    now = {name: lock[name] if name in done.kept else digest(files[name]) for name in files if name != _LOCK}
    # What a kept file still needs stays known, so that it can go later.
    now |= {name: lock[name] for name in lock.keys() - files.keys() if (target / name).exists()}
    if held(target / _LOCK) != lock_text(now):
        (target / _LOCK).write_bytes(lock_text(now))
        done.changed.append(_LOCK)
    return done
