"""On a real terminal: the question, the colours, the bar; and what happens without one."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from tests.apply.manifests import AGENT, LINE, TOOL
from tests.support.bench import Bench
from tests.support.waiting import catches, wait_until


def on_terminal(
    made: Bench, *arguments: str, answer: str = "", signal_: int = 0, columns: int = 120
) -> tuple[int, str]:
    """A command on a terminal of its own, its question answered."""
    leader, follower = pty.openpty()
    environ = made.environ | {"TERM": "xterm-256color", "COLUMNS": str(columns)}
    environ.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "voiceops", "-C", str(made.folder), *arguments],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environ,
        close_fds=True,
    )
    os.close(follower)
    text, answered, until = "", False, time.monotonic() + 60
    try:
        while time.monotonic() < until:
            if select.select([leader], [], [], 0.1)[0]:
                try:
                    chunk = os.read(leader, 65536)
                except OSError:
                    break  # the other side is closed
                if not chunk:
                    break
                text += chunk.decode(errors="replace")
            if answer and not answered and "is taken: " in text:
                os.write(leader, f"{answer}\n".encode())
                answered = True
            if signal_ and not answered and "is taken: " in text:
                process.send_signal(signal_)
                answered = True
    finally:
        code = process.wait(timeout=90)
        os.close(leader)
    return code, text


@pytest.mark.parametrize("answer", ["no", "y", "YES"])
def test_only_yes_is_taken(live: Bench, answer: str) -> None:
    live.write("agents/tool.yaml", TOOL)
    code, text = on_terminal(live, "apply", answer=answer)
    assert code == 1
    assert "nothing was changed" in text
    assert live.writes() == []


def test_yes_applies_in_colour(live: Bench) -> None:
    live.write("agents/tool.yaml", TOOL)
    code, text = on_terminal(live, "apply", answer="yes")
    assert code == 0, text
    assert "\x1b[32" in text
    assert "Tool/lookup created" in text
    assert live.changes() == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_the_question_ends_it(live: Bench, number: signal.Signals) -> None:
    live.write("agents/tool.yaml", TOOL)
    code, text = on_terminal(live, "apply", signal_=number)
    assert code == 1, text
    assert "stopped before anything was changed" in text
    assert "requests under way" not in text
    assert live.writes() == []
    live.apply()  # the lock is free


def test_a_signal_while_it_waits_for_the_lock_ends_it(live: Bench) -> None:
    live.write("agents/tool.yaml", TOOL)
    pause = live.control.fault("pause", when="before", method="POST", path="^/tool$")
    command = [sys.executable, "-m", "voiceops", "-C", str(live.folder), "apply", "--auto-approve"]
    first = subprocess.Popen(command, env=live.environ)
    live.control.wait_for_pause(pause)
    second = subprocess.Popen([*command, "--lock-timeout", "60"], env=live.environ, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: catches(second.pid, signal.SIGTERM))  # from then on it reads, or waits
    assert second.poll() is None
    second.send_signal(signal.SIGTERM)
    assert "stopped before anything was changed" in second.communicate(timeout=90)[1]
    assert second.returncode == 1
    live.control.release(pause)
    assert first.wait(30) == 0


def test_an_output_that_lacks_letters_is_no_traceback(live: Bench) -> None:
    live.write("agents/tool.yaml", TOOL)
    assert "1 created" in live.process("apply", "--auto-approve", PYTHONIOENCODING="ascii").out


def test_a_protected_environment_wants_its_name(live: Bench) -> None:
    live.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nsafety: {confirm: true}\n")
    live.write("agents/tool.yaml", TOOL)
    assert "--confirm live" in live.apply(code=5).err
    assert "--confirm live" in live.apply("--confirm", "other", code=5).err
    assert on_terminal(live, "apply", answer="yes")[0] == 1
    assert live.writes() == []
    assert on_terminal(live, "apply", answer="live")[0] == 0
    live.run("destroy", "--auto-approve", "--confirm", "live")


def test_no_colour_where_none_is_wanted(live: Bench) -> None:
    live.write("agents/tool.yaml", TOOL)
    assert "\x1b[" not in on_terminal(live, "plan", "--no-color")[1]
    assert "\x1b[" not in live.run("plan").out
    assert "\x1b[" in on_terminal(live, "plan")[1]
    applied = on_terminal(live, "apply", "--auto-approve", "--no-color")[1]
    assert not re.search(r"\x1b\[[\d;]*m", applied), applied


@pytest.mark.parametrize(
    "command",
    [("status",), ("doctor",), ("history",), ("rollback", "1", "--plan-only"), ("validate",), ("state", "list")],
)
def test_eighty_columns(live: Bench, command: tuple[str, ...]) -> None:
    live.write("agents/agent.yaml", AGENT)
    live.write("agents/tool.yaml", TOOL)
    live.write("agents/line.yaml", LINE)
    live.write("voiceops.yaml", "version: 1\nproject: shop\nenvironments: [live]\nruntime: {url: http://127.0.0.1:9}\n")
    live.edit("agents/line.yaml", "agent: desk", "agent: desk, answer: runtime")
    live.apply("-m", "a message that is as long as people write them when they want to be understood by others")
    text = on_terminal(live, *command, columns=80)[1]
    assert re.search(r"\n {2,}", text), "nothing was too long"
    assert [line for line in re.sub(r"\x1b\[[\d;]*m", "", text).splitlines() if len(line) > 80] == []
