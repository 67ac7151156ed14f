"""A stranger's folder: whatever lies in it, no command that reads runs it, and `apply` and `rollback` run no git trick.

Each trick is first tried with plain git, so that a test that proves nothing is noticed.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench, bench
from voiceops.manifest.git import GitProblem, repository
from voiceops.use.origin import origin

READING = (
    ("validate",),
    ("plan",),
    ("drift",),
    ("diff", "1"),
    ("history",),
    ("show", "1"),
    ("graph",),
    ("status",),
    ("state", "list"),
    ("doctor",),
    ("audit",),
    ("explain", "Agent/desk"),
)
ALL = (*READING, ("rollback", "--git", "HEAD", "--plan-only"), ("apply", "--auto-approve"))


def git(folder: Path, *arguments: str, **environ: str) -> str:
    """git as a person has it: nothing is closed."""
    who = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b.c",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b.c",
    }
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **who, **environ},
        timeout=60,
    ).stdout


@dataclass
class Trap:
    """A committed project, and a file that is there once anything was run."""

    made: Bench
    canary: Path
    script: Path

    @property
    def folder(self) -> Path:
        return self.made.folder

    @property
    def command(self) -> str:
        return str(self.script)

    def config(self, **values: str) -> None:
        for key, value in values.items():
            git(self.folder, "config", key.replace("__", "."), value)

    def sprung(self) -> bool:
        found = self.canary.exists()
        self.canary.unlink(missing_ok=True)
        return found


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Trap]:
    """The project lies in a folder of the repository, as one of several often does."""
    canary, script = tmp_path / "canary", tmp_path / "trap.sh"
    script.write_text(f"#!/bin/sh\ntouch {canary}\ncat 2>/dev/null </dev/null\nexit 0\n")
    script.chmod(0o755)
    with bench(tmp_path / "repo" / "phone") as made:
        for name, text in (("agent", AGENT), ("tool", TOOL), ("line", LINE)):
            made.write(f"agents/{name}.yaml", text)
        made.write(".gitignore", ".voiceops/\n")
        made.apply("-m", "the first")
        git(made.folder.parent, "init", "-q", "-b", "main")
        git(made.folder.parent, "add", ".")
        git(made.folder.parent, "commit", "-qm", "the first")
        yield Trap(made, canary, script)


def _touch(trap: Trap) -> None:
    """As long as before, and not the same: whoever wants to know has to read it."""
    trap.made.edit("agents/agent.yaml", "Hello", "Jello")


def fsmonitor(trap: Trap) -> list[str]:
    trap.config(core__fsmonitor=trap.command)
    return ["status"]


def hook_in_the_repository(trap: Trap) -> list[str]:
    hooks = trap.folder.parent / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "pre-commit", "post-checkout", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(trap.script, hooks / name)
    (trap.folder / "agents/agent.yaml").touch()
    return ["status"]


def hooks_path_in_the_tree(trap: Trap) -> list[str]:
    hooks = trap.folder / "hooks"
    hooks.mkdir()
    shutil.copy(trap.script, hooks / "post-index-change")
    trap.config(core__hooksPath=str(hooks))
    (trap.folder / "agents/agent.yaml").touch()
    return ["status"]


def filter_clean(trap: Trap) -> list[str]:
    trap.made.write(".gitattributes", "*.yaml filter=evil\n")
    trap.config(filter__evil__clean=trap.command)
    _touch(trap)
    return ["status"]


def filter_process(trap: Trap) -> list[str]:
    trap.made.write(".gitattributes", "*.yaml filter=evil\n")
    trap.config(filter__evil__process=trap.command, filter__evil__required="true")
    _touch(trap)
    return ["status"]


def filter_smudge(trap: Trap) -> list[str]:
    trap.made.write(".gitattributes", "*.yaml filter=evil\n")
    git(trap.folder, "add", ".")
    git(trap.folder, "commit", "-qm", "attributes")
    trap.config(filter__evil__smudge=trap.command)
    return ["archive", "HEAD"]


def attributes_of_the_repository(trap: Trap) -> list[str]:
    (trap.folder.parent / ".git/info").mkdir(exist_ok=True)
    (trap.folder.parent / ".git/info/attributes").write_text("* filter=evil diff=evil\n")
    trap.config(filter__evil__clean=trap.command, diff__evil__command=trap.command)
    _touch(trap)
    return ["status"]


def text_conversion(trap: Trap) -> list[str]:
    trap.made.write(".gitattributes", "*.yaml diff=evil\n")
    trap.config(diff__evil__textconv=trap.command)
    _touch(trap)
    return ["diff"]


def external_diff(trap: Trap) -> list[str]:
    trap.config(diff__external=trap.command)
    _touch(trap)
    return ["diff"]


def included_file(trap: Trap) -> list[str]:
    trap.made.write("settings.txt", f"[core]\n\tfsmonitor = {trap.command}\n")
    trap.config(include__path=str(trap.folder / "settings.txt"))
    return ["status"]


def included_on_a_condition(trap: Trap) -> list[str]:
    trap.made.write("settings.txt", f"[core]\n\tfsmonitor = {trap.command}\n")
    with (trap.folder.parent / ".git/config").open("a") as file:
        file.write(f'[includeIf "gitdir:{trap.folder.parent}/"]\n\tpath = {trap.folder / "settings.txt"}\n')
    return ["status"]


def work_tree_settings(trap: Trap) -> list[str]:
    trap.config(extensions__worktreeConfig="true")
    (trap.folder.parent / ".git/config.worktree").write_text(f"[core]\n\tfsmonitor = {trap.command}\n")
    return ["status"]


def _missing_object(trap: Trap, url: str) -> list[str]:
    """A partial clone: git fetches what it lacks, by whatever the configuration names."""
    blob = git(trap.folder, "rev-parse", "HEAD:phone/agents/agent.yaml").strip()
    (trap.folder.parent / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with (trap.folder.parent / ".git/config").open("a") as file:
        file.write(
            "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n"
            f'[remote "origin"]\n\turl = {url}\n\tpromisor = true\n'
        )
    return ["cat-file", "-p", blob]


def ssh_command(trap: Trap) -> list[str]:
    trap.config(core__sshCommand=trap.command)
    return _missing_object(trap, "ssh://example.invalid/x")


def git_proxy(trap: Trap) -> list[str]:
    trap.config(core__gitProxy=trap.command)
    return _missing_object(trap, "git://example.invalid/x")


def external_transport(trap: Trap) -> list[str]:
    trap.config(protocol__ext__allow="always")
    return _missing_object(trap, f"ext::{trap.command}")


def upload_pack(trap: Trap) -> list[str]:
    found = _missing_object(trap, str(trap.folder.parent))
    trap.config(remote__origin__uploadpack=trap.command)
    return found


def signature_program(trap: Trap) -> list[str]:
    trap.config(gpg__program=trap.command, log__showSignature="true")
    plain = git(trap.folder, "cat-file", "commit", "HEAD")
    head, _, text = plain.partition("\n\n")
    signed = f"{head}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n{text}"
    made = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=trap.folder,
        input=signed,
        capture_output=True,
        text=True,
    ).stdout.strip()
    git(trap.folder, "update-ref", "HEAD", made)
    return ["log", "-1"]


def submodule(trap: Trap) -> list[str]:
    inner = trap.folder / "vendor"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "x").write_text("x")
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "x")
    git(trap.folder, "add", "vendor")
    git(trap.folder, "commit", "-qm", "a repository in it")
    git(inner, "config", "core.fsmonitor", trap.command)
    return ["status"]


def bare_repository_as_plain_files(trap: Trap) -> list[str]:
    """The folder of the project is one, as far as git can tell: HEAD, refs, objects and a configuration."""
    for name in ("refs/heads/.keep", "objects/.keep"):
        trap.made.write(name, "")
    trap.made.write("HEAD", "ref: refs/heads/main\n")
    settings = f"repositoryformatversion = 0\nbare = false\nworktree = .\nfsmonitor = {trap.command}"
    trap.made.write("config", f"[core]\n{settings}\n")
    return ["status"]


def bare_repository_in_the_manifests(trap: Trap) -> list[str]:
    git(trap.folder, "init", "-q", "--bare", "agents/store.git")
    git(trap.folder / "agents/store.git", "config", "core.fsmonitor", trap.command)
    git(trap.folder / "agents/store.git", "config", "core.bare", "false")
    git(trap.folder / "agents/store.git", "config", "core.worktree", "..")
    return ["-C", "agents/store.git", "status"]


def _evil_repository(trap: Trap, place: str) -> Path:
    folder = trap.folder / place
    git(trap.folder, "init", "-q", "--bare", str(folder))
    git(folder, "config", "core.bare", "false")
    git(folder, "config", "core.worktree", str(trap.folder))
    git(folder, "config", "core.fsmonitor", trap.command)
    return folder


def git_file_that_points_into_the_tree(trap: Trap) -> list[str]:
    _evil_repository(trap, "data")
    trap.made.write(".git", "gitdir: data\n")
    return ["status"]


def git_file_that_points_at_a_work_tree_of_its_own(trap: Trap) -> list[str]:
    """Everything that git writes for a linked work tree, in the tree itself."""
    _evil_repository(trap, "data")
    trap.made.write("data/worktrees/w/gitdir", str(trap.folder / ".git") + "\n")
    trap.made.write("data/worktrees/w/commondir", "../..\n")
    trap.made.write("data/worktrees/w/HEAD", "ref: refs/heads/main\n")
    trap.made.write(".git", "gitdir: data/worktrees/w\n")
    git(trap.folder / "data", "config", "--unset", "core.worktree")
    return ["status"]


def git_file_that_points_outside(trap: Trap) -> list[str]:
    _evil_repository(trap, "../../elsewhere")
    trap.made.write(".git", "gitdir: ../../elsewhere\n")
    return ["status"]


def git_link(trap: Trap) -> list[str]:
    _evil_repository(trap, "data")
    (trap.folder / ".git").symlink_to("data")
    return ["status"]


def nested_repository(trap: Trap) -> list[str]:
    git(trap.folder, "init", "-q")
    git(trap.folder, "config", "core.fsmonitor", trap.command)
    return ["status"]


def nested_repository_among_the_manifests(trap: Trap) -> list[str]:
    git(trap.folder / "agents", "init", "-q")
    git(trap.folder / "agents", "config", "core.fsmonitor", trap.command)
    return ["-C", "agents", "status"]


def another_work_tree(trap: Trap) -> list[str]:
    trap.config(core__worktree=str(trap.folder), core__fsmonitor=trap.command)
    return ["status"]


TRICKS: tuple[Callable[[Trap], list[str]], ...] = (
    fsmonitor,
    hook_in_the_repository,
    hooks_path_in_the_tree,
    filter_clean,
    filter_process,
    filter_smudge,
    attributes_of_the_repository,
    text_conversion,
    external_diff,
    included_file,
    included_on_a_condition,
    work_tree_settings,
    ssh_command,
    git_proxy,
    external_transport,
    upload_pack,
    signature_program,
    submodule,
    bare_repository_as_plain_files,
    bare_repository_in_the_manifests,
    git_file_that_points_into_the_tree,
    git_file_that_points_at_a_work_tree_of_its_own,
    git_file_that_points_outside,
    git_link,
    nested_repository,
    nested_repository_among_the_manifests,
    another_work_tree,
)


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_no_command_runs_what_a_repository_names(trap: Trap, trick: Callable[[Trap], list[str]]) -> None:
    bait = trick(trap)
    git(trap.folder, *bait)
    assert trap.sprung(), "plain git does not fall for it: the trick proves nothing"
    for command in ALL:
        ran = trap.made.run(*command, code=None)
        assert not trap.sprung(), f"{command} ran it"
        assert ran.code in (0, 1, 2), (command, ran.err)
    trap.made.process("validate", code=None)
    assert not trap.sprung()


@pytest.mark.parametrize(
    "settings",
    [
        {"core.pager": "!", "pager.status": "!", "pager.ls-tree": "!"},
        {"alias.status": "!!", "alias.rev-parse": "!!", "alias.ls-files": "!!", "alias.cat-file": "!!"},
        {"core.editor": "!", "sequence.editor": "!", "credential.helper": "!!", "core.askPass": "!"},
        {"core.alternateRefsCommand": "!", "uploadpack.packObjectsHook": "!", "trailer.x.command": "!"},
        {"merge.x.driver": "!", "difftool.x.cmd": "!", "interactive.diffFilter": "!", "gc.recentObjectsHook": "!"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_what_a_configuration_could_name_besides(trap: Trap, settings: dict[str, str]) -> None:
    """Programs that the git commands in use don't start today; no command may begin to."""
    for key, value in settings.items():
        git(trap.folder, "config", key, value.replace("!", trap.command) if value == "!" else f"!{trap.command}")
    for command in ALL:
        trap.made.run(*command)
        assert not trap.sprung(), command


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": "!"},
        {"GIT_CONFIG_PARAMETERS": "'core.fsmonitor=!'"},
        {"GIT_EXTERNAL_DIFF": "!", "GIT_SSH_COMMAND": "!", "GIT_PAGER": "!", "GIT_EDITOR": "!"},
        {"GIT_DIR": "data"},
        {"GIT_WORK_TREE": "/", "GIT_INDEX_FILE": "/dev/null"},
        {"GIT_COMMON_DIR": "data"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_variables_meant_for_git_reach_no_git_of_ours(
    trap: Trap, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _evil_repository(trap, "data")
    commit = git(trap.folder, "rev-parse", "HEAD").strip()
    monkeypatch.chdir(trap.folder)
    given = {name: value.replace("!", trap.command) for name, value in variables.items()}
    for command in ALL:
        trap.made.run(*command, **given)
        assert not trap.sprung(), command
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert origin(trap.folder)["commit"] == commit


@pytest.mark.parametrize("path", [".", "", "{folder}", "{folder}/bin:.", "{folder}/agents/../bin", "{outside}"])
def test_no_program_of_the_folder_is_taken_for_git(
    trap: Trap, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("", "bin/"):
        (trap.folder / place).mkdir(exist_ok=True)
        shutil.copy(trap.script, trap.folder / f"{place}git")
    outside = tmp_path / "tools"
    outside.mkdir()
    (outside / "git").symlink_to(trap.folder / "git")
    monkeypatch.chdir(trap.folder)
    given = path.format(folder=trap.folder, outside=outside) + os.pathsep + os.environ["PATH"]
    assert shutil.which("git", path=given) is not None
    for command in ALL:
        trap.made.run(*command, code=None, PATH=given)
        assert not trap.sprung(), command


def test_a_repository_of_another_user_is_none(trap: Trap) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    assert origin(trap.folder)["commit"]
    os.chown(trap.folder.parent / ".git", 65534, 65534)
    assert origin(trap.folder)["commit"] == ""
    assert "no repository of yours" in trap.made.run("rollback", "--git", "HEAD", "--plan-only", code=1).err


def test_a_repository_of_another_user_counts_where_its_reader_calls_it_safe(
    trap: Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As checkout actions do it in containers."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(trap.folder.parent / ".git", 65534, 65534)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f"[safe]\n\tdirectory = {trap.folder.parent}\n[core]\n\tfsmonitor = {trap.command}\n"
    )
    monkeypatch.setenv("HOME", str(home))
    assert origin(trap.folder)["commit"]
    assert not trap.sprung()


def test_what_git_says_is_bounded_in_time_and_size(trap: Trap) -> None:
    with repository(trap.folder) as found:
        assert found is not None
        with pytest.raises(GitProblem, match="more than 3 bytes"):
            found.ask("rev-parse", "HEAD", most=3)
        with pytest.raises(GitProblem, match=r"longer than 0\.2 s"):
            # It waits for a name on its input that never comes to an end.
            found.ask("hash-object", "--stdin-paths", stdin=b"/proc/self/mem\n" * 3_000_000, seconds=0.2)


# What git knows is still known.


def test_commit_and_dirt_are_told_as_git_tells_them(trap: Trap) -> None:
    commit = git(trap.folder, "rev-parse", "HEAD").strip()
    assert (origin(trap.folder)["commit"], origin(trap.folder)["dirty"]) == (commit, False)
    (trap.folder.parent / "beside.txt").write_text("not the project's")
    assert origin(trap.folder)["dirty"] is False
    _touch(trap)
    assert origin(trap.folder)["dirty"] is True
    git(trap.folder, "commit", "-qam", "later")
    assert origin(trap.folder)["dirty"] is False
    trap.made.write("agents/new.yaml", "")
    assert origin(trap.folder)["dirty"] is True


@pytest.mark.parametrize("shape", ["packed", "detached", "sha256", "work tree", "shallow", "submodule", "mode", "crlf"])
def test_every_shape_of_repository_is_read(trap: Trap, shape: str, tmp_path: Path) -> None:
    folder, top = trap.folder, trap.folder.parent
    match shape:
        case "packed":
            git(top, "gc", "-q", "--prune=now")
            git(top, "pack-refs", "--all")
        case "detached":
            git(top, "checkout", "-q", "--detach")
        case "sha256":
            shutil.rmtree(top / ".git")
            git(top, "init", "-q", "--object-format=sha256")
            git(top, "add", ".")
            git(top, "commit", "-qm", "x")
        case "work tree":
            git(top, "worktree", "add", "-q", str(tmp_path / "other"))
            folder = tmp_path / "other" / "phone"
        case "shallow":
            git(tmp_path, "clone", "-q", "--depth=1", f"file://{top}", "other")
            folder = tmp_path / "other" / "phone"
        case "submodule":
            outer = tmp_path / "outer"
            outer.mkdir()
            git(outer, "init", "-q")
            git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(top), "inner")
            git(outer, "commit", "-qm", "x")
            folder = outer / "inner" / "phone"
        case "mode":
            git(top, "config", "core.fileMode", "false")
            (folder / "agents/agent.yaml").chmod(0o755)
        case "crlf":
            git(top, "config", "core.autocrlf", "true")
            (folder / "agents/agent.yaml").unlink()
            git(top, "checkout", "-q", ".")
            assert b"\r\n" in (folder / "agents/agent.yaml").read_bytes()
            (folder / "agents/agent.yaml").touch()
    found = origin(folder)
    assert found["commit"] == git(folder, "rev-parse", "HEAD").strip() != ""
    assert found["dirty"] is False


# Nothing else of the folder runs, either.

TOP_LEVEL = "import pathlib\npathlib.Path({canary!r}).touch()\n"


@pytest.mark.parametrize(
    "name",
    [
        "agents/handlers/orders.py",
        "agents/handlers/__init__.py",
        "conftest.py",
        "sitecustomize.py",
        "usercustomize.py",
        "click.py",
        "yaml.py",
        "httpx.py",
        "rich/__init__.py",
        "msgspec.py",
        "dotenv.py",
        "json.py",
        "asyncio.py",
        "voiceops_plugin.py",
        "__main__.py",
    ],
)
def test_no_python_of_the_folder_runs(trap: Trap, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trap.made
    made.edit("voiceops.yaml", "environments", "runtime: {url: 'http://127.0.0.1:9'}\nenvironments")
    made.write("agents/handlers/orders.py", "def lookup(call, **given):\n    return {}\n")
    made.edit("agents/tool.yaml", "kind: Tool", "kind: Tool\nhandler: orders:lookup")
    text = TOP_LEVEL.format(canary=str(trap.canary)) + (
        (made.folder / name).read_text() if (made.folder / name).exists() else ""
    )
    made.write(name, text)
    made.write("evil.pth", f"import pathlib; pathlib.Path({str(trap.canary)!r}).touch()\n")
    subprocess.run([sys.executable, name], cwd=made.folder, check=True)
    assert trap.sprung()
    for command in (*READING, ("generate", "runtime", "--out", str(trap.canary.parent / "out"))):
        made.run(*command, code=None)
        assert not trap.sprung(), command
    monkeypatch.chdir(made.folder)
    for command in (("validate",), ("plan",)):
        made.process(*command)
        assert not trap.sprung(), command


def test_variables_of_the_folder_reach_no_other_program(trap: Trap) -> None:
    """`.env` is read for the project: it sets nothing for what runs beside it, and no way for requests."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        asked: list[object] = []

        def listen() -> None:
            while not done.is_set():
                try:
                    asked.append(listener.accept()[0])
                except TimeoutError:
                    continue

        done = threading.Event()
        thread = threading.Thread(target=listen)
        thread.start()
        proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy")
        lines = [f"{name}={proxy}" for name in names]
        lines += [f"{name}={trap.command}" for name in ("PAGER", "EDITOR", "BROWSER", "GIT_PAGER", "GIT_SSH_COMMAND")]
        lines += [f"PATH={trap.folder}", f"PYTHONPATH={trap.folder}", f"PYTHONSTARTUP={trap.command}"]
        lines += ["GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.fsmonitor", f"GIT_CONFIG_VALUE_0={trap.command}"]
        lines += [f"SSL_CERT_FILE={trap.folder}/x", f"NETRC={trap.folder}/netrc", f"HOME={trap.folder}"]
        trap.made.write(".env", "\n".join(lines) + "\n")
        shutil.copy(trap.script, trap.folder / "git")
        before = dict(os.environ)
        try:
            for command in ALL:
                trap.made.run(*command, code=None, NO_PROXY="")
                assert not trap.sprung(), command
        finally:
            done.set()
            thread.join()
    assert asked == []
    assert dict(os.environ) == before


def test_the_trap_itself_is_real(trap: Trap) -> None:
    assert trap.script.stat().st_mode & stat.S_IXUSR
    subprocess.run([trap.command], check=True)
    assert trap.sprung()
