"""The one place that runs git: it reads a repository's objects, refs and index, and nothing that tells git what to do.

A project's folder may be a stranger's pull request, and git runs programs that a repository's configuration names:
monitors, hooks, filters, pagers, signers. So git is never pointed at the folder's own configuration. It works in a
folder of ours, made for the purpose, with a configuration of ours and links to the real objects, refs and index; the
environment is ours, too. Which repository it is we look up ourselves: the `.git` of the project's folder or the nearest
one above it. Files that only look like a repository (`HEAD`, `objects`, `refs` in a folder) are never taken for one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

_SECONDS = 20.0
_MOST = 64 << 20  # bytes of an answer
_SMALL = 1 << 20  # of a file that says where things are
_COMPLAINT = 4096  # of what git complains of

# What a repository may say of itself: how its files are written, never what to run.
_WORDS: dict[str, re.Pattern[str]] = {
    "core.autocrlf": re.compile(r"(true|false|input)\Z"),
    "core.checkstat": re.compile(r"(default|minimal)\Z"),
    "core.eol": re.compile(r"(lf|crlf|native)\Z"),
    "core.filemode": re.compile(r"(true|false)\Z"),
    "core.ignorecase": re.compile(r"(true|false)\Z"),
    "core.precomposeunicode": re.compile(r"(true|false)\Z"),
    "core.symlinks": re.compile(r"(true|false)\Z"),
    "core.trustctime": re.compile(r"(true|false)\Z"),
    "extensions.objectformat": re.compile(r"(sha1|sha256)\Z"),
    "extensions.refstorage": re.compile(r"(files|reftable)\Z"),
}
# Linked from the repository into ours. `config`, `hooks`, `info/attributes` and `modules` are not; the objects and the
# index are named by their real places, since what lies in them may be relative to those.
_LINKED = ("refs", "packed-refs", "logs", "shallow", "reftable")

# A second wall: nothing sets these, and nothing could.
_CLOSED = {
    "core.alternateRefsCommand": "",
    "core.askPass": "",
    "core.attributesFile": os.devnull,
    "core.bare": "false",
    "core.editor": "false",
    "core.excludesFile": os.devnull,
    "core.fsmonitor": "false",
    "core.gitProxy": "",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.sshCommand": "false",
    "credential.helper": "",
    "diff.external": "",
    "gpg.program": "false",
    "log.showSignature": "false",
    "maintenance.auto": "false",
    "gc.auto": "0",
    "protocol.allow": "never",
    "safe.bareRepository": "explicit",
    "submodule.recurse": "false",
    "uploadpack.packObjectsHook": "",
}


class GitProblem(Exception):
    """git gave no answer; the text says why."""


class NoGit(GitProblem):
    """There is no git on this machine."""


@dataclass(frozen=True, slots=True)
class GitRepository:
    """An open repository; paths are taken from, and told from, the project's folder `root`."""

    program: str
    folder: Path  # ours: what git takes for the repository
    root: Path
    prefix: str  # the project's folder in it (empty: its top), with a slash at its end
    places: dict[str, str]

    def ask(self, *arguments: str, stdin: bytes = b"", most: int = _MOST, seconds: float = _SECONDS) -> bytes:
        """What git says. Raises GitProblem, also where it takes too long or says too much."""
        settings = [part for key, value in _CLOSED.items() for part in ("-c", f"{key}={value}")]
        before = [self.program, "--no-pager", "--no-replace-objects", *settings]
        return _Process(before, arguments, self.root, _closed(self.folder) | self.places).answer(stdin, most, seconds)

    def text(self, *arguments: str) -> str | None:
        """What git says as one text, or None where it says nothing usable."""
        try:
            return self.ask(*arguments).decode("utf-8", "replace").strip()
        except GitProblem:
            return None


@contextmanager
def repository(root: Path) -> Iterator[GitRepository | None]:
    """The repository that holds the project's folder, for as long; None where there is none. Raises NoGit."""
    root = root.resolve()
    found = _owner(root)
    if found is None:
        yield None
        return
    top, own, shared = found
    program = _program(top)
    if not _is_ours(top, own, shared, program):
        yield None
        return
    with TemporaryDirectory(prefix="voiceops-git-") as made:
        folder = Path(made)
        _fill(folder, own, shared, _settings(folder, shared, program))
        places = {
            "GIT_DIR": str(folder),
            "GIT_INDEX_FILE": str(own / "index"),
            "GIT_OBJECT_DIRECTORY": str(shared / "objects"),
            "GIT_WORK_TREE": str(top),
        }
        inner = root.relative_to(top).as_posix()
        yield GitRepository(program, folder, root, "" if inner == "." else f"{inner}/", places)


def _owner(root: Path) -> tuple[Path, Path, Path] | None:
    """The nearest `.git` at or above a folder: the work tree's top, its own git folder, and the shared one."""
    for top in (root, *root.parents):
        entry = top / ".git"
        if entry.is_symlink():
            return None  # git makes none; where it leads is a stranger's choice
        if entry.is_dir():
            return (top, entry, entry) if _looks_right(entry, entry) else None
        if entry.is_file():
            own = _named(entry, "gitdir:")
            if own is None:
                return None
            shared = _named(own / "commondir", "") or own
            if not (_belongs(top, entry, own) and _looks_right(own, shared)):
                return None
            return top, own, shared
    return None


def _looks_right(own: Path, shared: Path) -> bool:
    return (own / "HEAD").is_file() and (shared / "objects").is_dir()


def _belongs(top: Path, entry: Path, own: Path) -> bool:
    """A `.git` that is a file leads elsewhere: only where git itself would have put that, outside of the work tree.

    A linked work tree is named by its own folder in return; a submodule's lies in the repository around it.
    """
    if own.is_relative_to(top):
        return False
    back = _named(own / "gitdir", "")
    if back is not None:
        return own.parent.name == "worktrees" and back == entry.resolve()
    return any(own.is_relative_to(above / ".git" / "modules") for above in top.parents)


def _named(path: Path, word: str) -> Path | None:
    """The path that a file of git's holds, from the file's own folder."""
    try:
        with path.open("rb") as file:
            text = file.read(_SMALL).decode().strip()
    except (OSError, UnicodeDecodeError):
        return None
    if not text.startswith(word) or "\n" in text or "\0" in text:
        return None
    return (path.parent / text.removeprefix(word).strip()).resolve()


def _is_ours(top: Path, own: Path, shared: Path, program: str) -> bool:
    """Does the repository belong to who runs this, or has that person called it safe (`safe.directory`)?"""
    us = {os.geteuid()}
    if os.geteuid() == 0 and os.environ.get("SUDO_UID", "").isdigit():
        us.add(int(os.environ["SUDO_UID"]))
    try:
        if {path.stat().st_uid for path in (top, own, shared)} <= us:
            return True
    except OSError:
        return False
    safe: set[str] = set()
    mine = {name: os.environ[name] for name in ("HOME", "XDG_CONFIG_HOME") if os.environ.get(name)}
    with TemporaryDirectory(prefix="voiceops-git-") as empty:
        environment = _closed(Path(empty)) | mine
        for name in ("GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_GLOBAL"):
            del environment[name]
        for scope in ("--system", "--global"):  # the person's own files, never the folder's
            asked = ("config", scope, "--no-includes", "-z", "--get-all", "safe.directory")
            with contextlib.suppress(GitProblem):
                said = _Process([program], asked, Path(empty), environment).answer(most=_SMALL)
                safe |= set(said.decode("utf-8", "replace").split("\0"))
    return "*" in safe or str(top) in safe


def _fill(folder: Path, own: Path, shared: Path, settings: dict[str, str]) -> None:
    """Make a git folder of our own: links to what the repository holds, and a configuration of ours."""
    extended = any(key.startswith("extensions.") for key in settings)
    lines = ["[core]", "\tbare = false", f"\trepositoryformatversion = {int(extended)}"]
    for key, value in settings.items():
        section, _, name = key.partition(".")
        lines += [f"[{section}]", f"\t{name} = {value}"]
    (folder / "config").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # git takes no link for a HEAD.
    for path in (own / "HEAD", *own.glob("*_HEAD")):
        if path.is_file():
            with path.open("rb") as file:
                (folder / path.name).write_bytes(file.read(_SMALL))
    (folder / "info").mkdir()
    links = {name: shared / name for name in _LINKED} | {path.name: path for path in own.glob("sharedindex.*")}
    links["info/exclude"] = shared / "info" / "exclude"
    for name, path in links.items():
        if path.exists():
            (folder / name).symlink_to(path.resolve())
    (folder / "refs").mkdir(exist_ok=True)


def _settings(folder: Path, shared: Path, program: str) -> dict[str, str]:
    """What of the repository's own settings says how its files are written."""
    path = shared / "config"
    if not path.is_file():
        return {}
    asked = ("config", "--file", str(path), "--no-includes", "-z", "--list")
    try:
        said = _Process([program], asked, folder, _closed(folder)).answer(most=_SMALL)
    except GitProblem:
        return {}
    found = {}
    for line in said.decode("utf-8", "replace").split("\0"):
        key, _, value = line.partition("\n")
        key, value = key.lower(), value.lower()
        if key in _WORDS and _WORDS[key].match(value):
            found[key] = value
    return found


def _program(top: Path) -> str:
    """git, from an absolute folder of PATH that is not the repository's. Raises NoGit."""
    found = shutil.which("git", path=_path(top))
    if found is None or Path(found).resolve().is_relative_to(top):
        raise NoGit("git is not installed")
    return found


def _path(top: Path) -> str:
    given = os.environ.get("PATH") or os.defpath
    outside = [
        name for name in given.split(os.pathsep) if os.path.isabs(name) and not Path(name).resolve().is_relative_to(top)
    ]
    return os.pathsep.join(outside)


def _closed(folder: Path) -> dict[str, str]:
    """Nothing of the process's own, so that no variable changes what git does."""
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_ASKPASS": "false",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_EDITOR": "false",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_PAGER": "cat",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "SSH_ASKPASS": "false",
    }


@dataclass(frozen=True, slots=True)
class _Process:
    """One run of git: `before` is the program with its own settings, `arguments` what is asked."""

    before: list[str]
    arguments: tuple[str, ...]
    folder: Path
    environment: dict[str, str]

    def answer(self, stdin: bytes = b"", most: int = _MOST, seconds: float = _SECONDS) -> bytes:
        """What it writes, all of it. Raises GitProblem."""
        word = self.arguments[0]
        try:
            process = subprocess.Popen(
                [*self.before, *self.arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except FileNotFoundError:
            raise NoGit("git is not installed") from None
        except (OSError, ValueError) as error:
            raise GitProblem(f"git can't be started: {getattr(error, 'strerror', error)}") from None
        complaint: list[bytes] = []
        late = threading.Event()
        helpers = [threading.Thread(target=lambda: complaint.append(_beginning(process)), daemon=True)]
        if stdin:
            helpers.append(threading.Thread(target=_feed, args=(process, stdin), daemon=True))

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, stop)
        with process:
            for thread in (timer, *helpers):
                thread.start()
            assert process.stdout is not None
            try:
                said = process.stdout.read(most + 1)
            except BaseException:
                process.kill()
                raise
            if len(said) > most:
                process.kill()
            for helper in helpers:
                helper.join()
            code = process.wait()
            timer.cancel()
        if late.is_set():
            raise GitProblem(f"git {word} took longer than {seconds:g} s")
        if len(said) > most:
            raise GitProblem(f"git {word} answered with more than {most:,} bytes")
        if code:
            why = complaint[0].decode("utf-8", "replace").strip().partition("\n")[0] or f"exit {code}"
            raise GitProblem(f"git {word} failed: {why}")
        return said


def _beginning(process: subprocess.Popen[bytes]) -> bytes:
    """The first bytes of what a process complains of; the rest is read, and dropped."""
    assert process.stderr is not None
    kept = b""
    while chunk := process.stderr.read(65536):
        kept += chunk[: _COMPLAINT - len(kept)]
    return kept


def _feed(process: subprocess.Popen[bytes], content: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.write(content)
    with contextlib.suppress(OSError):
        process.stdin.close()
