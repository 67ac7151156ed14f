"""The manifests as a git ref has them, beside those of the working tree, which stays untouched."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from voiceops.errors import Diagnostic, VoiceopsError
from voiceops.kinds.file import MAX_BYTES
from voiceops.lints.run_lints import errors
from voiceops.manifest.compose import load_graph
from voiceops.manifest.git import GitProblem, GitRepository, NoGit, repository
from voiceops.manifest.previewed import previewed
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import PROJECT_FILE, Project, load_project
from voiceops.model.graph import Graph
from voiceops.use.opened import Opened

_MOST_FILES = 50_000
_LONGEST_LIST = 10 << 20  # bytes in which git lists them
_MOST_BYTES = 512 << 20  # of all files together
_AT_ONCE = 32 << 20  # bytes that git is asked for in one go
_LONGEST_LINK = 4096
_LINK, _MODULE = "120000", "160000"


@contextmanager
def graph_at(opened: Opened, ref: str) -> Iterator[tuple[Graph, str, list[Diagnostic]]]:
    """The graph of a commit, tag or branch, the commit's id, and what lints say that certainly fails live; files last
    as long. Raises VoiceopsError."""
    project = opened.project
    with TemporaryDirectory(prefix="voiceops-") as folder:
        root = Path(folder).resolve()
        commit, modules = _written(project.root, ref, root)
        if not (root / PROJECT_FILE).is_file():
            raise VoiceopsError(f"there is no {PROJECT_FILE} in {ref}", hint="Name a commit that has this project.")
        variables = opened.environ  # the secrets' names may have changed, the secrets are today's
        problems = Problems()
        old = load_project(root, project.made_of, variables, problems)
        if preview := opened.context.previews.get(project.environment):
            old = previewed(old, preview, problems)
        if old.name != project.name:
            raise VoiceopsError(f"in {ref} this is the project {old.name}, not {project.name}")
        _check_modules(old, modules, ref)
        graph = load_graph(old, variables, problems)
        yield graph, commit, errors(old, graph)


def _written(project: Path, ref: str, root: Path) -> tuple[str, list[str]]:
    """Write the ref's files under `root`. The commit, and the folders that are repositories of their own."""
    try:
        with repository(project) as found:
            if found is None:
                raise VoiceopsError(
                    f"git rev-parse failed: {project} is in no repository of yours",
                    hint="Roll back to a revision, or run this in a clone. A repository that belongs to somebody else "
                    "counts once git's safe.directory names it.",
                )
            commit = _commit(found, ref)
            entries = _entries(found, commit)
            files = [entry for entry in entries if entry.mode not in (_LINK, _MODULE)]
            _write_files(found, files, root)
            # Links come last: nothing is ever written through one, and what they lead to is checked when it is read.
            _write_links(found, [entry for entry in entries if entry.mode == _LINK], root)
    except NoGit:
        raise VoiceopsError("git is not installed", hint="Without it, roll back to a revision.") from None
    except GitProblem as problem:
        raise VoiceopsError(str(problem), hint="Roll back to a revision: it needs no git.") from None
    return commit, [entry.path for entry in entries if entry.mode == _MODULE]


def _commit(found: GitRepository, ref: str) -> str:
    try:
        return found.ask("rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}").decode().strip()
    except NoGit:
        raise
    except GitProblem as problem:
        raise VoiceopsError(str(problem), hint="A shallow clone lacks older commits: git fetch --unshallow.") from None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file, link or submodule as a tree lists it; `size` in bytes."""

    mode: str
    id: str
    size: int
    path: str


def _entries(found: GitRepository, commit: str) -> list[_Entry]:
    """What the ref has in the project's folder. Raises VoiceopsError for what no file system should be given."""
    tree = f"{commit}:{found.prefix}" if found.prefix else commit
    if found.text("cat-file", "-t", tree) not in ("tree", "commit"):
        return []  # the project's folder is not there yet
    entries = []
    for line in found.ask("ls-tree", "-r", "-z", "-l", "--full-tree", tree, most=_LONGEST_LIST).split(b"\0"):
        facts, _, name = line.partition(b"\t")
        if not facts:
            continue
        mode, _, id_, size = facts.decode("ascii", "replace").split()
        path = os.fsdecode(name)
        _check_path(path)
        entries.append(_Entry(mode, id_, int(size) if size.isdigit() else 0, path))
    if len(entries) > _MOST_FILES:
        raise VoiceopsError(f"{commit[:12]} has {len(entries):,} files in the project's folder: that is too much")
    return entries


def _check_path(path: str) -> None:
    """git writes no such names; a tree that was made by hand may hold them. Raises VoiceopsError."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts) or "\0" in path:
        raise VoiceopsError(f"the ref holds {path!r}, which is no path of a file", hint="Roll back to a revision.")


def _write_files(found: GitRepository, entries: Sequence[_Entry], root: Path) -> None:
    total = 0
    batch: list[_Entry] = []
    waiting = 0
    for entry in entries:
        if entry.size > MAX_BYTES:
            _write(root, entry.path, b"", size=entry.size)  # whoever reads it is told that it is too large
            continue
        total, waiting = total + entry.size, waiting + entry.size
        if total > _MOST_BYTES:
            raise VoiceopsError(f"the ref's files are larger than {_MOST_BYTES >> 20} MiB together")
        batch.append(entry)
        if waiting > _AT_ONCE:
            _write_batch(found, batch, root)
            batch, waiting = [], 0
    _write_batch(found, batch, root)


def _write_batch(found: GitRepository, entries: Sequence[_Entry], root: Path) -> None:
    for entry, content in _contents(found, entries):
        _write(root, entry.path, content)


def _contents(found: GitRepository, entries: Sequence[_Entry]) -> Iterator[tuple[_Entry, bytes]]:
    if not entries:
        return
    asked = "".join(f"{entry.id}\n" for entry in entries).encode()
    most = sum(entry.size + 200 for entry in entries)
    said = found.ask("cat-file", "--batch", stdin=asked, most=most, seconds=120.0)
    position = 0
    for entry in entries:
        end = said.find(b"\n", position)
        head = said[position:end].decode("ascii", "replace").split()
        if end < 0 or len(head) != 3 or head[1] != "blob" or head[2] != str(entry.size):
            raise VoiceopsError(
                f"git has not got what {entry.path} held", hint="Fetch the whole history: git fetch --unshallow."
            )
        yield entry, said[end + 1 : end + 1 + entry.size]
        position = end + 1 + entry.size + 1


def _write(root: Path, path: str, content: bytes, size: int | None = None) -> None:
    """A plain file; `size` makes it as large without writing it."""
    target = root / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(content)
            if size is not None:
                file.truncate(size)
    except FileExistsError:
        raise VoiceopsError(
            f"the ref has two files {path} on this file system, which knows no upper and lower case",
            hint="Roll back to a revision, or work on a file system that tells them apart.",
        ) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise VoiceopsError(f"the ref's file {path} can't be written here: {why}") from None


def _write_links(found: GitRepository, entries: Sequence[_Entry], root: Path) -> None:
    for entry, content in _contents(found, [entry for entry in entries if 0 < entry.size <= _LONGEST_LINK]):
        target = root / entry.path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(os.fsdecode(content))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise VoiceopsError(f"the ref's link {entry.path} can't be made here: {why}") from None


def _check_modules(project: Project, modules: Sequence[str], ref: str) -> None:
    """Manifests in a submodule are not in this repository: without them everything would look deleted."""
    for module in modules:
        inner = PurePosixPath(module)
        for pattern in (*project.manifests, "environments"):
            wanted = PurePosixPath(pattern)
            if inner.is_relative_to(wanted) or wanted.is_relative_to(inner):
                raise VoiceopsError(
                    f"{module} is a submodule in {ref}: what it held is not in this repository",
                    hint="Roll back to a revision: it keeps the manifests themselves.",
                )
