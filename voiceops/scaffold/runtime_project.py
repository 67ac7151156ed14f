"""Writing the runtime out as a small project: the same bytes for the same manifests, and nobody's edits lost.

Knows the spec and two folders; starts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voiceops.errors import VoiceopsError
from voiceops.manifest.project import Project
from voiceops.packaging.generated import digest, held, lock_text, names_it, read_lock
from voiceops.packaging.release import Release
from voiceops.runtime.spec import RuntimeSpec, spec_text
from voiceops.runtime.start.generated_project import HANDLERS, SPEC_FILE
from voiceops.scaffold.lock_file import LOCK_FILE, lock_file
from voiceops.templating import render_files

_LOCK = "handlers.lock"  # which bytes were written: a file that differs from them was edited
_REQUIREMENTS = "requirements.txt"  # of the project; beside the handlers: the packages that they need
_EXTRAS = ("otel", "postgres")
_WHEEL = ".whl"


@dataclass(slots=True)
class WrittenProject:
    """What was done to each file, by its path in the project."""

    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # edited by hand: not what it would be
    removed: list[str] = field(default_factory=list)  # as voiceops wrote them, and asked for no more
    strange: list[str] = field(default_factory=list)  # handlers that voiceops never wrote, and the runtime may load


def check_place(project: Project, out: Path) -> None:
    """May the runtime be written there? Raises VoiceopsError where its files would get among the project's own."""
    root, target = project.root.resolve(), out.resolve()
    if target == root:
        raise VoiceopsError(
            f"--out is the project's own folder, {target}: its files would be mixed with the runtime's",
            hint="Name a folder in it, as --out runtime, or one elsewhere.",
        )
    for name in (project.handlers, *project.manifests):
        folder = (root / name).resolve()
        if folder != root and target.is_relative_to(folder):
            raise VoiceopsError(
                f"--out lies in {name}, whose files are the project's handlers or manifests",
                hint="Name a folder beside it, as --out runtime.",
            )


def write_project(out: Path, spec: RuntimeSpec, handlers: Path, release: Release) -> WrittenProject:
    """Write or renew the project, which installs `release`, with copies of the files in `handlers`.

    Raises VoiceopsError; then nothing was written, or what the disk still took.
    """
    try:
        copies = _copies(handlers)
        files = _generated(spec, release, copies.get(_REQUIREMENTS))
        files |= {f"{HANDLERS}/{name}": content for name, content in copies.items()}
        if release.wheel is not None:
            files[release.wheel.name] = release.wheel.content
        lock = read_lock(out / _LOCK, f"{HANDLERS}/")
        written = _decide(out, files, lock)
        for name in written.changed:
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name])
        for name in written.removed:
            _remove(out, name)
        # A file that was kept stays known by what was written last: once it is that again, it is renewed.
        now = {name: lock.get(name, "") if name in written.kept else digest(files[name]) for name in files}
        now |= {name: lock[name] for name in lock.keys() - files.keys() - set(written.removed) if (out / name).exists()}
        _put(out / _LOCK, lock_text({name: value for name, value in now.items() if value}), written)
    except OSError as error:
        place = error.filename or out
        raise VoiceopsError(f"{place} can't be read or written: {error.strerror or error}") from None
    return written


def _decide(out: Path, files: Mapping[str, bytes], lock: Mapping[str, str]) -> WrittenProject:
    """What has to be done. Raises VoiceopsError where the project could not be what the manifests say."""
    written = WrittenProject()
    wrong: list[str] = []
    for name, content in sorted(files.items(), key=lambda item: (item[0].startswith(f"{HANDLERS}/"), item[0])):
        there = held(out / name)
        if there == content:
            written.same.append(name)
        elif there is None or digest(there) == lock.get(name):
            written.changed.append(name)
        elif name == SPEC_FILE:
            wrong.append(f"{name} was edited there, and has to be what the manifests say")
        elif name.endswith(_WHEEL):
            wrong.append(f"{name} is not the wheel that was written there")
        else:
            written.kept.append(name)
    for name in sorted(lock.keys() - files.keys()):
        there = held(out / name)
        if name.endswith(_WHEEL) and names_it(name, out, written.kept):
            continue  # a file that was edited installs it: it goes once that file is renewed
        if there is not None and digest(there) == lock[name]:
            written.removed.append(name)
        elif there is not None:
            wrong.append(f"{name} was edited there, and is no file of the project's any more")
    if wrong:
        raise VoiceopsError(
            "; ".join(wrong),
            hint="Nothing was written. Take over what is needed of it into the project; then delete it, and run again.",
        )
    known = files.keys() | lock.keys()
    found = (path.relative_to(out).as_posix() for path in (out / HANDLERS).rglob("*.py"))
    written.strange = sorted(name for name in found if name not in known)
    return written


def _generated(spec: RuntimeSpec, release: Release, handlers_need: bytes | None) -> dict[str, bytes]:
    """The files that are made, by their names; `handlers_need` is the handlers' own requirements.txt, if any."""
    files = render_files(
        "runtime",
        project=spec.project,
        environment=spec.environment,
        url=spec.url,
        answers_lines=spec.answers_lines,
        wheel=release.wheel is not None,
        voiceops=release.requirement(_EXTRAS, hashed=False),
        handlers_need=handlers_need is not None,
        handlers_hashed=b"--hash=" in (handlers_need or b""),
    )
    return files | {SPEC_FILE: spec_text(spec).encode(), LOCK_FILE: lock_file(release, _EXTRAS, "runtime")}


def _copies(folder: Path) -> dict[str, bytes]:
    """The handlers' files: everything but what Python and editors leave beside them."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if path.is_file() and not hidden and path.suffix not in (".pyc", ".jsonl", ".db"):
            found[name.as_posix()] = path.read_bytes()
    return found


def _remove(out: Path, name: str) -> None:
    """The file, and the folders that are empty without it."""
    path = out / name
    path.unlink()
    for folder in path.parents:
        if folder in (out, out / HANDLERS) or any(folder.iterdir()):
            break
        folder.rmdir()


def _put(path: Path, content: bytes, written: WrittenProject) -> None:
    if held(path) == content:
        written.same.append(path.name)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    written.changed.append(path.name)
