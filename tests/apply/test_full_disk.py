"""A disk that is full in the middle of an apply: said in a sentence, and the next apply completes it."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bench import Bench

TOOL = """---
kind: Tool
name: t{n}
spec:
  type: function
  function: {{name: t{n}, description: {text}}}
  server: {{url: "https://example.com/x"}}
"""


def voiceops(made: Bench, *arguments: str, room: int) -> subprocess.CompletedProcess[str]:
    """In a process that can't make any file larger than `room` bytes, as on a full disk."""
    return subprocess.run(
        [sys.executable, "-m", "voiceops", "-C", str(made.folder), *arguments],
        env=made.environ,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("room", [0, 300, 5_000, 20_000, 60_000])
def test_no_room_for_the_state(live: Bench, room: int) -> None:
    live.write("agents/tools.yaml", "".join(TOOL.format(n=n, text="x" * 400) for n in range(30)))
    ran = voiceops(live, "apply", "--auto-approve", room=room)
    assert ran.returncode in (1, 3), ran.stdout + ran.stderr
    assert "can't be written: File too large" in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
    live.apply()
    names = [tool["function"]["name"] for tool in live.control.objects("/tool")]
    assert sorted(names) == sorted(f"t{n}" for n in range(30)), "each once, though some were made before"
    assert live.changes() == {}


def test_no_room_for_a_plan(live: Bench, tmp_path: Path) -> None:
    live.write("agents/tools.yaml", TOOL.format(n=1, text="x"))
    ran = voiceops(live, "plan", "--out", str(tmp_path / "the.plan"), room=10)
    assert ran.returncode == 1
    assert "the.plan" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_state_that_can_not_be_there(live: Bench) -> None:
    live.write("agents/tools.yaml", TOOL.format(n=1, text="x"))
    ran = live.run("apply", "--auto-approve", code=1, VOICEOPS_STATE="/dev/null/state")
    assert "can't be written: Not a directory" in ran.err
    assert live.control.objects("/tool") == []
