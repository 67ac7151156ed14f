"""A pull that is killed at any of its writes, and run again, is as one that ran once; then the plan is empty."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bench import Bench, bench
from voiceops.cli.main import run

TOOL = {"type": "function", "function": {"name": "lookup", "description": "x"}, "server": {"url": "https://x.example"}}


def account(made: Bench) -> None:
    tool = made.control.create("/tool", TOOL)["id"]
    for name in ("Desk", "Desk", "Night"):
        model = {"provider": "openai", "model": "gpt-4o", "toolIds": [tool]}
        model["messages"] = [{"role": "system", "content": f"You are {name}.\n"}]
        headers = {"X-Api-Key": "sk-live-0123456789abcdef0123456789abcdef"}  # pragma: allowlist secret
        server = {"url": "https://hooks.example/vapi", "headers": headers}
        made.control.create("/assistant", {"name": name, "model": model, "server": server})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("killed")) as made:
        account(made)
        yield made


def clean(made: Bench) -> None:
    for name in ("agents", ".voiceops"):
        shutil.rmtree(made.folder / name, ignore_errors=True)
    for name in (".env", ".gitignore"):
        (made.folder / name).unlink(missing_ok=True)


def result(made: Bench) -> tuple[dict[str, str], dict[str, str]]:
    """Every file that a pull leaves, and what the state has."""
    files = [path for path in made.folder.rglob("*") if path.is_file() and ".voiceops" not in path.parts]
    state = made.state()
    ids = {address: entry["id"] for address, entry in state["resources"].items()}
    texts = {p.relative_to(made.folder).as_posix(): p.read_text() for p in files if p.name != "voiceops.yaml"}
    return dict(sorted(texts.items())), ids


def killed(made: Bench, nth: int) -> bool:
    """A pull in a process of its own that dies right before its `nth` write below the project; did it die?"""
    pid = os.fork()
    if pid == 0:
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(quiet, stream)
        os.environ.clear()
        os.environ.update(made.environ)
        left = nth

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event == "open":
                path, flags = arguments[0], arguments[2]
                writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            elif event in ("os.rename", "os.link", "os.remove", "os.mkdir", "os.chmod", "os.truncate"):
                path, writes = arguments[0], True
            else:
                return
            if writes and str(made.folder) in str(path):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        os._exit(run(["-C", str(made.folder), "pull"]))
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL), code
    return code != 0


def test_killed_at_every_write(made: Bench) -> None:
    clean(made)
    made.run("pull")
    wanted = result(made)
    assert len(wanted[1]) == 4
    nth = 0
    while True:
        nth += 1
        clean(made)
        died = killed(made, nth)
        made.run("pull")
        assert result(made) == wanted, f"killed at write {nth}"
        history = made.run("history", "--format", "json").data
        assert [revision["operation"] for revision in history] == ["pull"], f"killed at write {nth}"
        assert not list((made.folder / ".voiceops").glob("pull.*")), f"killed at write {nth}"
        assert not list((made.folder / "agents").rglob(".*")), f"killed at write {nth}"
        if nth % 10 == 0 or not died:
            assert made.changes() == {}, f"killed at write {nth}"
        if not died:
            break
    assert nth > 30
    assert made.writes() == [] or all(path.startswith("/__") for _, path in made.writes())


def test_what_was_edited_in_between_stays(made: Bench) -> None:
    clean(made)
    made.run("pull")
    wanted, _ = result(made)
    nth = 0
    path = made.folder / "agents/desk.yaml"
    while not path.exists() or nth == 0:
        nth += 1
        clean(made)
        assert killed(made, nth)
    path.write_text(wanted["agents/desk.yaml"] + "# mine\n")
    done = made.run("pull", "--format", "json").data
    assert path.read_text().endswith("# mine\n")
    assert any("agents/desk.yaml is not as the pull that was cut off wrote it" in note for note in done["notes"])
    assert done["finished"] == 4
    assert made.changes() == {}


@pytest.mark.parametrize("room", [0, 300, 5_000])
def test_a_full_disk(made: Bench, room: int) -> None:
    clean(made)
    ran = subprocess.run(
        [sys.executable, "-m", "voiceops", "-C", str(made.folder), "pull"],
        env=made.environ,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    assert "can't be written: File too large" in ran.stderr
    assert "Traceback" not in ran.stderr
    made.run("pull")
    assert len(result(made)[1]) == 4
    assert made.changes() == {}


def test_a_marker_that_can_not_be_read(made: Bench) -> None:
    clean(made)
    marker = made.folder / ".voiceops/pull.live.json"
    for text in ("{", "[]", '{"version": 9}', '{"version": 1, "files": {"../x": ""}, "ids": {}}', '{"version": 1}'):
        made.write(".voiceops/pull.live.json", text)
        ran = made.run("pull", code=1)
        assert "a pull was cut off, and" in ran.err
        assert not (Path(made.folder) / "agents").exists()
    marker.unlink()


def test_a_dry_run_finishes_nothing(made: Bench) -> None:
    clean(made)
    made.write(".voiceops/pull.live.json", '{"version": 1, "files": {"agents/x.yaml": "x"}, "ids": {}}')
    assert "the last pull was cut off" in made.run("pull", "--dry-run", code=1).err
    assert not (made.folder / "agents").exists()


def test_other_commands_say_that_a_pull_is_to_be_finished(made: Bench) -> None:
    clean(made)
    assert "pull-cut-off" not in made.run("plan", code=1).err
    made.write(".voiceops/pull.live.json", '{"version": 1, "files": {}, "ids": {}}')
    for command in ("plan", "validate"):
        ran = made.run(command, code=1)
        assert "warning[pull-cut-off]" in ran.out + ran.err
        assert "`voiceops pull` finishes it." in ran.out + ran.err
